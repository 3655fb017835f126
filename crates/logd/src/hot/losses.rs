//! What is gone of a stream, and why: the format of a `*.lost` file.
//!
//! ```text
//! head      "ecolost1"                                                                      8 bytes
//! record    from: u64   to: u64   time: u64   why: u32   crc: u32                          32 bytes, repeated
//! ```
//!
//! All numbers are little-endian. A record says: these bytes of the stream are not to be had any more, and the last of them
//! came at that time (unix ns; 0: nobody knows). `why` is the number that the contract gives the reason; the crc (CRC-32) is
//! of the 28 bytes before it, and a record where it is wrong says nothing.
//!
//! - A loss is on disk before the bytes go, so that no death in between leaves a gap that nobody can explain. What a record is
//!   about and is there all the same is read as ever.
//! - The file is replaced as a whole. What adjoins and has the same reason is one record, so that a stream that loses its
//!   beginning day by day has one.

use std::fs;
use std::ops::Range;
use std::path::Path;

use super::{HotError, Place, present};
use crate::cold::tell_once;
use crate::disk::{Disk, replace};

const MAGIC: [u8; 8] = *b"ecolost1";
const RECORD: usize = 32;

/// Why bytes are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Nobody knows.
    Unknown,
    /// Somebody asked for it.
    Flushed,
    /// There was more, or it was older, than is kept.
    Retention,
    /// The disk damaged them.
    Damaged,
    /// The disk had no room, and the app was not to wait.
    Overflow,
}

impl Loss {
    const fn number(self) -> u32 {
        match self {
            Self::Unknown => 0,
            Self::Flushed => 1,
            Self::Retention => 2,
            Self::Damaged => 3,
            Self::Overflow => 4,
        }
    }

    const fn of(number: u32) -> Self {
        match number {
            1 => Self::Flushed,
            2 => Self::Retention,
            3 => Self::Damaged,
            4 => Self::Overflow,
            _ => Self::Unknown,
        }
    }
}

/// A range of a stream that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub to: u64,
    /// None of it came later than this, unix ns; 0: nobody knows.
    pub time: u64,
    /// Why.
    pub why: Loss,
}

/// All that is gone of a stream, in order, none of it twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    all: Vec<Lost>,
}

impl Losses {
    /// Reads those of a stream; what is damaged of them says nothing.
    pub(super) fn load(place: &Place) -> Result<Self, HotError> {
        let path = place.lost();
        let Some(bytes) = present(fs::read(&path), || path.clone())? else {
            return Ok(Self::default());
        };
        let mut losses = Self::default();
        let (records, torn) = bytes
            .strip_prefix(&MAGIC)
            .unwrap_or_default()
            .as_chunks::<RECORD>();
        let mut is_sound = torn.is_empty() && bytes.starts_with(&MAGIC);
        for record in records {
            match decode(record) {
                Some(lost) => losses.add(lost),
                None => is_sound = false,
            }
        }
        if !is_sound {
            let what = "the file that tells what is gone of a stream is damaged";
            tell_once(
                &path,
                what,
                "remove it: gaps that it told of stay gaps, without a reason",
            );
        }
        Ok(losses)
    }

    /// Puts those of a stream on disk.
    pub(super) fn save(&self, disk: &dyn Disk, place: &Place) -> Result<(), HotError> {
        let path = place.lost();
        let saved = replace(disk, &path, &path.with_extension("lost.new"), |file| {
            let mut bytes = MAGIC.to_vec();
            for lost in &self.all {
                bytes.extend_from_slice(&encode(lost));
            }
            file.write_all(&bytes)
        });
        saved.map_err(|source| HotError::Write { path, source })
    }

