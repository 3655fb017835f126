//! One stream on its way.

use std::time::Duration;

use crate::chunk::{Chunk, Standing, StreamId, Then};
use crate::hot::{
    Found, Held, HotError, Life, Losses, Place, Raw, Survey, Watched, raw, reasons, survey,
};

/// Bytes of a chunk.
const MOST: u64 = 512 << 10;
/// Bytes that are sent once more before a stream goes on.
const AGAIN: u64 = 4 << 10;

/// A stream, and how far it has come.
#[derive(Debug)]
pub(crate) struct Outgoing {
    id: StreamId,
    place: Place,
    step: Step,
    /// What to look at for more.
    watched: Option<Watched>,
    /// What is there and may not be read yet.
    held: Option<Held>,
    /// Why it was left alone, as it was last told.
    told: String,
}

#[derive(Debug)]
enum Step {
    /// Nobody was asked yet how far it is kept.
    New,
    /// The answer is awaited.
    Asked,
    /// It is kept up to here: the last bytes before that are to be compared.
    Compare(u64),
    /// What comes next begins here.
    Send(u64),
    /// All of it was sent.
    Sent,
    /// All of it is kept.
    Kept,
    /// Nothing more is to be sent, for now.
    Left,
}

impl Outgoing {
    pub(crate) const fn new(id: StreamId, place: Place) -> Self {
        Self {
            id,
            place,
            step: Step::New,
            watched: None,
            held: None,
            told: String::new(),
        }
    }

    pub(crate) const fn id(&self) -> &StreamId {
        &self.id
    }

    /// Whether all of it is kept.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self.step, Step::Kept)
    }

    /// How long after `now` (unix ns) another look is worth it for bytes that wait for their note.
    pub(crate) fn rest(&self, now: u64) -> Option<Duration> {
        self.held.map(|held| held.rest(now))
    }

    /// Hears how it is kept.
    pub(crate) fn hear(&mut self, end: u64, standing: Standing) {
        match (standing, &self.step) {
            (Standing::Refused(why), _) => self.leave(why),
            (Standing::Ended, _) => self.step = Step::Kept,
            (Standing::Open, Step::Asked) => self.step = Step::Compare(end),
            (
                Standing::Open,
                Step::New | Step::Compare(_) | Step::Send(_) | Step::Sent | Step::Kept | Step::Left,
            ) => {}
        }
    }

    /// Sends nothing more until it is tried again, and says why.
    pub(crate) fn leave(&mut self, why: String) {
        self.step = Step::Left;
        self.held = None;
        if self.told != why {
            tracing::warn!("shipping goes on without one stream: failed to {why}");
            self.told = why;
        }
    }

    /// Tries again what was left alone.
    pub(crate) fn retry(&mut self) {
        if matches!(self.step, Step::Left) {
            self.step = Step::New;
        }
    }

    /// What to send next; `None`: nothing, for now.
    pub(crate) fn next(&mut self, depth: Depth) -> Result<Option<Chunk>, HotError> {
        match self.step {
            Step::New => {
                self.step = Step::Asked;
                Ok(Some(Chunk::question(self.id.clone())))
            }
            Step::Compare(kept) => self.compare(kept),
            Step::Send(position) => self.go_on(position, depth),
            Step::Asked | Step::Sent | Step::Kept | Step::Left => Ok(None),
        }
    }

    fn compare(&mut self, kept: u64) -> Result<Option<Chunk>, HotError> {
        let survey = survey(&self.place)?;
        // More there than here: a power cut took the end of this file.
        let end = kept.min(survey.end());
        self.step = Step::Send(kept);
        let from = end.saturating_sub(AGAIN);
        let Some(mut last) = raw(&self.place, &survey, from, end - from)?.piece else {
            return Ok(None);
        };
        last.cut(end);
        Ok((!last.bytes.is_empty()).then(|| self.chunk(last)))
    }

    fn go_on(&mut self, position: u64, depth: Depth) -> Result<Option<Chunk>, HotError> {
        if depth == Depth::Glance && !self.has_changed(position)? {
            return Ok(None);
        }
        let survey = survey(&self.place)?;
        let Found { piece, damaged } = raw(&self.place, &survey, position, MOST)?;
        if let Some(piece) = piece {
            (self.watched, self.held) = (None, None);
            let lost = reasons(&self.place, position..piece.offset, damaged)?;
            let chunk = Chunk {
                gone: piece.offset - position,
                lost,
                ..self.chunk(piece)
            };
            self.step = Step::Send(chunk.end());
            return Ok(Some(chunk));
        }
        self.watched = Some(Watched::of(&survey));
        self.held = survey.held;
        match survey.life {
            Life::Unborn | Life::Written => Ok(None),
            Life::Ended => self.last(position, &survey, damaged).map(Some),
        }
    }

    /// Tells of the end.
    fn last(&mut self, position: u64, survey: &Survey, damaged: Losses) -> Result<Chunk, HotError> {
        let offset = position.max(survey.end());
        let lost = reasons(&self.place, position..offset, damaged)?;
        self.step = Step::Sent;
        Ok(Chunk {
            offset,
            gone: offset - position,
            lost,
            then: Then::End,
            ..Chunk::question(self.id.clone())
        })
    }

    fn has_changed(&self, position: u64) -> Result<bool, HotError> {
        match &self.watched {
            Some(_) if self.held.is_some() => Ok(true),
            Some(watched) => watched.has_grown(&self.place, position),
            None => Ok(true),
        }
    }

    fn chunk(&self, piece: Raw) -> Chunk {
        Chunk {
            offset: piece.offset,
            bytes: piece.bytes,
            notes: piece.notes,
            ..Chunk::question(self.id.clone())
        }
    }
}

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Whether the last file has grown.
    Glance,
    /// Whether there are new files, and whether the run has ended, too.
    Look,
}
