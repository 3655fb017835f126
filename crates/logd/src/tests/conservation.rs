//! What is emitted is kept there or counted as gone, each byte once and with its time, whatever happens on the way.
//!
//! The source and the replica are real files, the sender and the receiver the real ones; between them is a queue that
//! repeats, reorders and loses, and both ends die at any point. A list of (byte, time) is the model.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eco_home::notes;
use eco_home::runs::{RunId, Stream};
use proptest::prelude::*;
use tempfile::TempDir;

use super::world::Writer;
use crate::chunk::{Ack, Chunk, StreamId};
use crate::disk::Real;
use crate::hot::{self, Place, raw, survey};
use crate::replica::{Durability, ReceiveError, Receiver, Session};
use crate::ship::{Depth, Outgoing};
use crate::tail::Bell;

#[derive(Clone, Copy, Debug)]
enum Op {
    Append(u8),
    Rotate,
    /// The source's retention takes its complete segments.
    DropAtSource,
    FlushSource,
    FlushReplica,
    /// What is complete is packed.
    Seal(Side),
    /// The oldest segment goes, whole if it is complete.
    Retain(Side),
    Send,
    Deliver,
    /// All that is on its way, as one batch.
    DeliverAll,
    /// Something that came before comes once more.
    Repeat(usize),
    /// What comes next has what came last before it, as one chunk.
    Straddle,
    /// The second on the way overtakes the first.
    Overtake,
    /// What is delivered is written in part only, and the receiver is gone.
    KillReceiver(Torn, u8),
    KillSender,
    End,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Source,
    Replica,
}

#[derive(Clone, Copy, Debug)]
enum Torn {
    Nothing,
    Bytes,
    Notes,
    /// The notes are there, and the bytes in part only: the disk has its own order.
    Order,
    Mark,
}

fn op() -> impl Strategy<Value = Op> {
    let torn = prop_oneof![
        Just(Torn::Nothing),
        Just(Torn::Bytes),
        Just(Torn::Notes),
        Just(Torn::Order),
        Just(Torn::Mark)
    ];
    let side = || prop_oneof![Just(Side::Source), Just(Side::Replica)];
    prop_oneof![
        8 => any::<u8>().prop_map(Op::Append),
        2 => Just(Op::Rotate),
        1 => Just(Op::DropAtSource),
        1 => Just(Op::FlushSource),
        1 => Just(Op::FlushReplica),
        4 => side().prop_map(Op::Seal),
        2 => side().prop_map(Op::Retain),
        9 => Just(Op::Send),
        8 => Just(Op::Deliver),
        2 => Just(Op::DeliverAll),
        3 => any::<usize>().prop_map(Op::Repeat),
        2 => Just(Op::Straddle),
        2 => Just(Op::Overtake),
        4 => (torn, any::<u8>()).prop_map(|(torn, part)| Op::KillReceiver(torn, part)),
        1 => Just(Op::KillSender),
        1 => Just(Op::End),
    ]
}

struct World {
    _source: TempDir,
    replica: TempDir,
    id: StreamId,
    durability: Durability,
    writer: Writer,
    has_ended: bool,
    outgoing: Outgoing,
    session: Session,
    on_the_way: VecDeque<Chunk>,
    came: Vec<Chunk>,
    /// The model: what was emitted, with its times.
    emitted: Vec<(u8, u64)>,
    /// Up to where it is gone at the source, and there.
    gone: usize,
    gone_there: usize,
    /// What was seen there, and what was said to be kept.
    seen: Vec<bool>,
    acked: u64,
}

impl World {
    fn new(durability: Durability) -> Self {
        let (source, replica) = (folder(), folder());
        let run = RunId {
            host: "far".to_owned(),
            environment: "dev".to_owned(),
            app: "@acme/api".to_owned(),
            instance: 3,
            run: 7,
        };
        let stream = Stream::Out;
        let writer = Writer::new(source.path(), &run, stream);
        let id = StreamId { run, stream };
        Self {
            outgoing: Outgoing::new(id.clone(), writer.place()),
            session: session(replica.path(), durability),
            _source: source,
            replica,
            id,
            durability,
            writer,
            has_ended: false,
            on_the_way: VecDeque::new(),
            came: Vec::new(),
            emitted: Vec::new(),
            gone: 0,
            gone_there: 0,
            seen: Vec::new(),
            acked: 0,
        }
    }

    fn place(&self) -> Place {
        Place::new(self.folder(), self.id.stream)
    }

