//! Which blocks may hold a text.
//!
//! ```text
//!              block 0 1 2 3 …
//! row 0              0 1 0 0        a row for each of 32,768 values that three bytes in a row are hashed to;
//! row 1              1 1 0 1        a bit for each block: they are somewhere in it
//! …                                 256 rows are a group, packed: rows of bytes that never come, or always, take no room
//! ```
//!
//! A text is in a block only if all of its rows have the block's bit. A word reads a row for each of its letters but two:
//! some kilobytes, whatever the segment holds. Letters are lowered (ASCII) before they are hashed, so that a search that
//! takes upper and lower case for the same reads the same rows.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// Rows, and how many are packed together.
const ROWS: usize = 1 << 15;
const GROUP: usize = 256;
const GROUPS: usize = ROWS / GROUP;
/// Bytes of the directory.
pub(super) const DIRECTORY: usize = (GROUPS + 1) * 4;
/// Bytes in which a block's bits are kept until the segment is complete.
const BITS: usize = ROWS / 8;

/// Returns the row of three bytes, which are lowered and stand in the low bits.
const fn row(three: u32) -> usize {
    (three.wrapping_mul(0x9e37_79b1) >> 17) as usize
}

/// Returns the rows of `text`, each once; none for what has fewer than three bytes.
pub(super) fn rows(text: &[u8]) -> Vec<usize> {
    let mut rows: Vec<_> = text
        .windows(3)
        .map(|three| {
            let three = three.iter().fold(0, |all, byte| {
                (all << 8) | u32::from(byte.to_ascii_lowercase())
            });
            row(three)
        })
        .collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// Collects the bits of block after block.
pub(super) struct Builder {
    seen: Box<[u8; ROWS]>,
    lowered: Vec<u8>,
    blocks: Vec<[u8; BITS]>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            seen: Box::new([0; ROWS]),
            lowered: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Adds the next block.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.seen.fill(0);
        self.lowered.clear();
        self.lowered.extend_from_slice(text);
        self.lowered.make_ascii_lowercase();
        let mut bytes = self.lowered.iter();
        let mut three = bytes
            .by_ref()
            .take(2)
            .fold(0, |all, byte| (all << 8) | u32::from(*byte));
        for byte in bytes {
            three = ((three << 8) | u32::from(*byte)) & 0xff_ffff;
            if let Some(seen) = self.seen.get_mut(row(three)) {
                *seen = 1;
            }
        }
        let mut bits = [0; BITS];
        for (bits, seen) in bits.iter_mut().zip(self.seen.as_chunks::<8>().0) {
            *bits = seen
                .iter()
                .enumerate()
                .fold(0, |all, (index, seen)| all | (seen << index));
        }
        self.blocks.push(bits);
    }

    /// The filter of all blocks as it stands in the file.
    pub(super) fn finish(
        self,
        packer: &mut zstd::bulk::Compressor<'_>,
    ) -> std::io::Result<Vec<u8>> {
        let width = self.blocks.len().div_ceil(8);
        let mut directory = Vec::with_capacity(DIRECTORY);
        let mut packed = Vec::new();
        let mut rows = vec![0; GROUP * width];
        for group in 0..GROUPS {
            directory.extend_from_slice(&position(packed.len())?);
            rows.fill(0);
            for (block, bits) in self.blocks.iter().enumerate() {
                let bits = bits.as_chunks::<{ GROUP / 8 }>().0;
                let bits = bits.get(group).map_or(&[][..], |bits| &bits[..]);
                for (at, row) in rows.chunks_exact_mut(width).enumerate() {
                    let is_seen = bits
                        .get(at / 8)
                        .is_some_and(|byte| byte >> (at % 8) & 1 == 1);
                    if let Some(byte) = row.get_mut(block / 8).filter(|_| is_seen) {
                        *byte |= 1 << (block % 8);
                    }
                }
            }
            packed.extend_from_slice(&packer.compress(&rows)?);
        }
        directory.extend_from_slice(&position(packed.len())?);
        directory.extend_from_slice(&packed);
        Ok(directory)
    }
}

fn position(at: usize) -> std::io::Result<[u8; 4]> {
    let at = u32::try_from(at).map_err(|_| std::io::ErrorKind::FileTooLarge)?;
    Ok(at.to_le_bytes())
}

/// A filter in its file.
#[derive(Debug)]
pub(super) struct Filter {
    /// Where its groups begin in the file.
    at: u64,
    directory: Vec<u32>,
    /// Bytes of a row.
    width: usize,
}

