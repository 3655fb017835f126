//! A stream that may still grow.

use std::path::Path;
use std::rc::Rc;

use crate::hot::{Held, HotError, Item, Life, Place, Reader, Tail, is_written, survey};
use crate::query::merge::{Head, Lane};
use crate::query::{Seed, Source};

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Whether the segment has grown.
    Glance,
    /// Whether there are new segments, and whether the run has ended, too.
    Look,
}

/// A stream that is followed.
#[derive(Debug)]
pub(super) struct Live {
    source: Rc<Source>,
    place: Place,
    reader: Reader,
    has_ended: bool,
    last: u64,
    /// Up to where lines that are not complete were told.
    told: u64,
}

impl From<Seed> for Live {
    fn from(seed: Seed) -> Self {
        Self {
            source: seed.source,
            place: seed.place,
            reader: seed.reader,
            has_ended: false,
            last: 0,
            told: 0,
        }
    }
}

impl Live {
    /// Follows a stream from its first byte.
    pub(super) fn begin(source: Rc<Source>, runs: &Path) -> Self {
        let place = source.place(runs);
        let reader = Reader::new(place.clone(), Vec::new(), 0, 0, Tail::Held);
        Self::from(Seed {
            source,
            place,
            reader,
        })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether nothing more will come, once all that is there was read.
    pub(super) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// What is there of it and waits for its note.
    pub(super) const fn held(&self) -> Option<Held> {
        self.reader.held()
    }

    /// What is there of a line that is not complete, and was not told yet: its offset, and its bytes.
    pub(super) fn begun(&mut self) -> Option<(u64, Vec<u8>)> {
        let (begins, text) = self.reader.begun()?;
        let offset = begins.max(self.told);
        let known = usize::try_from(offset - begins).ok()?;
        let text = text.get(known..).filter(|text| !text.is_empty())?;
        self.told = offset + text.len() as u64;
        Some((offset, text.to_vec()))
    }

    /// Finds out what is new.
    pub(super) fn look(&mut self, depth: Depth) -> Result<(), HotError> {
        match depth {
            Depth::Glance => self.reader.glance(),
            Depth::Look if is_written(&self.place) => self.reader.look(),
            Depth::Look => {
                let survey = survey(&self.place)?;
                self.has_ended = survey.life == Life::Ended;
                let tail = if self.has_ended {
                    Tail::Passed
                } else {
                    Tail::Held
                };
                self.reader.adopt(survey, tail);
                Ok(())
            }
        }
    }
}

impl Lane for Live {
    type Item = Item;
    type Error = HotError;

    fn begins(&self) -> Option<u64> {
        None
    }

    fn advance(&mut self) -> Result<Option<Head<Item>>, HotError> {
        let item = self.reader.read()?;
        if item.is_none() {
            self.reader.rest();
        }
        Ok(item.map(|item| item.into_head(&mut self.last)))
    }
}
