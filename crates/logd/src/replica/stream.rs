//! One stream of a replica on disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use eco_home::notes::{self, Note};
use eco_home::runs::{SEGMENT_BYTES, Stream};

use super::ReceiveError;
use super::session::Touched;
use crate::hot::{Loss, Losses, Lost, Place, Tier, is_written, keep_reasons, survey};

const NOTE: u64 = notes::SIZE as u64;

/// A stream that more may come of.
#[derive(Debug)]
pub(super) struct Growing {
    folder: PathBuf,
    stream: Stream,
    /// Of the last segment; 0: there is none.
    number: u32,
    /// Offset of its first byte, and how many it has.
    base: u64,
    length: u64,
    times_length: u64,
    /// The latest time that its notes tell, unix ns.
    latest: u64,
}

/// What is there of a stream.
#[derive(Debug)]
pub(super) enum Found {
    /// More may come.
    Growing(Growing),
    /// All of it, up to this offset.
    Ended(u64),
    /// The keeper of this host writes it.
    Ours,
}

/// Looks at a stream whose run has this folder, which is made where it is missing below `runs`.
pub(super) fn open(
    runs: &Path,
    folder: &Path,
    stream: Stream,
    touched: &mut Touched,
) -> Result<Found, ReceiveError> {
    let ended = folder.join(stream.ended());
    if let Some(end) = read_end(&ended)? {
        // A death between the two marks left this one.
        remove(&folder.join(stream.growing()))?;
        return Ok(Found::Ended(end));
    }
    let growing = folder.join(stream.growing());
    let place = Place::new(folder.to_owned(), stream);
    if growing.symlink_metadata().is_err() {
        if is_ours(folder) || is_written(&place) || !survey(&place)?.extents.is_empty() {
            return Ok(Found::Ours);
        }
        make_folder(runs, folder, touched)?;
        create(&growing)?;
        touched.folder(folder);
    }
    let survey = survey(&place)?;
    let none = Growing {
        folder: folder.to_owned(),
        stream,
        number: 0,
        base: 0,
        length: 0,
        times_length: 0,
        latest: 0,
    };
    Ok(Found::Growing(match survey.extents.last().copied() {
        Some(last) if last.tier == Tier::Hot => {
            let mut found = Growing {
                number: last.number,
                base: last.base,
                times_length: NOTE,
                ..none
            };
            found.restore(touched)?;
            found
        }
        // The one that grew behind it is gone with the power.
        Some(last) => {
            let mut found = Growing {
                number: last.number,
                latest: survey.changed,
                ..none
            };
            found.begin(last.end(), touched)?;
            found
        }
        // What is known to be gone does not come back.
        None => Growing {
            base: survey.end(),
            ..none
        },
    }))
}

impl Growing {
    /// Offset behind the last byte that is kept.
    pub(super) const fn end(&self) -> u64 {
        self.base + self.length
    }

    fn segment(&self) -> PathBuf {
        self.folder.join(self.stream.segment(self.number))
    }

    fn times(&self) -> PathBuf {
        self.folder.join(self.stream.times(self.number))
    }

