//! A source's part of the history.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::Stop;
use super::merge::{Head, Lane};
use super::outlet::Attention;
use super::source::Source;
use crate::hot::{Extent, HotError, Item, Place, Reader};
use crate::sieve::{Ahead, AtEnd, Found, Sieve, Sifter, Sifting};

/// What the live part of a stream goes on with: a record may begin in the history and end after it.
pub(crate) type Handover = Rc<RefCell<Option<Sifter>>>;

/// A range of a source. Its files are open only while it is the turn of its lines: of thousands of runs few overlap.
#[derive(Debug)]
pub(super) struct Chapter<'a> {
    source: Rc<Source>,
    begins: u64,
    reading: Reading,
    attention: &'a Attention<'a>,
}

/// How it is read.
#[derive(Debug)]
enum Reading {
    Lines(Option<Box<Reader>>),
    Records(Box<Records>),
}

/// Ranges of a stream that are sifted, each from where a record begins.
#[derive(Debug)]
pub(super) struct Records {
    place: Place,
    extents: Vec<Extent>,
    /// Until it begins.
    ranges: Option<VecDeque<Range<u64>>>,
    sieve: Arc<Sieve>,
    sifting: Option<Sifting>,
    handover: Option<Handover>,
}

impl<'a> Chapter<'a> {
    /// The lines that `reader` reads, none of them older than `begins`.
    pub(super) const fn lines(
        source: Rc<Source>,
        begins: u64,
        reader: Box<Reader>,
        attention: &'a Attention<'a>,
    ) -> Self {
        Self {
            source,
            begins,
            reading: Reading::Lines(Some(reader)),
            attention,
        }
    }

    /// What is found of `records`, none of it older than `begins`.
    pub(super) const fn records(
        source: Rc<Source>,
        begins: u64,
        records: Box<Records>,
        attention: &'a Attention<'a>,
    ) -> Self {
        Self {
            source,
            begins,
            reading: Reading::Records(records),
            attention,
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }
}

impl Lane for Chapter<'_> {
    type Item = Found;
    type Error = Stop;

    fn begins(&self) -> Option<u64> {
        Some(self.begins)
    }

    fn advance(&mut self) -> Result<Option<Head<Found>>, Stop> {
        let found = match &mut self.reading {
            Reading::Lines(reader) => lines(reader)?,
            Reading::Records(records) => records.next(self.attention)?,
        };
        Ok(found.map(|found| found.into_head(&mut self.begins)))
    }
}

/// Reads the next line; the reader goes with the last one.
fn lines(reader: &mut Option<Box<Reader>>) -> Result<Option<Found>, HotError> {
    let item = match reader {
        Some(reader) => reader.read()?,
        None => None,
    };
    if item.is_none() {
        *reader = None;
    }
    Ok(item.map(Found::from))
}

impl Records {
    /// Sifts `ranges` of `place`, which looks like `extents`. If there is a handover, more may come behind them.
    pub(super) const fn new(
        place: Place,
        extents: Vec<Extent>,
        ranges: VecDeque<Range<u64>>,
        sieve: Arc<Sieve>,
        handover: Option<Handover>,
    ) -> Self {
        Self {
            place,
            extents,
            ranges: Some(ranges),
            sieve,
            sifting: None,
            handover,
        }
    }

    /// Takes the next thing that is found.
    pub(super) fn next(&mut self, attention: &Attention<'_>) -> Result<Option<Found>, Stop> {
        if let Some(ranges) = self.ranges.take() {
            let begin = ranges.front().map_or(0, |range| range.start);
            let ahead = Ahead::begin(&self.place, &self.extents, &ranges);
            let reader = Reader::over(self.place.clone(), self.extents.clone(), ranges);
            let sifter = Sifter::new(Arc::clone(&self.sieve), begin);
            self.sifting = Some(Sifting::new(reader, ahead, sifter));
        }
        let Some(sifting) = &mut self.sifting else {
            return Ok(None);
        };
        let at_end = match self.handover {
            Some(_) => AtEnd::Settle,
            None => AtEnd::Finish,
        };
        if let Some(found) = sifting.next(at_end, || attention.check())? {
            return Ok(Some(found));
        }
        let done = self.sifting.take().map(Sifting::into_sifter);
        if let Some(handover) = self.handover.take() {
            *handover.borrow_mut() = done;
        }
        Ok(None)
    }
}

impl Found {
    /// Orders it by its time; a gap by what came before it, which `last` remembers.
    pub(crate) const fn into_head(self, last: &mut u64) -> Head<Self> {
        let continues = match self.item {
            Item::Line {
                time, continues, ..
            } => {
                *last = time;
                continues || self.mark.goes_on
            }
            Item::Gap { .. } => false,
        };
        Head {
            time: *last,
            continues,
            item: self,
        }
    }
}
