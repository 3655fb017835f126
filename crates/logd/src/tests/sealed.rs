//! Sealed segments tell what the segments told, whoever dies meanwhile; what is damaged in them is a gap.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use eco_home::runs::Stream;
use proptest::collection::vec;
use proptest::prelude::*;

use super::world::*;
use crate::disk::{Disk, DiskFile, Real};
use crate::hot::{self, Item, Loss, Place, Reader, Tail, survey};

/// A disk that refuses everything after so many steps: as if whoever uses it had been killed.
#[derive(Debug)]
struct Dying(Arc<AtomicUsize>);

struct DyingFile(Box<dyn DiskFile>, Arc<AtomicUsize>);

fn step(left: &AtomicUsize) -> io::Result<()> {
    let took = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
        left.checked_sub(1)
    });
    took.map(drop).map_err(|_| io::Error::other("dead"))
}

impl Dying {
    fn after(steps: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(steps)))
    }

    fn is_dead(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

impl Disk for Dying {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        step(&self.0)?;
        Ok(Box::new(DyingFile(Real.create(path)?, Arc::clone(&self.0))))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        step(&self.0)?;
        Real.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        step(&self.0)?;
        Real.remove(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        step(&self.0)?;
        Real.sync_folder(path)
    }
}

impl Write for DyingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        step(&self.1)?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl DiskFile for DyingFile {
    fn sync(&mut self) -> io::Result<()> {
        step(&self.1)?;
        self.0.sync()
    }
}

/// Seals what there is to seal; returns how many segments that were.
pub(super) fn seal_all(disk: &dyn Disk, place: &Place) -> usize {
    let found = survey(place).expect("surveyed");
    let sealable = hot::sealable(&found);
    let sealed = sealable
        .iter()
        .filter(|extent| matches!(hot::seal(disk, place, **extent, &|| false), Ok(true)));
    sealed.count()
}

fn numbered(count: u64) -> Vec<(Vec<u8>, u64)> {
    (0..count)
        .map(|index| {
            (
                format!("line {index:03} of all\n").into_bytes(),
                1000 + index,
            )
        })
        .collect()
}

/// An ended stream of two segments, and what is in it.
fn two_segments(runs: &Path) -> (Writer, Vec<Item>) {
    let lines = numbered(20);
    let lines: Vec<_> = lines
        .iter()
        .map(|(text, time)| (text.as_slice(), *time))
        .collect();
    let (first, second) = lines.split_at(12);
    let writer = Writer::ended(runs, &run_id("api", 1), Stream::Out, &[first, second]);
    let items = read_all(&writer.place());
    (writer, items)
}

fn names(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.folder()).expect("listed");
    let mut names: Vec<_> = entries
        .map(|entry| {
            entry
                .expect("named")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_sealed_segment_takes_the_place_of_its_files() {
    let home = tempfile::tempdir().expect("a folder");
    let (writer, items) = two_segments(home.path());
    assert_eq!(seal_all(&Real, &writer.place()), 2);
    assert_eq!(
        names(&writer.place()),
        ["out.0001.sealed", "out.0002.sealed"]
    );
    assert_eq!(read_all(&writer.place()), items);
}

#[test]
fn what_grows_stays_as_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
    writer.write(b"a complete segment\n", 1000);
    writer.rotate();
    writer.write(b"a segment that grows\n", 1001);
    assert_eq!(seal_all(&Real, &writer.place()), 1);
    let found = names(&writer.place());
    assert_eq!(
        found,
        ["out.0001.sealed", "out.0002", "out.0002.times", "out.fifo"]
    );
}

#[test]
fn a_reader_does_not_notice() {
    let home = tempfile::tempdir().expect("a folder");
    let (writer, items) = two_segments(home.path());
    for read_before in 0..items.len() {
        let (writer, items) = if read_before == 0 {
            (&writer, items.clone())
        } else {
            std::fs::remove_dir_all(writer.place().folder()).expect("removed");
            (&two_segments(home.path()).0, items.clone())
        };
        let place = writer.place();
        let found = survey(&place).expect("surveyed");
        let end = found.end();
        let mut reader = Reader::new(place.clone(), found.extents, 0, end, Tail::Passed);
        let mut told = Vec::new();
        for _ in 0..read_before {
            told.extend(reader.read().expect("read"));
        }
        assert_eq!(seal_all(&Real, &place), 2);
        while let Some(item) = reader.read().expect("read") {
            told.push(item);
        }
        assert_eq!(told, items, "{read_before}");
    }
}

#[test]
fn what_is_flushed_takes_what_is_sealed_with_it() {
    let home = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
    writer.write(b"a complete segment\n", 1000);
    writer.rotate();
    assert_eq!(seal_all(&Real, &writer.place()), 1);
    // Nothing is noted of what grows.
    let removed = hot::flush(&writer.place()).expect("flushed");
    assert_eq!(removed.bytes, 19);
    assert!(!names(&writer.place()).contains(&"out.0001.sealed".to_owned()));
    writer.write(b"and on\n", 1002);
    let shown = shown(&read_all(&writer.place()));
    assert_eq!(shown.last(), Some(&(19, 1002, "and on".to_owned())));
}

/// Every byte that `items` tell of, gaps as `None`.
fn bytes(items: &[Item], end: u64) -> Vec<Option<u8>> {
    let mut all = vec![None; usize::try_from(end).expect("small")];
    for item in items {
        if let Item::Line { offset, text, .. } = item {
            for (index, byte) in text.iter().enumerate() {
                all[usize::try_from(*offset).expect("small") + index] = Some(*byte);
            }
        }
    }
    all
}

/// What is told is as it was before, or in a gap.
fn agree(before: &[Item], now: &[Item], end: u64) {
    for (was, is) in bytes(before, end).iter().zip(bytes(now, end)) {
        assert!(is.is_none() || *was == is);
    }
    for (index, item) in now.iter().enumerate() {
        if let Item::Line {
            offset, text, time, ..
        } = item
        {
            // Its newline is gone, and with it when that came.
            if matches!(now.get(index + 1), Some(Item::Gap { .. })) {
                continue;
            }
            let same = before.iter().find(|was| {
                matches!(was, Item::Line { offset: at, text: old, .. } if (at, old) == (offset, text))
            });
            if let Some(Item::Line { time: was, .. }) = same {
                assert_eq!(was, time);
            }
        }
    }
}

#[test]
fn a_flipped_bit_costs_a_block_at_most() {
    let home = tempfile::tempdir().expect("a folder");
    let (writer, items) = two_segments(home.path());
    let place = writer.place();
    assert_eq!(seal_all(&Real, &place), 2);
    let path = place.folder().join("out.0001.sealed");
    let sound = std::fs::read(&path).expect("there");
    let end = survey(&place).expect("surveyed").end();
    for index in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[index] ^= 1 << (index % 8);
        std::fs::write(&path, damaged).expect("written");
        let now = read_all(&place);
        agree(&items, &now, end);
        let gaps: Vec<_> = now
            .iter()
            .filter_map(|item| match item {
                Item::Gap { bytes, loss, .. } => Some((*bytes, *loss)),
                Item::Line { .. } => None,
            })
            .collect();
        assert!(gaps.len() <= 1, "{index}: {gaps:?}");
        assert!(
            gaps.iter()
                .all(|(bytes, loss)| *bytes <= 48 && *loss == Loss::Damaged),
            "{index}: {gaps:?}"
        );
    }
}

#[test]
fn a_segment_that_is_cut_off_loses_what_is_gone_and_junk_is_put_aside() {
    let home = tempfile::tempdir().expect("a folder");
    let (writer, items) = two_segments(home.path());
    let place = writer.place();
    assert_eq!(seal_all(&Real, &place), 2);
    let path = place.folder().join("out.0001.sealed");
    let sound = std::fs::read(&path).expect("there");
    let end = survey(&place).expect("surveyed").end();
    for length in 0..sound.len() {
        std::fs::write(&path, &sound[..length]).expect("written");
        agree(&items, &read_all(&place), end);
    }
    std::fs::write(&path, b"junk").expect("written");
    hot::put_aside(&Real, &place).expect("put aside");
    assert!(names(&place).contains(&"out.0001.sealed.damaged".to_owned()));
    let now = read_all(&place);
    let gap = Item::Gap {
        offset: 0,
        bytes: 12 * 16,
        loss: Loss::Damaged,
    };
    assert_eq!(now.first(), Some(&gap));
    assert_eq!(now[1..], items[12..]);
}

#[derive(Clone, Debug)]
struct History {
    segments: Vec<Vec<(Vec<u8>, u64)>>,
    lives: bool,
    steps: Vec<usize>,
    dropped: Option<u32>,
    flushed: bool,
}

fn history() -> impl Strategy<Value = History> {
    let chunk = (
        vec(prop_oneof![8 => 97..100_u8, 1 => Just(b'\n')], 1..60),
        0..5_u64,
    );
    (
        vec(vec(chunk, 0..6), 1..5),
        any::<bool>(),
        vec(0..24_usize, 0..4),
        proptest::option::of(1..5_u32),
        any::<bool>(),
    )
        .prop_map(|(segments, lives, steps, dropped, flushed)| History {
            segments,
            lives,
            steps,
            dropped,
            flushed,
        })
}

fn written(runs: &Path, history: &History) -> Writer {
    let mut writer = Writer::new(runs, &run_id("api", 1), Stream::Out);
    let mut time = 1000;
    for segment in &history.segments {
        writer.rotate();
        for (bytes, later) in segment {
            time += later;
            writer.write(bytes, time);
        }
    }
    if !history.lives {
        writer.end();
    }
    writer
}

proptest! {
    #[test]
    fn whoever_dies_when_each_byte_is_as_it_was_or_in_a_gap(history in history()) {
        let home = tempfile::tempdir().expect("a folder");
        let writer = written(home.path(), &history);
        let place = writer.place();
        let items = read_all(&place);
        let end = survey(&place).expect("surveyed").end();
        for steps in &history.steps {
            let disk = Dying::after(*steps);
            seal_all(&disk, &place);
            prop_assert_eq!(&read_all(&place), &items);
            if disk.is_dead() {
                hot::clean(&Real, &place).expect("cleaned");
                prop_assert_eq!(&read_all(&place), &items);
            }
        }
        seal_all(&Real, &place);
        prop_assert_eq!(&read_all(&place), &items);
        prop_assert!(names(&place).iter().all(|name| !name.ends_with(".sealing")));
        if let Some(number) = history.dropped {
            let pieces = hot::pieces(&place, &survey(&place).expect("surveyed")).expect("there");
            if pieces.iter().any(|piece| piece.number == number && piece.is_complete) {
                hot::drop_piece(&Real, &place, number).expect("dropped");
                let now = read_all(&place);
                agree(&items, &now, end);
                for item in &now {
                    if let Item::Gap { loss, .. } = item {
                        prop_assert_eq!(*loss, Loss::Retention);
                    }
                }
                prop_assert_eq!(survey(&place).expect("surveyed").end(), end);
            }
        }
        if history.flushed && history.lives {
            hot::flush(&place).expect("flushed");
            agree(&items, &read_all(&place), end);
            seal_all(&Real, &place);
            agree(&items, &read_all(&place), end);
        }
    }
}

/// As version 1 wrote it: "one\ntwo\n" and "three\n", which came at 1000 and 2000, from offset 64 on.
const SAMPLE: &[u8] = include_bytes!("sample_1.sealed");

#[test]
fn a_file_of_version_1_is_read_for_ever() {
    let home = tempfile::tempdir().expect("a folder");
    let place = Place::new(home.path().to_owned(), Stream::Out);
    std::fs::write(home.path().join("out.0003.sealed"), SAMPLE).expect("written");
    let told = shown(&read_all(&place));
    let expected = [
        (0, 0, "<64 gone>".to_owned()),
        (64, 1000, "one".to_owned()),
        (68, 1000, "two".to_owned()),
        (72, 2000, "three".to_owned()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_version_that_is_not_known_is_left_where_it_is() {
    let home = tempfile::tempdir().expect("a folder");
    let place = Place::new(home.path().to_owned(), Stream::Out);
    let head = eco_home::sealed::Head {
        version: 9,
        base: 0,
        end: 10,
        flushed: 0,
        changed: 1,
    };
    let path = home.path().join("out.0001.sealed");
    std::fs::write(&path, head.encode()).expect("written");
    hot::put_aside(&Real, &place).expect("looked at");
    assert!(path.exists());
    assert!(matches!(
        read_all(&place)[..],
        [Item::Gap { bytes: 10, .. }]
    ));
}
