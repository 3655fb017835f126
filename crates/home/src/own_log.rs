//! What a daemon says of itself: its stderr, which is a file in the home that never grows beyond a bound.
//!
//! ```text
//! log/agentd.log       grows to 4 MiB ─▶ agentd.log.1, in place of the one before it
//! ```
//!
//! Whoever starts a daemon gives it the file ([`launch`](crate::launch)); the daemon looks after it, so that an error that
//! is told again and again does not fill a disk. A stderr that is something else, such as a terminal, is left as it is. A
//! log that was taken away or put aside by somebody else is begun anew.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::sys::stat::{FileStat, fstat, stat};
use nix::unistd::{dup2_stderr, dup2_stdout, ftruncate};

use crate::{Daemon, Home};

/// How large a log may become before it is put aside. The one that was put aside before it goes.
pub const LARGEST: u64 = 4 << 20;

/// This process's log, once it has begun.
static OURS: OnceLock<Kept> = OnceLock::new();
/// One thread at a time looks whether the log has become too large.
static WRITING: Mutex<()> = Mutex::new(());

/// Looks after the log of `daemon`, which this process is, from now on. To be called by the one that holds the lock.
pub fn begin(home: &Home, daemon: Daemon) {
    let path = home.log(daemon);
    let is_ours = is_same(&io::stderr(), &path);
    if is_ours {
        // Whoever begins twice has a log already.
        drop(OURS.set(Kept {
            path,
            largest: LARGEST,
        }));
    }
}

/// The way to stderr.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnLog;

impl Write for OwnLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = OURS.get() {
            kept.look();
        }
        io::stderr().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A log, and how large it may become.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    largest: u64,
}

impl Kept {
    /// Begins our log anew where it is time. What fails is tried again with the next line.
    fn look(&self) {
        let is_stdout_too = is_same(&io::stdout(), &self.path);
        let Some(new) = self.renewed(io::stderr().as_fd()) else {
            return;
        };
        let stdout = if is_stdout_too {
            dup2_stdout(&new)
        } else {
            Ok(())
        };
        if dup2_stderr(&new).and(stdout).is_err() {
            // There is nobody to tell but who reads the log that is still written to.
        }
    }

    /// The file to write to instead of `held`; `None`: that one. Where it cannot be put aside it is emptied.
    fn renewed(&self, held: BorrowedFd<'_>) -> Option<File> {
        let size = |held: &FileStat| u64::try_from(held.st_size).unwrap_or(0);
        let is_large = fstat(held).is_ok_and(|held| size(&held) >= self.largest);
        let is_there = is_same(&held, &self.path);
        if is_there && !is_large {
            return None;
        }
        let put_aside = if is_there {
            std::fs::rename(&self.path, put_aside(&self.path))
        } else {
            Ok(())
        };
        let new = put_aside.and_then(|()| open(&self.path));
        if new.is_err() && is_large && ftruncate(held, 0).is_err() {
            // It is a file that may be written to, so that it can be emptied; and nobody could be told.
        }
        new.ok()
    }
}

/// Opens the log at `path` to add to it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// Where the log at `path` goes when it has become too large.
fn put_aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

fn is_same(held: &impl AsFd, path: &Path) -> bool {
    let (Ok(held), Ok(there)) = (fstat(held), stat(path)) else {
        return false;
    };
    (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"the same error, again and again\n";

    /// Writes lines as a daemon does; returns the file that it holds in the end.
    fn write(kept: &Kept, mut held: File, lines: usize) -> File {
        for _ in 0..lines {
            if let Some(new) = kept.renewed(held.as_fd()) {
                held = new;
            }
            held.write_all(LINE).expect("written");
        }
        held
    }

    fn kept(folder: &Path) -> (Kept, File) {
        let path = folder.join("x.log");
        let held = open(&path).expect("opened");
        (Kept { path, largest: 500 }, held)
    }

    fn size(path: &Path) -> u64 {
        path.metadata().map_or(0, |about| about.len())
    }

    #[test]
    fn a_log_and_what_was_put_aside_of_it_stay_within_the_bound() {
        let folder = tempfile::tempdir().expect("made");
        let (kept, held) = kept(folder.path());
        let held = write(&kept, held, 1000);
        let (now, before) = (size(&kept.path), size(&put_aside(&kept.path)));
        let most = 500 + u64::try_from(LINE.len()).expect("small");
        assert!(now > 0 && now <= most, "{now}");
        assert!(before >= 500 && before <= most, "{before}");
        assert!(is_same(&held, &kept.path));
        assert_eq!(folder.path().read_dir().expect("read").count(), 2);
    }

    #[test]
    fn a_log_that_somebody_took_away_is_begun_anew() {
        let folder = tempfile::tempdir().expect("made");
        let (kept, held) = kept(folder.path());
        let held = write(&kept, held, 3);
        std::fs::remove_file(&kept.path).expect("removed");
        drop(write(&kept, held, 2));
        let two = 2 * u64::try_from(LINE.len()).expect("small");
        assert_eq!(size(&kept.path), two);
    }

    #[test]
    fn a_log_that_cannot_be_put_aside_is_emptied() {
        let folder = tempfile::tempdir().expect("made");
        let (kept, held) = kept(folder.path());
        std::fs::create_dir_all(put_aside(&kept.path).join("x")).expect("made");
        drop(write(&kept, held, 1000));
        let now = size(&kept.path);
        assert!(now > 0 && now < 600, "{now}");
    }
}
