//! One file, and all that is copied to it.
//!
//! ```text
//!   lanes ─ the earliest line first ─▶ batch ─▶ record: length, positions; bytes, positions after ─▶ append
//!                                                                               all read: the record without a batch
//! ```
//!
//! - Only whole batches count: one that could not be written is taken back, and its lines are read again.
//! - What others do to the file is met where it shows: cut off by them it goes on at its end, removed it is made anew, and
//!   moved it is written to until it is to be opened again.
//! - A file is put aside between two lines, before it would be too large.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eco_home::clock;
use eco_home::runs::Stream;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::file::{self, FileError, Open};
use super::lane::{Depth, Lane};
use super::record::{At, Kept, Pending, Positions, Record, RunAt, Slots, name, resolve};
use super::shape::{self, Piece};
use crate::catalog::Slot;
use crate::hot::{self, HotError, Life, Place, survey};
use crate::settings::{Rotation, Shape};

/// Bytes written at once.
const BATCH: usize = 256 << 10;
/// Batches until others have their turn.
const TURN: usize = 16;
/// Between two attempts at what could not be done: nobody tells when a disk has room again.
const RETRY: Duration = Duration::from_secs(5);

/// Why nothing is copied to a file for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] FileError),
    /// What the app wrote.
    #[error(transparent)]
    Hot(#[from] HotError),
    /// How far it is copied cannot be written down.
    #[error("note how far lines are copied to {path}")]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// An instance whose lines go to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Feeder {
    pub(super) slot: Arc<Slot>,
    pub(super) streams: Vec<Stream>,
    pub(super) shape: Shape,
    /// The last run that was there before the file was asked for.
    pub(super) before: u64,
    /// All runs that are there, the newest first.
    pub(super) runs: Vec<u64>,
}

/// One file.
#[derive(Debug)]
pub(super) struct Target {
    record: Record,
    slots: Slots,
    /// Nobody knows how far lines were copied: what comes from now on is.
    is_lost: bool,
    feeders: Vec<Feeder>,
    rotation: Option<Rotation>,
    file: Option<Open>,
    lanes: Vec<Lane>,
    /// The record says more than what is written of it.
    is_unsaid: bool,
    trouble: Option<(String, Duration)>,
    /// Was put aside: others are to be removed or compressed.
    untidy: Option<PathBuf>,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// There is more.
    pub(super) is_busy: bool,
    /// When there may be more of what waits for its note.
    pub(super) patience: Option<Duration>,
}

impl Target {
    /// Takes the file at `path` up, with what is known of it in the folder `mirrors`.
    pub(super) fn open(path: &Path, mirrors: &Path) -> Result<Self, TargetError> {
        let failed = |source| TargetError::Record {
            path: path.to_owned(),
            source,
        };
        let (slots, kept) = Slots::open::<Record>(mirrors.join(name(path))).map_err(failed)?;
        let (mut record, is_lost) = match kept {
            Kept::Sound(record) if record.path == path => (record, false),
            Kept::Nothing => (Record::new(path), false),
            Kept::Damaged | Kept::Sound(_) => {
                tracing::warn!(
                    path = %path.display(),
                    "what is known of how far lines were copied is damaged: only what comes from now on is copied"
                );
                (Record::new(path), true)
            }
        };
        let before = record.file.and_then(|id| file::find(path, id));
        let length = before.as_ref().and_then(|path| path.metadata().ok());
        let had_pending = record.pending.is_some();
        let cut = resolve(&mut record, length.map(|found| found.len()));
        if let Some((length, path)) = cut.zip(before) {
            Open::new(&path)?.cut(length)?;
        }
        Ok(Self {
            record,
            slots,
            is_lost,
            feeders: Vec::new(),
            rotation: None,
            file: None,
            lanes: Vec::new(),
            is_unsaid: had_pending,
            trouble: None,
            untidy: None,
        })
    }

    /// Forgets the file: nothing is to be copied to it any more.
    pub(super) fn forget(self) {
        let path = self.record.path;
        if let Err(error) = self.slots.remove() {
            tracing::warn!(%error, path = %path.display(), "what is known of it stays");
        }
    }

