//! The files of one stream while they grow: segments, and the notes about when their bytes came.
//!
//! ```text
//!   out.0001            full: `limit` bytes, or old         out.0001.times
//!   out.0002  ◀─splice─ grows at `length`                   out.0002.times  ◀─pwrite─ (end, time)
//!             base + length = size of the stream
//! ```
//!
//! - Bytes come by splice(2), which moves and consumes in one call: a keeper killed at any moment leaves each byte
//!   either in the FIFO or in the file. The file's size is the offset, so the successor has nothing to remember.
//! - A next segment is begun when there are bytes for it, its times file (with the head) first: a
//!   segment that is there always has one.
//! - A segment also ends with its age, [`SEGMENT_AGE`] after its first bytes, so that what a quiet app wrote can be sealed
//!   and go by its age as well.
//! - A note that cannot be written, or comes late, says when the file last changed, as [`eco_home::notes`] promises; until
//!   it is written no more bytes are taken.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use eco_home::clock;
use eco_home::notes::{self, Note};
use eco_home::runs::{SEGMENT_AGE, Stream};
use eco_home::sealed;
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, SpliceFFlags, fallocate, splice};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const NOTE: u64 = notes::SIZE as u64;
/// Bytes that must find room for a stream to go on after some were dropped.
const RESERVE: i64 = 64 << 10;

/// The growing end of a stream.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    stream: Stream,
    /// Bytes after which a segment is full.
    limit: u64,
    number: u32,
    /// Offset of the segment's first byte.
    base: u64,
    bytes: File,
    length: u64,
    /// When its first bytes came, unix; `None` while there are none.
    since: Option<Duration>,
    times: File,
    times_length: u64,
    /// Up to which offset the notes reach.
    noted: u64,
    /// Why the last note could not be written.
    owed: Option<Errno>,
}

impl Segments {
    /// Begins the stream of a new run; fails where there is one already.
    pub(super) fn create(folder: &Path, stream: Stream, limit: u64) -> io::Result<Self> {
        Self::begin(folder, stream, limit, 1, 0, notes::head(0))
    }

