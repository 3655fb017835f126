//! What is kept, and what goes.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use eco_home::clock;
use eco_home::runs::{SHIPPED, Stream};

use super::world::*;
use crate::disk::Real;
use crate::eco_toml::LastGood;
use crate::hot::{self, Item, Loss};
use crate::settings::Told;
use crate::upkeep::Upkeep;

/// Lines that do not pack.
fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [first, second, ..] = state.to_le_bytes();
        if first < 3 { b'\n' } else { b'!' + second % 90 }
    });
    noise.take(bytes - 1).chain([b'\n']).collect()
}

fn ended(runs: &Path, run: u64, bytes: usize) -> Writer {
    let text = noise(bytes, run);
    Writer::ended(
        runs,
        &run_id("api", run),
        Stream::Out,
        &[&[(&text, 1000 + run)]],
    )
}

fn upkeep(home: &Path, bounds: &str) -> Upkeep {
    std::fs::write(home.join("eco.toml"), bounds).expect("written");
    Upkeep::new(
        home.join("runs"),
        "box".to_owned(),
        Arc::new(LastGood::new(home)),
        Arc::new(Told::default()),
    )
}

const FOR_EVER: &str = "[logs]\nmax_age = \"36500d\"\nmin_free_disk = 0\n";

#[test]
fn ended_runs_are_sealed_and_tell_the_same() {
    let home = tempfile::tempdir().expect("a folder");
    let runs = home.path().join("runs");
    let writer = ended(&runs, 1, 20_000);
    let before = ask(&runs, &everything());
    upkeep(home.path(), FOR_EVER)
        .round(&|| false)
        .expect("done");
    assert!(!writer.segment().exists());
    assert!(writer.segment().with_extension("0001.sealed").exists());
    assert_eq!(ask(&runs, &everything()), before);
}

#[test]
fn nothing_is_begun_when_it_is_over() {
    let home = tempfile::tempdir().expect("a folder");
    let writer = ended(&home.path().join("runs"), 1, 20_000);
    upkeep(home.path(), FOR_EVER).round(&|| true).expect("done");
    assert!(writer.segment().exists());
}

#[test]
fn the_oldest_runs_of_an_app_go_when_it_has_too_much() {
    let home = tempfile::tempdir().expect("a folder");
    let runs = home.path().join("runs");
    for run in 1..=4 {
        ended(&runs, run, 200_000);
    }
    let mut upkeep = upkeep(home.path(), FOR_EVER);
    upkeep.round(&|| false).expect("done");
    let room = |run| {
        let sealed = run_id("api", run).folder(&runs).join("out.0001.sealed");
        std::fs::metadata(sealed).expect("there").blocks() * 512
    };
    let bounds = format!("{FOR_EVER}max_app_size = {}\n", room(3) + room(4));
    std::fs::write(home.path().join("eco.toml"), bounds).expect("written");
    upkeep.round(&|| false).expect("done");
    // Folders of which nothing is left go the next time.
    upkeep.round(&|| false).expect("done");
    let is_there = |run| run_id("api", run).folder(&runs).exists();
    assert_eq!([1, 2, 3, 4].map(is_there), [false, false, true, true]);
}

#[test]
fn what_is_too_old_is_a_gap_of_the_newest_run() {
    let home = tempfile::tempdir().expect("a folder");
    let writer = ended(&home.path().join("runs"), 1, 20_000);
    upkeep(home.path(), "[logs]\nmin_free_disk = 0\n")
        .round(&|| false)
        .expect("done");
    let gap = Item::Gap {
        offset: 0,
        bytes: 20_000,
        loss: Loss::Retention,
    };
    assert_eq!(read_all(&writer.place()), [gap]);
}

#[test]
fn what_grows_loses_its_beginning_alone() {
    let home = tempfile::tempdir().expect("a folder");
    let runs = home.path().join("runs");
    let mut writer = Writer::new(&runs, &run_id("api", 1), Stream::Out);
    for time in 0..100 {
        writer.write(&noise(10_000, time), 1000 + time);
    }
    let before = read_all(&writer.place());
    let bounds = format!("{FOR_EVER}max_app_size = \"500k\"\n");
    upkeep(home.path(), &bounds).round(&|| false).expect("done");
    let now = read_all(&writer.place());
    let Some(Item::Gap {
        offset: 0,
        bytes,
        loss: Loss::Retention,
    }) = now.first()
    else {
        panic!("{:?}", now.first());
    };
    assert!((400_000..700_000).contains(bytes), "{bytes}");
    assert!(before.ends_with(&now[1..]));
}

