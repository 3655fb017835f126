//! Bytes of a stream and the notes about them, as they are: what a replica is made of.

use std::fs;
use std::ops::Range;

use eco_home::notes::Note;

use super::layout::Extent;
use super::losses::{Loss, Losses, Lost};
use super::segment::{Opened, Segment};
use super::survey::{Survey, survey};
use super::{HotError, Place, change, present};
use crate::cold::{ColdError, Read, Sealed};
use crate::disk::Real;

/// Notes read at once.
const MOST_NOTES: usize = 8192;

/// A piece of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Where it begins.
    pub offset: u64,
    /// At least one.
    pub bytes: Vec<u8>,
    /// About all of them: the last one is where they end.
    pub notes: Vec<Note>,
}

impl Raw {
    /// Cuts off what lies at `end` and behind it.
    pub fn cut(&mut self, end: u64) {
        let length = usize::try_from(end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.bytes.truncate(length);
        let end = self.offset + self.bytes.len() as u64;
        let whole = self.notes.partition_point(|note| note.end < end);
        self.notes
            .truncate(whole + usize::from(!self.bytes.is_empty()));
        if let Some(last) = self.notes.last_mut() {
            last.end = last.end.min(end);
        }
    }
}

/// What a look for a piece found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `None`: nothing is there, up to the end of the survey.
    pub piece: Option<Raw>,
    /// What was passed over because it is damaged.
    pub damaged: Losses,
}

/// Reads what `place`, which looks like `survey`, holds at `from` or as soon behind it as something is there; at most `most`
/// bytes.
pub fn raw(place: &Place, survey: &Survey, from: u64, most: u64) -> Result<Found, HotError> {
    let mut at = from.max(survey.start());
    let mut damaged = Losses::default();
    let mut pass = |at: &mut u64, to: u64| {
        damaged.add(Lost {
            from: *at,
            to,
            time: 0,
            why: Loss::Damaged,
        });
        *at = to;
    };
    for extent in &survey.extents {
        at = at.max(extent.base);
        if extent.end() <= at {
            continue;
        }
        match Segment::open(place, *extent)? {
            Opened::Segment(mut segment) => {
                while at < extent.end() {
                    let want = (extent.end() - at).min(most);
                    match piece(&mut segment, at, want)? {
                        Step::Piece(piece) => {
                            let piece = Some(piece);
                            return Ok(Found { piece, damaged });
                        }
                        Step::Flushed(to) => at = to,
                        Step::Damaged(to) => pass(&mut at, to),
                        Step::End => break,
                    }
                }
            }
            Opened::Gone => {}
            Opened::Unreadable => {
                // What a later version wrote is not gone: it waits for that version.
                Sealed::open(&place.sealed(extent.number)).or_else(|error| match error {
                    ColdError::Junk { .. } => Ok(None),
                    ColdError::Read { .. } | ColdError::Version { .. } => Err(error),
                })?;
                pass(&mut at, extent.end());
            }
        }
    }
    let piece = None;
    Ok(Found { piece, damaged })
}

enum Step {
    Piece(Raw),
    /// Everything before this offset was flushed.
    Flushed(u64),
    /// Everything before this offset is damaged.
    Damaged(u64),
    /// Nothing is there, or not any more.
    End,
}

fn piece(segment: &mut Segment, at: u64, want: u64) -> Result<Step, HotError> {
    let mut bytes = vec![0; usize::try_from(want).unwrap_or(0)];
    let count = match segment.read(&mut bytes, at)? {
        Read::Bytes(0) => return Ok(Step::End),
        Read::Bytes(count) => count,
        Read::Damaged(to) => return Ok(Step::Damaged(to)),
    };
    let notes = segment.notes(at, at + count as u64, MOST_NOTES)?;
    // Asked after both were read: what is flushed meanwhile reads as zeros.
    let flushed = segment.flushed()?;
    if flushed > at {
        return Ok(Step::Flushed(flushed));
    }
    let end = notes.last().map_or(at, |note| note.end);
    bytes.truncate(usize::try_from(end - at).unwrap_or(0));
    Ok(Step::Piece(Raw {
        offset: at,
        bytes,
        notes,
    }))
}

/// Tells why what lies in `range` of a stream is gone, as far as that is known; `damaged` is what else is.
pub fn reasons(
    place: &Place,
    range: Range<u64>,
    mut damaged: Losses,
) -> Result<Vec<Lost>, HotError> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    // Looked at now: what was there when the gap was found may have a reason since.
    for lost in survey(place)?.losses.all() {
        damaged.add(*lost);
    }
    Ok(damaged.within(range))
}

/// Keeps for a replica why bytes of it are gone at its source.
pub fn keep_reasons(place: &Place, reasons: &[Lost]) -> Result<(), HotError> {
    let _held = change();
    let mut losses = survey(place)?.losses;
    let before = losses.clone();
    for lost in reasons {
        losses.add(*lost);
    }
    if losses == before {
        return Ok(());
    }
    losses.save(&Real, place)
}

/// The file that a stream grows in, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched(Option<Extent>);

impl Watched {
    /// That of a stream that looks like `survey`.
    #[must_use]
    pub fn of(survey: &Survey) -> Self {
        Self(survey.extents.last().copied())
    }

    /// Whether it holds something behind `position`: one system call, which sees neither a next file nor an end.
    pub fn has_grown(&self, place: &Place, position: u64) -> Result<bool, HotError> {
        let (number, base) = self.0.map_or((1, 0), |last| (last.number, last.base));
        let path = || place.segment(number);
        let metadata = present(fs::metadata(path()), path)?;
        Ok(metadata.is_some_and(|metadata| base.saturating_add(metadata.len()) > position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_cut_with_its_notes() {
        let note = |end, time| Note { end, time };
        let cut = |end| {
            let mut piece = Raw {
                offset: 10,
                bytes: b"abcdefgh".to_vec(),
                notes: vec![note(12, 1), note(18, 2)],
            };
            piece.cut(end);
            (piece.bytes, piece.notes)
        };
        assert_eq!(
            cut(99),
            (b"abcdefgh".to_vec(), vec![note(12, 1), note(18, 2)])
        );
        assert_eq!(cut(14), (b"abcd".to_vec(), vec![note(12, 1), note(14, 2)]));
        assert_eq!(cut(12), (b"ab".to_vec(), vec![note(12, 1)]));
        assert_eq!(cut(11), (b"a".to_vec(), vec![note(11, 1)]));
        assert_eq!(cut(10), (Vec::new(), Vec::new()));
        assert_eq!(cut(5), (Vec::new(), Vec::new()));
    }
}
