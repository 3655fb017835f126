//! Taking away what a stream holds.
//!
//! ```text
//!  before   ├── out.0001 ──┼── out.0002 ──┼── out.0003 ──┤  grows ──▶
//!  after                                  ├░░░ hole ░░░░░┤  grows ──▶
//!                                                        ▲ marked in out.0003.times
//! ```
//!
//! Invariants
//! - The mark is on disk before anything before it goes ([`eco_home::notes`]), so that a reader who looks at it after he
//!   read knows whether what he read was there.
//! - Whoever writes notices nothing: the file that grows keeps its size, and offsets count on.
//! - Bytes without a note stay: the mark stands in the place of a note.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eco_home::notes;

use super::layout::{Extent, Tier};
use super::losses::{Loss, Lost};
use super::plain::Plain;
use super::times::Times;
use super::{HotError, Place, Survey, change, present, survey};
use crate::disk::{Disk, Real};

/// Bytes of a block as files count them.
const BLOCK: u64 = 512;

/// What was taken away.
#[derive(Debug, Default)]
pub struct Removed {
    /// Bytes of output.
    pub bytes: u64,
    /// Bytes that the disk has back.
    pub freed: u64,
    /// Why it has not all of them.
    pub kept: Option<HotError>,
}

impl Removed {
    fn add(&mut self, freed: Result<u64, HotError>) {
        match freed {
            Ok(freed) => self.freed += freed,
            Err(error) => self.kept = self.kept.take().or(Some(error)),
        }
    }
}

/// Takes away all that a stream holds so far that is still written.
pub fn flush(place: &Place) -> Result<Removed, HotError> {
    flush_on(&Real, place)
}

/// The same on a disk that may refuse.
pub fn flush_on(disk: &dyn Disk, place: &Place) -> Result<Removed, HotError> {
    let _held = change();
    flush_before(disk, place, &survey(place)?, None)
}

/// Takes away what a stream holds before `up_to`, where a note of the last segment ends; `None`: all of it.
pub(super) fn flush_before(
    disk: &dyn Disk,
    place: &Place,
    survey: &Survey,
    up_to: Option<u64>,
) -> Result<Removed, HotError> {
    let mut removed = Removed::default();
    let Some((last, times)) = last_noted(place, &survey.extents)? else {
        return flush_sealed(disk, place, survey);
    };
    let failed = |source| HotError::Write {
        path: place.times(last.number),
        source,
    };
    let end = times.noted().map_err(failed)?;
    let end = up_to.map_or(end, |up_to| up_to.min(end));
    // Also where another mark says the same: what goes of this segment is told by its own.
    if end > times.flushed().map_err(failed)? {
        times.mark(disk, end).map_err(failed)?;
        removed.bytes = end.saturating_sub(survey.start());
    }
    for extent in survey
        .extents
        .iter()
        .filter(|extent| extent.number < last.number)
    {
        removed.add(delete(disk, place, extent.number));
    }
    let segment = place.segment(last.number);
    removed.add(punch(disk, &segment, 0, end.saturating_sub(last.base)));
    // The last note about what is gone says where what is left begins, and the first one is the mark.
    let passed = times.count_before(end).map_err(failed)?.saturating_sub(2);
    let (first, note) = (2 * notes::SIZE as u64, notes::SIZE as u64);
    removed.add(punch(disk, &place.times(last.number), first, passed * note));
    Ok(removed)
}

