//! The law of conservation: what a stream was given is read as it was given, each byte once and with its time, or is told as
//! gone, with the reason it went for; whoever dies, and whatever the disk refuses.
//!
//! The files, the packing, the flushing, the retention and the questions are the real ones, and the disk below them fails as
//! told. The model is a list of bytes, each with its time and what became of it.

use std::fs::{self, File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eco_home::notes::{self, Note};
use eco_home::runs::Stream;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

mod faulty;
mod telling;
mod walks;

use faulty::{Fault, Faulty, fault};
use telling::{Byte, Telling, Told, told, without_cut_times};

use super::world::{Writer, ask, everything, read_all, run_id};
use crate::disk::Real;
use crate::hot::{self, Life, Loss, Place, Reader, Tail, Tier, survey};
use crate::query::Query;

#[derive(Clone, Debug)]
enum Action {
    /// The app writes this, so much later than before.
    Append(Vec<u8>, u64),
    /// The keeper is killed before it noted what it moved, perhaps within the note, and the next one goes on.
    KillKeeper(Vec<u8>, u64, usize),
    Rotate,
    /// The keeper is killed between the two files of the next segment.
    KillWithinRotation,
    /// The disk put something in place of the first note.
    Junk(u64),
    Seal(Option<Fault>),
    /// The log daemon is killed, and the next one cleans up.
    Restart,
    Flush(Option<Fault>),
    /// A complete segment goes.
    Drop(usize, Option<Fault>),
    /// The beginning of what grows goes.
    DropOldest(u64, Option<Fault>),
    /// What came before this of what grows goes.
    DropOlder(u64, Option<Fault>),
    /// A follower looks.
    Follow,
    /// Somebody asks for what came since he last asked.
    AskOn,
    /// The run ends.
    End,
}

fn action() -> impl Strategy<Value = Action> {
    let text = || vec(prop_oneof![5 => 97..100_u8, 1 => Just(b'\n')], 1..40);
    prop_oneof![
        12 => (text(), 0..4_u64).prop_map(|(text, later)| Action::Append(text, later)),
        2 => (text(), 0..4_u64, 0..notes::SIZE)
            .prop_map(|(text, later, torn)| Action::KillKeeper(text, later, torn)),
        4 => Just(Action::Rotate),
        1 => Just(Action::KillWithinRotation),
        1 => any::<u64>().prop_map(Action::Junk),
        4 => fault().prop_map(Action::Seal),
        2 => Just(Action::Restart),
        1 => fault().prop_map(Action::Flush),
        2 => (0..4_usize, fault()).prop_map(|(index, fault)| Action::Drop(index, fault)),
        1 => (1..60_u64, fault()).prop_map(|(room, fault)| Action::DropOldest(room, fault)),
        1 => (1000..1040_u64, fault()).prop_map(|(since, fault)| Action::DropOlder(since, fault)),
        3 => Just(Action::Follow),
        2 => Just(Action::AskOn),
        1 => Just(Action::End),
    ]
}

/// The number of a segment.
fn number(index: usize) -> u32 {
    u32::try_from(index + 1).expect("small")
}

/// A stream, those who read it, and the model of it.
struct World {
    home: TempDir,
    writer: Writer,
    place: Place,
    bytes: Vec<Byte>,
    /// Where each segment begins.
    bases: Vec<usize>,
    /// Where each note of a segment ends, by segment.
    notes: Vec<Vec<usize>>,
    time: u64,
    has_ended: bool,
    /// Nothing before this is told to who asks later.
    marked: usize,
    follower: Reader,
    following: Telling,
    cursor: usize,
    /// When the folder changed: no two changes look like one here, and none is fresh.
    changed: SystemTime,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
        writer.rotate();
        let place = writer.place();
        let found = survey(&place).expect("surveyed");
        let follower = Reader::new(place.clone(), found.extents, 0, 0, Tail::Held);
        Self {
            home,
            place,
            writer,
            bytes: Vec::new(),
            bases: vec![0],
            notes: vec![Vec::new()],
            time: 1000,
            has_ended: false,
            marked: 0,
            follower,
            following: Telling::default(),
            cursor: 0,
            changed: UNIX_EPOCH,
        }
    }

    /// Has the folder look as if time went by, if something came to it or went.
    fn settle(&mut self) {
        let folder = File::open(self.place.folder()).expect("there");
        let metadata = folder.metadata().expect("there");
        if metadata.modified().expect("told") != self.changed {
            self.changed += Duration::from_secs(1);
            folder.set_modified(self.changed).expect("set");
        }
    }

    fn tail(&self) -> Tail {
        if self.has_ended {
            Tail::Passed
        } else {
            Tail::Held
        }
    }

    fn act(&mut self, action: &Action) {
        let lives = !self.has_ended;
        match action {
            Action::Append(text, later) if lives => {
                self.given(text, *later);
                self.writer.write(text, self.time);
                self.noted();
            }
            Action::KillKeeper(text, later, torn) if lives => self.kill_keeper(text, *later, *torn),
            Action::Rotate if lives => self.rotate(),
            Action::KillWithinRotation if lives => self.kill_within_rotation(),
            Action::Junk(end) => self.junk(*end),
            Action::Seal(fault) => self.seal(*fault),
            Action::Restart => hot::clean(&Real, &self.place).expect("cleaned"),
            Action::Flush(fault) if lives => self.flush(*fault),
            Action::Drop(index, fault) => self.drop_piece(*index, *fault),
            Action::DropOldest(room, fault) if lives => self.drop_oldest(*room, *fault),
            Action::DropOlder(since, fault) if lives => self.drop_older(*since, *fault),
            Action::Follow => self.follow(),
            Action::AskOn => self.ask_on(),
            Action::End if lives => {
                self.writer.end();
                self.writer.change_at(self.time);
                self.has_ended = true;
            }
            Action::Append(..)
            | Action::KillKeeper(..)
            | Action::Rotate
            | Action::KillWithinRotation
            | Action::Flush(_)
            | Action::DropOldest(..)
            | Action::DropOlder(..)
            | Action::End => {}
        }
    }

    fn given(&mut self, text: &[u8], later: u64) {
        self.time += later;
        self.bytes.extend(text.iter().map(|byte| Byte {
            value: *byte,
            time: self.time,
            gone: None,
            told: None,
        }));
    }

    fn noted(&mut self) {
        let end = self.bytes.len();
        self.notes.last_mut().expect("one at least").push(end);
    }

    fn kill_keeper(&mut self, text: &[u8], later: u64, torn: usize) {
        self.given(text, later);
        self.writer.write_bytes(text);
        self.writer.change_at(self.time);
        let note = Note {
            end: self.bytes.len() as u64,
            time: self.time,
        };
        let times = self.writer.times();
        let sound = fs::metadata(&times).expect("there").len();
        super::world::append(&times, &note.encode()[..torn]);
        self.check();
        // The next keeper.
        let file = OpenOptions::new().write(true).open(&times).expect("there");
        file.set_len(sound).expect("cut");
        self.writer.note(note.end, note.time);
        self.noted();
    }

    fn rotate(&mut self) {
        // A keeper begins a segment when there is something for it, and only the last one may be empty.
        if self.bases.last() == Some(&self.bytes.len()) {
            return;
        }
        self.writer.rotate();
        self.bases.push(self.bytes.len());
        self.notes.push(Vec::new());
    }

    fn kill_within_rotation(&mut self) {
        let next = self
            .place
            .folder()
            .join(Stream::Out.times(number(self.bases.len())));
        fs::write(&next, notes::head(self.bytes.len() as u64)).expect("written");
        self.check();
        fs::remove_file(&next).expect("there");
    }

    /// Nothing is lost by it, and nothing is longer than it is; what is marked otherwise is as flushed.
    fn junk(&mut self, junk: u64) {
        let end = self.bytes.len() as u64;
        let times = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.writer.times());
        let (Ok(times), true) = (times, junk > end && self.writer.segment().exists()) else {
            return;
        };
        let at = notes::SIZE as u64;
        let mut note = [0; notes::SIZE];
        if times.read_exact_at(&mut note, at).is_err() || Note::decode(note).is_flushed() {
            return;
        }
        times
            .write_all_at(&Note::flushed(junk).encode(), at)
            .expect("written");
        // No note is about its bytes now, and nobody waits for one.
        self.writer.change_at(self.time);
        let texts = |told: Vec<Told>| {
            told.into_iter()
                .map(|one| match one {
                    Told::Line(offset, _, text) => Told::Line(offset, 0, text),
                    gap @ Told::Gap(..) => gap,
                })
                .collect::<Vec<_>>()
        };
        let expected = Telling::default().go_on(&self.bytes, Tail::Passed);
        assert_eq!(texts(told(&read_all(&self.place))), texts(expected));
        assert_eq!(survey(&self.place).expect("surveyed").end(), end);
        times.write_all_at(&note, at).expect("written");
    }

    fn seal(&self, fault: Option<Fault>) {
        let disk = Faulty::new(fault);
        let found = survey(&self.place).expect("surveyed");
        for extent in hot::sealable(&found) {
            let sealed = hot::seal(&disk, &self.place, extent, &|| false);
            assert!(sealed.is_ok() || fault.is_some(), "{sealed:?}");
        }
    }

    fn lose(&mut self, range: Range<usize>, why: Loss) {
        for byte in &mut self.bytes[range] {
            let why = byte.told.unwrap_or(why);
            byte.gone = byte.gone.or(Some(why));
        }
    }

    /// Everything before an offset goes because of a mark, which a segment took if one could. A segment that could not be deleted
    /// is told to whoever goes on before the mark, and to nobody who asks later.
    fn lose_before(&mut self, mark: usize, taker: Option<usize>) {
        let found = survey(&self.place).expect("surveyed");
        let is_there = |segment| {
            let mut extents = found.extents.iter();
            extents.any(|extent| extent.number == number(segment) && extent.length > 0)
        };
        for segment in 0..self.bases.len() {
            let (from, to) = (self.bases[segment], self.end_of(segment));
            let is_left = to <= mark && taker != Some(segment) && is_there(segment);
            let range = from.min(mark)..to.min(mark);
            if !is_left {
                self.lose(range, Loss::Flushed);
            } else if let Some(bytes) = self.bytes.get_mut(range) {
                for byte in bytes {
                    byte.told = byte.told.or(Some(Loss::Flushed));
                }
            }
        }
        self.marked = self.marked.max(mark);
    }

    /// Flushing never leaves a part in sight: it is done when its mark is on disk.
    fn flush(&mut self, fault: Option<Fault>) {
        let taker = self.last_noted().map(|(segment, _)| segment);
        let end = self.flushable();
        let start = survey(&self.place).expect("surveyed").start();
        let start = usize::try_from(start).expect("small");
        let flushed = hot::flush_on(&Faulty::new(fault), &self.place);
        let found = survey(&self.place).expect("surveyed");
        let is_done = flushed.is_ok() || found.start() == end as u64;
        assert!(is_done || fault.is_some(), "{flushed:?}");
        if is_done {
            if taker.is_none() {
                // The mark stands with the losses, and what was put down there as going for another reason has this one.
                let left = self.bytes[..end].iter_mut().skip(start);
                left.for_each(|byte| byte.told = None);
            }
            self.lose_before(end, taker);
        }
    }

    /// The last segment that is there and notes are about, unless it is sealed: then they are in it.
    fn last_noted(&self) -> Option<(usize, &Vec<usize>)> {
        let found = survey(&self.place).expect("surveyed");
        let extents = found.extents.iter().rev();
        let mut hot = extents.take_while(|extent| extent.tier == Tier::Hot);
        hot.find_map(|extent| {
            let segment = usize::try_from(extent.number - 1).expect("small");
            let notes = &self.notes[segment];
            (!notes.is_empty()).then_some((segment, notes))
        })
    }

    /// Where that ends which can be flushed.
    fn flushable(&self) -> usize {
        let sealed = || {
            let found = survey(&self.place).expect("surveyed");
            let mut extents = found.extents.iter();
            let last = extents.rfind(|extent| extent.tier == Tier::Sealed)?;
            usize::try_from(last.number - 1).ok()
        };
        let noted = self.last_noted().map(|(segment, _)| segment);
        noted
            .or_else(sealed)
            .map_or(0, |segment| self.end_of(segment))
    }

    fn end_of(&self, segment: usize) -> usize {
        self.bases
            .get(segment + 1)
            .copied()
            .unwrap_or(self.bytes.len())
    }

    fn drop_piece(&mut self, index: usize, fault: Option<Fault>) {
        let found = survey(&self.place).expect("surveyed");
        let pieces = hot::pieces(&self.place, &found).expect("there");
        let complete: Vec<_> = pieces.iter().filter(|piece| piece.is_complete).collect();
        let Some(piece) = complete.get(index).copied().copied() else {
            return;
        };
        let dropped = hot::drop_piece(&Faulty::new(fault), &self.place, piece.number);
        assert!(dropped.is_ok() || fault.is_some(), "{dropped:?}");
        let segment = usize::try_from(piece.number - 1).expect("small");
        let range = self.bases[segment]..self.end_of(segment);
        self.go_with(range, dropped.is_ok(), piece.number);
    }

    /// What is put down as lost and is there all the same has its reason for when it goes.
    fn put_down(&mut self, found: &hot::Survey) {
        let retained = |lost: &&hot::Lost| lost.why == Loss::Retention;
        for lost in found.losses.all().iter().filter(retained) {
            for (offset, byte) in self.bytes.iter_mut().enumerate() {
                let is_in = (lost.from..lost.to).contains(&(offset as u64));
                if is_in && byte.gone.is_none() {
                    byte.told = Some(Loss::Retention);
                }
            }
        }
    }

    /// What went is gone, and what was put down as going is told as that when it goes.
    fn go_with(&mut self, range: Range<usize>, is_done: bool, number: u32) {
        let now = survey(&self.place).expect("surveyed");
        let is_there = now
            .extents
            .iter()
            .any(|extent| extent.number == number && extent.length > 0);
        assert!(!(is_done && is_there));
        self.put_down(&now);
        if !is_there {
            self.lose(range, Loss::Retention);
        }
    }

    fn drop_oldest(&mut self, room: u64, fault: Option<Fault>) {
        let disk = Faulty::new(fault);
        self.drop_beginning(
            fault,
            |notes, _, start| {
                notes
                    .iter()
                    .copied()
                    .find(|end| *end as u64 >= start + room)
            },
            |place| hot::drop_oldest(&disk, place, room),
        );
    }

    fn drop_older(&mut self, since: u64, fault: Option<Fault>) {
        let disk = Faulty::new(fault);
        self.drop_beginning(
            fault,
            |notes, bytes, _| {
                let mut older = notes.iter().copied();
                older.rfind(|end| bytes[*end - 1].time < since)
            },
            |place| hot::drop_older(&disk, place, since),
        );
    }

    /// `find` says up to where, of the notes of the segment, all bytes and where it begins.
    fn drop_beginning(
        &mut self,
        fault: Option<Fault>,
        find: impl FnOnce(&[usize], &[Byte], u64) -> Option<usize>,
        drop: impl FnOnce(&Place) -> Result<u64, hot::HotError>,
    ) {
        let found = survey(&self.place).expect("surveyed");
        let Some((segment, notes)) = self.last_noted() else {
            return;
        };
        let start = found.start().max(self.bases[segment] as u64);
        let up_to = find(notes, &self.bytes, start).filter(|up_to| *up_to as u64 > start);
        let dropped = drop(&self.place);
        let now = survey(&self.place).expect("surveyed");
        let Some(up_to) = up_to else {
            assert_eq!(now, found);
            return;
        };
        let is_done = dropped.is_ok() || now.marked == up_to as u64;
        assert!(is_done || fault.is_some(), "{dropped:?}");
        self.put_down(&now);
        if is_done {
            self.lose_before(up_to, Some(segment));
        }
    }

    fn follow(&mut self) {
        self.follower.look().expect("looked");
        let items: Vec<_> = std::iter::from_fn(|| self.follower.read().expect("read")).collect();
        let expected = self.following.go_on(&self.bytes, self.tail());
        assert_eq!(
            without_cut_times(told(&items), &self.bytes),
            without_cut_times(expected, &self.bytes),
            "a follower"
        );
    }

    /// Goes on from a cursor: where the last line ends that was told.
    fn ask_on(&mut self) {
        let found = survey(&self.place).expect("surveyed");
        let (from, end) = (self.cursor as u64, found.end());
        let mut reader = Reader::new(self.place.clone(), found.extents, from, end, self.tail());
        let items: Vec<_> = std::iter::from_fn(|| reader.read().expect("read")).collect();
        let mut telling = Telling::from(self.cursor);
        assert_eq!(
            told(&items),
            telling.go_on(&self.bytes, self.tail()),
            "from a cursor"
        );
        let begun = telling
            .begun
            .map_or(telling.at as u64, |(begins, _)| begins);
        self.cursor = usize::try_from(begun).expect("small");
    }

    /// Whoever reads all of it now is told all that the model holds.
    fn check(&self) {
        let expected = Telling::default().go_on(&self.bytes, Tail::Passed);
        assert_eq!(told(&read_all(&self.place)), expected);
        let found = survey(&self.place).expect("surveyed");
        assert_eq!(found.end(), self.bytes.len() as u64);
        let life = if self.has_ended {
            Life::Ended
        } else {
            Life::Written
        };
        if !self.bytes.is_empty() {
            assert_eq!(found.life, life);
        }
    }

    /// Questions for a part of it.
    fn check_parts(&self, last: u64, since: u64, length: u64) {
        let all = Telling::from(self.marked).go_on(&self.bytes, Tail::Passed);
        let lines: Vec<_> = all
            .iter()
            .filter_map(|one| match one {
                Told::Line(_, time, text) => Some((*time, format!("api.1.out {text}"))),
                Told::Gap(..) => None,
            })
            .collect();
        let texts =
            |lines: &[(u64, String)]| lines.iter().map(|line| line.1.clone()).collect::<Vec<_>>();
        let answer = |query: &Query| {
            let mut lines = ask(self.home.path(), query);
            lines.retain(|line| !line.ends_with(" gone>"));
            lines
        };
        let skip = lines
            .len()
            .saturating_sub(usize::try_from(last).expect("small"));
        let query = Query {
            last: Some(last),
            ..everything()
        };
        assert_eq!(answer(&query), texts(&lines[skip..]), "the last {last}");
        let is_cut = |pair: &[Told]| matches!(pair, [Told::Line(..), Told::Gap(..)]);
        if all.windows(2).any(is_cut) {
            // When a line came whose end is gone nobody knows: it may be told or not.
            return;
        }
        let range = since..since + length;
        let query = Query {
            since: range.start,
            until: range.end,
            ..everything()
        };
        let within: Vec<_> = lines
            .iter()
            .filter(|line| range.contains(&line.0))
            .cloned()
            .collect();
        assert_eq!(answer(&query), texts(&within), "within {range:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_written_is_read_once_or_told_as_gone(
        actions in vec(action(), 1..40), last in 0..12_u64, since in 995..1060_u64, length in 0..30_u64,
    ) {
        let mut world = World::new();
        for action in &actions {
            world.act(action);
            world.settle();
            world.check();
        }
        world.check_parts(last, since, length);
        hot::clean(&Real, &world.place).expect("cleaned");
        world.seal(None);
        world.check();
        world.check_parts(last, since, length);
        world.follow();
        world.ask_on();
    }
}
