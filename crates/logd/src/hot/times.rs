//! When bytes came: the notes of one segment, searched where they lie.
//!
//! A segment of single lines has a note for every few of them, megabytes in all; a tail must not read them. So notes are
//! found by bisection, and read on in blocks while lines ascend.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use eco_home::notes::{self, Note};

use crate::disk::Disk;

/// Notes read at once.
const BLOCK: u64 = 256;
const SIZE: u64 = notes::SIZE as u64;

/// The notes of one segment, as many as were there when it was opened.
#[derive(Debug)]
pub(super) struct Times {
    file: Arc<File>,
    /// Offset of the segment's first byte.
    base: u64,
    count: u64,
    block: Vec<Note>,
    /// Index of the block's first note, and where the bytes it is about begin.
    first: u64,
    from: u64,
}

/// What the beginning of a times file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Offset of the segment's first byte.
    pub(super) base: u64,
    /// The offset before which everything was flushed; 0: nothing was.
    pub(super) flushed: u64,
    /// Whether what lies before the base was dropped for want of room.
    pub(super) is_after_drop: bool,
}

/// Reads the beginning of a times file; `None` when it has no sound head.
pub(super) fn head(file: &File) -> io::Result<Option<Head>> {
    let Some(first) = record(file, 0)? else {
        return Ok(None);
    };
    let Some(base) = notes::base(first) else {
        return Ok(None);
    };
    let is_after_drop = notes::is_after_drop(first);
    let first = record(file, 1)?.map(Note::decode);
    let flushed = first.filter(|note| note.is_flushed());
    Ok(Some(Head {
        base,
        flushed: flushed.map_or(0, |note| note.end),
        is_after_drop,
    }))
}

