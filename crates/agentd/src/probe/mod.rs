//! Asking runs whether they are ready, and whether they are still well.
//!
//! ```text
//!  published fleet ─▶ which runs are to be asked what ─▶ one task for each of them
//!                                                          │  wait until due ─▶ ask ─▶ judge (pure) ─┐
//!                                                          │        ▲────────────────────────────────┤
//!                                                          ▼                                         ▼
//!                                   board: the last answer, for people          supervisor: ready, or ill
//! ```
//!
//! - Only runs whose app has a probe have a task, and only while they launch or are online; nothing else is looked at.
//! - A task ends with its run, and with it whatever it had begun: a connection, a program.
//! - Another agent begins anew with every run: what it did not hear itself it does not know.
//! - An app with a port of its own is looked at by [`port`], all such apps in one look; what apps wait for outside of eco,
//!   by [`outside`].

mod connect;
mod exec;
mod http;
mod inquiry;
mod judge;
mod line;
mod matter;
mod output;
pub mod outside;
mod peer;
pub mod port;
mod task;
mod watchdog;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use eco_home::Home;
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use crate::fleet::{Board, Fleet, RunKey};
use crate::supervisor::Input;
use crate::voices::Voices;
use matter::{Matter, matters};

/// What the tasks need to know, and whom they tell.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where eco lives.
    pub home: Home,
    /// Where runs keep their output.
    pub runs: PathBuf,
    /// The name of this host.
    pub host: String,
    /// What the apps say of themselves.
    pub voices: watch::Receiver<Voices>,
    /// Whom to tell what follows.
    pub inputs: mpsc::Sender<Input>,
    /// Where answers are shown.
    pub board: watch::Sender<Board>,
}

/// A run that is being asked.
struct Asked {
    matter: Matter,
    _task: AbortOnDropHandle<()>,
}

/// Asks the runs of the published fleet. Ends with the agent.
pub async fn run(mut published: watch::Receiver<Arc<Fleet>>, about: Surroundings) {
    let mut asked: BTreeMap<RunKey, Asked> = BTreeMap::new();
    loop {
        let wanted = matters(&published.borrow_and_update());
        asked.retain(|key, asked| {
            wanted
                .get(key)
                .is_some_and(|new| new.is_same(&asked.matter))
        });
        forget_all_but(&wanted, &about.board);
        for (key, matter) in wanted {
            asked.entry(key).or_insert_with_key(|key| {
                let task = task::run(key.clone(), matter.clone(), about.clone());
                Asked {
                    matter,
                    _task: AbortOnDropHandle::new(tokio::spawn(task)),
                }
            });
        }
        if published.changed().await.is_err() {
            return;
        }
    }
}

fn forget_all_but(wanted: &BTreeMap<RunKey, Matter>, board: &watch::Sender<Board>) {
    board.send_if_modified(|board| {
        let before = board.len();
        board.retain(|key, _| wanted.contains_key(key));
        board.len() != before
    });
}
