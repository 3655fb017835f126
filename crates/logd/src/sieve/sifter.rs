//! Bytes in, lines of the records that pass out: pure.
//!
//! ```text
//!        open record         next               complete
//! base   ├────────────────────┼──────────────────┼───────┤ end of the buffer
//!        its lines so far      whole lines         a line that is not complete
//! ```
//!
//! - Nothing is kept before the open record.
//! - Where nothing is found up to `complete`, the last line that two lines show to be a first one becomes the open record, and
//!   what lies before it is never cut into lines.
//! - A record that is open may have been passed on in part: where it is known to pass, nobody has to wait for its end.

use std::collections::VecDeque;
use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::conditions::Sieve;
use crate::hot::Item;
use crate::line::LONGEST;
use crate::record::{self, Grouping, Level, NEAR, is_first};

/// Lines that are found at once. Tests stop often.
const BATCH: usize = if cfg!(all(test, debug_assertions)) {
    3
} else {
    256
};

/// Tells when bytes came.
pub trait Times {
    /// Why it cannot.
    type Error;

    /// Tells when the byte before offset `end` had arrived. Meant for ends that ascend as a rule.
    fn at(&mut self, end: u64) -> Result<u64, Self::Error>;
}

/// What was found: a line of a record that passes, or a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// It.
    pub item: Item,
    /// What is known of a line besides.
    pub mark: Mark,
}

impl From<Item> for Found {
    fn from(item: Item) -> Self {
        Self {
            item,
            mark: Mark::default(),
        }
    }
}

/// What is known of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The level of its record.
    pub level: Option<Level>,
    /// Whether a record begins with it: false of pieces of a line behind the first.
    pub begins: bool,
    /// Whether it belongs to the record of the line before it.
    pub joined: bool,
    /// Whether the next line that is found belongs to its record.
    pub goes_on: bool,
    /// Its bytes in the stream, its newline included.
    pub bytes: u64,
}

/// Finds the records of one stream that pass.
#[derive(Debug)]
pub struct Sifter {
    sieve: Arc<Sieve>,
    buffer: Vec<u8>,
    /// Offset of the buffer's first byte.
    base: u64,
    /// Offset of the first line that is not part of the open record.
    next: u64,
    /// The lines of the open record, and how the next one is related to it.
    lines: Vec<Line>,
    grouping: Grouping,
    /// How many of them were passed on. When it is not 0, all that follows is.
    passed: usize,
    /// How many of them were there when they were found not to pass, for now.
    judged: usize,
    /// Whether what is searched for is in one of them.
    is_hit: bool,
    /// Inside of a line that is too long: what becomes of the rest of it.
    rest: Option<Rest>,
    /// Where the next line begins that has what is searched for; or where the search ended.
    hit: Option<u64>,
    found: VecDeque<Found>,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    passes: bool,
    level: Option<Level>,
}

/// A line of the open record, by offsets.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: u64,
    /// Behind its text, and behind its newline.
    end: u64,
    next: u64,
    time: Option<u64>,
}

impl Sifter {
    /// Begins at `offset` of a stream, where a line does.
    #[must_use]
    pub fn new(sieve: Arc<Sieve>, offset: u64) -> Self {
        Self {
            sieve,
            buffer: Vec::new(),
            base: offset,
            next: offset,
            lines: Vec::new(),
            grouping: Grouping::default(),
            passed: 0,
            judged: 0,
            is_hit: false,
            rest: None,
            hit: None,
            found: VecDeque::new(),
        }
    }

    /// Where the next byte belongs.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    /// Takes in the bytes that come next; all that could be found must have been taken before.
    pub fn feed(&mut self, bytes: &[u8]) {
        let keep = self.lines.first().map_or(self.next, |line| line.start);
        let drop = self.index(keep);
        self.buffer.drain(..drop);
        self.base = keep;
        self.buffer.extend_from_slice(bytes);
        self.hit = None;
    }

    /// Takes the next thing that was found; `None`: it needs more bytes.
    pub fn next<T: Times>(&mut self, times: &mut T) -> Result<Option<Found>, T::Error> {
        if self.found.is_empty() {
            self.sift(times)?;
        }
        Ok(self.found.pop_front())
    }

    /// No more bytes come here: what is there of a line is one, and the record is complete. What comes next is at `offset`.
    pub fn finish<T: Times>(&mut self, times: &mut T, offset: u64) -> Result<(), T::Error> {
        if self.next < self.end() {
            let text = self.next..self.end();
            self.hit = self.hit.filter(|hit| *hit < self.next);
            let has_it = self.has_it(text.start, text.end);
            self.take(times, text, 0, false)?;
            self.is_hit |= has_it;
        }
        self.close(times)?;
        self.buffer.clear();
        self.grouping = Grouping::default();
        self.rest = None;
        self.hit = None;
        self.base = offset;
        self.next = offset;
        Ok(())
    }

