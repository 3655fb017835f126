//! Runs of other hosts, kept here.
//!
//! ```text
//!   sender ──Chunk──▶ rpc ──channel, bounded──▶ session, a thread per sender ──▶ stream ──▶ runs/<host>/…/out.0001
//!     ▲                                          │ batch: all that has come              ├──▶ out.0001.times
//!     └───────── Ack ◀── group fdatasync, where asked ◀──────────────────────────────────┘
//! ```
//!
//! Invariants
//! - The layout is that of [`eco_home::runs`], replicas: the files are the state, and a receiver that is killed at any point
//!   finds in them how far each stream is kept.
//! - Bytes are written before the notes about them, and kept is what is noted. So an end that is torn off is not there, and
//!   comes again.
//! - An ack is sent after its bytes are as safe as [`Durability`] says, and so is the first one, which tells what an earlier
//!   life left. What the disk says it could not keep is cut off, so that it is written anew when it comes again: asked a
//!   second time the disk would say that all is well.
//! - What is complete is sealed, and goes with age or size, like any other run's; the segment that grows is this module's
//!   alone. What has gone here is not asked for again: how far a stream is kept, the segment that grows tells.
//! - A stream has one sender at a time; a sender that goes lets go of all of its streams.
//! - A sender that sends nonsense, or meets a disk that is full, ends itself and nobody else.
//! - No file stays open between two batches, and memory is one batch and one small record per stream that grows.

mod session;
mod stream;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use session::Session;

use crate::chunk::{Invalid, StreamId};
use crate::disk::{Disk, Real};
use crate::hot::HotError;
use crate::tail::Bell;

/// When something counts as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Durability {
    /// When it is written: it outlives this process, and not the power
    #[default]
    Process,
    /// When the disk has it
    Power,
}

/// Why a sender's call ends.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// It sent what no honest one sends.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It skipped something.
    #[error(
        "go on with {id} at {offset}: it is kept up to {kept}, and nothing says that what is between is gone"
    )]
    Early {
        /// Of which stream.
        id: StreamId,
        /// Where the chunk begins.
        offset: u64,
        /// How far the stream is kept.
        kept: u64,
    },
    /// The runs of that host are ours.
    #[error(
        "keep a run of {0:?}: this log daemon serves that host itself. Give the hosts different names (ECO_HOST), or ship to \
         another address"
    )]
    Own(String),
    /// It has more streams than anybody.
    #[error("keep another stream of this sender: {0} of them grow already")]
    Many(usize),
    /// A stream's files cannot be read.
    #[error(transparent)]
    Hot(#[from] HotError),
    /// A stream's files cannot be written.
    #[error("write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ReceiveError {
    /// Whether the disk has no room.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(
            self,
            Self::Write { source, .. } | Self::Hot(HotError::Write { source, .. })
                if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        )
    }
}

/// Takes what other hosts send.
#[derive(Debug)]
pub struct Receiver {
    runs: PathBuf,
    host: String,
    durability: Durability,
    disk: Arc<dyn Disk>,
    bell: Arc<Bell>,
    /// Streams that have a sender.
    owned: Mutex<HashSet<StreamId>>,
}

impl Receiver {
    /// Keeps them below `runs`, but for those of `host`, and rings `bell` when they grow.
    #[must_use]
    pub fn new(runs: PathBuf, host: String, durability: Durability, bell: Arc<Bell>) -> Self {
        Self {
            runs,
            host,
            durability,
            disk: Arc::new(Real),
            bell,
            owned: Mutex::default(),
        }
    }

    /// Whose runs are our own.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The same, with a disk that tests can have fail.
    #[cfg(test)]
    pub(crate) fn on(self, disk: Arc<dyn Disk>) -> Self {
        Self { disk, ..self }
    }

    fn runs(&self) -> &Path {
        &self.runs
    }

    /// Makes the caller the stream's sender; false: there is one.
    fn own(&self, id: &StreamId) -> bool {
        self.owned().insert(id.clone())
    }

    fn disown(&self, id: &StreamId) {
        self.owned().remove(id);
    }

    /// A set is whole at any moment: a panic of another thread spoils nothing.
    fn owned(&self) -> MutexGuard<'_, HashSet<StreamId>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
