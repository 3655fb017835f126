//! Dropping what the disk refuses, for apps that are not to wait: `log_overflow: 'drop'`.
//!
//! ```text
//!   out.fifo ──splice──▶ out.0001 ✗ full ──▶ /dev/null, counted in out.dropped
//!                        out.0002    begins at the end of out.0001 + what was dropped, once the disk has room
//! ```
//!
//! `*.dropped` is there from a run's begin, so that counting needs no room, and tells a keeper that takes the run over that
//! it is not to wait:
//!
//! ```text
//! "ecodrop1"   end: u64   bytes: u64      24 bytes, little-endian
//! ```
//!
//! - So many bytes were dropped since the stream was `end` bytes long; 0: none. Where the stream has another length by
//!   now the next segment was begun, and the count is in its base.
//! - It is overwritten in place after each turn: what was dropped in the turn in which a keeper was killed is not counted.
//! - A file that is torn counts nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_home::runs::Stream;
use nix::errno::Errno;
use nix::fcntl::{SpliceFFlags, splice};
use nix::libc::O_NOFOLLOW;

use super::say::{failed, say};

const MAGIC: [u8; 8] = *b"ecodrop1";
const SIZE: usize = 24;
/// Between two attempts to store again.
const REST: Duration = Duration::from_millis(100);

/// Where the bytes of a stream go that the disk refuses.
#[derive(Debug)]
pub(super) struct Overflow {
    path: PathBuf,
    file: File,
    nothing: File,
    dropped: u64,
    tried_at: Duration,
}

impl Overflow {
    /// Makes what a new run needs.
    pub(super) fn create(folder: &Path, stream: Stream) -> io::Result<Self> {
        let path = folder.join(stream.dropped());
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .custom_flags(O_NOFOLLOW)
            .mode(0o600)
            .open(&path)?;
        file.write_all_at(&record(0, 0), 0)?;
        Self::new(path, file, 0)
    }

    /// Takes up what an earlier keeper left of a stream that is `end` long; `None`: the run is to wait.
    pub(super) fn reopen(folder: &Path, stream: Stream, end: u64) -> io::Result<Option<Self>> {
        let path = folder.join(stream.dropped());
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(O_NOFOLLOW)
            .open(&path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let dropped = read(&file)
            .filter(|(since, _)| *since == end)
            .map_or(0, |(_, dropped)| dropped);
        Self::new(path, file, dropped).map(Some)
    }

    fn new(path: PathBuf, file: File, dropped: u64) -> io::Result<Self> {
        Ok(Self {
            path,
            file,
            nothing: OpenOptions::new().write(true).open("/dev/null")?,
            dropped,
            tried_at: Duration::ZERO,
        })
    }

    /// Bytes that were dropped and are not in the stream's offsets yet.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether it is worth another attempt to store.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        now.abs_diff(self.tried_at) >= REST
    }

    /// From now on bytes are dropped: the disk refused them at `now`.
    pub(super) fn refused(&mut self, errno: Errno, now: Duration) {
        if self.dropped == 0 {
            say(format_args!(
                "drops what {} counts: {errno}",
                self.path.display()
            ));
        }
        self.tried_at = now;
    }

    /// Drops up to `most` bytes of a stream that is `end` long.
    pub(super) fn drop_from(&mut self, fifo: impl AsFd, most: u64, end: u64) -> nix::Result<u64> {
        let moved = splice(
            fifo,
            None,
            &self.nothing,
            None,
            usize::try_from(most).unwrap_or(usize::MAX),
            SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK,
        )?;
        let moved = u64::try_from(moved).unwrap_or(u64::MAX);
        self.dropped += moved;
        self.count(end);
        Ok(moved)
    }

    /// What was dropped is in the stream's offsets.
    pub(super) fn stored(&mut self, end: u64) {
        say(format_args!(
            "stores again; {} counted {} bytes",
            self.path.display(),
            self.dropped
        ));
        self.dropped = 0;
        self.count(end);
    }

    fn count(&self, end: u64) {
        if let Err(error) = self.file.write_all_at(&record(end, self.dropped), 0) {
            failed(&self.path.display(), &error);
        }
    }
}

fn record(end: u64, dropped: u64) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let (magic, rest) = bytes.split_at_mut(8);
    let (left, right) = rest.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    left.copy_from_slice(&end.to_le_bytes());
    right.copy_from_slice(&dropped.to_le_bytes());
    bytes
}

fn read(file: &File) -> Option<(u64, u64)> {
    let mut bytes = [0; SIZE];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (end, rest) = rest.split_first_chunk()?;
    let (dropped, _) = rest.split_first_chunk()?;
    Some((u64::from_le_bytes(*end), u64::from_le_bytes(*dropped)))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_was_dropped_is_known_to_the_next_keeper_until_it_is_in_the_offsets() {
        let folder = tempfile::tempdir().expect("a folder");
        let reopen = |end| Overflow::reopen(folder.path(), Stream::Out, end).expect("read");
        assert!(reopen(0).is_none());
        let mut overflow = Overflow::create(folder.path(), Stream::Out).expect("made");
        let (fifo, mut app) = std::io::pipe().expect("a pipe");
        app.write_all(b"0123456789").expect("room");
        assert_eq!(overflow.drop_from(&fifo, 4, 100), Ok(4));
        assert_eq!(overflow.drop_from(&fifo, 100, 100), Ok(6));
        assert_eq!(overflow.drop_from(&fifo, 100, 100), Err(Errno::EAGAIN));
        assert_eq!(reopen(100).map(|it| it.dropped()), Some(10));
        assert_eq!(reopen(110).map(|it| it.dropped()), Some(0));
        overflow.stored(110);
        assert_eq!(reopen(110).map(|it| it.dropped()), Some(0));
        std::fs::write(folder.path().join("out.dropped"), "torn").expect("written");
        assert_eq!(reopen(100).map(|it| it.dropped()), Some(0));
    }
}
