//! The lines of a stream, forwards.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::Path;

use eco_home::clock;

use super::folder::Stamp;
use super::layout::Extent;
use super::losses::{Loss, Losses, Lost};
use super::reach::Held;
use super::segment::{Opened, Segment};
use super::survey::Life;
use super::{HotError, Place, survey};
use crate::cold::Read;
use crate::line::{Cut, Splitter};

/// Bytes read at once.
const CHUNK: u64 = 64 << 10;

/// What a stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line, or a piece of one.
    Line {
        /// Where it begins.
        offset: u64,
        /// When its last byte arrived, unix ns.
        time: u64,
        /// Its bytes without the newline.
        text: Vec<u8>,
        /// Whether the line goes on in the next item.
        continues: bool,
    },
    /// Bytes that are no longer there.
    Gap {
        /// Where they began.
        offset: u64,
        /// How many they were.
        bytes: u64,
        /// Why.
        loss: Loss,
    },
}

/// What becomes of a last line that has no newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// More may come: it waits.
    Held,
    /// Nothing will come: it is a line.
    Passed,
}

/// Reads one stream from an offset up to an end, which may be moved on as the stream grows.
#[derive(Debug)]
pub struct Reader {
    place: Place,
    extents: Vec<Extent>,
    /// The next byte to be read from the files, and where to stop.
    position: u64,
    to: u64,
    /// What is there behind the end and may not be read yet.
    held: Option<Held>,
    tail: Tail,
    /// The folder as it was when the extents were found, if a change since is to be seen by it.
    known: Option<Stamp>,
    segment: Option<Segment>,
    chunk: Vec<u8>,
    /// Bytes of the chunk that were cut already.
    used: usize,
    splitter: Splitter,
    /// When the bytes before the position arrived, if they belong to a segment that was left.
    left_at: u64,
    /// Where bytes begin that are gone and were not told of yet: there may be more of them.
    gone: Option<u64>,
    /// Gaps that are to be told next.
    gaps: VecDeque<Item>,
    /// What was found to be damaged.
    damaged: Losses,
    /// Where ends what was gone when it was last looked.
    gone_to: u64,
    /// Handed out in parts: a segment before the open one, and where it ends.
    earlier: Option<(Segment, u64)>,
    is_in_parts: bool,
    /// What is read when the end is reached, in parts.
    later: VecDeque<Range<u64>>,
}

/// What comes next of a stream that is read in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes that begin at that offset: [`Reader::bytes`].
    Bytes {
        /// Of the first.
        offset: u64,
    },
    /// Bytes that are no longer there, as an item tells of them.
    Gap(Item),
    /// The end is reached, for now or for good.
    End,
}

enum Opening {
    Open,
    /// It is not there any more.
    Gone,
    /// Nothing of it can be read.
    Unreadable,
}

enum Step {
    Filled,
    /// What lies between this offset and the position is gone.
    Gone(u64),
    End,
}

impl Reader {
    /// Reads `place`, which looks like `extents`, from `from` up to `to`.
    #[must_use]
    pub fn new(place: Place, extents: Vec<Extent>, from: u64, to: u64, tail: Tail) -> Self {
        Self {
            place,
            extents,
            position: from,
            to,
            held: None,
            tail,
            known: None,
            segment: None,
            chunk: Vec::new(),
            used: 0,
            splitter: Splitter::new(from),
            left_at: 0,
            gone: None,
            gaps: VecDeque::new(),
            damaged: Losses::default(),
            gone_to: 0,
            earlier: None,
            is_in_parts: false,
            later: VecDeque::new(),
        }
    }

    /// Reads all of these ranges in parts, and nothing between them.
    #[must_use]
    pub fn over(place: Place, extents: Vec<Extent>, mut ranges: VecDeque<Range<u64>>) -> Self {
        let first = ranges.pop_front().unwrap_or_default();
        Self {
            later: ranges,
            ..Self::new(place, extents, first.start, first.end, Tail::Passed)
        }
    }

    /// Reads the next item; `None`: the end is reached, for now or for good.
    pub fn read(&mut self) -> Result<Option<Item>, HotError> {
        loop {
            if let Some(gap) = self.gaps.pop_front() {
                return Ok(Some(gap));
            }
            if let Some(cut) = self.cut() {
                return self.line(cut).map(Some);
            }
            let position = self.position;
            match self.fill()? {
                Step::Filled => {
                    if let Some(gap) = self.gap(position) {
                        return Ok(Some(gap));
                    }
                }
                Step::Gone(begins) => {
                    self.gone = self.gone.or(Some(begins));
                    let tail = self.splitter.finish();
                    self.splitter = Splitter::new(self.position);
                    if let Some(cut) = tail {
                        return self.line(cut).map(Some);
                    }
                }
                Step::End => {
                    if let Some(gap) = self.gap(position) {
                        return Ok(Some(gap));
                    }
                    let tail = match self.tail {
                        Tail::Held => None,
                        Tail::Passed => self.splitter.finish(),
                    };
                    return tail.map(|cut| self.line(cut)).transpose();
                }
            }
        }
    }