    /// Adds what is gone; what was gone before keeps its reason.
    pub fn add(&mut self, lost: Lost) {
        let mut from = lost.from;
        let mut added = Vec::new();
        for known in &self.all {
            if known.to <= from {
                continue;
            }
            if known.from >= lost.to {
                break;
            }
            if known.from > from {
                let to = known.from;
                added.push(Lost { from, to, ..lost });
            }
            from = known.to;
        }
        if from < lost.to {
            added.push(Lost { from, ..lost });
        }
        self.all.append(&mut added);
        self.all.sort_unstable_by_key(|lost| lost.from);
        let mut joined: Vec<Lost> = Vec::with_capacity(self.all.len());
        for lost in self.all.drain(..) {
            match joined.last_mut() {
                Some(before) if before.to == lost.from && before.why == lost.why => {
                    before.to = lost.to;
                    before.time = before.time.max(lost.time);
                }
                Some(_) | None => joined.push(lost),
            }
        }
        self.all = joined;
    }

    /// Adds what goes for this reason, whatever was put down about it before.
    pub(super) fn replace(&mut self, lost: Lost) {
        if lost.from >= lost.to {
            return;
        }
        let outside = self.all.drain(..).flat_map(|known| {
            let before = Lost {
                to: known.to.min(lost.from),
                ..known
            };
            let behind = Lost {
                from: known.from.max(lost.to),
                ..known
            };
            [before, behind]
        });
        self.all = outside.filter(|lost| lost.from < lost.to).collect();
        self.add(lost);
    }

    /// Adds what goes with a mark of what was flushed: everything before it that nothing else is known of.
    pub(super) fn add_mark(&mut self, mark: u64) {
        self.add(Lost {
            from: 0,
            to: mark,
            time: 0,
            why: Loss::Flushed,
        });
    }

    /// Where that ends which was flushed; a flush takes all before its mark. 0: nothing was.
    pub(super) fn flushed_to(&self) -> u64 {
        let flushed = self.all.iter().filter(|lost| lost.why == Loss::Flushed);
        flushed.map(|lost| lost.to).max().unwrap_or(0)
    }

    /// Each of them, in order.
    #[must_use]
    pub fn all(&self) -> &[Lost] {
        &self.all
    }

    /// Where the last of it ends.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.all.last().map_or(0, |lost| lost.to)
    }

    /// When the last of it came, as far as that is known.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.all.iter().map(|lost| lost.time).max().unwrap_or(0)
    }

    /// Where a question begins that is asked for what came from `since` on: behind what was flushed, and behind what is gone
    /// and came before.
    #[must_use]
    pub fn asked_from(&self, since: u64) -> u64 {
        let is_over =
            |lost: &&Lost| lost.why == Loss::Flushed || (lost.time > 0 && lost.time < since);
        self.all.iter().rfind(is_over).map_or(0, |lost| lost.to)
    }

    /// What of it lies in `range`, cut to that.
    #[must_use]
    pub fn within(&self, range: Range<u64>) -> Vec<Lost> {
        let cut = |lost: &Lost| Lost {
            from: lost.from.max(range.start),
            to: lost.to.min(range.end),
            ..*lost
        };
        let all = self.all.iter().map(cut);
        all.filter(|lost| lost.from < lost.to).collect()
    }

    /// Cuts `range`, which is gone, by the reasons.
    pub(super) fn reasons(&self, range: Range<u64>) -> Vec<(Range<u64>, Loss)> {
        let mut pieces = Vec::new();
        let mut at = range.start;
        for lost in &self.all {
            let (from, to) = (lost.from.max(at), lost.to.min(range.end));
            if from >= to {
                continue;
            }
            if from > at {
                pieces.push((at..from, Loss::Unknown));
            }
            pieces.push((from..to, lost.why));
            at = to;
        }
        if at < range.end {
            pieces.push((at..range.end, Loss::Unknown));
        }
        pieces
    }

    /// Whether nothing is known to be gone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// Returns whether a stream has such a file.
pub(super) fn is_file(place: &Place) -> bool {
    let path: &Path = &place.lost();
    path.symlink_metadata().is_ok()
}

