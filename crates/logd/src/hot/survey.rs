//! What is there of a stream, and whether more may come.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use eco_home::clock;

use super::layout::{Extent, Found, Tier, place};
use super::losses::{Loss, Losses, Lost, is_file};
use super::plain::changed_at;
use super::reach::Held;
use super::segment::Segment;
use super::times::{Head, head};
use super::{HotError, Place, present};
use crate::cold::{self, ColdError, Sealed};

/// How long a run's folder may stand without FIFO and bytes until that means that nothing came, and not that the keeper
/// is about to begin.
const BEGINNING: Duration = Duration::from_secs(10);

/// Whether a stream may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Its folder is new and nothing is in it yet.
    Unborn,
    /// Its FIFO is there, or the mark of a replica that grows.
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
    /// Nothing before this offset is there any more, as a mark says.
    pub marked: u64,
    /// What is gone, and why.
    pub losses: Losses,
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
        first.max(self.marked).min(self.end())
    }

    /// Where they end, or what is gone behind them.
    #[must_use]
    pub fn end(&self) -> u64 {
        let last = self.extents.last().map_or(0, Extent::end);
        last.max(self.losses.end())
    }

    /// The survey for who asks now: what a mark took is not there, also where a file could not be removed yet.
    #[must_use]
    pub fn without_marked(mut self) -> Self {
        let is_marked = |extent: &Extent| extent.end() <= self.marked;
        let grows = self.extents.last().copied();
        let grows = grows.filter(|last| last.tier == Tier::Hot);
        self.extents
            .retain(|extent| !is_marked(extent) || Some(*extent) == grows);
        self
    }
}

/// Returns whether more may come: the stream's FIFO is there, or the mark of a replica that grows.
#[must_use]
pub fn is_written(place: &Place) -> bool {
    fs::symlink_metadata(place.fifo()).is_ok() || place.is_received()
}

/// Counts segments that were sealed: their names are being exchanged.
static EXCHANGED: AtomicU64 = AtomicU64::new(0);

/// Has those look again who are looking. To be called when a sealed segment has its name and before the hot one loses its
/// own.
pub(super) fn exchange() {
    EXCHANGED.fetch_add(1, Ordering::SeqCst);
}

/// Looks at a stream. One whose folder is gone has ended with nothing.
pub fn survey(stream: &Place) -> Result<Survey, HotError> {
    // Before the files are looked at: what is ended by now is complete by then.
    let written = is_written(stream);
    let (found, mut losses) = loop {
        // A listing may miss both names of a segment that is sealed meanwhile.
        let before = EXCHANGED.load(Ordering::SeqCst);
        let looked = (all_found(stream)?, losses_of(stream)?);
        if EXCHANGED.load(Ordering::SeqCst) == before {
            break looked;
        }
    };
    let mut changed = found.iter().map(|seen| seen.changed).max().unwrap_or(0);
    let marked = found.iter().map(|seen| seen.flushed).max().unwrap_or(0);
    let segments: Vec<_> = found.iter().map(|seen| seen.segment).collect();
    let mut extents = place(&segments);
    let end = extents.last().map_or(0, Extent::end);
    // Of what was sealed the mark stands with the losses, also where a file could not be removed yet.
    let marked = marked.max(losses.flushed_to().min(end));
    losses.add_mark(marked.min(end));
    let silent = losses.is_empty() && found.iter().all(|seen| seen.segment.length == 0);
    let folder = silent.then(|| fs::metadata(stream.folder()).ok()).flatten();
    changed = match &folder {
        Some(metadata) => changed_at(metadata),
        None => changed.max(losses.time()),
    };
    let life = match (written, folder) {
        (true, _) => Life::Written,
        (false, Some(_)) if is_recent(changed) => Life::Unborn,
        (false, Some(_) | None) => Life::Ended,
    };
    let dropped: Vec<_> = found.iter().map(|seen| seen.is_after_drop).collect();
    add_dropped(&mut losses, &extents, &dropped);
    let held = match (written, extents.last_mut()) {
        (true, Some(last)) if last.tier == Tier::Hot => hold_back(stream, last)?,
        (true | false, _) => None,
    };
    Ok(Survey {
        extents,
        held,
        marked,
        losses,
        life,
        changed,
    })
}