    /// Copies what `feeders` say from now on.
    pub(super) fn set(
        &mut self,
        feeders: Vec<Feeder>,
        rotation: Option<Rotation>,
        runs: &Path,
    ) -> Result<(), TargetError> {
        self.rotation = rotation;
        for feeder in &feeders {
            if self.record.positions.slot(&feeder.slot).is_none() {
                self.begin(feeder, runs)?;
            }
        }
        let shapes_changed = feeders.iter().any(|feeder| {
            let known = self.feeders.iter().find(|one| one.slot == feeder.slot);
            known.is_some_and(|known| known.streams != feeder.streams)
        });
        if shapes_changed {
            self.lanes.clear();
        }
        self.feeders = feeders;
        self.is_lost = false;
        self.add_lanes(runs);
        Ok(())
    }

    /// Forgets the instances that are not meant any more.
    pub(super) fn retain(&mut self, is_meant: impl Fn(&Slot) -> bool) {
        self.lanes.retain(|lane| is_meant(&lane.slot));
        self.feeders.retain(|feeder| is_meant(&feeder.slot));
        self.is_unsaid |= self.record.positions.retain(is_meant);
    }

    pub(super) fn feeders(&self) -> &[Feeder] {
        &self.feeders
    }

    /// An instance that is new to the file begins with what it writes from now on, and later runs with their first byte.
    fn begin(&mut self, feeder: &Feeder, runs: &Path) -> Result<(), HotError> {
        let newest = feeder.runs.first().copied().unwrap_or_default();
        let before = if self.is_lost { newest } else { feeder.before };
        let mut begun = RunAt {
            run: before,
            ..RunAt::default()
        };
        let mut is_living = false;
        if before > 0 {
            for stream in Stream::BOTH {
                let place = Place::new(feeder.slot.run(before).folder(runs), stream);
                let survey = survey(&place)?;
                is_living |= survey.life != Life::Ended;
                let (start, end) = (survey.start(), survey.end());
                begun.of(stream).offset = hot::line_start(&place, &survey.extents, start, end)?;
            }
        }
        let positions = &mut self.record.positions;
        if is_living {
            positions.add(&feeder.slot, before, Some(begun));
        } else {
            positions.add(&feeder.slot, before + 1, None);
        }
        self.is_unsaid = true;
        Ok(())
    }

    fn add_lanes(&mut self, runs: &Path) {
        for feeder in &self.feeders {
            for &run in &feeder.runs {
                for &stream in &feeder.streams {
                    let is_known = self.lanes.iter().any(|lane| {
                        lane.run == run && lane.stream == stream && lane.slot == feeder.slot
                    });
                    let at = self.record.positions.at(&feeder.slot, run, stream);
                    if let (Some(at), false) = (at, is_known) {
                        let slot = Arc::clone(&feeder.slot);
                        self.lanes.push(Lane::new(slot, run, stream, at, runs));
                    }
                }
            }
        }
        self.lanes.sort_by(|left, right| {
            let key = |lane: &Lane| (lane.run, lane.stream);
            (&left.slot, key(left)).cmp(&(&right.slot, key(right)))
        });
    }

