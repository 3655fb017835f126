//! FIFOs by their paths: made for a run's user, opened again, removed.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc::O_NOFOLLOW;
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, fchown, mkfifo};

/// Why a FIFO cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("make {path}")]
pub(super) struct FifoError {
    /// Its path.
    path: PathBuf,
    /// Why.
    #[source]
    pub(super) source: io::Error,
}

/// Makes a FIFO and opens it read-write. `owner` may open it again.
pub(super) fn make(path: &Path, flags: i32, owner: Option<(Uid, Gid)>) -> Result<File, FifoError> {
    let made = || {
        mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)?;
        let fifo = open_read_write(path, flags)?;
        if let Some((uid, gid)) = owner {
            fchown(&fifo, Some(uid), Some(gid))?;
        }
        Ok(fifo)
    };
    made().map_err(|source| failed(path, source))
}

/// Opens a FIFO read-write, with a description of its own.
pub(super) fn open(path: &Path, flags: i32) -> Result<File, FifoError> {
    open_read_write(path, flags).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: io::Error) -> FifoError {
    let path = path.to_owned();
    FifoError { path, source }
}

fn open_read_write(path: &Path, flags: i32) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags | O_NOFOLLOW)
        .open(path)?;
    if !file.metadata()?.file_type().is_fifo() {
        return Err(io::Error::from(Errno::EINVAL));
    }
    Ok(file)
}

/// Removes what has a name in the file system for as long as a run lives; gone already is as good.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
