//! Which grams are in which blocks of a segment, so that a question about one reads a page and not the segment.
//!
//! ```text
//!              block 0 1 2 3 …                       page    4 KiB: as many rows as fit, not one in two pages;
//!   row 0            0 1 0 0 …   ┐                           row after row without a bit between, lowest bits first;
//!   row 1            1 1 1 1 …   │ page 0                    the sum (CRC-32) of its number and its rows at the end
//!   …                            ┘                           the last page is only as long as it must be
//! ```
//!
//! There are `1 << scale` rows, and gram `n` is in row `n` modulo these: as few as leave most of the bits unset.
//!
//! Invariants
//! - A block whose bit is not set lacks the gram. One whose bit is set may have it, or another gram of that row.
//! - Of a page whose sum is wrong nothing is known: all its bits count as set.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::grams::{Bits, ROWS};

/// The number of rows is this power of two at most, and at least.
const LARGEST: u32 = ROWS.trailing_zeros();
const SMALLEST: u32 = 8;
/// Of a hundred bits, how many may be set on average where there could be more rows.
const FULL: u64 = 30;
/// Bytes of a page, and of its sum.
const PAGE: usize = 4096;
const SUM: usize = 4;

/// How a filter is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    scale: u32,
    blocks: usize,
    rows_per_page: usize,
}

impl Shape {
    /// `None`: there is no such filter.
    pub(super) fn new(scale: u32, blocks: usize) -> Option<Self> {
        let rows_per_page = ((PAGE - SUM) * 8).checked_div(blocks)?;
        let is_one = (SMALLEST..=LARGEST).contains(&scale) && rows_per_page > 0;
        is_one.then_some(Self {
            scale,
            blocks,
            rows_per_page,
        })
    }

    pub(super) const fn scale(&self) -> u32 {
        self.scale
    }

    const fn rows(&self) -> usize {
        1 << self.scale
    }

    const fn pages(&self) -> usize {
        self.rows().div_ceil(self.rows_per_page)
    }

    /// Bytes of a page with its sum.
    fn page_size(&self, page: usize) -> usize {
        let before = page.saturating_mul(self.rows_per_page);
        let rows = self.rows().saturating_sub(before).min(self.rows_per_page);
        (rows * self.blocks).div_ceil(8) + SUM
    }

    /// Where a page begins.
    fn page_at(&self, page: usize) -> usize {
        page * self.page_size(0)
    }

    /// Bytes of all.
    pub(super) fn size(&self) -> usize {
        let last = self.pages() - 1;
        self.page_at(last) + self.page_size(last)
    }

    /// Which page a row is in, and at which bit.
    const fn place(&self, row: usize) -> (usize, usize) {
        let page = row / self.rows_per_page;
        (page, (row % self.rows_per_page) * self.blocks)
    }
}

/// Makes a filter of the grams of all blocks; `None`: they are too many.
pub(super) fn make(mut blocks: Vec<Box<Bits>>) -> Option<(Shape, Vec<u8>)> {
    let mut scale = LARGEST;
    while scale > SMALLEST {
        let half = 1 << (scale - 1) >> 6;
        let set: u64 = blocks.iter().map(|bits| folded(bits, half)).sum();
        let all = blocks.len() as u64 * 64 * half as u64;
        if set * 100 > all * FULL {
            break;
        }
        for bits in &mut blocks {
            let (low, high) = bits.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                *low |= std::mem::take(high);
            }
        }
        scale -= 1;
    }
    let shape = Shape::new(scale, blocks.len())?;
    let mut bytes = vec![0; shape.size()];
    for (block, bits) in blocks.iter().enumerate() {
        for (index, word) in bits.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let row = index * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                let (page, bit) = shape.place(row);
                let bit = bit + block;
                if let Some(byte) = bytes.get_mut(shape.page_at(page) + bit / 8) {
                    *byte |= 1 << (bit % 8);
                }
            }
        }
    }
    for page in 0..shape.pages() {
        let at = shape.page_at(page);
        let whole = bytes.get_mut(at..at + shape.page_size(page));
        if let Some((rows, sum)) = whole.and_then(|page| page.split_last_chunk_mut::<SUM>()) {
            *sum = sum_of(page, rows);
        }
    }
    Some((shape, bytes))
}

