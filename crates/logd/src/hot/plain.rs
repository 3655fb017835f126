//! One open segment as the keeper wrote it: its bytes and their times.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use eco_home::clock;
use eco_home::notes::Note;

use super::layout::Extent;
use super::reach::Reach;
use super::times::Times;
use super::{HotError, Place, present};

/// A segment's files, and its notes from when they are first asked for. Both files are opened together: when the segment is
/// sealed they go, and what is open tells what it told before.
#[derive(Debug)]
pub(super) struct Plain {
    place: Place,
    number: u32,
    base: u64,
    file: File,
    /// The notes' file, if it was there.
    noted: Option<Arc<File>>,
    notes: Notes,
}

#[derive(Debug)]
enum Notes {
    Unread,
    Read(Times),
    /// No note is about what comes from here on: it came when the file last changed.
    Lacking {
        /// Unix ns.
        changed: u64,
    },
}

impl Plain {
    /// Opens it; `None`: it is gone.
    pub(super) fn open(place: &Place, extent: Extent) -> Result<Option<Self>, HotError> {
        let path = || place.segment(extent.number);
        let Some(file) = present(File::open(path()), path)? else {
            return Ok(None);
        };
        let path = || place.times(extent.number);
        let noted = present(File::open(path()), path)?.map(Arc::new);
        Ok(Some(Self {
            place: place.clone(),
            number: extent.number,
            base: extent.base,
            file,
            noted,
            notes: Notes::Unread,
        }))
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) const fn base(&self) -> u64 {
        self.base
    }

    /// Whether a file of notes was there when it was opened.
    pub(super) const fn is_noted(&self) -> bool {
        self.noted.is_some()
    }

