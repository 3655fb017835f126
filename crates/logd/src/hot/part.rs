//! One segment of a stream: how much room it takes, and taking it away to keep within bounds.
//!
//! What goes is put down among the losses first ([`super::losses`]), so that a reader who misses it is told why.

use std::fs;
use std::io;

use super::flush::{delete, files, flush_before, last_noted, taken};
use super::layout::Extent;
use super::losses::{Loss, Lost};
use super::plain::changed_at;
use super::survey::names;
use super::times::Times;
use super::{HotError, Life, Place, Survey, Tier, change, present, survey};
use crate::cold::{self, ColdError, tell_once};
use crate::disk::Disk;

/// A segment that takes room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its number in the stream.
    pub number: u32,
    /// The room it takes on disk, bytes.
    pub room: u64,
    /// None of it came later, unix ns.
    pub time: u64,
    /// Whether nothing comes to it any more.
    pub is_complete: bool,
}

/// Returns the segments of a stream, which looks like `survey`.
pub fn pieces(place: &Place, survey: &Survey) -> Result<Vec<Piece>, HotError> {
    let mut pieces = Vec::new();
    let last = survey.extents.last().map(|extent| extent.number);
    for extent in &survey.extents {
        let mut room = 0;
        for path in files(place, extent.number) {
            room += taken(&path)?;
        }
        pieces.push(Piece {
            number: extent.number,
            room,
            time: time(place, *extent)?,
            is_complete: survey.life == Life::Ended || last != Some(extent.number),
        });
    }
    Ok(pieces)
}

/// When a segment last changed; of one that is gone, 0.
fn time(place: &Place, extent: Extent) -> Result<u64, HotError> {
    if extent.tier == Tier::Sealed {
        let head = cold::head_of(&place.sealed(extent.number)).ok().flatten();
        return Ok(head.map_or(0, |head| head.changed));
    }
    let path = place.segment(extent.number);
    let metadata = present(fs::metadata(&path), || path.clone())?;
    Ok(metadata.map_or(0, |metadata| changed_at(&metadata)))
}

/// Takes a segment away that is complete; returns the bytes that the disk has back.
pub fn drop_piece(disk: &dyn Disk, place: &Place, number: u32) -> Result<u64, HotError> {
    let _held = change();
    let survey = survey(place)?;
    let is_it = |extent: &&Extent| extent.number == number;
    let Some(extent) = survey.extents.iter().find(is_it).copied() else {
        return Ok(0);
    };
    let mut losses = survey.losses;
    if extent.length > 0 {
        losses.add(Lost {
            from: extent.base,
            to: extent.end(),
            time: time(place, extent)?,
            why: Loss::Retention,
        });
        losses.save(disk, place)?;
    }
    delete(disk, place, number)
}

/// Takes about `room` bytes away from the beginning of the segment that grows, and nothing if it holds less; returns the bytes that
/// the disk has back.
pub fn drop_oldest(disk: &dyn Disk, place: &Place, room: u64) -> Result<u64, HotError> {
    drop_beginning(disk, place, |times, start| {
        times.end_from(start.saturating_add(room))
    })
}

/// Takes away from the segment that grows what came before `since`, unix ns; returns the bytes that the disk has back.
pub fn drop_older(disk: &dyn Disk, place: &Place, since: u64) -> Result<u64, HotError> {
    drop_beginning(disk, place, |times, _| times.end_before(since))
}

/// Takes away the beginning of the segment that grows, up to where `find` says, which is told where it begins.
fn drop_beginning(
    disk: &dyn Disk,
    place: &Place,
    find: impl FnOnce(&mut Times, u64) -> io::Result<Option<u64>>,
) -> Result<u64, HotError> {
    let _held = change();
    let mut survey = survey(place)?;
    let Some((last, mut times)) = last_noted(place, &survey.extents)? else {
        return Ok(0);
    };
    let failed = |source| HotError::Read {
        path: place.times(last.number),
        source,
    };
    let start = survey.start().max(last.base);
    let up_to = find(&mut times, start).map_err(failed)?;
    let Some(up_to) = up_to.filter(|up_to| *up_to > start) else {
        return Ok(0);
    };
    survey.losses.add(Lost {
        from: last.base,
        to: up_to,
        time: 0,
        why: Loss::Retention,
    });
    survey.losses.save(disk, place)?;
    let removed = flush_before(disk, place, &survey, Some(up_to))?;
    removed.kept.map_or(Ok(removed.freed), Err)
}

/// Gives sealed segments in which nothing is sound another name, so that nobody tries them again and somebody may.
pub fn put_aside(disk: &dyn Disk, place: &Place) -> Result<(), HotError> {
    for (number, tier) in names(place)? {
        let path = place.sealed(number);
        if tier == Tier::Hot || !matches!(cold::head_of(&path), Err(ColdError::Junk { .. })) {
            continue;
        }
        let _held = change();
        let mut survey = survey(place)?;
        let before = survey.extents.iter().rfind(|extent| extent.number < number);
        let behind = survey.extents.iter().find(|extent| extent.number > number);
        if let Some(behind) = behind {
            survey.losses.add(Lost {
                from: before.map_or(0, Extent::end),
                to: behind.base,
                time: 0,
                why: Loss::Damaged,
            });
            survey.losses.save(disk, place)?;
        }
        let aside = path.with_extension("sealed.damaged");
        disk.rename(&path, &aside)
            .map_err(|source| HotError::Write {
                path: path.clone(),
                source,
            })?;
        let advice = "look after the disk; remove the file when nobody wants to repair it";
        tell_once(
            &aside,
            "nothing in a sealed segment could be read: it was put aside",
            advice,
        );
    }
    Ok(())
}
