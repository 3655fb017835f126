//! Notes about when the bytes of a segment came: the format of a `*.times` file.
//!
//! ```text
//! head    "ecotime1"  base offset: u64              16 bytes
//! note    end offset: u64   unix time, ns: u64      16 bytes, repeated
//! ```
//!
//! All numbers are little-endian. A note says: the bytes from the end of the note before it (or from the base) up to `end`
//! had arrived at that time. Ends never go back. An incomplete last note, or one that points behind the
//! segment's bytes, is a torn write: it is ignored by readers and overwritten by the next keeper.
//!
//! # Bytes that were dropped
//!
//! The head of a segment that follows bytes which the disk refused, and which were dropped because the app was not to wait,
//! begins with "ecodrop1": what lies between the segment before and its base was dropped. Else it is as any other.
//!
//! # Bytes without a note
//!
//! The keeper writes bytes first and the note about them a moment later. Every byte has one time for ever all the same:
//!
//! - The note comes within [`LATEST`] of the segment's last change. Until then whoever reads a living run holds the bytes
//!   back.
//! - After that no ordinary note will come: the keeper was killed between the two, was stopped for as long, or the disk
//!   had room for the bytes and not for the note. The bytes then came when the segment last changed.
//! - Whoever goes on with such a segment first notes the bytes that he found, with the time of its last change, and takes
//!   no more before that is done. So a note says of them what was told already.
//! - Of a run that has ended no more notes come at all, and its segments change no more.
//!
//! # Flushed bytes
//!
//! Whoever gives the beginning of a segment back to the disk first writes [`Note::flushed`] over the segment's first note,
//! which is about bytes that go: reading begins where that one ends. It takes no room, so that a disk that is full can be
//! made empty. Other notes about bytes that are gone may be zeros, all but the last of them.

use std::time::Duration;

/// Bytes of the head, and of each note.
pub const SIZE: usize = 16;

/// The longest time between bytes and an ordinary note about them: far more than it takes, and less than it takes people
/// to miss a line.
pub const LATEST: Duration = Duration::from_secs(1);

const MAGIC: [u8; 8] = *b"ecotime1";
const AFTER_DROP: [u8; 8] = *b"ecodrop1";

/// One note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where the bytes it is about end, counted from the run's start.
    pub end: u64,
    /// When they had arrived, unix ns.
    pub time: u64,
}

impl Note {
    /// What stands in place of a segment's first note when everything before offset `end` was flushed.
    #[must_use]
    pub const fn flushed(end: u64) -> Self {
        Self { end, time: 0 }
    }

    /// Whether it tells of a flush, and not of bytes that came.
    #[must_use]
    pub const fn is_flushed(self) -> bool {
        self.time == 0
    }

    /// Its form in the file.
    #[must_use]
    pub fn encode(self) -> [u8; SIZE] {
        pair(self.end.to_le_bytes(), self.time.to_le_bytes())
    }

    /// Reads one back.
    #[must_use]
    pub fn decode(bytes: [u8; SIZE]) -> Self {
        let (end, time) = halves(bytes);
        Self {
            end: u64::from_le_bytes(end),
            time: u64::from_le_bytes(time),
        }
    }
}

/// The head of the notes about a segment that begins at offset `base`.
#[must_use]
pub fn head(base: u64) -> [u8; SIZE] {
    pair(MAGIC, base.to_le_bytes())
}

/// The same of a segment that follows bytes which were dropped for want of room.
#[must_use]
pub fn head_after_drop(base: u64) -> [u8; SIZE] {
    pair(AFTER_DROP, base.to_le_bytes())
}

/// Whether what lies before the base was dropped for want of room.
#[must_use]
pub fn is_after_drop(head: [u8; SIZE]) -> bool {
    halves(head).0 == AFTER_DROP
}

/// The base offset that a head tells; `None` when it is not one.
#[must_use]
pub fn base(head: [u8; SIZE]) -> Option<u64> {
    let (magic, base) = halves(head);
    (magic == MAGIC || magic == AFTER_DROP).then(|| u64::from_le_bytes(base))
}

fn pair(first: [u8; 8], second: [u8; 8]) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let (left, right) = bytes.split_at_mut(SIZE / 2);
    left.copy_from_slice(&first);
    right.copy_from_slice(&second);
    bytes
}

fn halves(bytes: [u8; SIZE]) -> ([u8; 8], [u8; 8]) {
    let (mut left, mut right) = ([0; 8], [0; 8]);
    left.copy_from_slice(&bytes[..8]);
    right.copy_from_slice(&bytes[8..]);
    (left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_survives_the_file() {
        let note = Note {
            end: 0x0102_0304_0506_0708,
            time: u64::MAX - 1,
        };
        assert_eq!(Note::decode(note.encode()), note);
    }

    #[test]
    fn a_head_tells_its_base_and_junk_does_not() {
        assert_eq!(base(head(64 << 20)), Some(64 << 20));
        assert_eq!(base([0; SIZE]), None);
        assert_eq!(base(head_after_drop(64 << 20)), Some(64 << 20));
        assert!(is_after_drop(head_after_drop(1)) && !is_after_drop(head(1)));
    }
}
