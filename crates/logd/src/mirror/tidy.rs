//! Compressing and removing what was put aside, behind everybody's back: at the lowest priority, one file after the other.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use nix::libc;

use super::aside;
use crate::settings::Rotation;

/// Files that wait. One that finds no room is tidied up the next time.
const WAITING: usize = 64;
const LOWEST: libc::c_int = 19;

/// Does it on a thread of its own, from when there is something to do.
#[derive(Debug, Default)]
pub(super) struct Tidier(Option<SyncSender<(PathBuf, Rotation)>>);

impl Tidier {
    /// Tidies up beside the file at `path`, some time.
    pub(super) fn ask(&mut self, path: PathBuf, rotation: Rotation) {
        let sender = self.0.get_or_insert_with(|| {
            let (sender, asked) = sync_channel(WAITING);
            std::thread::spawn(move || work(&asked));
            sender
        });
        drop(sender.try_send((path, rotation)));
    }
}

fn work(asked: &Receiver<(PathBuf, Rotation)>) {
    #[expect(unsafe_code, reason = "there is no safe call for it")]
    // SAFETY: takes numbers and touches no memory. 0 is the calling thread.
    let set = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, LOWEST) };
    if set != 0 {
        tracing::debug!("files are compressed at the daemon's own priority");
    }
    for (path, rotation) in asked {
        let path = path.canonicalize().unwrap_or(path);
        if let Err(error) = aside::tidy(&path, rotation) {
            tracing::warn!(%error, path = %path.display(), "what was put aside stays as it is");
        }
    }
}
