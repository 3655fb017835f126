//! Packing the segments of a stream that are complete.
//!
//! ```text
//!   out.0001  out.0001.times ──▶ out.0001.sealing ──▶ out.0001.sealed
//!                                written, synced,     then out.0001 goes, then its times
//!                                read back
//! ```
//!
//! - Killed at any step, each byte is in one of the two forms at least; what is in both is read from the sealed one if that is
//!   whole, and [`clean`] takes the other one away.
//! - What is flushed while it is being packed goes: whoever flushes has the last word.
//! - Readers who have the old files open go on with them.

use std::io::{self, BufWriter, Read};

use eco_home::clock;
use eco_home::sealed::{Head, VERSION};

use super::layout::{Extent, Tier};
use super::losses::{Loss, Lost};
use super::plain::Plain;
use super::reader::{Part, Reader, Tail};
use super::survey::{exchange, names};
use super::{HotError, Life, Place, Survey, change, present, survey};
use crate::cold::{self, Sealed};
use crate::disk::Disk;

/// Segments with less stay as they are: they take little room, and are many. Tests have small ones.
const LEAST: u64 = if cfg!(all(test, debug_assertions)) {
    8
} else {
    64 << 10
};
/// How long nothing must have come of a run that has ended.
const SETTLED: u64 = 5_000_000_000;
/// Bytes written at once.
const BATCH: usize = 256 << 10;

/// Returns the segments of a stream, which looks like `survey`, that are complete and worth being sealed.
#[must_use]
pub fn sealable(survey: &Survey) -> Vec<Extent> {
    let now = clock::nanos(clock::unix());
    let complete = match survey.life {
        Life::Unborn => 0,
        Life::Written => survey.extents.len().saturating_sub(1),
        Life::Ended if now.saturating_sub(survey.changed) < SETTLED => 0,
        Life::Ended => survey.extents.len(),
    };
    let extents = survey.extents.iter().take(complete);
    extents
        .filter(|extent| extent.tier == Tier::Hot && extent.length >= LEAST)
        .filter(|extent| extent.end() > survey.marked)
        .copied()
        .collect()
}

/// Seals the segment at `extent`, which is complete; false: it is gone, or was flushed meanwhile. `is_over` is asked now and
/// then, and has it given up.
pub fn seal(
    disk: &dyn Disk,
    place: &Place,
    extent: Extent,
    is_over: &dyn Fn() -> bool,
) -> Result<bool, HotError> {
    let Some(plain) = Plain::open(place, extent)? else {
        return Ok(false);
    };
    let temporary = place.sealing(extent.number);
    let written = write(disk, place, &plain, extent, is_over);
    let done = written.and_then(|head| commit(disk, place, &plain, extent.number, head));
    if !matches!(done, Ok(true)) {
        // What cannot be removed is overwritten the next time.
        disk.remove(&temporary).ok();
    }
    done
}

/// Writes the sealed form under its temporary name, and returns when it is on disk and could be read back.
fn write(
    disk: &dyn Disk,
    place: &Place,
    plain: &Plain,
    extent: Extent,
    is_over: &dyn Fn() -> bool,
) -> Result<Head, HotError> {
    let path = place.sealing(extent.number);
    let failed = |source| HotError::Write {
        path: path.clone(),
        source,
    };
    let head = Head {
        version: VERSION,
        base: extent.base,
        end: extent.end(),
        flushed: plain.flushed()?,
        changed: plain.changed()?,
    };
    let times = plain.times()?;
    let notes: Box<dyn Iterator<Item = io::Result<_>>> = match &times {
        Some(times) => Box::new(times.all()),
        None => Box::new(std::iter::empty()),
    };
    let text = Text {
        plain,
        at: extent.base,
        is_over,
    };
    let mut file = disk.create(&path).map_err(failed)?;
    let before = before(place, extent.base)?;
    cold::seal(
        BufWriter::with_capacity(BATCH, &mut *file),
        head,
        text,
        notes,
        before.as_deref(),
    )
    .map_err(failed)?;
    file.sync().map_err(failed)?;
    let is_sound = Sealed::open(&path)?.is_some_and(|mut sealed| sealed.is_sound());
    if !is_sound {
        let source = io::Error::new(
            io::ErrorKind::InvalidData,
            "what was written is not what can be read back",
        );
        return Err(failed(source));
    }
    Ok(head)
}