/// How many bits are left when the upper half of the rows is laid on the lower one.
fn folded(bits: &Bits, half: usize) -> u64 {
    let (low, high) = bits.split_at(half);
    let both = low.iter().zip(high);
    both.map(|(low, high)| u64::from((low | high).count_ones()))
        .sum()
}

fn sum_of(page: usize, rows: &[u8]) -> [u8; SUM] {
    let mut sum = crc32fast::Hasher::new();
    sum.update(&(page as u64).to_le_bytes());
    sum.update(rows);
    sum.finalize().to_le_bytes()
}

/// A filter in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter {
    /// Where it begins.
    pub(super) at: u64,
    pub(super) shape: Shape,
}

impl Filter {
    /// Leaves of `blocks` only those that may have a gram.
    pub(super) fn narrow(
        &self,
        file: &File,
        gram: u16,
        blocks: &mut [bool],
    ) -> Result<(), io::Error> {
        let row = usize::from(gram) & (self.shape.rows() - 1);
        let (page, bit) = self.shape.place(row);
        let bytes = self.page(file, page)?;
        for (index, may) in blocks.iter_mut().enumerate() {
            let bit = bit + index;
            let byte = bytes.get(bit / 8).copied().unwrap_or(u8::MAX);
            *may &= byte >> (bit % 8) & 1 == 1;
        }
        Ok(())
    }

    fn page(&self, file: &File, page: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; self.shape.page_size(page)];
        file.read_exact_at(&mut bytes, self.at + self.shape.page_at(page) as u64)?;
        match bytes.split_last_chunk::<SUM>() {
            Some((rows, sum)) if *sum == sum_of(page, rows) => Ok(bytes),
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its sum is another one",
            )),
        }
    }

    /// Whether all of it can be read.
    pub(super) fn is_sound(&self, file: &File) -> bool {
        (0..self.shape.pages()).all(|page| self.page(file, page).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn written(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("made");
        file.write_all(bytes).expect("written");
        file
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn no_block_is_passed_over_that_has_a_gram(blocks in vec(btree_set(0..=32_767_u16, 0..400), 1..40)) {
            let bits = blocks.iter().map(|grams| {
                let mut bits: Box<Bits> = Box::new([0; ROWS / 64]);
                for gram in grams {
                    bits[usize::from(gram >> 6)] |= 1 << (gram & 63);
                }
                bits
            });
            let (shape, bytes) = make(bits.collect()).expect("few enough");
            let filter = Filter { at: 3, shape };
            let file = written(&[&b"abc"[..], &bytes].concat());
            prop_assert!(filter.is_sound(&file));
            let (mut set, mut asked) = (0, 0);
            for gram in (0..=32_767).step_by(11).chain(blocks.iter().flatten().copied()) {
                let mut may = vec![true; blocks.len()];
                filter.narrow(&file, gram, &mut may).expect("sound");
                for (grams, may) in blocks.iter().zip(&may) {
                    prop_assert!(*may || !grams.contains(&gram));
                }
                if gram % 11 == 0 {
                    set += may.iter().filter(|may| **may).count();
                    asked += may.len();
                }
            }
            prop_assert!(set * 100 <= asked * 50, "{} of {}", set, asked);
        }
    }

    #[test]
    fn a_flipped_bit_is_found_out() {
        let (shape, bytes) = make(vec![Box::new([0x11; ROWS / 64]); 9]).expect("few enough");
        assert_eq!(bytes.len(), shape.size());
        let filter = Filter { at: 0, shape };
        for index in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            let mut damaged = bytes.clone();
            damaged[index] ^= 4;
            assert!(!filter.is_sound(&written(&damaged)), "{index}");
        }
        assert!(filter.is_sound(&written(&bytes)));
        assert!(!filter.is_sound(&written(&bytes[1..])));
    }

    #[test]
    fn what_is_no_shape_is_none() {
        for (scale, blocks) in [
            (0, 1),
            (16, 1),
            (u32::MAX, 1),
            (15, 0),
            (15, 40_000),
            (8, usize::MAX),
        ] {
            assert_eq!(Shape::new(scale, blocks), None, "{scale} {blocks}");
        }
    }
}
