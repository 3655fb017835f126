//! Taking away what a stream holds.
//!
//! ```text
//!  before   ├── out.0001 ──┼── out.0002 ──┼── out.0003 ──┤  grows ──▶
//!  after                                  ├░░░ hole ░░░░░┤  grows ──▶
//!                                                        ▲ out.start
//! ```
//!
//! Whoever writes notices nothing: the files that grow keep their sizes, and offsets count on.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use eco_home::{hole, notes};

use super::layout::Extent;
use super::segment::Segment;
use super::{HotError, Place, Survey, present, start, survey};

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
    let survey = survey(place)?;
    let Some((last, complete)) = survey.extents.split_last() else {
        return Ok(Removed::default());
    };
    let mark = || {
        if survey.end() > survey.flushed {
            start::write(place, survey.end())
        } else {
            Ok(())
        }
    };
    let mut removed = Removed::default();
    let marked = mark();
    for extent in complete {
        removed.add(delete(place, extent.number));
    }
    // On a disk that was full there may be room for the mark by now.
    match marked.or_else(|_| mark()) {
        Ok(()) => {
            removed.bytes = survey.end() - survey.start();
            removed.add(punch(place, *last, survey.end()));
        }
        Err(error) => {
            removed.bytes = last.base.saturating_sub(survey.start());
            removed.add(Err(error));
        }
    }
    Ok(removed)
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

fn files(place: &Place, number: u32) -> [PathBuf; 2] {
    [place.segment(number), place.times(number)]
}

/// Deletes a segment that is complete; returns the bytes that the disk has back.
fn delete(place: &Place, number: u32) -> Result<u64, HotError> {
    let mut freed = 0;
    for path in files(place, number) {
        let taken = taken(&path)?;
        present_or_written(fs::remove_file(&path), &path)?;
        freed += taken;
    }
    Ok(freed)
}

/// Makes holes of the bytes before offset `end` in the segment that grows, and of the notes about them.
fn punch(place: &Place, last: Extent, end: u64) -> Result<u64, HotError> {
    let mut freed = punch_file(
        &place.segment(last.number),
        0,
        end.saturating_sub(last.base),
    )?;
    let notes = match Segment::open(place, last)? {
        Some(segment) => segment.notes_before(end)?,
        None => 0,
    };
    // The last note about what is gone says where what is left begins.
    let (head, passed) = (
        notes::SIZE as u64,
        notes.saturating_sub(1) * notes::SIZE as u64,
    );
    freed += punch_file(&place.times(last.number), head, passed)?;
    Ok(freed)
}

fn punch_file(path: &Path, from: u64, length: u64) -> Result<u64, HotError> {
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
    hole::punch(&file, from..from + length).map_err(failed)?;
    let after = blocks(&file).map_err(failed)?;
    Ok(before.saturating_sub(after) * BLOCK)
}

/// The room that a file takes on disk, bytes.
fn taken(path: &Path) -> Result<u64, HotError> {
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
