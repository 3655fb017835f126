//! One open segment, hot or sealed: who reads a stream does not tell them apart.

use eco_home::notes::Note;

use super::layout::{Extent, Tier};
use super::plain::Plain;
use super::reach::Reach;
use super::{HotError, Place};
use crate::cold::{ColdError, Read, Sealed, Soundness, tell_once};

/// A segment that can be read.
#[derive(Debug)]
pub(super) enum Segment {
    /// As the keeper wrote it.
    Hot(Plain),
    /// Packed.
    Sealed {
        number: u32,
        base: u64,
        sealed: Box<Sealed>,
    },
}

/// What became of an attempt to open one.
#[derive(Debug)]
pub(super) enum Opened {
    Segment(Segment),
    /// It is not there any more.
    Gone,
    /// It is there, and nothing of it can be read.
    Unreadable,
}

impl Opened {
    /// The segment, if there is something to be read.
    pub(super) fn readable(self) -> Option<Segment> {
        match self {
            Self::Segment(segment) => Some(segment),
            Self::Gone | Self::Unreadable => None,
        }
    }
}

/// Opens the segment that was found at `extent` if it is a sealed one whose blocks are all of it, to ask what may be in them.
pub fn sealed(place: &Place, extent: Extent) -> Result<Option<Box<Sealed>>, HotError> {
    if extent.tier != Tier::Sealed {
        return Ok(None);
    }
    let Some(Segment::Sealed { sealed, .. }) = Segment::open_sealed(place, extent)?.readable()
    else {
        return Ok(None);
    };
    let blocks = sealed.blocks();
    let is_all = sealed.is_whole()
        && blocks
            .first()
            .is_some_and(|first| first.offset == extent.base)
        && blocks.last().is_some_and(|last| last.end() == extent.end())
        && blocks.is_sorted_by(|left, right| left.end() == right.offset);
    Ok(is_all.then_some(sealed))
}

impl Segment {
    /// Opens the segment that was found at `extent`; it may have been sealed since.
    pub(super) fn open(place: &Place, extent: Extent) -> Result<Opened, HotError> {
        match extent.tier {
            Tier::Sealed => Self::open_sealed(place, extent),
            Tier::Hot => match Plain::open(place, extent)? {
                Some(plain) if plain.is_noted() => Ok(Opened::Segment(Self::Hot(plain))),
                // Its notes go last: without them it may have been sealed between the two.
                plain => match (Self::open_sealed(place, extent)?, plain) {
                    (Opened::Gone | Opened::Unreadable, Some(plain)) => {
                        Ok(Opened::Segment(Self::Hot(plain)))
                    }
                    (opened, _) => Ok(opened),
                },
            },
        }
    }

    fn open_sealed(place: &Place, extent: Extent) -> Result<Opened, HotError> {
        let path = place.sealed(extent.number);
        match Sealed::open(&path) {
            Ok(Some(sealed)) => Ok(Opened::Segment(Self::Sealed {
                number: extent.number,
                base: extent.base,
                sealed: Box::new(sealed),
            })),
            Ok(None) => Ok(Opened::Gone),
            Err(error @ ColdError::Read { .. }) => Err(error.into()),
            Err(error @ ColdError::Version { .. }) => {
                tell_once(&path, &error.to_string(), "update eco");
                Ok(Opened::Unreadable)
            }
            Err(error @ ColdError::Junk { .. }) => {
                tell_once(&path, &error.to_string(), "look after the disk");
                Ok(Opened::Unreadable)
            }
        }
    }

    pub(super) const fn number(&self) -> u32 {
        match self {
            Self::Hot(plain) => plain.number(),
            Self::Sealed { number, .. } => *number,
        }
    }

    pub(super) const fn base(&self) -> u64 {
        match self {
            Self::Hot(plain) => plain.base(),
            Self::Sealed { base, .. } => *base,
        }
    }

    /// Reads at an offset of the stream.
    pub(super) fn read(&mut self, into: &mut [u8], offset: u64) -> Result<Read, HotError> {
        match self {
            Self::Hot(plain) => plain.read(into, offset).map(Read::Bytes),
            Self::Sealed { sealed, .. } => Ok(sealed.read(into, offset)),
        }
    }

    /// Returns where the bytes before `end` begin that can be read together, or are damaged together.
    pub(super) fn before(&mut self, end: u64) -> (u64, Soundness) {
        match self {
            Self::Hot(plain) => (plain.base(), Soundness::Sound),
            Self::Sealed { sealed, .. } => sealed.before(end),
        }
    }

    /// Tells how far it may be read by now while its run lives; it could be read up to `known`.
    pub(super) fn reach(&mut self, known: u64) -> Result<Reach, HotError> {
        match self {
            Self::Hot(plain) => plain.reach(known),
            Self::Sealed { sealed, .. } => Ok(Reach::all(sealed.head().end)),
        }
    }

    /// Tells when the byte before offset `end` had arrived. Meant for ascending ends.
    pub(super) fn time_at(&mut self, end: u64) -> Result<u64, HotError> {
        match self {
            Self::Hot(plain) => plain.time_at(end),
            Self::Sealed { sealed, .. } => {
                Ok(sealed.time_at(end).unwrap_or_else(|| sealed.head().changed))
            }
        }
    }

    /// Finds where the bytes end that came before `time`, of those before `end`; `None`: none is that old.
    pub(super) fn end_before(&mut self, time: u64, end: u64) -> Result<Option<u64>, HotError> {
        match self {
            Self::Hot(plain) => plain.end_before(time, end),
            Self::Sealed { sealed, .. } => {
                Ok(sealed.end_before(time).map(|before| before.min(end)))
            }
        }
    }

    /// Reads the notes about the bytes from offset `from` up to `to`, which were read at once, no more than `most`: they end
    /// there, unless there are more of them.
    pub(super) fn notes(&mut self, from: u64, to: u64, most: usize) -> Result<Vec<Note>, HotError> {
        match self {
            Self::Hot(plain) => plain.notes(from, to, most),
            Self::Sealed { sealed, .. } => Ok(sealed.notes(from, to, most)),
        }
    }

    /// Tells the offset before which everything was flushed by now.
    pub(super) fn flushed(&self) -> Result<u64, HotError> {
        match self {
            Self::Hot(plain) => plain.flushed(),
            Self::Sealed { sealed, .. } => Ok(sealed.head().flushed),
        }
    }

    /// Forgets what was read and can be read again.
    pub(super) fn rest(&mut self) {
        match self {
            Self::Hot(plain) => plain.rest(),
            Self::Sealed { sealed, .. } => sealed.rest(),
        }
    }
}
