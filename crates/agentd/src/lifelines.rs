//! Holding the outputs of living runs open, so that an app's last words outlive a keeper that is killed.
//!
//! ```text
//!   app ──▶ out.fifo ──▶ keeper, which reads          what is in a FIFO is there as long as somebody holds it:
//!              └───────▶ agent, which only holds       one of the three must live until another keeper reads on
//! ```
//!
//! Nothing is read here, and a reader more is nothing to the app: both it and the keeper hold the FIFO read-write.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eco_home::runs::Stream;
use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use tokio::sync::watch;

use crate::fleet::{Fleet, RunKey};
use crate::machine::State;
use crate::supervisor::run_dir;

/// Holds the outputs of all runs of the published fleet that live. Ends with the agent.
pub async fn run(mut published: watch::Receiver<Arc<Fleet>>, host: String, runs: PathBuf) {
    let mut held: BTreeMap<RunKey, Vec<File>> = BTreeMap::new();
    loop {
        let living = living(&published.borrow_and_update());
        held.retain(|key, _| living.contains(key));
        for key in living {
            held.entry(key)
                .or_insert_with_key(|key| hold(&run_dir(&runs, &host, key)));
        }
        if published.changed().await.is_err() {
            return;
        }
    }
}

/// The runs that were reported living, until nothing of them is left and all they wrote is kept.
fn living(fleet: &Fleet) -> Vec<RunKey> {
    let slots = fleet.slots();
    let living = slots.filter_map(|(key, _, slot)| match slot.machine.state() {
        State::Launching { .. } | State::Online { .. } | State::Ending { .. } => {
            Some(key.run(slot.machine.run()))
        }
        State::Stopped | State::Spawning { .. } | State::Waiting { .. } | State::Errored => None,
    });
    living.collect()
}

/// What cannot be held is said: the app is none the worse as long as its keeper lives.
fn hold(folder: &Path) -> Vec<File> {
    let open = |stream: Stream| {
        let path = folder.join(stream.fifo());
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(O_NONBLOCK | O_NOFOLLOW)
            .open(&path);
        match opened {
            Ok(fifo) => Some(fifo),
            // A short life is over before we look.
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cannot hold an output");
                None
            }
        }
    };
    Stream::BOTH.into_iter().filter_map(open).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn what_was_written_is_there_for_the_next_reader_though_all_others_are_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(Stream::Out.fifo());
        mkfifo(&path, Mode::S_IRWXU).expect("made");
        let open = || OpenOptions::new().read(true).write(true).open(&path);
        let mut app = open().expect("opened");
        // There is no stderr.
        let held = hold(folder.path());
        assert_eq!(held.len(), 1);
        app.write_all(b"last words").expect("room");
        drop(app);
        let mut words = [0; 10];
        open()
            .expect("opened")
            .read_exact(&mut words)
            .expect("there");
        assert_eq!(&words, b"last words");
    }
}
