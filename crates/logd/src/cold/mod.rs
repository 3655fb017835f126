//! The cold tier: complete segments, packed so that they take little room and are found by time.
//!
//! # Layout of a sealed segment
//!
//! ```text
//! head     48 bytes    what it holds, the same in every version: eco_home::sealed
//! block    64 bytes    head: magic, offset, times, lengths, lines, sums                        ┐ one after the other
//!          notes       zstd, of varints: (end - end before, zigzag(time - time before))        │
//!          text        zstd, of the bytes as the app wrote them                                ┘
//! index                the heads of all blocks again; where each block is follows from the lengths
//! tail     80 bytes    the head again, where the index is, how many blocks there are, sums, magic
//! ```
//!
//! All numbers are little-endian, all sums CRC-32. The head of a block:
//!
//! ```text
//!  0 "ecoblok1"   8 offset   16 earliest   24 latest         (u64: stream offset, unix ns)
//! 32 length      36 lines    40 notes      44 text           (u32: raw bytes, newlines, packed bytes of both parts)
//! 48 count of notes (u32)    52 zeros
//! 56 sum of notes and text as packed       60 sum of this head
//! ```
//!
//! # Invariants
//! - A block holds at most [`block::RAW`] bytes and ends with a line where it can: only a line that is longer than a block, or
//!   that crosses the border of segments, is in two.
//! - Of every byte it tells the time that was told before: what the segment's notes said, and for bytes that no note was
//!   about when the segment last changed. A note that is about two blocks stands in both.
//! - A file is written under another name, synced, and renamed; what has the name is whole, but for what the disk did to it
//!   since. Nothing is changed in it after that.
//! - What is damaged costs itself and nothing else: a block whose sum is wrong is a gap; without a sound tail the blocks are
//!   found by their heads.
//! - A version that is not known is refused with a message, and left where it is. This version reads all before it.
//! - Memory: one block, and the index, for whoever reads and whoever seals.

pub mod block;
mod sealed;
mod tail;
mod trouble;
mod write;

use std::io;
use std::path::PathBuf;

pub use block::Block;
pub use sealed::{Head, Read, Sealed, Soundness, head_of};
pub use trouble::tell_once;
pub use write::seal;

/// Why a sealed segment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ColdError {
    /// The disk refuses.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A later eco wrote it.
    #[error(
        "read {path}: it is of version {found} and this eco-logd knows versions up to {known}; update eco to read it"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says it is.
        found: u8,
        /// What is known.
        known: u8,
    },
    /// Nothing sound is in it.
    #[error("read {path}: nothing in it is a sealed segment")]
    Junk {
        /// The file.
        path: PathBuf,
    },
}