/// What was seen of a segment.
struct Seen {
    segment: Found,
    flushed: u64,
    changed: u64,
    is_after_drop: bool,
}

fn all_found(stream: &Place) -> Result<Vec<Seen>, HotError> {
    let mut found = Vec::new();
    for (number, tier) in names(stream)? {
        let seen = match tier {
            Tier::Sealed => match sealed(stream, number)? {
                None => hot(stream, number)?,
                seen => seen,
            },
            Tier::Hot => match hot(stream, number)? {
                // It was sealed since its name was read.
                None => sealed(stream, number)?,
                seen => seen,
            },
        };
        found.extend(seen);
    }
    Ok(found)
}

fn hot(stream: &Place, number: u32) -> Result<Option<Seen>, HotError> {
    let path = || stream.segment(number);
    let Some(metadata) = present(fs::metadata(path()), path)? else {
        return Ok(None);
    };
    let head = head_of(stream, number)?;
    let segment = Found {
        number,
        length: metadata.len(),
        base: head.map(|head| head.base),
        tier: Tier::Hot,
    };
    let mut flushed = head.map_or(0, |head| head.flushed);
    let end = |length| segment.base.unwrap_or(0).saturating_add(length);
    if flushed > end(segment.length) {
        // It grew and was flushed since it was measured; or the mark is junk, and tells nothing.
        let now = present(fs::metadata(path()), path)?;
        let is_sound = now.is_some_and(|metadata| flushed <= end(metadata.len()));
        flushed = if is_sound { flushed } else { 0 };
    }
    Ok(Some(Seen {
        segment,
        flushed,
        changed: changed_at(&metadata),
        is_after_drop: head.is_some_and(|head| head.is_after_drop),
    }))
}

/// A sealed segment counts if it is whole, or if there is nothing better.
fn sealed(stream: &Place, number: u32) -> Result<Option<Seen>, HotError> {
    let path = stream.sealed(number);
    let has_hot = fs::symlink_metadata(stream.segment(number)).is_ok();
    let head = if has_hot {
        let whole = Sealed::open(&path).ok().flatten();
        whole.filter(Sealed::is_whole).map(|sealed| *sealed.head())
    } else {
        match cold::head_of(&path) {
            Ok(head) => head,
            Err(error @ ColdError::Read { .. }) => return Err(error.into()),
            Err(error @ (ColdError::Junk { .. } | ColdError::Version { .. })) => {
                cold::tell_once(&path, &error.to_string(), "look after the disk");
                None
            }
        }
    };
    Ok(head.map(|head| Seen {
        segment: Found {
            number,
            length: head.end - head.base,
            base: Some(head.base),
            tier: Tier::Sealed,
        },
        flushed: head.flushed,
        changed: head.changed,
        // Whoever sealed it put that down among the losses.
        is_after_drop: false,
    }))
}

/// Adds what was dropped before segments that say so.
fn add_dropped(losses: &mut Losses, extents: &[Extent], is_after_drop: &[bool]) {
    let mut end = 0;
    for (extent, is_after_drop) in extents.iter().zip(is_after_drop) {
        if *is_after_drop {
            losses.add(Lost {
                from: end,
                to: extent.base,
                time: 0,
                why: Loss::Overflow,
            });
        }
        end = extent.end();
    }
}

fn losses_of(stream: &Place) -> Result<Losses, HotError> {
    if is_file(stream) {
        Losses::load(stream)
    } else {
        Ok(Losses::default())
    }
}

/// Cuts the segment that grows down to what may be read of it.
fn hold_back(stream: &Place, last: &mut Extent) -> Result<Option<Held>, HotError> {
    let Some(mut segment) = Segment::open(stream, *last)?.readable() else {
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

/// The segments whose names are there, each once.
pub(super) fn names(stream: &Place) -> Result<BTreeMap<u32, Tier>, HotError> {
    let path = || stream.folder().to_owned();
    let Some(entries) = present(fs::read_dir(stream.folder()), path)? else {
        return Ok(BTreeMap::new());
    };
    let mut names = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|source| HotError::List {
            path: path(),
            source,
        })?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            continue;
        };
        if let Some(number) = stream.stream.sealed_number(name) {
            names.insert(number, Tier::Sealed);
        } else if let Some(number) = stream.stream.segment_number(name) {
            names.entry(number).or_insert(Tier::Hot);
        }
    }
    Ok(names)
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
