//! Writing to the standard input of a run on this host.
//!
//! ```text
//!   eco send, eco attach ──▶ agent ──O_WRONLY|O_NONBLOCK──▶ in.fifo, 64 KiB ──▶ app
//! ```
//!
//! The app itself is the only one who keeps the FIFO open: so opening it tells whether anybody is there to read. What was
//! written and not read ends with the run.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_home::runs::STDIN;
use nix::libc;
use tokio::net::unix::pipe;

/// Why bytes did not reach an app.
#[derive(Debug, thiserror::Error)]
pub enum StdinError {
    /// Nobody has it open.
    #[error("reach its standard input: nobody reads it any more")]
    Closed,
    /// The run was begun without one.
    #[error("open {path}")]
    Open {
        /// The FIFO.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not read what is there.
    #[error(
        "write {length} bytes: the app does not read its standard input, and {written} found room"
    )]
    Full {
        /// How many were to be written.
        length: usize,
        /// How many went in.
        written: usize,
    },
    /// The FIFO failed.
    #[error("write to its standard input")]
    Write(#[source] io::Error),
}

/// An open standard input.
#[derive(Debug)]
pub struct Stdin(pipe::Sender);

impl Stdin {
    /// Opens the standard input of the run whose output is in `run_dir`.
    pub fn open(run_dir: &Path) -> Result<Self, StdinError> {
        let path = run_dir.join(STDIN);
        match pipe::OpenOptions::new().open_sender(&path) {
            Ok(sender) => Ok(Self(sender)),
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Err(StdinError::Closed),
            Err(source) => Err(StdinError::Open { path, source }),
        }
    }

    /// Writes all of `bytes`, waiting up to `patience` for each piece to find room.
    pub async fn write(&mut self, bytes: &[u8], patience: Duration) -> Result<(), StdinError> {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.0.try_write(rest) {
                Ok(more) => written += more,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let length = bytes.len();
                    let room = tokio::time::timeout(patience, self.0.writable()).await;
                    room.map_err(|_| StdinError::Full { length, written })?
                        .map_err(StdinError::Write)?;
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(StdinError::Closed);
                }
                Err(error) => return Err(StdinError::Write(error)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use nix::sys::stat::Mode;

    use super::*;

    /// A run's folder, and an app that has its stdin open.
    fn stage() -> (tempfile::TempDir, std::fs::File) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(STDIN);
        nix::unistd::mkfifo(&path, Mode::S_IRWXU).expect("made");
        let mut options = std::fs::File::options();
        let app = options.read(true).write(true).open(&path).expect("open");
        (folder, app)
    }

    #[tokio::test]
    async fn what_is_written_is_there_for_the_app() {
        let (folder, mut app) = stage();
        let mut stdin = Stdin::open(folder.path()).expect("open");
        stdin
            .write(b"hello\n", Duration::from_secs(60))
            .await
            .expect("room");
        let mut read = [0; 6];
        app.read_exact(&mut read).expect("there");
        assert_eq!(&read, b"hello\n");
    }

    #[tokio::test]
    async fn an_app_that_does_not_read_is_told_with_what_went_in() {
        let (folder, _app) = stage();
        let mut stdin = Stdin::open(folder.path()).expect("open");
        let bytes = vec![b'x'; 1 << 20];
        let patience = Duration::from_millis(20);
        let error = stdin.write(&bytes, patience).await.expect_err("no room");
        assert!(
            matches!(error, StdinError::Full { length, written } if length == 1 << 20 && written > 0 && written < length),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn a_run_that_nobody_is_left_of_cannot_be_written_to() {
        let (folder, app) = stage();
        let mut stdin = Stdin::open(folder.path()).expect("open");
        drop(app);
        let late = stdin.write(b"x", Duration::from_secs(60)).await;
        assert!(matches!(late, Err(StdinError::Closed)));
        assert!(matches!(
            Stdin::open(folder.path()),
            Err(StdinError::Closed)
        ));
        std::fs::remove_file(folder.path().join(STDIN)).expect("removed");
        assert!(matches!(
            Stdin::open(folder.path()),
            Err(StdinError::Open { .. })
        ));
    }
}
