//! A stream that is read and sifted.

use std::time::Duration;

use super::ahead::Ahead;
use super::sifter::{Found, Sifter, Times};
use crate::hot::{HotError, Part, Reader};

/// How long nothing comes until a record is taken to be complete.
const QUIET: Duration = Duration::from_millis(200);

/// What the end of what is there means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// Nothing more will come.
    Finish,
    /// More may come, but nobody waits for it: what is there of a record counts.
    Settle,
    /// More may come.
    Hold {
        /// Time since boot.
        now: Duration,
    },
}

/// A reader and its sifter.
#[derive(Debug)]
pub struct Sifting {
    /// Reads the parts, if nobody does so ahead of it; and tells their times.
    reader: Reader,
    ahead: Option<Ahead>,
    sifter: Sifter,
    is_finished: bool,
    /// When bytes last came, since boot.
    heard_at: Duration,
}

impl Times for Reader {
    type Error = HotError;

    fn at(&mut self, end: u64) -> Result<u64, HotError> {
        self.time_at(end)
    }
}

impl Sifting {
    /// Sifts what `reader` reads, or what is read of the same `ahead`.
    #[must_use]
    pub const fn new(reader: Reader, ahead: Option<Ahead>, sifter: Sifter) -> Self {
        Self {
            reader,
            ahead,
            sifter,
            is_finished: false,
            heard_at: Duration::ZERO,
        }
    }

    /// Takes the next thing that is found; `None`: there is no more, for now or for good. `is_wanted` is asked between parts of
    /// the stream: it may be long until something is found.
    pub fn next<E: From<HotError>>(
        &mut self,
        at_end: AtEnd,
        mut is_wanted: impl FnMut() -> Result<(), E>,
    ) -> Result<Option<Found>, E> {
        let Self {
            reader,
            ahead,
            sifter,
            is_finished,
            heard_at,
        } = self;
        loop {
            if let Some(found) = sifter.next(reader)? {
                return Ok(Some(found));
            }
            is_wanted()?;
            let part = match ahead {
                Some(ahead) => ahead.next()?,
                None => reader.part()?,
            };
            match part {
                Part::Bytes { offset } => {
                    if offset != sifter.end() {
                        // What was passed over holds nothing that is asked for.
                        sifter.finish(reader, offset)?;
                    }
                    sifter.feed(ahead.as_ref().map_or_else(|| reader.bytes(), Ahead::bytes));
                    if let AtEnd::Hold { now } = at_end {
                        *heard_at = now;
                    }
                }
                Part::Gap(gap) => sifter.gap(reader, gap)?,
                Part::End => {
                    match at_end {
                        AtEnd::Finish if *is_finished => return Ok(None),
                        AtEnd::Finish => {
                            *is_finished = true;
                            let end = sifter.end();
                            sifter.finish(reader, end)?;
                        }
                        AtEnd::Settle => sifter.settle(reader, true)?,
                        AtEnd::Hold { now } => {
                            let is_quiet = now.saturating_sub(*heard_at) >= QUIET;
                            sifter.settle(reader, is_quiet)?;
                        }
                    }
                    return Ok(sifter.next(reader)?);
                }
            }
        }
    }

    /// The reader.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The reader, to move its end on.
    pub const fn reader_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// What is there of a line that is not complete, and where it begins.
    #[must_use]
    pub fn begun(&self) -> Option<(u64, &[u8])> {
        self.sifter.begun()
    }

    /// How long after `now` (since boot) what waits for more is taken to be complete; `None`: nothing does.
    #[must_use]
    pub fn rest_for(&self, now: Duration) -> Option<Duration> {
        let waited = now.saturating_sub(self.heard_at);
        self.sifter.waits().then(|| QUIET.saturating_sub(waited))
    }

    /// The sifter alone, to go on with another reader.
    #[must_use]
    pub fn into_sifter(self) -> Sifter {
        self.sifter
    }

    /// Gives up what only a busy one needs.
    pub fn rest(&mut self) {
        self.reader.rest();
        self.sifter.rest();
    }
}