    /// Tells of a gap, behind all that was found.
    pub fn gap<T: Times>(&mut self, times: &mut T, gap: Item) -> Result<(), T::Error> {
        let behind = match &gap {
            Item::Gap { offset, bytes, .. } => offset.saturating_add(*bytes),
            Item::Line { .. } => self.end(),
        };
        self.finish(times, behind)?;
        self.found.push_back(Found::from(gap));
        Ok(())
    }

    /// Passes on what is there of the open record, if it passes: as it is if nothing came for a while (`is_quiet`), else
    /// only if no other line can change that.
    pub fn settle<T: Times>(&mut self, times: &mut T, is_quiet: bool) -> Result<(), T::Error> {
        let is_clear = is_quiet || !self.sieve.can_change_its_mind();
        let is_new = self.judged < self.lines.len();
        if self.passed > 0 || (is_clear && is_new && self.passes()) {
            return self.pass(times);
        }
        if is_clear {
            self.judged = self.lines.len();
        }
        Ok(())
    }

    /// Whether lines wait for what may still come.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.passed.max(self.judged) < self.lines.len() && self.sieve.can_change_its_mind()
    }

    /// What is there of a line that is not complete, and where it begins.
    #[must_use]
    pub fn begun(&self) -> Option<(u64, &[u8])> {
        let text = self.text(self.next, self.end());
        (!text.is_empty()).then_some((self.next, text))
    }

    /// Gives up memory that is not needed until more comes.
    pub fn rest(&mut self) {
        let keep = self.lines.first().map_or(self.next, |line| line.start);
        let drop = self.index(keep);
        self.buffer.drain(..drop);
        self.base = keep;
        self.buffer.shrink_to_fit();
        self.found.shrink_to_fit();
        self.lines.shrink_to(1);
    }

    /// Bytes that are kept.
    #[cfg(test)]
    pub(super) const fn kept(&self) -> usize {
        self.buffer.len()
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.base))
            .map_or(self.buffer.len(), |index| index.min(self.buffer.len()))
    }

    fn text(&self, start: u64, end: u64) -> &[u8] {
        self.buffer
            .get(self.index(start)..self.index(end))
            .unwrap_or_default()
    }

    fn sift<T: Times>(&mut self, times: &mut T) -> Result<(), T::Error> {
        let whole = memrchr(b'\n', self.text(self.next, self.end()));
        let complete = whole.map_or(self.next, |at| self.next + at as u64 + 1);
        // Up to here no line can be jumped to.
        let mut hopeless = self.next;
        while self.next < complete && self.found.len() < BATCH {
            if self.sieve.scan().is_some() {
                self.search(complete, &mut hopeless);
            }
            let is_hit = self.hit == Some(self.next);
            self.cut(times)?;
            self.is_hit |= is_hit;
        }
        while self.end() - self.next > LONGEST as u64 && self.found.len() < BATCH {
            self.hit = None;
            self.cut(times)?;
        }
        Ok(())
    }

    /// Finds the next line that has what is searched for, and jumps towards it as far as it can be told where a record begins.
    fn search(&mut self, complete: u64, hopeless: &mut u64) {
        let hit = match self.hit {
            Some(hit) if hit >= self.next => hit,
            Some(_) | None => self.find(complete),
        };
        self.hit = Some(hit);
        let is_wanted = self.is_hit || self.passed > 0 || self.rest.is_some_and(|rest| rest.passes);
        if is_wanted || self.next < *hopeless {
            return;
        }
        // Where nothing is found, the last whole line is as far as it goes.
        let to = if hit < complete {
            hit
        } else {
            self.line_start(complete - 1)
        };
        match self.last_first(to) {
            Some(start) => {
                self.forget();
                self.grouping = Grouping::default();
                self.rest = None;
                self.next = start;
            }
            None => *hopeless = to + 1,
        }
    }

    /// Returns where the next line begins that has what is searched for; `complete`: there is none.
    fn find(&self, complete: u64) -> u64 {
        let lines = self.buffer.get(..self.index(complete)).unwrap_or_default();
        let scan = self.sieve.scan();
        let end = scan.and_then(|scan| scan.find(lines, self.index(self.next)));
        match end {
            Some(end) if self.base + (end as u64) < complete => {
                self.line_start(self.base + end as u64)
            }
            Some(_) | None => complete,
        }
    }

    /// Whether what is searched for is in a text; true where nothing is.
    fn has_it(&self, start: u64, end: u64) -> bool {
        let text = self.text(start, end);
        self.sieve
            .scan()
            .is_none_or(|scan| scan.find(text, 0).is_some())
    }

    /// Returns where the line begins that holds the byte at `at`.
    fn line_start(&self, at: u64) -> u64 {
        let before = self.text(self.next, at);
        memrchr(b'\n', before).map_or(self.next, |newline| self.next + newline as u64 + 1)
    }

    /// Returns the last line behind `next` and no later than `to` that is a first one whatever came before.
    fn last_first(&self, to: u64) -> Option<u64> {
        let mut start = to;
        while start > self.next {
            let before = self.line_start(start - 1);
            let rest = self.text(start, self.end());
            let line = rest.get(..memchr(b'\n', rest)?)?;
            if is_first(self.text(before, start - 1), line) {
                return Some(start);
            }
            start = before;
        }
        None
    }

    /// Cuts off the next line, or the next piece of one that is too long.
    fn cut<T: Times>(&mut self, times: &mut T) -> Result<(), T::Error> {
        // One byte more than a piece holds tells whether the line ends with it.
        let window = self.text(self.next, self.end().min(self.next + LONGEST as u64 + 1));
        match memchr(b'\n', window) {
            Some(length) => self.take(times, self.next..self.next + length as u64, 1, false),
            None => self.take(times, self.next..self.next + LONGEST as u64, 0, true),
        }
    }

    /// Takes in a line, or a piece of one that goes on.
    fn take<T: Times>(
        &mut self,
        times: &mut T,
        text: std::ops::Range<u64>,
        newline: u64,
        goes_on: bool,
    ) -> Result<(), T::Error> {
        let line = Line {
            start: text.start,
            end: text.end,
            next: text.end + newline,
            time: None,
        };
        if self.rest.is_some() || goes_on {
            self.piece(times, line, goes_on)?;
        } else {
            if !self.joins(times, line)? {
                self.close(times)?;
            }
            self.lines.push(line);
        }
        self.next = line.next;
        Ok(())
    }

    fn joins<T: Times>(&mut self, times: &mut T, line: Line) -> Result<bool, T::Error> {
        let slice = |start: u64, end: u64| {
            let index = |offset: u64| {
                usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX)
            };
            self.buffer
                .get(index(start)..index(end))
                .unwrap_or_default()
        };
        let first = self
            .lines
            .first()
            .map_or(&[][..], |first| slice(first.start, first.end));
        let last = self.lines.last_mut();
        self.grouping.joins(slice(line.start, line.end), first, || {
            let Some(last) = last else {
                return Ok(false);
            };
            let before = last.at(times)?;
            let now = times.at(line.next)?;
            Ok(now.saturating_sub(before) <= NEAR)
        })
    }

    /// Takes in a piece of a line that is too long: a record of its own, whose first piece decides.
    fn piece<T: Times>(
        &mut self,
        times: &mut T,
        mut line: Line,
        goes_on: bool,
    ) -> Result<(), T::Error> {
        let begins = self.rest.is_none();
        let rest = if let Some(rest) = self.rest {
            rest
        } else {
            self.close(times)?;
            let text = self.text(line.start, line.end);
            let level = record::level(text);
            let passes = self.sieve.passes(text, level);
            Rest { passes, level }
        };
        self.rest = goes_on.then_some(rest);
        self.grouping = Grouping::default();
        if rest.passes {
            let mark = Mark {
                level: rest.level,
                begins,
                joined: false,
                goes_on,
                bytes: line.next - line.start,
            };
            self.push(times, &mut line, goes_on, mark)?;
        }
        Ok(())
    }

    /// Whether the open record passes as it is.
    fn passes(&self) -> bool {
        let (Some(first), Some(last)) = (self.lines.first(), self.lines.last()) else {
            return false;
        };
        (self.is_hit || self.sieve.scan().is_none())
            && self
                .sieve
                .passes(self.text(first.start, last.end), self.level(*first))
    }

    fn level(&self, first: Line) -> Option<Level> {
        record::level(self.text(first.start, first.end))
    }

    /// The open record is complete.
    fn close<T: Times>(&mut self, times: &mut T) -> Result<(), T::Error> {
        if self.passed > 0 || self.passes() {
            self.pass(times)?;
        }
        self.forget();
        Ok(())
    }

    /// There is no open record any more.
    fn forget(&mut self) {
        self.lines.clear();
        self.passed = 0;
        self.judged = 0;
        self.is_hit = false;
    }

    /// Passes on what was not passed on yet of the open record.
    fn pass<T: Times>(&mut self, times: &mut T) -> Result<(), T::Error> {
        let Some(first) = self.lines.first() else {
            return Ok(());
        };
        let level = self.level(*first);
        let count = self.lines.len();
        for index in self.passed..count {
            let Some(mut line) = self.lines.get(index).copied() else {
                break;
            };
            let mark = Mark {
                level,
                begins: index == 0,
                joined: index > 0,
                goes_on: index + 1 < count,
                bytes: line.next - line.start,
            };
            self.push(times, &mut line, false, mark)?;
            if let Some(place) = self.lines.get_mut(index) {
                *place = line;
            }
        }
        self.passed = count;
        Ok(())
    }

    fn push<T: Times>(
        &mut self,
        times: &mut T,
        line: &mut Line,
        continues: bool,
        mark: Mark,
    ) -> Result<(), T::Error> {
        let time = line.at(times)?;
        let text = self.text(line.start, line.end).to_vec();
        self.found.push_back(Found {
            item: Item::Line {
                offset: line.start,
                time,
                text,
                continues,
            },
            mark,
        });
        Ok(())
    }
}

impl Line {
    fn at<T: Times>(&mut self, times: &mut T) -> Result<u64, T::Error> {
        if let Some(time) = self.time {
            return Ok(time);
        }
        let time = times.at(self.next)?;
        self.time = Some(time);
        Ok(time)
    }
}