    /// Cuts off what an earlier receiver left behind the last sound note.
    fn restore(&mut self, touched: &mut Touched) -> Result<(), ReceiveError> {
        let (path, times_path) = (self.segment(), self.times());
        let segment = edit(&path)?;
        let times = edit(&times_path)?;
        let sound = || -> io::Result<(u64, u64, u64)> {
            let metadata = segment.metadata()?;
            let mut end = times.metadata()?.len() / NOTE * NOTE;
            while end > NOTE {
                let note = read_note(&times, end - NOTE)?;
                let is_sound = note.end > self.base && note.end <= self.base + metadata.len();
                if is_sound {
                    return Ok((end, note.end - self.base, note.time));
                }
                end -= NOTE;
            }
            Ok((NOTE, 0, 0))
        };
        let (times_length, length, latest) = sound().map_err(|error| failed(&times_path, error))?;
        (self.times_length, self.length) = (times_length, length);
        let changed = segment.metadata().and_then(|metadata| metadata.modified());
        let changed = changed.map_err(|error| failed(&path, error))?;
        let changed = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_torn = segment
            .metadata()
            .is_ok_and(|metadata| metadata.len() != length);
        if is_torn {
            tracing::info!(path = %path.display(), length, "what an earlier life left without a note is cut off");
            segment
                .set_len(length)
                .map_err(|error| failed(&path, error))?;
        }
        // Its time was not set any more if it is torn.
        self.latest = if is_torn {
            latest
        } else {
            eco_home::clock::nanos(changed).max(latest)
        };
        times
            .write_all_at(&notes::head(self.base), 0)
            .and_then(|()| times.set_len(times_length))
            .map_err(|error| failed(&times_path, error))?;
        touched.file(path, segment, length);
        touched.file(times_path, times, times_length);
        Ok(())
    }

    /// Begins the next segment, at `base`. Its times file comes first: a segment that is there always has one.
    fn begin(&mut self, base: u64, touched: &mut Touched) -> Result<(), ReceiveError> {
        let number = self.number.checked_add(1).ok_or_else(|| {
            failed(
                &self.folder,
                io::Error::other("there are too many segments"),
            )
        })?;
        let next = Self {
            folder: self.folder.clone(),
            number,
            base,
            length: 0,
            times_length: NOTE,
            ..*self
        };
        let path = next.times();
        let times = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .mode(0o600)
            .open(&path)
            .and_then(|times| times.write_all_at(&notes::head(base), 0).map(|()| times))
            .map_err(|error| failed(&path, error))?;
        touched.file(path, times, 0);
        let path = next.segment();
        let segment = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|segment| set_changed(&segment, next.latest).map(|()| segment))
            .map_err(|error| failed(&path, error))?;
        touched.file(path, segment, 0);
        touched.folder(&next.folder);
        *self = next;
        Ok(())
    }

    /// Goes on behind `offset`, where what is kept does not reach; `lost` tells why.
    pub(super) fn skip(
        &mut self,
        offset: u64,
        lost: &[Lost],
        touched: &mut Touched,
    ) -> Result<(), ReceiveError> {
        let kept = self.end();
        // What somebody had go there may stay here: questions begin behind what was flushed.
        let holds = |why: Loss| why != Loss::Unknown && (why != Loss::Flushed || kept == 0);
        let mut reasons = Losses::default();
        for lost in lost.iter().filter(|lost| holds(lost.why)) {
            reasons.add(*lost);
        }
        let place = Place::new(self.folder.clone(), self.stream);
        // Before a reader can find the gap.
        keep_reasons(&place, &reasons.within(kept..offset))?;
        self.begin(offset, touched)
    }

    /// Writes what comes next.
    pub(super) fn append(
        &mut self,
        bytes: &[u8],
        notes: &[Note],
        touched: &mut Touched,
    ) -> Result<(), ReceiveError> {
        let is_full = self.length > 0 && self.length + bytes.len() as u64 > SEGMENT_BYTES;
        if self.number == 0 || is_full {
            self.begin(self.end(), touched)?;
        }
        let path = self.segment();
        let latest = notes.iter().map(|note| note.time).max().unwrap_or(0);
        let latest = latest.max(self.latest);
        let segment = touched.edit(&path, edit)?;
        segment
            .write_all_at(bytes, self.length)
            .map_err(|error| failed(&path, error))?;
        let times_path = self.times();
        let encoded: Vec<u8> = notes.iter().flat_map(|note| note.encode()).collect();
        touched
            .edit(&times_path, edit)?
            .write_all_at(&encoded, self.times_length)
            .map_err(|error| failed(&times_path, error))?;
        self.length += bytes.len() as u64;
        self.times_length += encoded.len() as u64;
        self.latest = latest;
        let segment = touched.edit(&path, edit)?;
        set_changed(segment, latest).map_err(|error| failed(&path, error))
    }

    /// Whether these bytes at `offset` are those that are kept, as far as a look at the last segment tells.
    pub(super) fn has(&self, offset: u64, bytes: &[u8]) -> Result<bool, ReceiveError> {
        let from = offset.max(self.base);
        let to = (offset + bytes.len() as u64).min(self.end());
        if self.number == 0 || from >= to {
            return Ok(true);
        }
        let path = self.segment();
        let mut kept = vec![0; usize::try_from(to - from).unwrap_or(0)];
        File::open(&path)
            .and_then(|segment| segment.read_exact_at(&mut kept, from - self.base))
            .map_err(|error| failed(&path, error))?;
        // Asked after they were read: what is flushed meanwhile reads as zeros.
        let flushed = survey(&Place::new(self.folder.clone(), self.stream))?.marked;
        let from = from.max(flushed);
        if from >= to {
            return Ok(true);
        }
        let range = |base: u64| {
            let index = |at: u64| usize::try_from(at - base).unwrap_or(usize::MAX);
            index(from)..index(to)
        };
        let first = offset.max(self.base);
        Ok(kept.get(range(first)) == bytes.get(range(offset)))
    }

    /// Marks that all of it has come.
    pub(super) fn finish(self, touched: &mut Touched) -> Result<u64, ReceiveError> {
        let end = self.end();
        // What the mark says is on disk before the mark is.
        touched.sync()?;
        let path = self.folder.join(self.stream.ended());
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .mode(0o600)
            .open(&path)
            .and_then(|file| {
                file.write_all_at(format!("{end}\n").as_bytes(), 0)
                    .map(|()| file)
            });
        let file = written.map_err(|error| failed(&path, error))?;
        touched.file(path, file, 0);
        touched.folder(&self.folder);
        touched.sync()?;
        remove(&self.folder.join(self.stream.growing()))?;
        Ok(end)
    }
}