#[test]
fn what_an_app_wrote_long_ago_goes_also_while_it_lives_and_is_silent() {
    let home = tempfile::tempdir().expect("a folder");
    let runs = home.path().join("runs");
    let now = clock::nanos(clock::unix());
    let writers = [("silent", 1000), ("chatty", now)].map(|(app, last)| {
        let mut writer = Writer::new(&runs, &run_id(app, 1), Stream::Out);
        writer.write(&noise(20_000, 3), 1000);
        writer.write(b"last\n", last);
        writer.change_at(last);
        writer
    });
    let before = writers.each_ref().map(|writer| read_all(&writer.place()));
    let bounds = "[logs]\nmax_age = \"1h\"\nmin_free_disk = 0\n";
    let mut upkeep = upkeep(home.path(), bounds);
    for _ in 0..2 {
        upkeep.round(&|| false).expect("done");
        let [silent, chatty] = writers.each_ref().map(|writer| read_all(&writer.place()));
        let gone = Item::Gap {
            offset: 0,
            bytes: 20_005,
            loss: Loss::Retention,
        };
        assert_eq!(silent, [gone]);
        assert_eq!(chatty, before[1]);
    }
}

#[test]
fn of_what_is_too_old_nothing_goes_with_it_that_came_since() {
    let home = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
    writer.write(b"old\nold\n", 1000);
    writer.write(b"new\n", 2000);
    hot::drop_older(&Real, &writer.place(), 2000).expect("done");
    let left = read_all(&writer.place());
    let gone = Item::Gap {
        offset: 0,
        bytes: 8,
        loss: Loss::Retention,
    };
    assert_eq!(left.first(), Some(&gone));
    assert_eq!(shown(&left[1..]), [(8, 2000, "new".to_owned())]);
    assert_eq!(
        hot::drop_older(&Real, &writer.place(), 2000).expect("done"),
        0
    );
}

#[test]
fn a_broken_file_takes_nothing_away_that_was_to_stay() {
    let home = tempfile::tempdir().expect("a folder");
    let writer = ended(&home.path().join("runs"), 1, 20_000);
    let before = read_all(&writer.place());
    let mut upkeep = upkeep(home.path(), FOR_EVER);
    upkeep.round(&|| false).expect("done");
    std::fs::write(home.path().join("eco.toml"), "[logs]\nmax_age = 7\n").expect("written");
    upkeep.round(&|| false).expect("done");
    assert_eq!(read_all(&writer.place()), before);
}

#[test]
fn the_oldest_of_all_apps_goes_when_they_have_too_much_together() {
    let home = tempfile::tempdir().expect("a folder");
    let runs = home.path().join("runs");
    let text = noise(200_000, 7);
    for (app, time) in [("old", 1000), ("new", 2000)] {
        let id = run_id(app, 1);
        Writer::ended(&runs, &id, Stream::Out, &[&[(&text, time)]]);
    }
    let bounds = format!("{FOR_EVER}max_total_size = 300000\n");
    upkeep(home.path(), &bounds).round(&|| false).expect("done");
    let left = ask(&runs, &everything());
    assert!(left.iter().any(|line| line.starts_with("new.")));
    let of_old = left.iter().filter(|line| line.starts_with("old."));
    assert_eq!(of_old.collect::<Vec<_>>(), ["old.1.out <200000 gone>"]);
}

#[test]
fn what_is_complete_goes_where_the_disk_lacks_the_room_it_must_have_free() {
    let home = tempfile::tempdir().expect("a folder");
    let writer = ended(&home.path().join("runs"), 1, 20_000);
    let bounds = "[logs]\nmax_age = \"36500d\"\nmin_free_disk = \"1000000G\"\n";
    upkeep(home.path(), bounds).round(&|| false).expect("done");
    let now = read_all(&writer.place());
    assert!(
        matches!(now[..], [Item::Gap { bytes: 20_000, .. }]),
        "{}",
        now.len()
    );
}

#[test]
fn a_run_of_which_nothing_is_left_stays_until_its_end_was_shipped() {
    let home = tempfile::tempdir().expect("a folder");
    let runs = home.path().join("runs");
    let to = "http://127.0.0.1:1";
    for run in 1..=2 {
        ended(&runs, run, 20_000);
    }
    let folder = run_id("api", 1).folder(&runs);
    let bounds = format!("[logs]\nmax_age = \"1s\"\nmin_free_disk = 0\n[ship]\nto = \"{to}\"\n");
    let mut upkeep = upkeep(home.path(), &bounds);
    upkeep.round(&|| false).expect("done");
    upkeep.round(&|| false).expect("done");
    assert!(folder.join(Stream::Out.lost()).exists());
    std::fs::write(folder.join(SHIPPED), "http://127.0.0.1:2\n").expect("written");
    upkeep.round(&|| false).expect("done");
    assert!(folder.exists(), "that was shipped elsewhere");
    std::fs::write(folder.join(SHIPPED), format!("{to}\n")).expect("written");
    upkeep.round(&|| false).expect("done");
    assert!(!folder.exists());
}
