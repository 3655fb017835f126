//! The last records that pass, found from behind.
//!
//! ```text
//!   ├────────── 8 MiB ──────────┼──── 4 MiB ────┼─ 2 MiB ─┼ 1 MiB ┤ end
//!               3rd                  2nd            no        1st      turn: until there are enough
//!               kept, from the       kept         passed
//!               first that counts                  over
//! ```
//!
//! What cannot hold any is passed over ([`super::wanted`]). The end of the rest is sifted window by window, each from where a record begins to where the one behind it does. What is
//! read afterwards are only the windows in which something was found. Memory is 8 bytes for each record that passes in one
//! window, and no more than for those that are asked for.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::Stop;
use super::chapter::Records;
use super::outlet::Attention;
use crate::hot::{Extent, HotError, Item, Place, Reader, Tail, line_start};
use crate::record::is_first;
use crate::sieve::Sieve;

/// Bytes of the first window, and of the longest. Tests have many of them.
const SHORT: u64 = if cfg!(all(test, debug_assertions)) {
    64
} else {
    1 << 20
};
const LONG: u64 = if cfg!(all(test, debug_assertions)) {
    512
} else {
    8 << 20
};

/// Where the last records are.
#[derive(Debug, Default)]
pub(super) struct Last {
    /// What to sift again.
    pub(super) ranges: VecDeque<Range<u64>>,
    /// How many they are: fewer than asked for when there are no more.
    pub(super) records: u64,
}

/// A stream that is looked at from behind.
pub(super) struct Backwards<'a> {
    pub(super) place: &'a Place,
    pub(super) extents: &'a [Extent],
    pub(super) sieve: &'a Arc<Sieve>,
    pub(super) attention: &'a Attention<'a>,
}

/// What was found in a window.
struct Window {
    /// Where the last of its records begin, as many as are asked for.
    starts: VecDeque<u64>,
    has_gap: bool,
}

impl Backwards<'_> {
    /// Finds the last `wanted` records of `ranges`, which begin where records do.
    pub(super) fn last(&self, ranges: &VecDeque<Range<u64>>, wanted: u64) -> Result<Last, Stop> {
        let mut last = Last::default();
        let mut size = SHORT;
        for range in ranges.iter().rev() {
            if last.records == wanted {
                break;
            }
            self.last_of(range, wanted, &mut size, &mut last)?;
        }
        Ok(last)
    }

    fn last_of(
        &self,
        range: &Range<u64>,
        wanted: u64,
        size: &mut u64,
        last: &mut Last,
    ) -> Result<(), Stop> {
        let mut end = range.end;
        while end > range.start && last.records < wanted {
            let at = end.saturating_sub(*size).max(range.start);
            *size = size.saturating_mul(2);
            let start = if at > range.start {
                match self.first_behind(at, end)? {
                    Some(start) => start,
                    // None begins in all of it: a longer one is tried.
                    None => continue,
                }
            } else {
                at
            };
            let window = self.sift(start..end, wanted - last.records)?;
            let count = window.starts.len() as u64;
            last.records += count;
            let from = match window.starts.front() {
                Some(first) if last.records == wanted => *first,
                Some(_) | None => start,
            };
            if count > 0 || window.has_gap {
                match last.ranges.front_mut() {
                    Some(behind) if behind.start == end => behind.start = from,
                    Some(_) | None => last.ranges.push_front(from..end),
                }
            }
            end = start;
            *size = (*size).min(LONG);
        }
        Ok(())
    }

    fn reader(&self, range: &Range<u64>) -> Reader {
        let (place, extents) = (self.place.clone(), self.extents.to_vec());
        Reader::new(place, extents, range.start, range.end, Tail::Passed)
    }

    /// Returns where the first record begins that can be told to begin between `at` and `end`.
    fn first_behind(&self, at: u64, end: u64) -> Result<Option<u64>, HotError> {
        let from = line_start(self.place, self.extents, 0, at)?;
        let mut reader = self.reader(&(from..end));
        let mut before: Option<Vec<u8>> = None;
        while let Some(item) = reader.read()? {
            match item {
                Item::Line { offset, text, .. } => {
                    if before.is_some_and(|before| is_first(&before, &text)) {
                        return Ok(Some(offset));
                    }
                    before = Some(text);
                }
                Item::Gap { .. } => before = None,
            }
        }
        Ok(None)
    }

    /// Finds the last `wanted` records of `range`.
    fn sift(&self, range: Range<u64>, wanted: u64) -> Result<Window, Stop> {
        let most = usize::try_from(wanted).unwrap_or(usize::MAX);
        let mut window = Window {
            starts: VecDeque::new(),
            has_gap: false,
        };
        let mut records = Records::new(
            self.place.clone(),
            self.extents.to_vec(),
            VecDeque::from([range]),
            Arc::clone(self.sieve),
            None,
        );
        let mut is_inside = false;
        while let Some(found) = records.next(self.attention)? {
            match found.item {
                Item::Line {
                    offset, continues, ..
                } => {
                    if !is_inside {
                        if window.starts.len() == most {
                            window.starts.pop_front();
                        }
                        window.starts.push_back(offset);
                    }
                    is_inside = continues || found.mark.goes_on;
                }
                Item::Gap { .. } => window.has_gap = true,
            }
        }
        Ok(window)
    }
}