    fn folder(&self) -> PathBuf {
        self.id.run.folder(self.replica.path())
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Append(length) if !self.has_ended => self.append(usize::from(length % 40) + 1),
            Op::Rotate if !self.has_ended => self.writer.rotate(),
            Op::DropAtSource => self.drop_at_source(),
            Op::FlushSource if !self.has_ended => {
                hot::flush(&self.writer.place()).expect("flushed");
                self.gone = self.emitted.len();
            }
            Op::FlushReplica if hot::is_written(&self.place()) => {
                let end = survey(&self.place()).expect("surveyed").end();
                hot::flush(&self.place()).expect("flushed");
                self.gone_there = self.gone_there.max(usize::try_from(end).expect("small"));
            }
            Op::Seal(side) => self.seal(side),
            Op::Retain(side) => self.retain(side),
            Op::Send => {
                let next = self.outgoing.next(Depth::Look).expect("read");
                self.on_the_way.extend(next);
            }
            Op::Deliver => {
                if let Some(chunk) = self.on_the_way.pop_front() {
                    self.deliver(vec![chunk]).expect("in order");
                }
            }
            Op::DeliverAll => {
                let all = self.on_the_way.drain(..).collect();
                self.deliver(all).expect("in order");
            }
            Op::Repeat(index) => {
                if let Some(index) = index.checked_rem(self.came.len()) {
                    let chunk = self.came[index].clone();
                    self.deliver(vec![chunk]).expect("a repeat");
                }
            }
            Op::Straddle => {
                if let Some(mut next) = self.on_the_way.pop_front() {
                    let before = self.came.last();
                    if let Some(before) = before.filter(|before| before.end() == next.offset) {
                        next.offset = before.offset;
                        next.bytes.splice(0..0, before.bytes.iter().copied());
                        next.notes.splice(0..0, before.notes.iter().copied());
                        next.gone = before.gone;
                    }
                    self.deliver(vec![next]).expect("in order");
                }
            }
            Op::Overtake => {
                if let Some(chunk) = self.on_the_way.remove(1) {
                    match self.deliver(vec![chunk]) {
                        Ok(()) => {}
                        Err(ReceiveError::Early { .. }) => self.connect(),
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            Op::KillReceiver(torn, part) => self.kill_receiver(torn, part),
            Op::KillSender => self.connect(),
            Op::End => self.end(),
            Op::Append(_) | Op::Rotate | Op::FlushSource | Op::FlushReplica => {}
        }
    }

    fn append(&mut self, length: usize) {
        let time = 1_000 + self.emitted.len() as u64;
        let bytes: Vec<u8> = (0..length)
            .map(|index| u8::try_from((self.emitted.len() + index) % 251).expect("small"))
            .collect();
        self.writer.write(&bytes, time);
        self.emitted
            .extend(bytes.into_iter().map(|byte| (byte, time)));
    }

    fn drop_at_source(&mut self) {
        let place = survey(&self.writer.place()).expect("surveyed");
        let Some((last, complete)) = place.extents.split_last() else {
            return;
        };
        for extent in complete {
            let folder = self.writer.segment();
            let folder = folder.parent().expect("a folder");
            for name in [
                Stream::Out.segment(extent.number),
                Stream::Out.times(extent.number),
                Stream::Out.sealed(extent.number),
            ] {
                fs::remove_file(folder.join(name)).ok();
            }
        }
        self.gone = self.gone.max(usize::try_from(last.base).expect("small"));
    }

    fn side(&self, side: Side) -> Place {
        match side {
            Side::Source => self.writer.place(),
            Side::Replica => self.place(),
        }
    }

    fn seal(&self, side: Side) {
        let place = self.side(side);
        let survey = survey(&place).expect("surveyed");
        for extent in hot::sealable(&survey) {
            hot::seal(&Real, &place, extent, &|| false).expect("sealed");
        }
    }

    fn retain(&mut self, side: Side) {
        let place = self.side(side);
        let before = survey(&place).expect("surveyed");
        let Some((extent, piece)) = before.extents.first().zip(
            hot::pieces(&place, &before)
                .expect("looked at")
                .into_iter()
                .next(),
        ) else {
            return;
        };
        let end = if piece.is_complete {
            hot::drop_piece(&Real, &place, piece.number).expect("dropped");
            extent.end()
        } else {
            hot::drop_oldest(&Real, &place, 3).expect("dropped");
            survey(&place).expect("surveyed").start()
        };
        let gone = match side {
            Side::Source => &mut self.gone,
            Side::Replica => &mut self.gone_there,
        };
        *gone = (*gone).max(usize::try_from(end).expect("small"));
    }

    fn deliver(&mut self, chunks: Vec<Chunk>) -> Result<(), ReceiveError> {
        let acks = self.session.take(&chunks)?;
        self.came.extend(chunks);
        for Ack { end, standing, .. } in acks {
            self.acked = self.acked.max(end);
            self.outgoing.hear(end, standing);
        }
        Ok(())
    }

    /// Both ends begin anew; what is on the way is lost.
    fn connect(&mut self) {
        self.on_the_way.clear();
        self.outgoing = Outgoing::new(self.id.clone(), self.writer.place());
        self.session = session(self.replica.path(), self.durability);
    }

    fn kill_receiver(&mut self, torn: Torn, part: u8) {
        if let Some(chunk) = self.on_the_way.pop_front() {
            let before = files(&self.folder());
            self.session.take(&[chunk]).expect("in order");
            tear(&self.folder(), &before, torn, part);
        }
        self.connect();
    }

    fn end(&mut self) {
        if !self.has_ended {
            self.append(1);
            self.writer.end();
            self.has_ended = true;
        }
    }

    /// Everything that is there is what was emitted, and nothing else is missing than what may be.
    fn check(&mut self) {
        let place = self.place();
        let survey = survey(&place).expect("surveyed");
        let end = usize::try_from(survey.end()).expect("small");
        assert!(end <= self.emitted.len(), "{end} of {}", self.emitted.len());
        assert!(survey.end() >= self.acked, "{end} of {}", self.acked);
        let mut there = vec![false; end];
        let mut from = 0;
        while let Some(piece) = raw(&place, &survey, from, 7).expect("read").piece {
            let mut at = usize::try_from(piece.offset).expect("small");
            let mut notes = piece.notes.iter();
            let mut note = notes.next().expect("noted");
            for byte in piece.bytes {
                while note.end <= at as u64 {
                    note = notes.next().expect("noted");
                }
                assert_eq!((byte, note.time), self.emitted[at], "at {at}");
                there[at] = true;
                at += 1;
            }
            from = at as u64;
        }
        self.seen.resize(self.emitted.len(), false);
        for (at, is_there) in there.into_iter().enumerate() {
            let was_flushed = at < self.gone_there;
            assert!(is_there || was_flushed || at < self.gone, "{at} is missing");
            assert!(is_there || was_flushed || !self.seen[at], "{at} is lost");
            assert!(!(is_there && was_flushed), "{at} came back");
            self.seen[at] |= is_there;
        }
        let lost = (end.max(self.gone_there)..self.emitted.len()).find(|at| self.seen[*at]);
        // What was torn off was never said to be kept.
        for at in lost.into_iter().flat_map(|at| at..self.emitted.len()) {
            self.seen[at] = false;
        }
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn session(runs: &Path, durability: Durability) -> Session {
    let receiver = Receiver::new(
        runs.to_owned(),
        "near".to_owned(),
        durability,
        Arc::new(Bell::default()),
    );
    Session::new(Arc::new(receiver))
}

fn files(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| {
            let path = entry.expect("listed").path();
            let length = fs::metadata(&path).expect("there").len();
            (path, length)
        })
        .collect()
}

/// Takes a part of what was written back, as a death at that point leaves it: bytes come before notes, and a mark last.
fn tear(folder: &Path, before: &BTreeMap<PathBuf, u64>, torn: Torn, part: u8) {
    let after = files(folder);
    let cut = |path: &Path, least: u64| {
        let from = before.get(path).copied().unwrap_or(least);
        let Some(to) = after.get(path).copied().filter(|to| *to > from) else {
            return;
        };
        let length = from + (to - from) * u64::from(part) / 256;
        let file = OpenOptions::new().write(true).open(path).expect("opened");
        file.set_len(length).expect("cut");
    };
    let ended = folder.join(Stream::Out.ended());
    if after.contains_key(&ended) && !before.contains_key(&ended) {
        if matches!(torn, Torn::Nothing) {
            return;
        }
        File::create(folder.join(Stream::Out.growing())).expect("as before");
        cut(&ended, 0);
        return;
    }
    let names = after.keys().filter_map(|path| path.file_name()?.to_str());
    let last = names.filter_map(|name| Stream::Out.segment_number(name));
    let Some(number) = last.max() else {
        return;
    };
    let segment = folder.join(Stream::Out.segment(number));
    let times = folder.join(Stream::Out.times(number));
    let head = notes::SIZE as u64;
    match torn {
        Torn::Nothing => {}
        Torn::Notes => cut(&times, head),
        Torn::Order => cut(&segment, 0),
        Torn::Bytes | Torn::Mark => {
            let length = before.get(&times).copied().unwrap_or(head);
            let file = OpenOptions::new().write(true).open(&times).expect("opened");
            file.set_len(length).expect("cut");
            cut(&segment, 0);
            if matches!(torn, Torn::Mark) && !before.contains_key(&segment) {
                fs::remove_file(&segment).expect("removed");
            }
        }
    }
}

fn walk(durability: Durability, ops: &[Op]) {
    let mut world = World::new(durability);
    for op in ops {
        world.apply(*op);
        world.check();
    }
    world.end();
    world.connect();
    for _ in 0..1000 {
        if world.outgoing.is_kept() {
            break;
        }
        world.apply(Op::Send);
        world.apply(Op::DeliverAll);
        world.check();
    }
    assert!(world.outgoing.is_kept(), "{:?}", world.outgoing);
    assert!(!hot::is_written(&world.place()));
    let survey = survey(&world.place()).expect("surveyed");
    assert_eq!(survey.life, hot::Life::Ended);
    assert_eq!(survey.end(), world.emitted.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn emitted_is_kept_or_counted_as_gone_each_byte_once(ops in prop::collection::vec(op(), 1..60)) {
        walk(Durability::Process, &ops);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn so_it_is_when_the_disk_is_asked_each_time(ops in prop::collection::vec(op(), 1..30)) {
        walk(Durability::Power, &ops);
    }
}