    /// Reads at an offset of the stream; 0 bytes at the file's end.
    pub(super) fn read(&self, into: &mut [u8], offset: u64) -> Result<usize, HotError> {
        loop {
            match self.file.read_at(into, offset.saturating_sub(self.base)) {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// Tells how far it may be read by now while its run lives; it could be read up to `known`.
    pub(super) fn reach(&mut self, known: u64) -> Result<Reach, HotError> {
        let metadata = self.metadata()?;
        let end = self.base.saturating_add(metadata.len());
        if end == known {
            return Ok(Reach::all(end));
        }
        let noted = match self.times()? {
            Some(times) => {
                let noted = times.noted().map_err(|source| self.failed_times(source))?;
                self.notes = Notes::Read(times);
                noted
            }
            None if self.place.is_received() => self.base,
            None => return Ok(Reach::all(end)),
        };
        if noted < end && self.place.is_received() {
            return Ok(Reach::all(noted));
        }
        let now = clock::nanos(clock::unix());
        Ok(Reach::of(noted, end, changed_at(&metadata), now))
    }

    /// Tells when the byte before offset `end` had arrived. Meant for ascending ends.
    pub(super) fn time_at(&mut self, end: u64) -> Result<u64, HotError> {
        match self.told_time(end)? {
            // It was flushed after it was read: its note is gone.
            Some(0) => return self.changed(),
            Some(time) => return Ok(time),
            None => {}
        }
        // Asked before the notes are read again: whoever goes on with the file first notes what he found with this time.
        let changed = self.changed()?;
        self.notes = match self.times()? {
            Some(times) => Notes::Read(times),
            None => Notes::Lacking { changed },
        };
        if let Some(time) = self.told_time(end)? {
            return Ok(time);
        }
        self.notes = Notes::Lacking { changed };
        Ok(changed)
    }

    /// Reads the notes about the bytes from offset `from` up to `to`, no more than `most`: they end there, unless there are
    /// more of them.
    pub(super) fn notes(&self, from: u64, to: u64, most: usize) -> Result<Vec<Note>, HotError> {
        // Asked before the notes are read: whoever goes on with the file first notes what he found with this time.
        let time = self.changed()?;
        let mut notes = match self.times()? {
            Some(times) => times.about(from, to, most),
            None => Ok(Vec::new()),
        }
        .map_err(|source| self.failed_times(source))?;
        let told = notes.last().map_or(from, |note| note.end);
        if told < to && notes.len() < most {
            notes.push(Note {
                end: to,
                time: time.max(1),
            });
        }
        Ok(notes)
    }

    /// What is known by now.
    fn told_time(&mut self, end: u64) -> Result<Option<u64>, HotError> {
        match &mut self.notes {
            Notes::Unread => Ok(None),
            Notes::Lacking { changed } => Ok(Some(*changed)),
            Notes::Read(times) => {
                let time = times.covering(end);
                time.map_err(|source| self.failed_times(source))
            }
        }
    }

    /// Tells the offset before which everything was flushed by now.
    pub(super) fn flushed(&self) -> Result<u64, HotError> {
        let flushed = match &self.notes {
            Notes::Read(times) => times.flushed(),
            Notes::Unread | Notes::Lacking { .. } => match self.times()? {
                Some(times) => times.flushed(),
                None => Ok(0),
            },
        };
        let flushed = flushed.map_err(|source| self.failed_times(source))?;
        // A mark that points behind the bytes is junk, and tells nothing.
        let is_sound = flushed == 0 || flushed <= self.base.saturating_add(self.metadata()?.len());
        Ok(if is_sound { flushed } else { 0 })
    }

    /// Forgets what was read of the notes: newer ones may be there when they are next asked for.
    pub(super) fn rest(&mut self) {
        self.notes = Notes::Unread;
    }

    /// Opens the notes; `None`: there are none to be read.
    pub(super) fn times(&self) -> Result<Option<Times>, HotError> {
        if let Some(file) = &self.noted {
            return self.read_times(Arc::clone(file));
        }
        // Whoever goes on with the file makes them.
        let path = || self.place.times(self.number);
        let Some(file) = present(File::open(path()), path)? else {
            return Ok(None);
        };
        self.read_times(Arc::new(file))
    }

    /// Reads the notes in `file`; `None`: it has no sound head.
    pub(super) fn read_times(&self, file: Arc<File>) -> Result<Option<Times>, HotError> {
        let size = || Ok(self.base.saturating_add(self.file.metadata()?.len()));
        Times::open(file, self.base, size).map_err(|source| self.failed_times(source))
    }

    /// Finds where the bytes end that came before `time`, of those before `end`; `None`: none is that old.
    pub(super) fn end_before(&self, time: u64, end: u64) -> Result<Option<u64>, HotError> {
        let failed = |source| self.failed_times(source);
        let (noted, before) = match self.times()? {
            Some(mut times) => (
                times.noted().map_err(failed)?,
                times.end_before(time).map_err(failed)?,
            ),
            None => (self.base, None),
        };
        let all_noted = noted == self.base || before == Some(noted);
        if all_noted && (noted >= end || self.changed()? < time) {
            return Ok(Some(end));
        }
        Ok(before.map(|before| before.min(end)))
    }

    /// When it last changed, unix ns.
    pub(super) fn changed(&self) -> Result<u64, HotError> {
        self.metadata().map(|metadata| changed_at(&metadata))
    }

    fn metadata(&self) -> Result<Metadata, HotError> {
        self.file.metadata().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> HotError {
        let path: PathBuf = self.place.segment(self.number);
        HotError::Read { path, source }
    }

    fn failed_times(&self, source: io::Error) -> HotError {
        let path = self.place.times(self.number);
        HotError::Read { path, source }
    }
}

/// The modification time in unix ns; what lies before 1970 counts as 1970.
pub(super) fn changed_at(metadata: &Metadata) -> u64 {
    let seconds = u64::try_from(metadata.mtime()).unwrap_or(0);
    let nanos = u64::try_from(metadata.mtime_nsec()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