    /// Continues the stream that an earlier keeper left.
    pub(super) fn reopen(folder: &Path, stream: Stream, limit: u64) -> io::Result<Self> {
        let Some(number) = last_number(folder, stream)? else {
            return Self::create(folder, stream, limit);
        };
        let bytes = OpenOptions::new()
            .write(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(folder.join(stream.segment(number)))?;
        let metadata = bytes.metadata()?;
        let times = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .mode(0o600)
            .open(folder.join(stream.times(number)))?;
        let base = match read_record(&times, 0).and_then(notes::base) {
            Some(base) => base,
            None => restore_head(&times, folder, stream, number, limit)?,
        };
        let size = base + metadata.len();
        let (times_length, noted) = sound_notes(&times, base, size)?;
        times.set_len(times_length)?;
        let mut segments = Self {
            folder: folder.to_owned(),
            stream,
            limit,
            number,
            base,
            bytes,
            length: metadata.len(),
            since: first_time(&times, &metadata),
            times,
            times_length,
            noted,
            owed: None,
        };
        segments.note(last_change(&metadata).unwrap_or_else(clock::unix));
        Ok(segments)
    }

    fn begin(
        folder: &Path,
        stream: Stream,
        limit: u64,
        number: u32,
        base: u64,
        head: [u8; notes::SIZE],
    ) -> io::Result<Self> {
        let path = folder.join(stream.segment(number));
        if path.symlink_metadata().is_ok() {
            return Err(Errno::EEXIST.into());
        }
        // A times file without a segment is what a keeper killed between the two left.
        let times = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .mode(0o600)
            .open(folder.join(stream.times(number)))?;
        times.write_all_at(&head, 0)?;
        let bytes = if notes::is_after_drop(head) {
            reserved(&path)?
        } else {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?
        };
        Ok(Self {
            folder: folder.to_owned(),
            stream,
            limit,
            number,
            base,
            bytes,
            length: 0,
            since: None,
            times,
            times_length: NOTE,
            noted: base,
            owed: None,
        })
    }

    /// Bytes of the stream so far.
    pub(super) const fn size(&self) -> u64 {
        self.base + self.length
    }

    /// Moves up to `most` bytes from `fifo` into the last segment; `now` is noted for a segment that is
    /// followed by another.
    pub(super) fn take(&mut self, fifo: impl AsFd, most: u64, now: Duration) -> nix::Result<u64> {
        let is_over = self.length >= self.limit || self.is_old(now);
        if is_over && !has_bytes(&fifo)? {
            return Err(Errno::EAGAIN);
        }
        if is_over || self.owed.is_some() {
            self.note(now);
            if let Some(errno) = self.owed {
                return Err(errno);
            }
        }
        if is_over {
            let next = Self::begin(
                &self.folder,
                self.stream,
                self.limit,
                self.number + 1,
                self.size(),
                notes::head(self.size()),
            );
            *self = next.map_err(|error| errno(&error))?;
        }
        let most = most.min(self.limit.saturating_sub(self.length).max(1));
        let mut offset = i64::try_from(self.length).map_err(|_| Errno::EFBIG)?;
        let moved = splice(
            fifo,
            None,
            &self.bytes,
            Some(&mut offset),
            usize::try_from(most).unwrap_or(usize::MAX),
            SpliceFFlags::SPLICE_F_MOVE | SpliceFFlags::SPLICE_F_NONBLOCK,
        )?;
        let moved = u64::try_from(moved).unwrap_or(u64::MAX);
        self.length += moved;
        self.since.get_or_insert(now);
        Ok(moved)
    }

    fn is_old(&self, now: Duration) -> bool {
        self.since
            .is_some_and(|since| now.saturating_sub(since) >= SEGMENT_AGE)
    }

    /// Goes on behind `dropped` bytes that are not stored, in a segment of its own. Fails while the disk has no room for it.
    pub(super) fn skip(&mut self, dropped: u64, now: Duration) -> nix::Result<()> {
        self.note(now);
        if let Some(errno) = self.owed {
            return Err(errno);
        }
        let base = self.size() + dropped;
        let next = Self::begin(
            &self.folder,
            self.stream,
            self.limit,
            self.number + 1,
            base,
            notes::head_after_drop(base),
        );
        *self = next.map_err(|error| errno(&error))?;
        Ok(())
    }

    /// Notes that all bytes so far had come by `time`.
    pub(super) fn note(&mut self, time: Duration) {
        let end = self.size();
        if end == self.noted {
            return;
        }
        let note = Note {
            end,
            time: clock::nanos(self.told_time(time)),
        };
        match self.times.write_all_at(&note.encode(), self.times_length) {
            Ok(()) => {
                self.times_length += NOTE;
                self.noted = end;
                self.owed = None;
            }
            Err(error) => self.owed = Some(errno(&error)),
        }
    }

    /// What readers tell of the bytes that `time` is to be noted of: they wait for a note, and not for a late one.
    fn told_time(&self, time: Duration) -> Duration {
        let is_late = clock::unix().abs_diff(time) >= notes::LATEST / 2;
        if !is_late && self.owed.is_none() {
            return time;
        }
        let metadata = self.bytes.metadata().ok();
        metadata.as_ref().and_then(last_change).unwrap_or(time)
    }
}

/// A new segment that has room for its first bytes: one that had none would be there for nothing, and again at each attempt.
fn reserved(path: &Path) -> io::Result<File> {
    let unborn = path.with_extension("new");
    let bytes = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(nix::libc::O_NOFOLLOW)
        .mode(0o600)
        .open(&unborn)?;
    let room = fallocate(&bytes, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, RESERVE);
    match room {
        // A file system that reserves nothing.
        Ok(()) | Err(Errno::EOPNOTSUPP) => std::fs::rename(&unborn, path)?,
        Err(errno) => {
            std::fs::remove_file(&unborn)?;
            return Err(errno.into());
        }
    }
    Ok(bytes)
}

fn last_change(metadata: &Metadata) -> Option<Duration> {
    metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()
}

fn has_bytes(fifo: impl AsFd) -> nix::Result<bool> {
    let mut asked = [PollFd::new(fifo.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut asked, PollTimeout::ZERO)? > 0)
}

/// When the first bytes of a segment came, as far as it tells: the note about those that were flushed knows no time.
fn first_time(times: &File, metadata: &Metadata) -> Option<Duration> {
    let note = read_record(times, NOTE).map(Note::decode);
    let noted = note.filter(|note| !note.is_flushed() && note.time > 0);
    match noted {
        Some(note) => Some(Duration::from_nanos(note.time)),
        None => last_change(metadata).filter(|_| metadata.len() > 0),
    }
}

fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

fn last_number(folder: &Path, stream: Stream) -> io::Result<Option<u32>> {
    let mut last = None;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        last = last.max(name.to_str().and_then(|name| stream.segment_number(name)));
    }
    Ok(last)
}

