//! Where in a stream something begins, found from behind.

use super::layout::Extent;
use super::segment::Segment;
use super::{HotError, Place};
use crate::cold::{Read, Soundness};

/// Bytes read at once.
const CHUNK: u64 = 64 << 10;

/// The last lines of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suffix {
    /// Where the first of them begins.
    pub start: u64,
    /// How many they are: fewer than asked for when there are no more.
    pub lines: u64,
}

/// Returns where the line begins that holds the byte at `at`; `at` itself where a line begins there. One begins at `from`.
pub fn line_start(place: &Place, extents: &[Extent], from: u64, at: u64) -> Result<u64, HotError> {
    let mut backwards = Backwards::new(place, extents, from, at);
    loop {
        match backwards.step()? {
            Step::Bytes => {
                if let Some(index) = backwards.newline() {
                    return Ok(backwards.at + index + 1);
                }
            }
            Step::Border(at) => return Ok(at),
            Step::Start => return Ok(backwards.at),
        }
    }
}

/// Finds the last `wanted` lines of `from..to`; a tail without newline, and a piece before a gap, count as lines.
/// `from` must be where a line begins.
pub fn last_lines(
    place: &Place,
    extents: &[Extent],
    from: u64,
    to: u64,
    wanted: u64,
) -> Result<Suffix, HotError> {
    let mut lines = 0;
    // Whether bytes of a line were seen whose beginning was not.
    let mut open = false;
    let mut backwards = Backwards::new(place, extents, from, to);
    if wanted == 0 {
        return Ok(Suffix { start: to, lines });
    }
    loop {
        let (start, is_last) = match backwards.step()? {
            Step::Bytes => {
                if !open {
                    // The newline at the very end is the end of a line and not the beginning of one.
                    backwards.drop_newline();
                    open = true;
                }
                let here = backwards.newlines();
                if lines + here < wanted {
                    lines += here;
                    continue;
                }
                while let Some(index) = backwards.newline() {
                    lines += 1;
                    if lines == wanted {
                        let start = backwards.at + index + 1;
                        return Ok(Suffix { start, lines });
                    }
                    backwards.truncate(index);
                }
                continue;
            }
            Step::Border(at) => (at, false),
            Step::Start => (backwards.at, true),
        };
        lines += u64::from(open);
        open = false;
        if is_last || lines == wanted {
            return Ok(Suffix { start, lines });
        }
    }
}

/// Returns where the bytes end that came before `time`. A clock that was set back in between makes this approximate.
pub fn bound(place: &Place, extents: &[Extent], time: u64) -> Result<u64, HotError> {
    // An empty segment says nothing about the bytes before it.
    for extent in extents.iter().rev().filter(|extent| extent.length > 0) {
        let Some(mut segment) = Segment::open(place, *extent)?.readable() else {
            continue;
        };
        if let Some(end) = segment.end_before(time, extent.end())? {
            return Ok(end);
        }
    }
    Ok(extents.first().map_or(0, |first| first.base))
}

/// Returns when the first byte at or behind `offset` came; `None`: there is none.
pub fn time_after(place: &Place, extents: &[Extent], offset: u64) -> Result<Option<u64>, HotError> {
    let index = extents.partition_point(|extent| extent.end() <= offset);
    for extent in extents.get(index..).unwrap_or_default() {
        if let Some(mut segment) = Segment::open(place, *extent)?.readable() {
            let end = offset.max(extent.base).saturating_add(1);
            return segment.time_at(end).map(Some);
        }
    }
    Ok(None)
}

/// Reads a stream chunk by chunk towards its start.
struct Backwards<'a> {
    place: &'a Place,
    extents: &'a [Extent],
    floor: u64,
    /// Where the chunk begins: what lies behind was read.
    at: u64,
    segment: Option<Segment>,
    chunk: Vec<u8>,
}

enum Step {
    /// The chunk holds the bytes from `at` on.
    Bytes,
    /// Bytes are missing before this offset: a line begins there.
    Border(u64),
    /// There is nothing more.
    Start,
}

impl<'a> Backwards<'a> {
    const fn new(place: &'a Place, extents: &'a [Extent], floor: u64, at: u64) -> Self {
        Self {
            place,
            extents,
            floor,
            at,
            segment: None,
            chunk: Vec::new(),
        }
    }

    /// Every step but the last comes closer to the floor.
    fn step(&mut self) -> Result<Step, HotError> {
        let below = self.extents.partition_point(|extent| extent.base < self.at);
        let extent = match below
            .checked_sub(1)
            .and_then(|index| self.extents.get(index))
        {
            Some(extent) if self.at > self.floor => *extent,
            Some(_) | None => return Ok(Step::Start),
        };
        if extent.end() < self.at {
            return Ok(self.border(extent.end()));
        }
        let is_open = self
            .segment
            .as_ref()
            .is_some_and(|open| open.number() == extent.number);
        if !is_open {
            self.segment = Segment::open(self.place, extent)?.readable();
        }
        let Some(segment) = &mut self.segment else {
            return Ok(self.border(extent.base));
        };
        let (from, soundness) = segment.before(self.at);
        if soundness == Soundness::Damaged {
            return Ok(self.border(from));
        }
        let start = self
            .at
            .saturating_sub(CHUNK)
            .max(from.max(extent.base))
            .max(self.floor);
        let want = usize::try_from(self.at - start).unwrap_or(0);
        self.chunk.resize(want, 0);
        let mut filled = 0;
        while let Some(rest) = self.chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match segment.read(rest, start + filled as u64)? {
                // Cut off since it was surveyed.
                Read::Bytes(0) | Read::Damaged(_) => {
                    return Ok(self.border(start + filled as u64));
                }
                Read::Bytes(more) => filled += more,
            }
        }
        self.at = start;
        Ok(Step::Bytes)
    }

    fn border(&mut self, below: u64) -> Step {
        let border = self.at;
        self.at = below.max(self.floor);
        Step::Border(border)
    }

    /// Where the chunk's last newline is.
    fn newline(&self) -> Option<u64> {
        let index = self.chunk.iter().rposition(|byte| *byte == b'\n')?;
        Some(index as u64)
    }

    fn newlines(&self) -> u64 {
        let count = |part: &[u8]| {
            part.iter()
                .fold(0_u8, |sum, byte| sum + u8::from(*byte == b'\n'))
        };
        // Sums of bytes over short parts are what the compiler makes vector code of.
        self.chunk
            .chunks(255)
            .map(|part| u64::from(count(part)))
            .sum()
    }

    fn drop_newline(&mut self) {
        if self.chunk.last() == Some(&b'\n') {
            self.chunk.pop();
        }
    }

    fn truncate(&mut self, index: u64) {
        self.chunk.truncate(usize::try_from(index).unwrap_or(0));
    }
}