/// The last bytes before a segment, as far as a line in two segments matters; `None`: they are not there.
fn before(place: &Place, base: u64) -> Result<Option<Vec<u8>>, HotError> {
    let from = base.saturating_sub(cold::BEFORE as u64);
    let extents = survey(place)?.extents;
    let mut reader = Reader::new(place.clone(), extents, from, base, Tail::Passed);
    let mut bytes = Vec::new();
    loop {
        match reader.part()? {
            Part::Bytes { .. } => bytes.extend_from_slice(reader.bytes()),
            Part::Gap(_) => return Ok(None),
            Part::End => return Ok(Some(bytes)),
        }
    }
}

/// Puts what was written in the place of the segment.
fn commit(
    disk: &dyn Disk,
    place: &Place,
    plain: &Plain,
    number: u32,
    head: Head,
) -> Result<bool, HotError> {
    let _held = change();
    let hot = place.segment(number);
    let is_there = present(std::fs::metadata(&hot), || hot.clone())?.is_some();
    if !is_there || plain.flushed()? != head.flushed {
        return Ok(false);
    }
    let found = survey(place)?;
    let dropped: Vec<Lost> = found.losses.all().to_vec();
    if dropped.iter().any(|lost| lost.why == Loss::Overflow) {
        // Only the notes, which go, told of them.
        found.losses.save(disk, place)?;
    }
    let sealed = place.sealed(number);
    let failed = |source| HotError::Write {
        path: sealed.clone(),
        source,
    };
    disk.rename(&place.sealing(number), &sealed)
        .map_err(failed)?;
    disk.sync_folder(place.folder()).map_err(failed)?;
    exchange();
    remove_hot(disk, place, number)?;
    Ok(true)
}

/// Its notes go last: who opens a segment without any looks for the sealed one.
fn remove_hot(disk: &dyn Disk, place: &Place, number: u32) -> Result<(), HotError> {
    for path in [place.segment(number), place.times(number)] {
        present_or_failed(disk.remove(&path), &path)?;
    }
    Ok(())
}

fn present_or_failed(removed: io::Result<()>, path: &std::path::Path) -> Result<(), HotError> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(HotError::Write {
            path: path.to_owned(),
            source: error,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Takes away what was left half done when the daemon was killed. Nobody may be sealing.
pub fn clean(disk: &dyn Disk, place: &Place) -> Result<(), HotError> {
    let _held = change();
    let path = || place.folder().to_owned();
    let Some(entries) = present(std::fs::read_dir(place.folder()), path)? else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        let of_segment = name.strip_suffix(".sealing");
        let is_ours = of_segment.is_some_and(|name| place.stream.segment_number(name).is_some());
        if is_ours || name.strip_suffix(".new") == Some(&place.stream.lost()) {
            let path = entry.path();
            present_or_failed(disk.remove(&path), &path)?;
        }
    }
    for (number, tier) in names(place)? {
        if tier == Tier::Sealed {
            clean_double(disk, place, number)?;
        }
    }
    Ok(())
}

/// Leaves one of two forms of a segment: the sealed one if it is sound.
fn clean_double(disk: &dyn Disk, place: &Place, number: u32) -> Result<(), HotError> {
    let hot = place.segment(number);
    let Some(metadata) = present(std::fs::metadata(&hot), || hot.clone())? else {
        // Notes without their segment are of no use.
        let times = place.times(number);
        return present_or_failed(disk.remove(&times), &times);
    };
    let sealed = place.sealed(number);
    let is_sound = match Sealed::open(&sealed) {
        Ok(Some(mut sealed)) => {
            sealed.head().end - sealed.head().base == metadata.len() && sealed.is_sound()
        }
        Ok(None) | Err(_) => false,
    };
    if is_sound {
        exchange();
        return remove_hot(disk, place, number);
    }
    present_or_failed(disk.remove(&sealed), &sealed)
}

/// The bytes of a segment.
struct Text<'a> {
    plain: &'a Plain,
    at: u64,
    is_over: &'a dyn Fn() -> bool,
}

impl Read for Text<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if (self.is_over)() {
            return Err(io::Error::other("the daemon ends"));
        }
        let count = self
            .plain
            .read(into, self.at)
            .map_err(|error| io::Error::other(error.to_string()))?;
        self.at += count as u64;
        Ok(count)
    }
}