/// Writes the head that a power cut took, by what the segment before tells, or by what segments always hold.
fn restore_head(
    times: &File,
    folder: &Path,
    stream: Stream,
    number: u32,
    limit: u64,
) -> io::Result<u64> {
    let earlier = number.saturating_sub(1);
    let before = File::open(folder.join(stream.times(earlier)))
        .ok()
        .and_then(|times| read_record(&times, 0))
        .and_then(notes::base);
    let length = std::fs::metadata(folder.join(stream.segment(earlier))).map(|found| found.len());
    let base = match (sealed_end(folder, stream, earlier), before, length) {
        (Some(end), _, _) => end,
        (None, Some(base), Ok(length)) => base + length,
        (None, None, _) | (None, _, Err(_)) => limit.saturating_mul(earlier.into()),
    };
    times.set_len(0)?;
    times.write_all_at(&notes::head(base), 0)?;
    Ok(base)
}

/// Where a segment ends, if it was sealed.
fn sealed_end(folder: &Path, stream: Stream, number: u32) -> Option<u64> {
    let file = File::open(folder.join(stream.sealed(number))).ok()?;
    let mut head = [0; sealed::SIZE];
    file.read_exact_at(&mut head, 0).ok()?;
    sealed::Head::decode(&head).map(|head| head.end)
}

/// Where the notes that can be believed end, in the file and in the stream.
fn sound_notes(times: &File, base: u64, size: u64) -> io::Result<(u64, u64)> {
    let mut end = times.metadata()?.len() / NOTE * NOTE;
    while end > NOTE {
        let note = read_record(times, end - NOTE).map(Note::decode);
        if let Some(note) = note.filter(|note| (base..=size).contains(&note.end)) {
            return Ok((end, note.end));
        }
        end -= NOTE;
    }
    Ok((NOTE, base))
}

