//! A stream that is read and sifted.

use super::sifter::{Found, Sifter, Times};
use crate::hot::{HotError, Part, Reader};

/// What the end of what is there means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtEnd {
    /// Nothing more will come.
    Finish,
    /// More may come; whether nothing came for a while.
    Hold {
        /// Whether a record that is there is taken to be complete.
        is_quiet: bool,
    },
}

/// A reader and its sifter.
#[derive(Debug)]
pub struct Sifting {
    reader: Reader,
    sifter: Sifter,
    is_finished: bool,
}

impl Times for Reader {
    type Error = HotError;

    fn at(&mut self, end: u64) -> Result<u64, HotError> {
        self.time_at(end)
    }
}

impl Sifting {
    /// Sifts what `reader` reads.
    #[must_use]
    pub const fn new(reader: Reader, sifter: Sifter) -> Self {
        Self {
            reader,
            sifter,
            is_finished: false,
        }
    }

    /// Takes the next thing that is found; `None`: there is no more, for now or for good. `attend` is called between parts of
    /// the stream: it may be long until something is found.
    pub fn next<E: From<HotError>>(
        &mut self,
        at_end: AtEnd,
        mut attend: impl FnMut() -> Result<(), E>,
    ) -> Result<Option<Found>, E> {
        let Self {
            reader,
            sifter,
            is_finished,
        } = self;
        loop {
            if let Some(found) = sifter.next(reader)? {
                return Ok(Some(found));
            }
            attend()?;
            match reader.part()? {
                Part::Bytes { offset } => {
                    if offset != sifter.end() {
                        // What was passed over holds nothing that is asked for.
                        sifter.finish(reader, offset)?;
                    }
                    sifter.feed(reader.bytes());
                }
                Part::Gap { offset, bytes } => sifter.gap(reader, offset, bytes)?,
                Part::End => {
                    match at_end {
                        AtEnd::Finish if *is_finished => return Ok(None),
                        AtEnd::Finish => {
                            *is_finished = true;
                            let end = sifter.end();
                            sifter.finish(reader, end)?;
                        }
                        AtEnd::Hold { is_quiet } => sifter.settle(reader, is_quiet)?,
                    }
                    return Ok(sifter.next(reader)?);
                }
            }
        }
    }

    /// The reader.
    pub const fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// The sifter.
    #[must_use]
    pub const fn sifter(&self) -> &Sifter {
        &self.sifter
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
