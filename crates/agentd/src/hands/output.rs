//! One stream of a run: the FIFO the app writes to, and the segments its bytes go to.
//!
//! ```text
//!   app (fd 1, O_RDWR) ──▶ out.fifo, 1 MiB ──splice──▶ out.0001
//!                              ▲
//!                          keeper (O_RDWR|O_NONBLOCK)
//! ```
//!
//! - Both sides hold the FIFO read-write. The app never meets SIGPIPE, whoever dies; and the keeper never meets a
//!   hang-up, so that an app which closes its stdout and opens `/dev/stdout` again later is no special case.
//!   The price is that the end of output is not signalled: it is reached when no process of the run is left and the
//!   FIFO is empty.
//! - The app's descriptors are opened apart from the keeper's: `O_NONBLOCK` belongs to the opening, and would break apps.
//! - When the disk does not take the bytes they stay in the FIFO: the app is **held**, nothing is lost. Of an app that is not
//!   to wait they are dropped instead, and counted: see [`mod@super::overflow`].

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_home::clock;
use eco_home::runs::Stream;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::O_NONBLOCK;
use nix::unistd::{Gid, Uid};

use super::fifo::{self, FifoError};
use super::overflow::Overflow;
use super::segment::Segments;

/// Bytes a FIFO is asked to hold. Node drops at exit what the pipe did not take.
const CAPACITY: i32 = 1 << 20;

/// What the kernel gives everybody.
const LEAST_CAPACITY: i32 = 64 << 10;

/// Most bytes one stream moves before the others have their turn.
const TURN: u64 = 256 << 10;

/// Why a stream could not be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    /// The FIFO.
    #[error(transparent)]
    Fifo(#[from] FifoError),
    /// The segment or its times.
    #[error("write {stem}.* in {folder}")]
    Segment {
        /// The run's folder.
        folder: PathBuf,
        /// Which stream.
        stem: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl OutputError {
    /// The cause.
    pub(super) const fn cause(&self) -> &io::Error {
        match self {
            Self::Fifo(error) => &error.source,
            Self::Segment { source, .. } => source,
        }
    }
}

/// What becomes of bytes that the disk refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// They stay in the FIFO, and the app waits.
    Waits,
    /// They are dropped, and counted.
    IsDropped,
}

/// How a turn of draining ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The FIFO is empty.
    Empty,
    /// There may be more.
    Turn,
    /// The disk did not take it.
    Held(Errno),
}

/// One stream of a run.
#[derive(Debug)]
pub(super) struct Output {
    stream: Stream,
    fifo: File,
    capacity: u64,
    segments: Segments,
    /// Of an app that is not to wait.
    overflow: Option<Overflow>,
    /// Whether the disk refused the last bytes.
    pub(super) is_held: bool,
}

impl Output {
    /// Sets up the stream of a new run, and opens the end that the app gets. `owner` may open it again.
    pub(super) fn create(
        folder: &Path,
        stream: Stream,
        limit: u64,
        owner: Option<(Uid, Gid)>,
        refused: Refused,
    ) -> Result<(Self, File), OutputError> {
        let path = folder.join(stream.fifo());
        let fifo = fifo::make(&path, O_NONBLOCK, owner)?;
        let app = fifo::open(&path, 0)?;
        let overflow = match refused {
            Refused::Waits => Ok(None),
            Refused::IsDropped => Overflow::create(folder, stream).map(Some),
        };
        let segments = Segments::create(folder, stream, limit);
        let files = segments.and_then(|segments| Ok((segments, overflow?)));
        Self::join(folder, stream, fifo, files).map(|output| (output, app))
    }

    /// Whether there ever was anything of the stream.
    pub(super) fn is_there(folder: &Path, stream: Stream) -> bool {
        let names = [stream.fifo(), stream.segment(1), stream.times(1)];
        let mut paths = names.iter().map(|name| folder.join(name));
        paths.any(|path| path.symlink_metadata().is_ok())
    }

    /// Takes the stream of a run over that an earlier keeper left.
    pub(super) fn reopen(folder: &Path, stream: Stream, limit: u64) -> Result<Self, OutputError> {
        let fifo = fifo::open(&folder.join(stream.fifo()), O_NONBLOCK)?;
        let files = Segments::reopen(folder, stream, limit).and_then(|segments| {
            let overflow = Overflow::reopen(folder, stream, segments.size())?;
            Ok((segments, overflow))
        });
        Self::join(folder, stream, fifo, files)
    }

