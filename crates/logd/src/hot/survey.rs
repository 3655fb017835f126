//! What is there of a stream, and whether more may come.

use std::fs::{self, File};
use std::time::Duration;

use eco_home::clock;

use super::layout::{Extent, Found, place};
use super::reach::Held;
use super::segment::{Segment, changed_at};
use super::times::{Head, head};
use super::{HotError, Place, present};

/// How long a run's folder may stand without FIFO and bytes until that means that nothing came, and not that the keeper
/// is about to begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// Whether a stream may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Its folder is new and nothing is in it yet.
    Unborn,
    /// The FIFO is there.
    Written,
    /// All it wrote is in the files.
    Ended,
}

/// A stream at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Its segments, in order, as far as they may be read.
    pub extents: Vec<Extent>,
    /// What is there behind them.
    pub held: Option<Held>,
    /// Everything before this offset was flushed.
    pub flushed: u64,
    /// Whether more may come.
    pub life: Life,
    /// No byte came later than this, unix ns.
    pub changed: u64,
}

impl Survey {
    /// Where the bytes begin that are still there.
    #[must_use]
    pub fn start(&self) -> u64 {
        let first = self.extents.first().map_or(0, |extent| extent.base);
        first.max(self.flushed).min(self.end())
    }

    /// Where they end.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.extents.last().map_or(0, Extent::end)
    }
}

/// Returns whether the stream's FIFO is there.
#[must_use]
pub fn is_written(place: &Place) -> bool {
    fs::symlink_metadata(place.fifo()).is_ok()
}

/// Looks at a stream. One whose folder is gone has ended with nothing.
pub fn survey(stream: &Place) -> Result<Survey, HotError> {
    // Before the files are looked at: what is ended by now is complete by then.
    let written = is_written(stream);
    let mut found = Vec::new();
    let (mut changed, mut flushed) = (0, 0);
    for number in numbers(stream)? {
        let path = || stream.segment(number);
        if let Some(metadata) = present(fs::metadata(path()), path)? {
            let head = head_of(stream, number)?;
            changed = changed.max(changed_at(&metadata));
            flushed = flushed.max(head.map_or(0, |head| head.flushed));
            found.push(Found {
                number,
                length: metadata.len(),
                base: head.map(|head| head.base),
            });
        }
    }
    let silent = found.iter().all(|segment| segment.length == 0);
    let folder = silent.then(|| fs::metadata(stream.folder()).ok()).flatten();
    if let Some(metadata) = &folder {
        changed = changed_at(metadata);
    }
    let life = match (written, folder) {
        (true, _) => Life::Written,
        (false, Some(_)) if is_recent(changed) => Life::Unborn,
        (false, Some(_) | None) => Life::Ended,
    };
    let mut extents = place(&found);
    let held = match (written, extents.last_mut()) {
        (true, Some(last)) => hold_back(stream, last)?,
        (true, None) | (false, _) => None,
    };
    Ok(Survey {
        extents,
        held,
        flushed,
        life,
        changed,
    })
}

/// Cuts the segment that grows down to what may be read of it.
fn hold_back(stream: &Place, last: &mut Extent) -> Result<Option<Held>, HotError> {
    let Some(mut segment) = Segment::open(stream, *last)? else {
        return Ok(None);
    };
    let reach = segment.reach(last.base)?;
    last.length = reach.end.saturating_sub(last.base);
    Ok(reach.held)
}

fn is_recent(changed: u64) -> bool {
    let now = clock::nanos(clock::unix());
    now.abs_diff(changed) < clock::nanos(BEGINNING)
}

fn numbers(stream: &Place) -> Result<Vec<u32>, HotError> {
    let path = || stream.folder().to_owned();
    let Some(entries) = present(fs::read_dir(stream.folder()), path)? else {
        return Ok(Vec::new());
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| HotError::List {
            path: path(),
            source,
        })?;
        numbers.extend(
            entry
                .file_name()
                .to_str()
                .and_then(|name| stream.stream.segment_number(name)),
        );
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

fn head_of(stream: &Place, number: u32) -> Result<Option<Head>, HotError> {
    let path = || stream.times(number);
    let Some(file) = present(File::open(path()), path)? else {
        return Ok(None);
    };
    head(&file).map_err(|source| HotError::Read {
        path: path(),
        source,
    })
}