    /// Goes on to the next part; not to be mixed with reading items.
    pub fn part(&mut self) -> Result<Part, HotError> {
        self.is_in_parts = true;
        if let Some(gap) = self.gaps.pop_front() {
            return Ok(Part::Gap(gap));
        }
        if self.used < self.chunk.len() {
            return Ok(self.hand_out());
        }
        loop {
            let position = self.position;
            let is_filled = match self.fill()? {
                Step::Filled => true,
                Step::Gone(begins) => {
                    self.gone = self.gone.or(Some(begins));
                    continue;
                }
                Step::End => false,
            };
            if let Some(gap) = self.gap(position) {
                return Ok(Part::Gap(gap));
            }
            if is_filled {
                return Ok(self.hand_out());
            }
            let Some(next) = self.later.pop_front() else {
                return Ok(Part::End);
            };
            self.position = next.start;
            self.to = next.end;
        }
    }

    const fn hand_out(&mut self) -> Part {
        self.used = self.chunk.len();
        let offset = self.position - self.chunk.len() as u64;
        Part::Bytes { offset }
    }

    /// That of the run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// The next byte that was not read.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The bytes of the last part.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.chunk
    }

    /// Takes the bytes of the last part, and gives memory for the next ones.
    pub fn exchange_bytes(&mut self, mut memory: Vec<u8>) -> Vec<u8> {
        memory.clear();
        self.used = 0;
        std::mem::replace(&mut self.chunk, memory)
    }

    /// Tells when the byte before offset `end` had arrived, of what was handed out in parts.
    pub fn time_at(&mut self, end: u64) -> Result<u64, HotError> {
        if let Some(segment) = &mut self.segment
            && segment.base() < end
        {
            return segment.time_at(end);
        }
        let is_known = |known: &(Segment, u64)| known.0.base() < end && end <= known.1;
        if !self.earlier.as_ref().is_some_and(is_known) {
            let index = self.extents.partition_point(|extent| extent.end() < end);
            let extent = self.extents.get(index).filter(|extent| extent.base < end);
            let opened = match extent {
                Some(extent) => {
                    let opened = Segment::open(&self.place, *extent)?.readable();
                    opened.map(|open| (open, extent.end()))
                }
                None => None,
            };
            self.earlier = opened;
        }
        // What is gone by now came no earlier than what was asked for last.
        if let Some((segment, _)) = &mut self.earlier {
            self.left_at = segment.time_at(end)?;
        }
        Ok(self.left_at)
    }

    /// Takes what is gone and ends at `end`, and was not told of yet: a gap for each reason.
    fn gap(&mut self, end: u64) -> Option<Item> {
        let begins = self.gone.take()?;
        let mut losses = std::mem::take(&mut self.damaged);
        // Looked at now: what was there when this reader began has a reason since.
        if let Ok(survey) = survey(&self.place) {
            for lost in survey.losses.all() {
                losses.add(*lost);
            }
        }
        let pieces = losses.reasons(begins..end).into_iter();
        self.gaps.extend(pieces.map(|(range, loss)| Item::Gap {
            offset: range.start,
            bytes: range.end - range.start,
            loss,
        }));
        self.gaps.pop_front()
    }

    fn cut(&mut self) -> Option<Cut> {
        let mut rest = self.chunk.get(self.used..).unwrap_or_default();
        let cut = self.splitter.cut(&mut rest);
        self.used = self.chunk.len() - rest.len();
        cut
    }

    fn line(&mut self, cut: Cut) -> Result<Item, HotError> {
        let time = match &mut self.segment {
            Some(segment) if cut.end > segment.base() => segment.time_at(cut.end)?,
            Some(_) | None => self.left_at,
        };
        Ok(Item::Line {
            offset: cut.offset,
            time,
            text: cut.text,
            continues: cut.continues,
        })
    }

    /// Reads the next chunk. Every turn of the loop has one extent less to go through.
    fn fill(&mut self) -> Result<Step, HotError> {
        while self.position < self.to {
            let index = self
                .extents
                .partition_point(|extent| extent.end() <= self.position);
            let Some(extent) = self.extents.get(index).copied() else {
                return Ok(self.skip(self.to));
            };
            if extent.base > self.position {
                return Ok(self.skip(extent.base));
            }
            match self.open(extent)? {
                Opening::Open => {}
                Opening::Gone => {
                    self.extents.remove(index);
                    continue;
                }
                Opening::Unreadable => return Ok(self.damaged(extent.end())),
            }
            let Some(segment) = &mut self.segment else {
                continue;
            };
            let want = (extent.end().min(self.to) - self.position).min(CHUNK);
            self.chunk.resize(usize::try_from(want).unwrap_or(0), 0);
            self.used = 0;
            let count = match segment.read(&mut self.chunk, self.position)? {
                Read::Bytes(count) => count,
                Read::Damaged(to) => {
                    self.chunk.clear();
                    return Ok(self.damaged(to));
                }
            };
            self.chunk.truncate(count);
            if count > 0 {
                // Asked after they were read: what is flushed meanwhile reads as zeros.
                let flushed = segment.flushed()?;
                if flushed > self.position {
                    self.chunk.clear();
                    return Ok(self.skip(flushed));
                }
                self.position += count as u64;
                return Ok(Step::Filled);
            }
            // Cut off since it was surveyed: it ends here.
            if let Some(extent) = self.extents.get_mut(index) {
                extent.length = self.position - extent.base;
            }
        }
        Ok(Step::End)
    }

    /// Passes over what is damaged up to `to`.
    fn damaged(&mut self, to: u64) -> Step {
        self.damaged.add(Lost {
            from: self.position,
            to,
            time: 0,
            why: Loss::Damaged,
        });
        self.skip(to)
    }

    /// Passes over what is gone up to `to`.
    fn skip(&mut self, to: u64) -> Step {
        let begins = self.position;
        self.position = to.min(self.to);
        Step::Gone(begins)
    }

    /// Makes `extent` the open segment.
    fn open(&mut self, extent: Extent) -> Result<Opening, HotError> {
        if let Some(segment) = &mut self.segment {
            if (segment.number(), segment.base()) == (extent.number, extent.base) {
                return Ok(Opening::Open);
            }
            if self.splitter.is_pending() || self.is_in_parts {
                self.left_at = segment.time_at(self.position)?;
            }
        }
        let (segment, opening) = match Segment::open(&self.place, extent)? {
            Opened::Segment(segment) => (Some(segment), Opening::Open),
            Opened::Gone => (None, Opening::Gone),
            Opened::Unreadable => (None, Opening::Unreadable),
        };
        self.segment = segment;
        Ok(opening)
    }

    /// Moves the end to where the last known segment may be read by now; the cheap look, one `fstat` where nothing grew. The
    /// run must not have ended.
    pub fn glance(&mut self) -> Result<(), HotError> {
        if !self.measure()? {
            self.look()?;
        }
        Ok(())
    }

    /// Moves the end to where the stream may be read by now, new segments included. What remains of a stream that has ended
    /// is a line, too.
    pub fn look(&mut self) -> Result<(), HotError> {
        let now = clock::nanos(clock::unix());
        let stamp = Stamp::of(&self.place)?;
        if stamp.is_some() && stamp == self.known {
            // The open one is measured: it was the last one before it was.
            self.attend()?;
            if self.measure()? {
                return Ok(());
            }
        }
        let survey = survey(&self.place)?;
        // A stream that has not begun ends without a change.
        self.known = stamp.filter(|stamp| stamp.is_settled(now) && survey.life != Life::Unborn);
        self.tail = match survey.life {
            Life::Ended => Tail::Passed,
            Life::Unborn | Life::Written => Tail::Held,
        };
        self.gone_to = survey.losses.end();
        self.extents = survey.extents;
        self.held = survey.held;
        self.reach();
        self.attend()
    }

    /// Measures the last segment, if it is the open one; false: it is not.
    fn measure(&mut self) -> Result<bool, HotError> {
        match (&mut self.segment, self.extents.last_mut()) {
            (Some(segment), Some(last)) if segment.number() == last.number => {
                let reach = segment.reach(last.end())?;
                last.length = reach.end.saturating_sub(last.base);
                self.held = reach.held;
                self.reach();
                Ok(true)
            }
            (Some(_) | None, _) => Ok(false),
        }
    }

    /// What was read of a line that is not complete, and where it begins.
    #[must_use]
    pub fn begun(&self) -> Option<(u64, &[u8])> {
        self.splitter.begun()
    }

    /// What is there and may not be read yet.
    #[must_use]
    pub const fn held(&self) -> Option<Held> {
        self.held
    }

    /// Whether nothing will come behind what there is, as the last look found.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.tail == Tail::Passed
    }

    fn reach(&mut self) {
        let end = self.extents.last().map_or(0, Extent::end);
        self.to = end.max(self.gone_to).max(self.position);
    }

    /// Opens the segment that grows, so that a glance can measure it.
    fn attend(&mut self) -> Result<(), HotError> {
        match self.extents.last().copied() {
            Some(last) if self.position >= last.base => self.open(last).map(drop),
            Some(_) | None => Ok(()),
        }
    }

    /// Gives up what only a busy reader needs, until it is read again.
    pub fn rest(&mut self) {
        self.chunk = Vec::new();
        self.used = 0;
        self.earlier = None;
        if let Some(segment) = &mut self.segment {
            segment.rest();
        }
    }
}