    fn join(
        folder: &Path,
        stream: Stream,
        fifo: File,
        files: io::Result<(Segments, Option<Overflow>)>,
    ) -> Result<Self, OutputError> {
        let (segments, overflow) = files.map_err(|source| OutputError::Segment {
            folder: folder.to_owned(),
            stem: stream.stem(),
            source,
        })?;
        Ok(Self {
            stream,
            capacity: widen(&fifo),
            fifo,
            segments,
            overflow,
            is_held: false,
        })
    }

    /// Which of the two it is.
    pub(super) const fn stream(&self) -> Stream {
        self.stream
    }

    /// Bytes in the segments.
    pub(super) const fn size(&self) -> u64 {
        self.segments.size()
    }

    /// Drains one turn; tells how much that was.
    pub(super) fn drain(&mut self) -> (u64, End) {
        self.drain_up_to(TURN)
    }

    /// Drains all that was in the FIFO when this began. What a process outside of the run goes on to write may stay.
    pub(super) fn drain_all(&mut self) -> End {
        let end = self.drain_up_to(self.capacity).1;
        // Also when nothing comes after it, what was dropped is to be a gap.
        self.store_again(clock::unix(), Attempt::Last);
        end
    }

    fn drain_up_to(&mut self, most: u64) -> (u64, End) {
        let now = clock::unix();
        let mut moved = 0;
        let end = loop {
            if moved >= most {
                break End::Turn;
            }
            match self.take(most - moved, now) {
                // No writer can be missing while we hold the FIFO ourselves.
                Ok(0) | Err(Errno::EAGAIN) => break End::Empty,
                Ok(bytes) => moved += bytes,
                Err(Errno::EINTR) => {}
                Err(errno) => break End::Held(errno),
            }
        };
        self.segments.note(now);
        (moved, end)
    }

    /// Stores bytes, or drops them where the disk refuses them and the app is not to wait.
    fn take(&mut self, most: u64, now: Duration) -> nix::Result<u64> {
        self.store_again(now, Attempt::IfDue);
        let is_dropping = self.overflow.as_ref().is_some_and(|one| one.dropped() > 0);
        let refusal = if is_dropping {
            Errno::ENOSPC
        } else {
            match self.segments.take(&self.fifo, most, now) {
                Err(errno) if errno != Errno::EAGAIN && errno != Errno::EINTR => errno,
                taken => return taken,
            }
        };
        let Some(overflow) = &mut self.overflow else {
            return Err(refusal);
        };
        if !is_dropping {
            overflow.refused(refusal, now);
        }
        overflow.drop_from(&self.fifo, most, self.segments.size())
    }

    /// Goes on in a new segment behind what was dropped, if the disk has room again.
    fn store_again(&mut self, now: Duration, attempt: Attempt) {
        let Some(overflow) = &mut self.overflow else {
            return;
        };
        let is_due = attempt == Attempt::Last || overflow.is_due(now);
        if overflow.dropped() == 0 || !is_due {
            return;
        }
        match self.segments.skip(overflow.dropped(), now) {
            Ok(()) => overflow.stored(self.segments.size()),
            Err(errno) => overflow.refused(errno, now),
        }
    }
}

/// Whether an attempt to store again may wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    IfDue,
    Last,
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fifo.as_fd()
    }
}

/// Makes the FIFO as wide as the kernel allows this user; tells how wide it is.
fn widen(fifo: &File) -> u64 {
    let mut wanted = CAPACITY;
    while wanted > LEAST_CAPACITY && fcntl(fifo, FcntlArg::F_SETPIPE_SZ(wanted)).is_err() {
        wanted /= 2;
    }
    let capacity = fcntl(fifo, FcntlArg::F_GETPIPE_SZ).unwrap_or(CAPACITY);
    u64::try_from(capacity).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_stream_is_drained_in_turns_and_to_the_last_byte() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut output, mut app) =
            Output::create(folder.path(), Stream::Out, 1 << 30, None, Refused::Waits)
                .expect("set up");
        let bytes = vec![b'x'; 600 << 10];
        app.write_all(&bytes).expect("the FIFO is wide enough");
        assert_eq!(output.drain(), (TURN, End::Turn));
        assert_eq!(output.drain_all(), End::Empty);
        assert_eq!(output.size(), 600 << 10);
    }

    #[test]
    fn a_file_in_place_of_the_fifo_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("out.fifo"), b"").expect("written");
        assert!(Output::create(folder.path(), Stream::Out, 1, None, Refused::Waits).is_err());
        assert!(Output::reopen(folder.path(), Stream::Out, 1).is_err());
    }
}