fn read_record(file: &File, at: u64) -> Option<[u8; notes::SIZE]> {
    let mut record = [0; notes::SIZE];
    file.read_exact_at(&mut record, at).ok()?;
    Some(record)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const NOW: Duration = Duration::from_secs(1_700_000_000);

    fn feed(segments: &mut Segments, bytes: &[u8]) {
        let (read, mut write) = std::io::pipe().expect("a pipe");
        write.write_all(bytes).expect("room for it");
        let mut left = u64::try_from(bytes.len()).expect("small");
        while left > 0 {
            left -= segments.take(&read, left, NOW).expect("moved");
        }
        segments.note(NOW);
    }

    fn read_notes(path: &Path) -> (Option<u64>, Vec<Note>) {
        let bytes = std::fs::read(path).expect("there");
        let mut records = bytes
            .chunks(notes::SIZE)
            .map(|record| record.try_into().expect("whole"));
        let base = notes::base(records.next().expect("a head"));
        (base, records.map(Note::decode).collect())
    }

    #[test]
    fn a_full_segment_is_followed_by_the_next_and_no_byte_moves() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut segments = Segments::create(folder.path(), Stream::Out, 10).expect("begun");
        feed(&mut segments, b"0123456789abcdefghijKLM");
        assert_eq!(segments.size(), 23);
        for (name, bytes) in [
            ("out.0001", "0123456789"),
            ("out.0002", "abcdefghij"),
            ("out.0003", "KLM"),
        ] {
            let found = std::fs::read_to_string(folder.path().join(name)).expect("there");
            assert_eq!(found, bytes);
        }
        let (base, found) = read_notes(&folder.path().join("out.0003.times"));
        assert_eq!(base, Some(20));
        assert_eq!(found.last().map(|note| note.end), Some(23));
        let (_, found) = read_notes(&folder.path().join("out.0001.times"));
        assert_eq!(found.last().map(|note| note.end), Some(10));
    }

    #[test]
    fn a_segment_that_is_exactly_full_begins_no_empty_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut segments = Segments::create(folder.path(), Stream::Err, 4).expect("begun");
        feed(&mut segments, b"full");
        let (read, _write) = std::io::pipe().expect("a pipe");
        assert_eq!(segments.take(&read, 4, NOW), Err(Errno::EAGAIN));
        assert!(!folder.path().join("err.0002").exists());
    }

    #[test]
    fn an_old_segment_is_followed_by_the_next_when_there_are_bytes_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let (read, mut write) = std::io::pipe().expect("a pipe");
        let mut take = |segments: &mut Segments, now| {
            write.write_all(b"ab").expect("room");
            assert_eq!(segments.take(&read, 2, now), Ok(2));
            segments.note(now);
        };
        let mut segments = Segments::create(folder.path(), Stream::Out, 100).expect("begun");
        let old = clock::unix();
        take(&mut segments, old);
        take(&mut segments, old + SEGMENT_AGE / 2);
        assert!(!folder.path().join("out.0002").exists());
        // The next keeper knows its age as well.
        let mut segments = Segments::reopen(folder.path(), Stream::Out, 100).expect("sound");
        take(&mut segments, old + SEGMENT_AGE + Duration::from_secs(1));
        assert_eq!(segments.size(), 6);
        let length = |name| std::fs::metadata(folder.path().join(name)).map(|found| found.len());
        assert_eq!(length("out.0001").ok(), Some(4));
        assert_eq!(length("out.0002").ok(), Some(2));
        let (base, _) = read_notes(&folder.path().join("out.0002.times"));
        assert_eq!(base, Some(4));
    }

    #[test]
    fn a_torn_note_is_overwritten_and_bytes_without_one_get_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut segments = Segments::create(folder.path(), Stream::Out, 100).expect("begun");
        feed(&mut segments, b"noted");
        drop(segments);
        let times = folder.path().join("out.0001.times");
        let mut file = OpenOptions::new().append(true).open(&times).expect("there");
        let beyond = Note { end: 99, time: 1 };
        file.write_all(&beyond.encode()).expect("written");
        file.write_all(b"torn").expect("written");
        let bytes = folder.path().join("out.0001");
        let mut file = OpenOptions::new().append(true).open(&bytes).expect("there");
        file.write_all(b"unnoted").expect("written");

        let mut segments = Segments::reopen(folder.path(), Stream::Out, 100).expect("sound");
        assert_eq!(segments.size(), 12);
        feed(&mut segments, b"more");
        let ends: Vec<u64> = read_notes(&times).1.iter().map(|note| note.end).collect();
        assert_eq!(ends, [5, 12, 16]);
        assert_eq!(
            std::fs::read(&bytes).expect("there"),
            b"notedunnotedmore".as_slice()
        );
    }

    #[test]
    fn a_head_that_is_lost_is_made_anew_by_the_sealed_segment_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut segments = Segments::create(folder.path(), Stream::Out, 4).expect("begun");
        feed(&mut segments, b"fulland");
        drop(segments);
        let head = sealed::Head {
            version: sealed::VERSION,
            base: 0,
            end: 40,
            flushed: 0,
            changed: 1,
        };
        std::fs::write(folder.path().join("out.0001.sealed"), head.encode()).expect("written");
        for name in ["out.0001", "out.0001.times", "out.0002.times"] {
            std::fs::remove_file(folder.path().join(name)).expect("removed");
        }
        let segments = Segments::reopen(folder.path(), Stream::Out, 4).expect("sound");
        assert_eq!(segments.size(), 43);
    }

    #[test]
    fn a_late_note_tells_the_time_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut segments = Segments::create(folder.path(), Stream::Out, 100).expect("begun");
        feed(&mut segments, b"bytes");
        let changed = last_change(&segments.bytes.metadata().expect("there")).expect("known");
        let (_, found) = read_notes(&folder.path().join("out.0001.times"));
        assert_eq!(
            found.last().map(|note| note.time),
            Some(clock::nanos(changed))
        );
    }

    #[test]
    fn no_more_is_taken_before_a_note_that_failed_is_written_with_the_time_of_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.0001.times");
        let mut segments = Segments::create(folder.path(), Stream::Out, 100).expect("begun");
        let closed = File::open(&path).expect("there");
        let times = std::mem::replace(&mut segments.times, closed);
        feed(&mut segments, b"bytes");
        let changed = last_change(&segments.bytes.metadata().expect("there")).expect("known");
        let (read, mut write) = std::io::pipe().expect("a pipe");
        write.write_all(b"more").expect("room for it");
        let now = clock::unix();
        assert_eq!(segments.take(&read, 4, now), Err(Errno::EBADF));
        segments.times = times;
        assert_eq!(segments.take(&read, 4, now), Ok(4));
        let (_, found) = read_notes(&path);
        let owed = Note {
            end: 5,
            time: clock::nanos(changed),
        };
        assert_eq!(found, [owed]);
    }

    #[test]
    fn a_lost_head_is_restored_from_the_segment_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut segments = Segments::create(folder.path(), Stream::Out, 4).expect("begun");
        feed(&mut segments, b"0123ab");
        drop(segments);
        let times = folder.path().join("out.0002.times");
        std::fs::write(&times, b"").expect("emptied");
        let segments = Segments::reopen(folder.path(), Stream::Out, 4).expect("sound");
        assert_eq!(segments.size(), 6);
        assert_eq!(read_notes(&times).0, Some(4));
    }

    #[test]
    fn a_new_run_never_writes_into_an_old_one_s_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut segments = Segments::create(folder.path(), Stream::Out, 4).expect("begun");
        feed(&mut segments, b"old");
        Segments::create(folder.path(), Stream::Out, 4).expect_err("there is one");
        let (_, found) = read_notes(&folder.path().join("out.0001.times"));
        assert_eq!(found.len(), 1);
    }
}
