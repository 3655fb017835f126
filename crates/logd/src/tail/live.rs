//! A stream that may still grow.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use eco_home::clock;

use crate::hot::{Held, HotError, Reader, Tail};
use crate::query::merge::{Head, Lane};
use crate::query::{Attention, Handover, Seed, Source, Stop};
use crate::sieve::{AtEnd, Found, Sieve, Sifter, Sifting};

use super::watch::{Touched, Watch, Watched};

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// Whether the segment has grown.
    Glance,
    /// Whether there are new segments, and whether the run has ended, too.
    Look,
}

/// A stream that is followed.
#[derive(Debug)]
pub(super) struct Live<'a> {
    source: Rc<Source>,
    reading: Reading,
    /// Its folder, if the kernel tells of it.
    watched: Option<Watched>,
    last: u64,
    /// Up to where it was read.
    position: u64,
    /// Up to where lines that are not complete were told.
    told: u64,
    attention: &'a Attention<'a>,
}

/// How it is read.
#[derive(Debug)]
enum Reading {
    Lines(Box<Reader>),
    Records(Box<Sifting>),
}

impl<'a> Live<'a> {
    /// Follows a stream from where its history ended, with `sieve` if its records are to be sifted.
    pub(super) fn new(
        seed: Seed,
        sieve: Option<&Arc<Sieve>>,
        watch: Option<&Watch>,
        attention: &'a Attention<'a>,
    ) -> Self {
        let Seed {
            source,
            reader,
            handover,
        } = seed;
        let position = reader.position();
        let watched = watch.and_then(|watch| watch.add(reader.folder()));
        let reading = match sieve {
            Some(sieve) => {
                let begun = handover.take();
                let from = reader.position();
                let sifter = begun.filter(|begun| begun.end() == from);
                let sifter = sifter.unwrap_or_else(|| Sifter::new(Arc::clone(sieve), from));
                Reading::Records(Box::new(Sifting::new(reader, None, sifter)))
            }
            None => Reading::Lines(Box::new(reader)),
        };
        Self {
            source,
            reading,
            watched,
            last: 0,
            position,
            told: 0,
            attention,
        }
    }

    /// Follows a stream from its first byte.
    pub(super) fn begin(
        source: Rc<Source>,
        runs: &Path,
        sieve: Option<&Arc<Sieve>>,
        watch: Option<&Watch>,
        attention: &'a Attention<'a>,
    ) -> Self {
        let reader = Reader::new(source.place(runs), Vec::new(), 0, 0, Tail::Held);
        let seed = Seed {
            source,
            reader,
            handover: Handover::default(),
        };
        Self::new(seed, sieve, watch, attention)
    }

    fn reader(&self) -> &Reader {
        match &self.reading {
            Reading::Lines(reader) => reader,
            Reading::Records(sifting) => sifting.reader(),
        }
    }

    fn reader_mut(&mut self) -> &mut Reader {
        match &mut self.reading {
            Reading::Lines(reader) => reader,
            Reading::Records(sifting) => sifting.reader_mut(),
        }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether nothing more will come, once all that is there was read.
    pub(super) fn has_ended(&self) -> bool {
        self.reader().has_ended()
    }

    /// Whether anything was read of it since it was asked last.
    pub(super) fn was_read(&mut self) -> bool {
        let position = self.reader().position();
        std::mem::replace(&mut self.position, position) != position
    }

    /// What is there of it and waits for its note.
    pub(super) fn held(&self) -> Option<Held> {
        self.reader().held()
    }

    /// How long after `now` (since boot) a record that is there is taken to be complete; `None`: none waits for that.
    pub(super) fn rest_for(&self, now: Duration) -> Option<Duration> {
        match &self.reading {
            Reading::Lines(_) => None,
            Reading::Records(sifting) => sifting.rest_for(now),
        }
    }

    /// What is there of a line that is not complete, and was not told yet: its offset, and its bytes.
    pub(super) fn begun(&mut self) -> Option<(u64, Vec<u8>)> {
        let (begins, text) = match &self.reading {
            Reading::Lines(reader) => reader.begun()?,
            Reading::Records(sifting) => sifting.begun()?,
        };
        let offset = begins.max(self.told);
        let known = usize::try_from(offset - begins).ok()?;
        let text = text.get(known..).filter(|text| !text.is_empty())?;
        self.told = offset + text.len() as u64;
        Some((offset, text.to_vec()))
    }

    pub(super) const fn watched(&self) -> Option<Watched> {
        self.watched
    }

    /// The look that it is worth after what happened.
    pub(super) fn depth(&self, touched: &Touched) -> Option<Depth> {
        let is_waiting = self.watched.is_none() || self.held().is_some();
        let least = is_waiting.then_some(Depth::Glance);
        let told = self.watched.and_then(|watched| touched.depth(watched));
        told.max(least)
    }

    /// Finds out what is new.
    pub(super) fn look(&mut self, depth: Depth) -> Result<(), HotError> {
        match depth {
            Depth::Glance => self.reader_mut().glance(),
            Depth::Look => self.reader_mut().look(),
        }
    }
}

impl Lane for Live<'_> {
    type Item = Found;
    type Error = Stop;

    fn begins(&self) -> Option<u64> {
        None
    }

    fn advance(&mut self) -> Result<Option<Head<Found>>, Stop> {
        let found = match &mut self.reading {
            Reading::Lines(reader) => {
                let item = reader.read()?;
                if item.is_none() {
                    reader.rest();
                }
                item.map(Found::from)
            }
            Reading::Records(sifting) => {
                let at_end = if sifting.reader().has_ended() {
                    AtEnd::Finish
                } else {
                    let now = clock::since_boot();
                    AtEnd::Hold { now }
                };
                let attention = self.attention;
                let found = sifting.next(at_end, || attention.check())?;
                if found.is_none() {
                    sifting.rest();
                }
                found
            }
        };
        Ok(found.map(|found| found.into_head(&mut self.last)))
    }
}