fn encode(lost: &Lost) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD);
    for number in [lost.from, lost.to, lost.time] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&lost.why.number().to_le_bytes());
    let sum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

fn decode(record: &[u8; RECORD]) -> Option<Lost> {
    let (summed, sum) = record.split_last_chunk::<4>()?;
    if *sum != crc32fast::hash(summed).to_le_bytes() {
        return None;
    }
    let (longs, why) = summed.split_last_chunk::<4>()?;
    let &[from, to, time] = longs.as_chunks::<8>().0 else {
        return None;
    };
    let lost = Lost {
        from: u64::from_le_bytes(from),
        to: u64::from_le_bytes(to),
        time: u64::from_le_bytes(time),
        why: Loss::of(u32::from_le_bytes(*why)),
    };
    (lost.from < lost.to).then_some(lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(all: &[(u64, u64, u64, Loss)]) -> Losses {
        let mut losses = Losses::default();
        for &(from, to, time, why) in all {
            losses.add(Lost {
                from,
                to,
                time,
                why,
            });
        }
        losses
    }

    #[test]
    fn what_adjoins_and_has_the_same_reason_is_one_and_the_first_reason_stays() {
        let mut found = losses(&[
            (0, 10, 3, Loss::Retention),
            (10, 20, 5, Loss::Retention),
            (40, 50, 0, Loss::Damaged),
        ]);
        found.add_mark(60);
        let told: Vec<_> = found
            .all
            .iter()
            .map(|lost| (lost.from, lost.to, lost.time, lost.why))
            .collect();
        let expected = [
            (0, 20, 5, Loss::Retention),
            (20, 40, 0, Loss::Flushed),
            (40, 50, 0, Loss::Damaged),
            (50, 60, 0, Loss::Flushed),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_goes_for_another_reason_than_was_put_down_has_that_one() {
        let mut found = losses(&[(0, 10, 3, Loss::Retention), (20, 40, 3, Loss::Damaged)]);
        found.replace(Lost {
            from: 5,
            to: 30,
            time: 0,
            why: Loss::Flushed,
        });
        let pieces = [
            (0..5, Loss::Retention),
            (5..30, Loss::Flushed),
            (30..40, Loss::Damaged),
        ];
        assert_eq!(found.reasons(0..40), pieces);
        assert_eq!(found.flushed_to(), 30);
    }

    #[test]
    fn a_gap_is_told_by_its_reasons() {
        let found = losses(&[(10, 20, 3, Loss::Retention), (30, 40, 3, Loss::Damaged)]);
        let pieces = [
            (5..10, Loss::Unknown),
            (10..20, Loss::Retention),
            (20..30, Loss::Unknown),
            (30..35, Loss::Damaged),
        ];
        assert_eq!(found.reasons(5..35), pieces);
    }

    #[test]
    fn a_question_begins_behind_what_was_flushed_and_what_is_too_old() {
        let found = losses(&[(0, 10, 0, Loss::Flushed), (10, 20, 100, Loss::Retention)]);
        assert_eq!(found.asked_from(0), 10);
        assert_eq!(found.asked_from(100), 10);
        assert_eq!(found.asked_from(101), 20);
    }

    #[test]
    fn losses_survive_the_file_and_a_damaged_record_costs_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::new(folder.path().to_owned(), eco_home::runs::Stream::Out);
        let saved = losses(&[(0, 10, 0, Loss::Flushed), (10, 20, 100, Loss::Retention)]);
        saved.save(&crate::disk::Real, &place).expect("saved");
        assert_eq!(Losses::load(&place).expect("loaded"), saved);
        let mut bytes = fs::read(place.lost()).expect("there");
        bytes[MAGIC.len() + 3] ^= 1;
        fs::write(place.lost(), bytes).expect("written");
        let left = losses(&[(10, 20, 100, Loss::Retention)]);
        assert_eq!(Losses::load(&place).expect("loaded"), left);
    }
}
