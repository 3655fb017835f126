//! What of a stream is read for a question, and what is passed over since nothing that is asked for can be in it.
//!
//! ```text
//!   blocks      a    b│   c    d    e│   f   │   g  ┊  hot         │ a record begins with the next block for certain
//!   timeout                     x    │       │      ┊   ?          x may hold it      ? nobody knows
//!   retry             │        x     │   x   │      ┊   ?
//!   wanted            │▓▓▓▓▓▓▓▓▓▓▓▓▓▓│       │▓▓▓▓▓▓▓▓▓▓▓▓▓
//! ```
//!
//! A record lies in one run of blocks, so that a run is read whole or not at all: if all that a record must have may be somewhere
//! in it. What is known of the blocks, and why that is enough, stands in [`crate::cold`]. Nothing is known of what is not
//! sealed, or damaged, or gone: it is read, with the runs that it may belong to.

use std::collections::VecDeque;
use std::ops::Range;

use crate::hot::{Extent, HotError, Place, Tier, sealed};
use crate::needles::Needles;
use crate::record::Level;
use crate::sieve::Sieve;

/// What comes behind a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing that belongs to it.
    Closed,
    /// More lines of its last record, perhaps.
    Open,
}

/// Returns what of `range` is to be read of `place`, which looks like `extents`.
pub(super) fn wanted(
    place: &Place,
    extents: &[Extent],
    range: Range<u64>,
    sieve: &Sieve,
    end: End,
) -> Result<VecDeque<Range<u64>>, HotError> {
    let demands = Demands::of(sieve);
    let from = extents.partition_point(|extent| extent.end() <= range.start);
    let extents = extents.get(from..).unwrap_or_default();
    let to = extents.partition_point(|extent| extent.base < range.end);
    let extents = extents.get(..to).unwrap_or_default();
    if demands.all == 0 || extents.iter().all(|extent| extent.tier == Tier::Hot) {
        return Ok(VecDeque::from_iter((!range.is_empty()).then_some(range)));
    }
    let mut runs = Runs::new(range.clone(), demands.all);
    let mut at = range.start;
    for extent in extents {
        if extent.base > at {
            runs.unknown(at..extent.base);
        }
        match sealed(place, *extent)? {
            Some(sealed) => {
                let met = sealed.may_meet(&demands.needles);
                for (block, met) in sealed.blocks().iter().zip(met) {
                    let has_level = demands.level.is_some_and(|least| block.may_hold(least));
                    runs.add(Cell {
                        range: block.offset..block.end(),
                        begins: block.begins_record(),
                        met: met | if has_level { LEVEL } else { 0 },
                    });
                }
            }
            None => runs.unknown(extent.base..extent.end()),
        }
        at = at.max(extent.end());
    }
    if at < range.end {
        runs.unknown(at..range.end);
    }
    Ok(runs.finish(end))
}

/// What each record that passes has, a bit for each.
struct Demands {
    needles: Needles,
    level: Option<Level>,
    all: u64,
}

/// The bit of a level; those of needles are below it.
const LEVEL: u64 = 1 << 63;

impl Demands {
    fn of(sieve: &Sieve) -> Self {
        let (needles, level) = (sieve.needles(), sieve.level());
        let texts = needles.wanted().take(63).enumerate();
        let texts = texts.fold(0, |all, (index, _)| all | 1 << index);
        let level_bit = if level.is_some() { LEVEL } else { 0 };
        Self {
            needles,
            level,
            all: texts | level_bit,
        }
    }
}

/// A part of a stream.
#[derive(Clone, Debug)]
struct Cell {
    range: Range<u64>,
    /// Whether a record begins with it for certain.
    begins: bool,
    /// Which demands may be met in it.
    met: u64,
}

/// Puts cells together.
struct Runs {
    range: Range<u64>,
    all: u64,
    open: Option<Cell>,
    wanted: VecDeque<Range<u64>>,
}

impl Runs {
    const fn new(range: Range<u64>, all: u64) -> Self {
        Self {
            range,
            all,
            open: None,
            wanted: VecDeque::new(),
        }
    }

    fn unknown(&mut self, range: Range<u64>) {
        self.add(Cell {
            range,
            begins: false,
            met: self.all,
        });
    }

    fn add(&mut self, cell: Cell) {
        match &mut self.open {
            Some(open) if !cell.begins => {
                open.range.end = cell.range.end;
                open.met |= cell.met;
            }
            Some(_) | None => {
                self.close();
                self.open = Some(cell);
            }
        }
    }

    fn close(&mut self) {
        let Some(run) = self.open.take().filter(|run| run.met == self.all) else {
            return;
        };
        let (start, end) = (
            run.range.start.max(self.range.start),
            run.range.end.min(self.range.end),
        );
        match self.wanted.back_mut() {
            Some(last) if last.end == start => last.end = end.max(start),
            Some(_) | None if start < end => self.wanted.push_back(start..end),
            Some(_) | None => {}
        }
    }

    fn finish(mut self, end: End) -> VecDeque<Range<u64>> {
        if let (Some(open), End::Open) = (&mut self.open, end) {
            open.met = self.all;
        }
        self.close();
        self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of ten bytes each: what is met in them, and whether a record begins with them.
    fn wanted(cells: &[(u64, bool)], range: Range<u64>, all: u64, end: End) -> Vec<Range<u64>> {
        let mut runs = Runs::new(range, all);
        for (index, (met, begins)) in (0..).zip(cells) {
            runs.add(Cell {
                range: index * 10..(index + 1) * 10,
                begins: *begins,
                met: *met,
            });
        }
        runs.finish(end).into()
    }

    #[test]
    fn a_run_is_wanted_if_all_demands_are_met_somewhere_in_it() {
        let cells = [
            (0, true),
            (1, true),
            (2, false),
            (2, true),
            (1, true),
            (3, true),
            (3, true),
            (0, true),
        ];
        assert_eq!(wanted(&cells, 0..80, 3, End::Closed), [10..30, 50..70]);
        assert_eq!(wanted(&cells, 15..55, 3, End::Closed), [15..30, 50..55]);
        assert_eq!(wanted(&cells, 0..80, 3, End::Open), [10..30, 50..80]);
        assert_eq!(wanted(&cells, 30..50, 3, End::Closed), []);
    }
}
