//! One block: its head, and how its notes are packed.

use eco_home::notes::Note;

use crate::record::Level;

/// The most bytes of text in a block: few enough to be unpacked for one line, enough to pack well.
pub const RAW: usize = 256 << 10;
/// Bytes of a block's head.
pub(super) const HEAD: usize = 64;
pub(super) const MAGIC: [u8; 8] = *b"ecoblok1";
/// The most bytes that the parts of a block may have when they are packed: what does not pack grows by little, and a note
/// has at most twenty.
const PACKED: u32 = 32 << 20;

/// Bits of [`Block::borders`].
pub(super) const BEGINS_RECORD: u8 = 1;
pub(super) const IS_JOINED: u8 = 2;
/// Levels of a block of which not all lines were seen whole.
pub(super) const ANY_LEVEL: u8 = 0x7f;

/// What is known of a block without unpacking it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// When the first of its bytes came, by the clock, unix ns.
    pub earliest: u64,
    /// When the last of them came.
    pub latest: u64,
    /// Bytes of text.
    pub length: u32,
    /// Newlines in it.
    pub lines: u32,
    pub(super) notes: u32,
    pub(super) text: u32,
    pub(super) told: u32,
    pub(super) sum: u32,
    /// Which levels its lines have, as `record::bits` tells; 0: that is not known.
    pub(super) levels: u8,
    pub(super) borders: u8,
    /// Where its head is in the file.
    pub(super) at: u64,
}

impl Block {
    /// Offset behind its last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.length.into())
    }

    /// Whether a line of that level or a graver one may be in it.
    #[must_use]
    pub const fn may_hold(&self, least: Level) -> bool {
        // A level's bit, and all above it.
        self.levels == 0 || self.levels >= least.bit()
    }

    /// Whether a record begins with it, whatever came before.
    #[must_use]
    pub const fn begins_record(&self) -> bool {
        self.borders & BEGINS_RECORD != 0
    }

    /// Whether the filter also knows of texts that begin before it and end in it.
    #[must_use]
    pub const fn is_joined(&self) -> bool {
        self.borders & IS_JOINED != 0
    }

    /// Where the next block's head is in the file.
    pub(super) fn next_at(&self) -> u64 {
        self.at + HEAD as u64 + u64::from(self.notes) + u64::from(self.text)
    }

    pub(super) fn encode(&self) -> [u8; HEAD] {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend_from_slice(&MAGIC);
        for number in [self.offset, self.earliest, self.latest] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.length, self.lines, self.notes, self.text, self.told] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[self.levels, self.borders, 0, 0]);
        bytes.extend_from_slice(&self.sum.to_le_bytes());
        let sum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes.try_into().unwrap_or([0; HEAD])
    }

    /// Reads the head that is at `at` of the file; `None`: there is none, or it is damaged.
    pub(super) fn decode(bytes: &[u8; HEAD], at: u64) -> Option<Self> {
        let (summed, sum) = bytes.split_at(HEAD - 4);
        if sum != crc32fast::hash(summed).to_le_bytes() {
            return None;
        }
        let (longs, rest) = summed.strip_prefix(&MAGIC)?.split_at_checked(24)?;
        let &[offset, earliest, latest] = longs.as_chunks::<8>().0 else {
            return None;
        };
        let (words, rest) = rest.split_at_checked(20)?;
        let &[length, lines, notes, text, told] = words.as_chunks::<4>().0 else {
            return None;
        };
        let &[levels, borders, _, _, a, b, c, d] = rest else {
            return None;
        };
        let block = Self {
            offset: u64::from_le_bytes(offset),
            earliest: u64::from_le_bytes(earliest),
            latest: u64::from_le_bytes(latest),
            length: u32::from_le_bytes(length),
            lines: u32::from_le_bytes(lines),
            notes: u32::from_le_bytes(notes),
            text: u32::from_le_bytes(text),
            told: u32::from_le_bytes(told),
            sum: u32::from_le_bytes([a, b, c, d]),
            levels,
            borders,
            at,
        };
        let is_possible = (1..=RAW).contains(&usize::try_from(block.length).ok()?)
            && block.notes <= PACKED
            && block.text <= PACKED
            && block.told <= block.length;
        is_possible.then_some(block)
    }
}

/// Packs the notes of a block that begins at `offset`.
pub(super) fn pack(offset: u64, notes: &[Note], into: &mut Vec<u8>) {
    let mut before = Note {
        end: offset,
        time: 0,
    };
    for note in notes {
        varint(note.end.wrapping_sub(before.end), into);
        let step = note.time.wrapping_sub(before.time).cast_signed();
        varint(((step << 1) ^ (step >> 63)).cast_unsigned(), into);
        before = *note;
    }
}

/// Undoes it; `None`: they are none.
pub(super) fn unpack(offset: u64, mut bytes: &[u8]) -> Option<Vec<Note>> {
    let mut notes = Vec::new();
    let mut before = Note {
        end: offset,
        time: 0,
    };
    while !bytes.is_empty() {
        let end = before.end.wrapping_add(read_varint(&mut bytes)?);
        let step = read_varint(&mut bytes)?;
        let step = (step >> 1) ^ 0_u64.wrapping_sub(step & 1);
        before = Note {
            end,
            time: before.time.wrapping_add(step),
        };
        notes.push(before);
    }
    Some(notes)
}

fn varint(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(low(number) | 0x80);
        number >>= 7;
    }
    into.push(low(number));
}

/// The lowest seven bits.
const fn low(number: u64) -> u8 {
    let [lowest, ..] = number.to_le_bytes();
    lowest & 0x7f
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn notes_survive_the_packing(offset in any::<u64>(), notes in vec((any::<u64>(), any::<u64>()), 0..50)) {
            let notes: Vec<_> = notes.into_iter().map(|(end, time)| Note { end, time }).collect();
            let mut packed = Vec::new();
            pack(offset, &notes, &mut packed);
            prop_assert_eq!(unpack(offset, &packed), Some(notes));
        }

        #[test]
        fn any_bytes_are_notes_or_none(bytes in vec(any::<u8>(), 0..100)) {
            unpack(7, &bytes);
        }
    }

    #[test]
    fn a_block_may_hold_what_its_levels_say_and_anything_if_they_say_nothing() {
        let block = |levels| Block {
            levels,
            ..Block::default()
        };
        let all = |levels| Level::ALL.map(|level| block(levels).may_hold(level));
        assert_eq!(all(0), [true; 6]);
        assert_eq!(all(1), [false; 6]);
        assert_eq!(
            all(Level::Trace.bit()),
            [true, false, false, false, false, false]
        );
        assert_eq!(
            all(Level::Warn.bit() | 1),
            [true, true, true, true, false, false]
        );
        assert_eq!(all(ANY_LEVEL), [true; 6]);
    }

    #[test]
    fn a_head_survives_the_file_and_no_flipped_bit_does() {
        let block = Block {
            offset: 1 << 40,
            earliest: 3,
            latest: u64::MAX,
            length: 1000,
            lines: 9,
            notes: 17,
            text: 400,
            told: 5,
            sum: 0xdead_beef,
            levels: Level::Warn.bit() | 1,
            borders: IS_JOINED,
            at: 48,
        };
        assert_eq!(Block::decode(&block.encode(), 48), Some(block));
        for bit in 0..HEAD * 8 {
            let mut bytes = block.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Block::decode(&bytes, 48), None, "{bit}");
        }
    }
}
