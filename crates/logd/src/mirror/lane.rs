//! One stream of one run, on its way to a file.

use std::path::Path;
use std::sync::Arc;

use eco_home::runs::Stream;

use super::record::At;
use crate::catalog::Slot;
use crate::hot::{Held, HotError, Item, Place, Reader, Tail};

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Whether the segment has grown.
    Glance,
    /// Whether there are new segments, and whether the run has ended, too.
    Look,
}

/// The next line of a lane, or a piece of it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) time: u64,
    pub(super) text: Vec<u8>,
    pub(super) continues: bool,
    /// From where to read after it.
    pub(super) end: u64,
}

/// A stream that is copied.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) slot: Arc<Slot>,
    pub(super) run: u64,
    pub(super) stream: Stream,
    reader: Reader,
    head: Option<Head>,
    /// Whether the head goes on with a line that is begun in the file.
    pub(super) is_rest: bool,
    /// No time is told that is before the one told last.
    last: u64,
    /// Bytes that were gone before they were read, not told of yet.
    gone: u64,
}

impl Lane {
    /// Reads on from where the file ends.
    pub(super) fn new(slot: Arc<Slot>, run: u64, stream: Stream, at: At, runs: &Path) -> Self {
        let place = Place::new(slot.run(run).folder(runs), stream);
        let reader = Reader::new(place, Vec::new(), at.offset, at.offset, Tail::Held);
        Self {
            slot,
            run,
            stream,
            reader,
            head: None,
            is_rest: at.is_rest,
            last: 0,
            gone: 0,
        }
    }

    /// Finds out what is new.
    pub(super) fn look(&mut self, depth: Depth) -> Result<(), HotError> {
        match depth {
            Depth::Glance => self.reader.glance(),
            Depth::Look => self.reader.look(),
        }
    }

    /// What comes next; `None`: nothing, for now or for good.
    pub(super) fn head(&mut self) -> Result<Option<&Head>, HotError> {
        while self.head.is_none() {
            match self.reader.read()? {
                Some(Item::Line {
                    offset,
                    time,
                    text,
                    continues,
                }) => {
                    self.last = self.last.max(time);
                    self.head = Some(Head {
                        time: self.last,
                        end: offset + text.len() as u64 + u64::from(!continues),
                        text,
                        continues,
                    });
                }
                Some(Item::Gap { bytes, .. }) => self.gone += bytes,
                None => {
                    self.reader.rest();
                    return Ok(None);
                }
            }
        }
        Ok(self.head.as_ref())
    }

    pub(super) const fn take(&mut self) -> Option<Head> {
        self.head.take()
    }

    /// Bytes that were gone before they were read, since it was asked last.
    pub(super) const fn gone(&mut self) -> u64 {
        std::mem::replace(&mut self.gone, 0)
    }

    /// Whether all was read, and nothing more will come.
    pub(super) fn is_over(&self) -> bool {
        self.reader.has_ended() && self.head.is_none()
    }

    /// What is there and waits for its note.
    pub(super) const fn held(&self) -> Option<Held> {
        self.reader.held()
    }
}
