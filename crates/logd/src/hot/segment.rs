//! One open segment: its bytes and their times.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;

use super::layout::Extent;
use super::times::Times;
use super::{HotError, Place, present};

/// A segment's file, and its notes from when they are first asked for.
#[derive(Debug)]
pub(super) struct Segment {
    place: Place,
    number: u32,
    base: u64,
    file: File,
    notes: Notes,
    changed: Option<u64>,
}

#[derive(Debug)]
enum Notes {
    Unread,
    Read(Times),
    /// No note is about what comes from here on.
    Exhausted,
}

impl Segment {
    /// Opens it; `None`: it is gone.
    pub(super) fn open(place: &Place, extent: Extent) -> Result<Option<Self>, HotError> {
        let path = || place.segment(extent.number);
        let file = present(File::open(path()), path)?;
        Ok(file.map(|file| Self {
            place: place.clone(),
            number: extent.number,
            base: extent.base,
            file,
            notes: Notes::Unread,
            changed: None,
        }))
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) const fn base(&self) -> u64 {
        self.base
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

    /// Returns how many bytes it has by now.
    pub(super) fn length(&self) -> Result<u64, HotError> {
        self.metadata().map(|metadata| metadata.len())
    }

    /// Tells when the byte before offset `end` had arrived. Meant for ascending ends.
    pub(super) fn time_at(&mut self, end: u64) -> Result<u64, HotError> {
        if matches!(self.notes, Notes::Unread) {
            self.notes = self.times()?.map_or(Notes::Exhausted, Notes::Read);
        }
        if let Notes::Read(times) = &mut self.notes {
            match times.covering(end) {
                Ok(Some(time)) => return Ok(time),
                Ok(None) => self.notes = Notes::Exhausted,
                Err(source) => {
                    let path = self.place.times(self.number);
                    return Err(HotError::Read { path, source });
                }
            }
        }
        // Without a note: no later than the file's last change.
        if let Some(changed) = self.changed {
            return Ok(changed);
        }
        let changed = changed_at(&self.metadata()?);
        self.changed = Some(changed);
        Ok(changed)
    }

    /// Forgets what was read of the notes: newer ones may be there when they are next asked for.
    pub(super) fn rest(&mut self) {
        self.notes = Notes::Unread;
        self.changed = None;
    }

    /// Opens the notes; `None`: there are none to be read.
    pub(super) fn times(&self) -> Result<Option<Times>, HotError> {
        let path = || self.place.times(self.number);
        let Some(file) = present(File::open(path()), path)? else {
            return Ok(None);
        };
        let size = || Ok(self.base.saturating_add(self.file.metadata()?.len()));
        Times::open(file, self.base, size).map_err(|source| HotError::Read {
            path: path(),
            source,
        })
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
}

/// The modification time in unix ns; what lies before 1970 counts as 1970.
pub(super) fn changed_at(metadata: &Metadata) -> u64 {
    let seconds = u64::try_from(metadata.mtime()).unwrap_or(0);
    let nanos = u64::try_from(metadata.mtime_nsec()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