fn record(file: &File, index: u64) -> io::Result<Option<[u8; notes::SIZE]>> {
    let mut bytes = [0; notes::SIZE];
    match file.read_exact_at(&mut bytes, index * SIZE) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

impl Times {
    /// Reads the notes in `file`, whose segment begins at `base`. `size` tells, when asked, where the segment's bytes end
    /// by now: notes behind it are torn writes. `None`: no sound head.
    pub(super) fn open(
        file: Arc<File>,
        start: u64,
        size: impl FnOnce() -> io::Result<u64>,
    ) -> io::Result<Option<Self>> {
        if head(&file)?.is_none() {
            return Ok(None);
        }
        let count = (file.metadata()?.len() / SIZE).saturating_sub(1);
        let mut times = Self {
            file,
            base: start,
            count,
            block: Vec::new(),
            first: 0,
            from: start,
        };
        // Asked for after the count: a note that was counted by then has its bytes.
        let end = size()?;
        times.drop_torn(end)?;
        Ok(Some(times))
    }

    /// Finds when the byte before `end` had arrived; `None` when no note says.
    pub(super) fn covering(&mut self, end: u64) -> io::Result<Option<u64>> {
        if let Some(time) = self.in_block(end) {
            return Ok(Some(time));
        }
        let next = self.first + self.block.len() as u64;
        if end > self.from && next < self.count {
            self.load(next)?;
            if let Some(time) = self.in_block(end) {
                return Ok(Some(time));
            }
        }
        let index = self.bisect(|note| note.end < end)?;
        self.load(index)?;
        Ok(self.in_block(end))
    }

    /// The notes about the bytes from offset `from` up to `to`, the first `most` of them; the last one is cut off at `to`.
    pub(super) fn about(&self, from: u64, to: u64, most: usize) -> io::Result<Vec<Note>> {
        let mut about: Vec<Note> = Vec::new();
        let mut index = self.bisect(|note| note.end <= from)?;
        let mut noted = from;
        while index < self.count && noted < to && about.len() < most {
            let block = self.read(index, (self.count - index).min(BLOCK))?;
            if block.is_empty() {
                break;
            }
            index += block.len() as u64;
            for note in block {
                if note.end > noted && noted < to && !note.is_flushed() && about.len() < most {
                    noted = note.end.min(to);
                    about.push(Note { end: noted, ..note });
                }
            }
        }
        Ok(about)
    }

    /// All notes in order, marks and what is before them included.
    pub(super) fn all(&self) -> impl Iterator<Item = io::Result<Note>> {
        let starts = (0..self.count).step_by(usize::try_from(BLOCK).unwrap_or(1));
        starts.flat_map(|first| {
            let block = self.read(first, (self.count - first).min(BLOCK));
            match block {
                Ok(notes) => notes.into_iter().map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            }
        })
    }

    /// Finds where the bytes end that came before `time`; `None`: no note is that old.
    pub(super) fn end_before(&mut self, time: u64) -> io::Result<Option<u64>> {
        let index = self.bisect(|note| note.time < time)?;
        let Some(last) = index.checked_sub(1) else {
            return Ok(None);
        };
        Ok(self.note(last)?.map(|note| note.end))
    }

    /// The offset before which everything was flushed by now; 0: nothing was.
    pub(super) fn flushed(&self) -> io::Result<u64> {
        Ok(head(&self.file)?.map_or(0, |head| head.flushed))
    }

    /// Notes that everything before offset `end` was flushed, where a note ends, and returns when that is on disk.
    pub(super) fn mark(&self, disk: &dyn Disk, end: u64) -> io::Result<()> {
        disk.overwrite(&self.file, &Note::flushed(end).encode(), SIZE)
    }

    /// Where the first note ends that ends at `offset` or behind it; `None`: none does.
    pub(super) fn end_from(&self, offset: u64) -> io::Result<Option<u64>> {
        let index = self.bisect(|note| note.end < offset)?;
        if index >= self.count {
            // What is there behind the last sound one is torn.
            return Ok(None);
        }
        Ok(self.note(index)?.map(|note| note.end))
    }

    /// Whether no note is there.
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Counts the notes about bytes before offset `end` and no other.
    pub(super) fn count_before(&self, end: u64) -> io::Result<u64> {
        self.bisect(|note| note.end <= end)
    }

    /// Where the last note ends; the segment's first byte when there is none.
    pub(super) fn noted(&self) -> io::Result<u64> {
        let last = match self.count.checked_sub(1) {
            Some(last) => self.note(last)?,
            None => None,
        };
        Ok(last.map_or(self.base, |note| note.end))
    }

    fn in_block(&self, end: u64) -> Option<u64> {
        if end <= self.from {
            return None;
        }
        let index = self.block.partition_point(|note| note.end < end);
        self.block.get(index).map(|note| note.time)
    }

    /// Returns the first index of `0..count` where `before` no longer holds.
    fn bisect(&self, before: impl Fn(Note) -> bool) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.note(middle)?.is_some_and(&before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn note(&self, index: u64) -> io::Result<Option<Note>> {
        Ok(record(&self.file, index + 1)?.map(Note::decode))
    }

    fn load(&mut self, first: u64) -> io::Result<()> {
        self.from = match first.checked_sub(1) {
            Some(before) if before < self.count => {
                self.note(before)?.map_or(self.base, |note| note.end)
            }
            Some(_) | None => self.base,
        };
        self.first = first;
        self.block = self.read(first, self.count.saturating_sub(first).min(BLOCK))?;
        Ok(())
    }

    fn read(&self, first: u64, count: u64) -> io::Result<Vec<Note>> {
        let mut bytes = vec![0; usize::try_from(count * SIZE).unwrap_or(0)];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, (first + 1) * SIZE + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        let (whole, _) = bytes.as_chunks();
        Ok(whole.iter().map(|bytes| Note::decode(*bytes)).collect())
    }

    /// Forgets the notes at the end that point nowhere in the segment.
    fn drop_torn(&mut self, end: u64) -> io::Result<()> {
        let sound = |note: Note| note.end > self.base && note.end <= end;
        // As good as always the last one is sound.
        while self.count > 0 {
            let first = self.count.saturating_sub(BLOCK);
            let block = match self.note(self.count - 1)? {
                Some(last) if sound(last) => return Ok(()),
                Some(_) | None => self.read(first, self.count - first)?,
            };
            match block.iter().rposition(|note| sound(*note)) {
                Some(index) => {
                    self.count = first + index as u64 + 1;
                    return Ok(());
                }
                None => self.count = first,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn times(notes: &[(u64, u64)], junk: &[u8], base: u64, size: u64) -> Times {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&notes::head(base)).expect("written");
        for &(end, time) in notes {
            file.write_all(&Note { end, time }.encode())
                .expect("written");
        }
        file.write_all(junk).expect("written");
        Times::open(Arc::new(file), base, || Ok(size))
            .expect("read")
            .expect("a head")
    }

    #[test]
    fn a_byte_came_when_the_first_note_behind_it_says() {
        let mut times = times(&[(110, 1), (120, 2), (130, 3)], &[], 100, 130);
        for (end, time) in [(101, 1), (110, 1), (111, 2), (130, 3), (105, 1)] {
            assert_eq!(times.covering(end).expect("read"), Some(time), "{end}");
        }
        assert_eq!(times.covering(131).expect("read"), None);
        assert_eq!(times.noted().expect("read"), 130);
    }

    #[test]
    fn many_notes_are_found_in_and_out_of_order() {
        let notes: Vec<_> = (1..=1000).map(|n| (n * 10, n)).collect();
        let mut times = times(&notes, &[], 0, 10_000);
        for end in (1..=10_000).chain((1..=10_000).rev().step_by(333)) {
            assert_eq!(
                times.covering(end).expect("read"),
                Some(end.div_ceil(10)),
                "{end}"
            );
        }
    }

    #[test]
    fn torn_notes_are_not_there() {
        let mut torn = times(&[(10, 1), (20, 2), (900, 9)], &[1, 2, 3], 0, 20);
        assert_eq!(torn.noted().expect("read"), 20);
        assert_eq!(torn.covering(21).expect("read"), None);
        assert_eq!(torn.end_from(20).expect("read"), Some(20));
        assert_eq!(torn.end_from(21).expect("read"), None);
        let zeros = vec![(0, 0); 700];
        let mut zeroed = times(&[&[(10, 1)], zeros.as_slice()].concat(), &[], 0, 20);
        assert_eq!(zeroed.covering(10).expect("read"), Some(1));
        assert_eq!(zeroed.noted().expect("read"), 10);
    }

    #[test]
    fn notes_about_what_was_flushed_are_a_mark_and_zeros_and_cost_the_others_nothing() {
        let mut flushed = times(
            &[(130, 0), (0, 0), (130, 3), (140, 4), (150, 5)],
            &[],
            100,
            150,
        );
        assert_eq!(flushed.flushed().expect("read"), 130);
        assert_eq!(flushed.count_before(140).expect("read"), 4);
        assert_eq!(flushed.noted().expect("read"), 150);
        for (end, time) in [(131, 4), (140, 4), (141, 5)] {
            assert_eq!(flushed.covering(end).expect("read"), Some(time), "{end}");
        }
        assert_eq!(flushed.end_before(5).expect("read"), Some(140));
    }

    #[test]
    fn a_mark_is_found_again_and_other_notes_are_none() {
        let marked = times(&[(110, 1), (120, 2)], &[], 100, 120);
        assert_eq!(marked.flushed().expect("read"), 0);
        marked.mark(&crate::disk::Real, 120).expect("marked");
        let told = head(&marked.file).expect("read");
        let (base, flushed) = (100, 120);
        assert_eq!(
            told,
            Some(Head {
                base,
                flushed,
                is_after_drop: false,
            })
        );
        assert_eq!(marked.noted().expect("read"), 120);
    }

    #[test]
    fn notes_about_a_range_are_cut_to_it() {
        let all: Vec<_> = (1..=1000).map(|n| (n * 10, n)).collect();
        let times = times(&all, &[], 0, 10_000);
        let about = |from, to, most| {
            let notes = times.about(from, to, most).expect("read");
            notes
                .into_iter()
                .map(|note| (note.end, note.time))
                .collect::<Vec<_>>()
        };
        assert_eq!(about(5, 25, 9), [(10, 1), (20, 2), (25, 3)]);
        assert_eq!(about(10, 20, 9), [(20, 2)]);
        assert_eq!(about(10, 40, 2), [(20, 2), (30, 3)]);
        assert_eq!(about(0, 10_000, 5000), all);
        assert_eq!(about(9_995, 20_000, 9), [(10_000, 1000)]);
    }

    #[test]
    fn the_end_of_the_past_is_found() {
        let mut times = times(&[(10, 5), (20, 5), (30, 7)], &[], 0, 30);
        for (time, end) in [(5, None), (6, Some(20)), (7, Some(20)), (8, Some(30))] {
            assert_eq!(times.end_before(time).expect("read"), end, "{time}");
        }
    }

    #[test]
    fn junk_is_no_times_file() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"not what you think it is")
            .expect("written");
        assert!(
            Times::open(Arc::new(file), 0, || Ok(0))
                .expect("read")
                .is_none()
        );
    }
}
