//! Where an app sends its notices, as `sd_notify(3)` does: a datagram socket of its own, named by `NOTIFY_SOCKET`.
//!
//! ```text
//!   app ── READY=1 ──▶ <home>/run/n/<9 digits>      apps of our own user
//!                      /run/eco/<9 digits>          apps of another user, who cannot enter the home
//! ```
//!
//! - The name is made of the run's folder and the boot, so that a later keeper finds it, binds it again, and an app that
//!   opens its socket anew for each notice (as all libraries do) goes on without a change.
//! - A path in the home is not longer than that of the daemons' own sockets: a home that is short enough for these is short
//!   enough for this.
//! - Like a channel it is not read while no agent is there: up to ten datagrams wait in the kernel, and the app then
//!   waits too.
//! - A datagram that is too long is left out and said once a run.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use nix::unistd::{Gid, Uid, chown, geteuid};

use super::fifo;
use super::receive::receive;

/// Where other users' apps find their sockets: a folder that only root can make, and everybody enter.
const OTHERS: &str = "/run/eco";

/// The longest datagram that is passed on (systemd's own limit).
const LONGEST: usize = 4096;

/// Datagrams of one turn.
const READS_AT_ONCE: usize = 16;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("make the socket {path} for its notices")]
pub(super) struct NoticesError {
    path: PathBuf,
    #[source]
    pub(super) source: io::Error,
}

/// One run's socket.
#[derive(Debug)]
pub(super) struct Notices {
    socket: UnixDatagram,
    path: PathBuf,
    /// Whether it was said that a datagram was left out.
    pub(super) has_complained: bool,
}

impl Notices {
    /// Binds the socket of a new run. `owner` is the only one who may send, root excepted.
    pub(super) fn create(
        folder: &Path,
        number: u64,
        owner: Option<(Uid, Gid)>,
    ) -> Result<Self, NoticesError> {
        let (folder, mode) = match owner {
            None => (folder, 0o700),
            Some(_) => (Path::new(OTHERS), 0o711),
        };
        let path = folder.join(name(number));
        let prepared = DirBuilder::new().recursive(true).create(folder);
        let opened = |()| std::fs::set_permissions(folder, Permissions::from_mode(mode));
        let socket = prepared.and_then(opened).and_then(|()| bind(&path, owner));
        Self::over(path, socket)
    }

    /// Binds the socket again that a run of an earlier keeper has, if it has one.
    pub(super) fn reopen(folder: &Path, number: u64) -> Result<Option<Self>, NoticesError> {
        let name = name(number);
        let places = [folder.join(&name), Path::new(OTHERS).join(&name)];
        let left = places.into_iter().find_map(|path| {
            let found = std::fs::symlink_metadata(&path).ok()?;
            found.file_type().is_socket().then_some((path, found))
        });
        let Some((path, found)) = left else {
            return Ok(None);
        };
        let (uid, gid) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
        let socket = bind(&path, (uid != geteuid()).then_some((uid, gid)));
        Self::over(path, socket).map(Some)
    }

    fn over(path: PathBuf, socket: io::Result<UnixDatagram>) -> Result<Self, NoticesError> {
        match socket {
            Ok(socket) => Ok(Self {
                socket,
                path,
                has_complained: false,
            }),
            Err(source) => Err(NoticesError { path, source }),
        }
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds what was sent to `notices`, one turn. Returns how many were left out.
    pub(super) fn receive(&mut self, notices: &mut Vec<Vec<u8>>) -> nix::Result<u32> {
        let mut bytes = [0; LONGEST];
        let mut left_out = 0;
        for _ in 0..READS_AT_ONCE {
            match receive(&self.socket, &mut bytes)? {
                None => break,
                Some(received) if received.is_cut => left_out += 1,
                Some(received) => {
                    let read = bytes.get(..received.bytes).unwrap_or_default();
                    notices.push(read.to_vec());
                }
            }
        }
        Ok(left_out)
    }

    /// Removes it, once nobody is left who could send.
    pub(super) fn remove(self) -> io::Result<()> {
        fifo::remove(&self.path)
    }
}

impl AsFd for Notices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Nine digits of base 36: as long as the names of the daemons' sockets allow, and no two of a million runs alike.
fn name(number: u64) -> String {
    let mut left = number;
    let digits = (0..9).filter_map(|_| {
        let digit = u32::try_from(left % 36).ok();
        left /= 36;
        digit.and_then(|digit| char::from_digit(digit, 36))
    });
    digits.collect()
}

/// Binds in place of whatever a dead keeper left.
fn bind(path: &Path, owner: Option<(Uid, Gid)>) -> io::Result<UnixDatagram> {
    fifo::remove(path)?;
    let socket = UnixDatagram::bind(path)?;
    socket.set_nonblocking(true)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    if let Some((uid, gid)) = owner {
        chown(path, Some(uid), Some(gid))?;
    }
    Ok(socket)
}

/// Removes what runs before the last boot, since 1970, left: their numbers never come again.
pub(super) fn sweep(folder: &Path, booted_at: Duration) {
    let booted_at = UNIX_EPOCH + booted_at;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|found| found.modified());
        if changed.is_ok_and(|changed| changed < booted_at)
            && let Err(error) = fifo::remove(&entry.path())
        {
            super::say::failed(&entry.path().display(), &error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_nine_digits_whatever_the_number() {
        for number in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            let name = name(number);
            assert_eq!(name.len(), 9);
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert_ne!(name(1), name(36));
    }

    #[test]
    fn notices_are_heard_by_whoever_binds_the_socket_again() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("n");
        assert!(Notices::reopen(&folder, 7).expect("nothing").is_none());
        let first = Notices::create(&folder, 7, None).expect("bound");
        let path = first.path().to_owned();
        drop(first);
        let mut second = Notices::reopen(&folder, 7).expect("bound").expect("there");
        let app = UnixDatagram::unbound().expect("a socket");
        app.send_to(b"READY=1", &path).expect("sent");
        app.send_to(&[b'x'; LONGEST + 1], &path).expect("sent");
        let mut heard = Vec::new();
        assert_eq!(second.receive(&mut heard), Ok(1));
        assert_eq!(heard, [b"READY=1".to_vec()]);
        second.remove().expect("removed");
        assert!(!path.exists());
    }

    #[test]
    fn only_what_is_older_than_the_boot_is_swept() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x"), b"").expect("written");
        sweep(folder.path(), Duration::ZERO);
        assert!(folder.path().join("x").exists());
        sweep(folder.path(), Duration::from_secs(1 << 40));
        assert!(!folder.path().join("x").exists());
    }
}
