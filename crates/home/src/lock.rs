//! One daemon of a kind per home: an advisory lock held for life.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Daemon, Home};

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

/// Kills the daemon that holds its lock in `home`, without asking it. Returns its pid; `None`: nobody holds the lock, or
/// somebody who is no such daemon.
pub fn kill_holder(home: &Home, daemon: Daemon) -> io::Result<Option<i32>> {
    let Some(pid) = holder(&home.lock(daemon))? else {
        return Ok(None);
    };
    // A pid of another container's, where several share a home, is somebody else's here.
    let name = fs::read_to_string(format!("/proc/{pid}/comm"))?;
    if name.trim() != daemon.program() {
        return Ok(None);
    }
    kill(Pid::from_raw(pid), Signal::SIGKILL)?;
    Ok(Some(pid))
}

/// The process that holds the lock at `path`; `None`: nobody does.
fn holder(path: &Path) -> io::Result<Option<i32>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(None),
        Err((_, Errno::EWOULDBLOCK)) => Ok(fs::read_to_string(path)?.trim().parse().ok()),
        Err((_, errno)) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_no_such_daemon_is_not_killed() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::find(Some(folder.path()), None).expect("found");
        let kill = || kill_holder(&home, Daemon::Log).expect("readable");
        assert_eq!(kill(), None);
        home.prepare().expect("made");
        let _held = take(&home.lock(Daemon::Log)).expect("readable");
        assert_eq!(kill(), None);
    }

    #[test]
    fn a_lock_is_held_once_and_free_again_when_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.lock");
        let held = take(&path).expect("readable").expect("free");
        assert!(take(&path).expect("readable").is_none());
        let ours = i32::try_from(std::process::id()).ok();
        assert_eq!(holder(&path).expect("readable"), ours);
        drop(held);
        assert_eq!(holder(&path).expect("readable"), None);
        assert!(take(&path).expect("readable").is_some());
    }
}
