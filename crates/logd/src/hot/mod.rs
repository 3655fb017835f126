//! A stream of a run: the files the keeper writes, and those that were sealed, read where they are as one.
//!
//! ```text
//!                 base 0            base 64 Mi         base 128 Mi
//! stream    gone  ├ out.0002.sealed ┼── out.0003 ─────────┤  grows ──▶
//!           ▲     ▲                                  ▲
//!           │     └ extents, by the times' heads     └ position of a reader
//!           └ a gap: counted, and said in the stream
//!
//! survey    what is there: extents, and whether more may come
//! bounds    where a time, or the last N lines, begin: by notes and newlines, backwards, nothing read in between
//! reader    lines with their times, forwards from an offset, over segment borders
//! folder    whether files came or went
//! reach     how far a living run may be read: up to its last note
//! flush     takes away what is there
//! raw       bytes and notes as they are, for those who keep a replica
//! losses    why what is gone is gone
//! seal      packs what is complete
//! part      one segment of a stream: how much room it takes, and taking it away
//! ```
//!
//! Invariants
//! - Nothing is trusted but the bytes: notes that are torn or missing cost the fineness of a time, never a line.
//! - A line has one time for ever, whoever reads it and when: bytes of a living run wait for their note, as
//!   [`eco_home::notes`] says, and history and followers agree about how far that is. Those of a replica wait for as long as
//!   it takes: who receives them brings their notes from where they were written.
//! - A reader goes up to the end it was given and no further; more growth is a new decision of its owner. So history
//!   and live meet at a number.
//! - What is gone (deleted, cut off) is a gap or an end; nothing waits for it. What was flushed is a gap to those only who
//!   were to read it: a question that is asked later begins behind it.
//! - A segment that is sealed while it is read goes on to tell what it told. What is damaged in a sealed one is a gap.
//! - Memory is one chunk and one line per open reader, one block of notes, and of sealed segments an index and one block.

mod bounds;
mod flush;
mod folder;
mod layout;
mod losses;
mod part;
mod plain;
mod raw;
mod reach;
mod reader;
mod seal;
mod segment;
mod survey;
mod times;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use eco_home::runs::Stream;

use crate::cold::ColdError;

pub use bounds::{Suffix, bound, last_lines, line_start, time_after};
pub use flush::{Removed, flush, flush_on, holding};
pub use layout::{Extent, Tier};
pub use losses::{Loss, Losses, Lost};
pub use part::{Piece, drop_older, drop_oldest, drop_piece, pieces, put_aside};
pub use raw::{Found, Raw, Watched, keep_reasons, raw, reasons};
pub use reach::Held;
pub use reader::{Item, Part, Reader, Tail};
pub use seal::{clean, seal, sealable};
pub use segment::sealed;
pub use survey::{Life, Survey, is_written, survey};

/// Why a stream could not be read. What is merely gone is no error.
#[derive(Debug, thiserror::Error)]
pub enum HotError {
    /// A folder cannot be listed.
    #[error("list {path}")]
    List {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The thread that was to read ahead has ended before it was done.
    #[error("read ahead")]
    Ahead,
    /// A sealed segment cannot be read.
    #[error(transparent)]
    Cold(#[from] ColdError),
    /// A file cannot be changed.
    #[error("write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// One of the two streams of a run: where its files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    stream: Stream,
}

impl Place {
    /// Names `stream` of the run whose folder is `folder`.
    #[must_use]
    pub const fn new(folder: PathBuf, stream: Stream) -> Self {
        Self { folder, stream }
    }

    /// The run's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn fifo(&self) -> PathBuf {
        self.folder.join(self.stream.fifo())
    }

    /// Whether it is a replica that grows.
    fn is_received(&self) -> bool {
        fs::symlink_metadata(self.folder.join(self.stream.growing())).is_ok()
    }

    fn segment(&self, number: u32) -> PathBuf {
        self.folder.join(self.stream.segment(number))
    }

    fn times(&self, number: u32) -> PathBuf {
        self.folder.join(self.stream.times(number))
    }

    fn sealed(&self, number: u32) -> PathBuf {
        self.folder.join(self.stream.sealed(number))
    }

    /// Where a sealed segment is written until it is whole.
    fn sealing(&self, number: u32) -> PathBuf {
        self.folder
            .join(format!("{}.sealing", self.stream.segment(number)))
    }

    fn lost(&self) -> PathBuf {
        self.folder.join(self.stream.lost())
    }
}

/// Whoever gives files of streams other names, or takes them away, holds this: what one of them found out holds until it is
/// done.
static CHANGING: Mutex<()> = Mutex::new(());

fn change() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes `None` of what is not there (any more).
fn present<T>(
    outcome: io::Result<T>,
    path: impl FnOnce() -> PathBuf,
) -> Result<Option<T>, HotError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(source) => Err(HotError::Read {
            path: path(),
            source,
        }),
    }
}