    /// What stands in the way, a full sentence without its end.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_ref().map(|(text, _)| text.as_str())
    }

    /// Copies what there is, for a turn.
    pub(super) fn turn(&mut self, depth: Depth, zone: &TimeZone, runs: &Path) -> Turn {
        let now = clock::since_boot();
        if self.trouble.as_ref().is_some_and(|(_, until)| now < *until) {
            return Turn {
                is_busy: false,
                patience: Some(RETRY),
            };
        }
        match self.copy(depth, zone) {
            Ok(is_busy) => {
                if self.trouble.take().is_some() {
                    tracing::info!(path = %self.record.path.display(), "lines are copied again");
                }
                if !is_busy {
                    self.end_runs();
                }
                let said = if is_busy { Ok(()) } else { self.say() };
                if let Err(error) = said {
                    self.fail(&error, runs);
                }
                Turn {
                    is_busy,
                    patience: self.patience(),
                }
            }
            Err(error) => {
                self.fail(&error, runs);
                Turn {
                    is_busy: false,
                    patience: Some(RETRY),
                }
            }
        }
    }

    fn patience(&self) -> Option<Duration> {
        let now = clock::nanos(clock::unix());
        let held = self.lanes.iter().filter_map(Lane::held);
        held.map(|held| held.rest(now)).min()
    }

    /// Tells of what is in the way, once, and reads again from where the file ends.
    fn fail(&mut self, error: &TargetError, runs: &Path) {
        let text = told(error);
        if self.trouble() != Some(&text) {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "lines wait in eco's own files: it is tried again"
            );
        }
        self.trouble = Some((text, clock::since_boot() + RETRY));
        self.file = None;
        self.lanes.clear();
        self.add_lanes(runs);
        for lane in &mut self.lanes {
            drop(lane.look(Depth::Look));
        }
    }

    /// Returns whether there is more.
    fn copy(&mut self, depth: Depth, zone: &TimeZone) -> Result<bool, TargetError> {
        self.attend()?;
        for lane in &mut self.lanes {
            lane.look(depth)?;
        }
        for _ in 0..TURN {
            if self.next()?.is_none() {
                self.tell_gone();
                return Ok(false);
            }
            self.meet_others()?;
            self.rotate_by_time()?;
            self.batch(zone)?;
        }
        Ok(true)
    }

    /// Opens the file where it is not.
    fn attend(&mut self) -> Result<(), TargetError> {
        if self.file.is_some() {
            return Ok(());
        }
        let open = Open::new(&self.record.path)?;
        self.take(&open, open.look()?.length);
        self.untidy = Some(self.record.path.clone());
        self.file = Some(open);
        Ok(())
    }

    fn take(&mut self, open: &Open, length: u64) {
        let record = &mut self.record;
        if record.file != Some(open.id) || length == 0 {
            record.began = clock::nanos(clock::unix());
        }
        let said = (record.file, record.length);
        (record.file, record.length) = (Some(open.id), length);
        self.is_unsaid |= said != (record.file, record.length);
    }

    /// Goes on at the file's end, wherever others have put it, and in a new file where they have removed it.
    fn meet_others(&mut self) -> Result<(), TargetError> {
        let Some(open) = self.file.take() else {
            return self.attend();
        };
        let look = open.look()?;
        if look.is_named {
            if look.length != self.record.length {
                self.take(&open, look.length);
            }
            self.file = Some(open);
        }
        self.attend()
    }

    /// The lane whose turn it is.
    fn next(&mut self) -> Result<Option<usize>, HotError> {
        let mut first = None;
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            let is_rest = lane.is_rest;
            let Some(head) = lane.head()? else {
                continue;
            };
            if is_rest {
                return Ok(Some(index));
            }
            if first.is_none_or(|(time, _)| head.time < time) {
                first = Some((head.time, index));
            }
        }
        Ok(first.map(|(_, index)| index))
    }

    /// Writes as many lines as fit.
    fn batch(&mut self, zone: &TimeZone) -> Result<(), TargetError> {
        let mut bytes = Vec::new();
        let mut after = self.record.positions.clone();
        while bytes.len() < BATCH {
            let Some(index) = self.next()? else {
                break;
            };
            let line = self.line(index, zone)?;
            let length = self.record.length + bytes.len() as u64;
            let is_too_much = self
                .rotation
                .is_some_and(|rotation| length + line.len() as u64 > rotation.size);
            if is_too_much && !bytes.is_empty() {
                break;
            }
            if is_too_much && length > 0 && !self.is_within_line() {
                self.put_aside()?;
            }
            self.take_line(index, &mut after);
            bytes.extend_from_slice(&line);
        }
        self.write(&bytes, after)
    }

    /// What stands in the file for the next line of a lane.
    fn line(&mut self, index: usize, zone: &TimeZone) -> Result<Vec<u8>, HotError> {
        let interrupts = self.others_within_line(index);
        let mut bytes = Vec::new();
        let Some(lane) = self.lanes.get_mut(index) else {
            return Ok(bytes);
        };
        let (slot, run, stream, is_rest) =
            (Arc::clone(&lane.slot), lane.run, lane.stream, lane.is_rest);
        let from = self.feeders.iter().find(|from| from.slot == slot);
        if let (Some(head), Some(from)) = (lane.head()?, from) {
            if interrupts && !from.shape.json {
                bytes.push(b'\n');
            }
            let piece = Piece {
                app: &slot.app,
                instance: slot.instance,
                run,
                stream,
                time: head.time,
                text: &head.text,
                is_rest,
                continues: head.continues,
            };
            shape::write(&from.shape, &piece, zone, &mut bytes);
        }
        Ok(bytes)
    }

    /// Goes on behind the next line of a lane.
    fn take_line(&mut self, index: usize, after: &mut Positions) {
        for (other, lane) in self.lanes.iter_mut().enumerate() {
            if other == index {
                if let Some(head) = lane.take() {
                    lane.is_rest = head.continues;
                    let at = At {
                        offset: head.end,
                        is_rest: head.continues,
                    };
                    after.set(&lane.slot, lane.run, lane.stream, at);
                }
            } else if lane.is_rest {
                // Its writer pauses within a very long line: the rest of it is a line of its own.
                lane.is_rest = false;
                let at = after.at(&lane.slot, lane.run, lane.stream);
                let at = At {
                    is_rest: false,
                    ..at.unwrap_or_default()
                };
                after.set(&lane.slot, lane.run, lane.stream, at);
            }
        }
    }

    fn others_within_line(&self, index: usize) -> bool {
        let mut lanes = self.lanes.iter().enumerate();
        lanes.any(|(other, lane)| other != index && lane.is_rest)
    }

    fn is_within_line(&self) -> bool {
        self.lanes.iter().any(|lane| lane.is_rest)
    }

    fn write(&mut self, bytes: &[u8], after: Positions) -> Result<(), TargetError> {
        self.record.pending = Some(Pending {
            bytes: bytes.len() as u64,
            positions: after.clone(),
        });
        let noted = self.note();
        self.record.pending = None;
        noted?;
        let Some(open) = &mut self.file else {
            return Ok(());
        };
        self.is_unsaid = true;
        open.append(bytes, self.record.length)?;
        self.record.length += bytes.len() as u64;
        self.record.positions = after;
        Ok(())
    }

    /// Writes down what is so.
    fn note(&mut self) -> Result<(), TargetError> {
        let noted = self.slots.write(&self.record);
        noted.map_err(|source| TargetError::Record {
            path: self.record.path.clone(),
            source,
        })
    }

    /// Writes down what is so, unless it is written down.
    fn say(&mut self) -> Result<(), TargetError> {
        if self.is_unsaid {
            self.note()?;
            self.is_unsaid = false;
        }
        Ok(())
    }

    fn rotate_by_time(&mut self) -> Result<(), TargetError> {
        let Some(every) = self.rotation.and_then(|rotation| rotation.every) else {
            return Ok(());
        };
        let age = clock::nanos(clock::unix()).saturating_sub(self.record.began);
        if self.record.length > 0 && age >= clock::nanos(every) && !self.is_within_line() {
            self.put_aside()?;
        }
        Ok(())
    }

    /// Puts the file aside, and begins a new one.
    fn put_aside(&mut self) -> Result<(), TargetError> {
        self.say()?;
        if let Some(open) = &self.file {
            let now = clock::nanos(clock::unix()).into();
            let now = Timestamp::from_nanosecond(now).unwrap_or(Timestamp::MAX);
            open.put_aside(now)?;
        }
        self.reopen()
    }

    /// Goes on in the file that is at the path by now.
    pub(super) fn reopen(&mut self) -> Result<(), TargetError> {
        self.say()?;
        self.file = None;
        self.attend()
    }

    /// Makes the file empty; tells how much was in it.
    pub(super) fn empty(&mut self) -> Result<u64, TargetError> {
        self.attend()?;
        let Some(open) = &self.file else {
            return Ok(0);
        };
        let length = open.look()?.length;
        open.cut(0)?;
        self.record.length = 0;
        self.is_unsaid = true;
        self.say()?;
        Ok(length)
    }

    pub(super) fn path(&self) -> &Path {
        &self.record.path
    }

    /// What is to be tidied up beside the file, since it was asked last.
    pub(super) fn untidy(&mut self) -> Option<(PathBuf, Rotation)> {
        Some((self.untidy.take()?, self.rotation?))
    }

    fn tell_gone(&mut self) {
        let gone: u64 = self.lanes.iter_mut().map(Lane::gone).sum();
        if gone > 0 {
            tracing::info!(
                bytes = gone,
                path = %self.record.path.display(),
                "bytes were gone before they were copied"
            );
        }
    }

    /// Lets go of runs of which nothing more will come, the oldest of an instance first.
    fn end_runs(&mut self) {
        for feeder in &self.feeders {
            loop {
                let mut oldest: Option<(u64, bool)> = None;
                for lane in self.lanes.iter().filter(|lane| lane.slot == feeder.slot) {
                    oldest = match oldest {
                        Some((run, is_over)) if run == lane.run => {
                            Some((run, is_over && lane.is_over()))
                        }
                        Some((run, _)) if run < lane.run => oldest,
                        Some(_) | None => Some((lane.run, lane.is_over())),
                    };
                }
                let Some((run, true)) = oldest else {
                    break;
                };
                let positions = &mut self.record.positions;
                self.is_unsaid |= positions.end_below(&feeder.slot, run + 1);
                self.lanes
                    .retain(|lane| lane.slot != feeder.slot || lane.run != run);
            }
        }
    }
}

/// An error with its causes, in one line.
pub(super) fn told(error: &TargetError) -> String {
    let mut text = format!("failed to {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
