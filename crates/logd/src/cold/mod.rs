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
//! filter               which texts may be in which blocks: see `filter`, and `grams` for what a text is put down as
//! tail     80 bytes    the head again, where the index is, how many blocks there are, sums, the filter's scale, magic
//! ```
//!
//! All numbers are little-endian, all sums CRC-32. The head of a block:
//!
//! ```text
//!  0 "ecoblok1"   8 offset   16 earliest   24 latest         (u64: stream offset, unix ns)
//! 32 length      36 lines    40 notes      44 text           (u32: raw bytes, newlines, packed bytes of both parts)
//! 48 count of notes (u32)    52 levels (u8)     53 borders (u8)             54 zeros
//! 56 sum of notes and text as packed       60 sum of this head
//! ```
//!
//! Version 1 has no filter, and zeros in the place of scale, levels and borders: nothing is known of what its blocks hold.
//!
//! # What may be passed over
//!
//! - `levels` has the bit of each level that a line of the block tells, taken for itself, and bit 0 if a line tells none. The
//!   level of a record is its first line's. A block of which a line is not wholly in it has all bits.
//! - `borders`: bit 0: a record begins with the block, whatever came before ([`crate::record::is_first`] says so of its first line
//!   and the one before it, or nothing came before). Bit 1: the filter also knows the grams that begin before the block
//!   and end in it. Only the first block of a segment may lack it.
//! - So blocks are passed over in runs: from one with bit 0 up to the next with it, over the borders of segments. A record lies in
//!   one run. It is in none that lacks a level or text that it must have: each in any of the run's blocks. Of a block
//!   that has no filter, or lacks bit 1, nothing is known, and the whole run is read.
//!
//! # Invariants
//! - A block holds at most [`block::RAW`] bytes and ends with a line, and before one that begins a record, where it can: only a line that is longer than a block, or
//!   that crosses the border of segments, is in two.
//! - Of every byte it tells the time that was told before: what the segment's notes said, and for bytes that no note was
//!   about when the segment last changed. A note that is about two blocks stands in both.
//! - A file is written under another name, synced, and renamed; what has the name is whole, but for what the disk did to it
//!   since. Nothing is changed in it after that.
//! - What is damaged costs itself and nothing else: a block whose sum is wrong is a gap; without a sound tail the blocks are
//!   found by their heads.
//! - Damage to the filter never hides a line: each page has a sum, and of one whose sum is wrong nothing is known.
//! - A version that is not known is refused with a message, and left where it is. This version reads all before it.
//! - Memory: one block and the index for whoever reads; for whoever seals these and 4 KiB for each block.

pub mod block;
mod filter;
mod grams;
mod sealed;
mod tail;
mod trouble;
mod write;

use std::io;
use std::path::PathBuf;

pub use block::Block;
pub use grams::REACH as BEFORE;
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