/// Has a segment changed at `latest`, unix ns: readers take it that no byte came later than that.
fn set_changed(segment: &File, latest: u64) -> io::Result<()> {
    segment.set_modified(UNIX_EPOCH + Duration::from_nanos(latest))
}

/// The end offset in the mark of a stream that is complete; `None`: there is no such mark, or one that is torn.
fn read_end(path: &Path) -> Result<Option<u64>, ReceiveError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text.strip_suffix('\n').and_then(|end| end.parse().ok())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, error)),
    }
}

/// Whether the keeper writes one of the run's streams.
fn is_ours(folder: &Path) -> bool {
    Stream::BOTH
        .into_iter()
        .any(|stream| folder.join(stream.fifo()).symlink_metadata().is_ok())
}

/// Makes the folders from `runs` down to `folder`, closed to others.
fn make_folder(runs: &Path, folder: &Path, touched: &mut Touched) -> Result<(), ReceiveError> {
    let mut above = folder.parent();
    while let Some(path) = above.filter(|path| path.starts_with(runs)) {
        touched.folder(path);
        above = path.parent();
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed(folder, error))
}

fn create(path: &Path) -> Result<(), ReceiveError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| failed(path, error))
}

fn edit(path: &Path) -> Result<File, ReceiveError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(path.extension().is_some_and(|kind| kind == "times"))
        .truncate(false)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed(path, error))
}

fn remove(path: &Path) -> Result<(), ReceiveError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read_note(times: &File, at: u64) -> io::Result<Note> {
    let mut bytes = [0; notes::SIZE];
    times.read_exact_at(&mut bytes, at)?;
    Ok(Note::decode(bytes))
}

pub(super) fn failed(path: &Path, source: io::Error) -> ReceiveError {
    ReceiveError::Write {
        path: path.to_owned(),
        source,
    }
}