/// The blocks that may hold something: a bit for each.
pub(super) type Bits = Vec<u8>;

impl Filter {
    /// The filter that begins at `at` with `directory`, of so many blocks; `None`: the directory is none.
    pub(super) fn new(at: u64, directory: &[u8], blocks: usize) -> Option<Self> {
        let (directory, _) = directory.as_chunks::<4>();
        let directory: Vec<_> = directory.iter().map(|at| u32::from_le_bytes(*at)).collect();
        let is_sound = directory.len() == GROUPS + 1 && directory.is_sorted();
        is_sound.then(|| Self {
            at: at + DIRECTORY as u64,
            directory,
            width: blocks.div_ceil(8),
        })
    }

    /// The blocks that may hold `text`; `None`: any of them may.
    pub(super) fn find(&self, file: &File, text: &[u8], known: &mut Groups) -> Option<Bits> {
        let mut found: Option<Bits> = None;
        for row in rows(text) {
            let group = row / GROUP;
            let rows = known
                .entry(group)
                .or_insert_with(|| self.group(file, group))
                .as_ref();
            // A group that is damaged tells nothing.
            let from = row % GROUP * self.width;
            let Some(row) = rows.and_then(|rows| rows.get(from..from + self.width)) else {
                continue;
            };
            match &mut found {
                Some(found) => meet(found, row),
                None => found = Some(row.to_vec()),
            }
        }
        found
    }

    fn group(&self, file: &File, group: usize) -> Option<Vec<u8>> {
        let (from, to) = (*self.directory.get(group)?, *self.directory.get(group + 1)?);
        let mut packed = vec![0; usize::try_from(to - from).ok()?];
        file.read_exact_at(&mut packed, self.at + u64::from(from))
            .ok()?;
        let size = GROUP * self.width;
        let rows = zstd::bulk::decompress(&packed, size).ok()?;
        (rows.len() == size).then_some(rows)
    }
}

/// Groups that were read for one question.
pub(super) type Groups = BTreeMap<usize, Option<Vec<u8>>>;

/// Leaves in `bits` what is in `others`, too.
pub(super) fn meet(bits: &mut [u8], others: &[u8]) {
    for (bits, other) in bits.iter_mut().zip(others) {
        *bits &= other;
    }
}

/// Adds what is in `others` to `bits`.
pub(super) fn join(bits: &mut [u8], others: &[u8]) {
    for (bits, other) in bits.iter_mut().zip(others) {
        *bits |= other;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn filter(blocks: &[&[u8]]) -> (File, Filter) {
        let mut builder = Builder::new();
        for text in blocks {
            builder.add(text);
        }
        let mut packer = zstd::bulk::Compressor::new(3).expect("made");
        let bytes = builder.finish(&mut packer).expect("packed");
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&bytes).expect("written");
        let filter = Filter::new(0, &bytes[..DIRECTORY], blocks.len()).expect("sound");
        (file, filter)
    }

    fn found(file: &File, filter: &Filter, text: &str) -> Option<Bits> {
        filter.find(file, text.as_bytes(), &mut Groups::new())
    }

    #[test]
    fn a_text_is_found_in_the_blocks_that_hold_it_and_in_few_others() {
        let blocks: Vec<Vec<u8>> = (0..20)
            .map(|index| format!("number {index:04} came\n").into_bytes())
            .collect();
        let blocks: Vec<_> = blocks.iter().map(Vec::as_slice).collect();
        let (file, filter) = filter(&blocks);
        assert_eq!(
            found(&file, &filter, "number"),
            Some(vec![0xff, 0xff, 0x0f])
        );
        assert_eq!(found(&file, &filter, "0017"), Some(vec![0, 0, 0b10]));
        assert_eq!(
            found(&file, &filter, "NUMBER 0003"),
            Some(vec![0b1000, 0, 0])
        );
        assert_eq!(found(&file, &filter, "nowhere"), Some(vec![0, 0, 0]));
        assert_eq!(found(&file, &filter, "ab"), None);
    }

    #[test]
    fn a_damaged_group_leaves_nothing_out() {
        let (file, filter) = filter(&[b"abc", b"xyz"]);
        assert_eq!(found(&file, &filter, "abc"), Some(vec![1]));
        let length = file.metadata().expect("there").len();
        let junk = vec![0x55; usize::try_from(length).expect("small") - DIRECTORY];
        file.write_all_at(&junk, DIRECTORY as u64).expect("written");
        assert_eq!(found(&file, &filter, "abc"), None);
    }
}
