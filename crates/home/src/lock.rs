//! One daemon of a kind per home: an advisory lock held for life.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// A held lock; dropping it, or dying, lets go.
#[derive(Debug)]
pub struct Held {
    _file: Flock<File>,
}

/// Takes the lock at `path` and writes our pid into it for people to read. `None`: another process holds it.
pub fn take(path: &Path) -> io::Result<Option<Held>> {
    let file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut file) => {
            file.set_len(0)?;
            file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
            Ok(Some(Held { _file: file }))
        }
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_free_again_when_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.lock");
        let held = take(&path).expect("readable").expect("free");
        assert!(take(&path).expect("readable").is_none());
        drop(held);
        assert!(take(&path).expect("readable").is_some());
    }
}