/// Takes away what is sealed where nothing else is noted.
fn flush_sealed(disk: &dyn Disk, place: &Place, survey: &Survey) -> Result<Removed, HotError> {
    let is_sealed = |extent: &&Extent| extent.tier == Tier::Sealed;
    let mut removed = Removed::default();
    let Some(last) = survey.extents.iter().rfind(is_sealed) else {
        return Ok(removed);
    };
    let is_before = |extent: &&Extent| extent.number <= last.number;
    let mut losses = survey.losses.clone();
    for extent in survey.extents.iter().filter(is_before) {
        // It may have been put down before, as going for another reason.
        losses.replace(Lost {
            from: extent.base.max(survey.start()),
            to: extent.end(),
            time: 0,
            why: Loss::Flushed,
        });
    }
    losses.add_mark(last.end());
    losses.save(disk, place)?;
    removed.bytes = last.end().saturating_sub(survey.start());
    for extent in survey.extents.iter().filter(is_before) {
        removed.add(delete(disk, place, extent.number));
    }
    Ok(removed)
}

/// The last segment that a note is about: it takes the mark. One behind it has only just begun. What is sealed takes none, also
/// where its hot files could not be removed yet.
pub(super) fn last_noted(
    place: &Place,
    extents: &[Extent],
) -> Result<Option<(Extent, Times)>, HotError> {
    let is_hot = |extent: &&Extent| extent.tier == Tier::Hot;
    for extent in extents.iter().rev().take_while(is_hot) {
        if let Some(times) = notes_of(place, *extent)? {
            return Ok(Some((*extent, times)));
        }
    }
    Ok(None)
}

/// The notes about a segment, to be written to; `None`: there are none.
fn notes_of(place: &Place, extent: Extent) -> Result<Option<Times>, HotError> {
    let path = place.times(extent.number);
    let file = OpenOptions::new().read(true).write(true).open(&path);
    let (Some(file), Some(segment)) = (
        present_or_written(file, &path)?,
        Plain::open(place, extent)?,
    ) else {
        return Ok(None);
    };
    let times = segment.read_times(Arc::new(file))?;
    Ok(times.filter(|times| !times.is_empty()))
}

/// Returns what goes with the files of a stream, which looks like `survey`.
pub fn holding(place: &Place, survey: &Survey) -> Result<Removed, HotError> {
    let mut holding = Removed {
        bytes: survey.end() - survey.start(),
        ..Removed::default()
    };
    for extent in &survey.extents {
        for path in files(place, extent.number) {
            holding.freed += taken(&path)?;
        }
    }
    Ok(holding)
}

pub(super) fn files(place: &Place, number: u32) -> [PathBuf; 3] {
    [
        place.sealed(number),
        place.segment(number),
        place.times(number),
    ]
}

/// Deletes a segment that is complete; returns the bytes that the disk has back.
pub(super) fn delete(disk: &dyn Disk, place: &Place, number: u32) -> Result<u64, HotError> {
    let mut freed = 0;
    for path in files(place, number) {
        let taken = taken(&path)?;
        present_or_written(disk.remove(&path), &path)?;
        freed += taken;
    }
    Ok(freed)
}

/// Makes a hole of `length` bytes at `from`; returns the bytes that the disk has back.
fn punch(disk: &dyn Disk, path: &Path, from: u64, length: u64) -> Result<u64, HotError> {
    let failed = |source| HotError::Write {
        path: path.to_owned(),
        source,
    };
    let file = OpenOptions::new().write(true).open(path);
    let Some(file) = present_or_written(file, path)? else {
        return Ok(0);
    };
    let blocks = |file: &File| Ok(file.metadata()?.blocks());
    let before = blocks(&file).map_err(failed)?;
    disk.punch(&file, from..from + length).map_err(failed)?;
    let after = blocks(&file).map_err(failed)?;
    Ok(before.saturating_sub(after) * BLOCK)
}

/// The room that a file takes on disk, bytes.
pub(super) fn taken(path: &Path) -> Result<u64, HotError> {
    let metadata = present(fs::metadata(path), || path.to_owned())?;
    Ok(metadata.map_or(0, |metadata| metadata.blocks() * BLOCK))
}

fn present_or_written<T>(outcome: io::Result<T>, path: &Path) -> Result<Option<T>, HotError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HotError::Write {
            path: path.to_owned(),
            source,
        }),
    }
}
