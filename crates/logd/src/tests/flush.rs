//! Taking away what was written, while it is written and read.

use eco_home::runs::Stream;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::tempdir;

use super::world::{Writer, ask, everything, run_id, shown};
use crate::catalog::Filter;
use crate::flush::{Flushed, flush};
use crate::hot::{self, Item, Reader, Tail, survey};
use crate::query::Query;

fn flushed(runs: &std::path::Path) -> Vec<(String, u64)> {
    flush(runs, &Filter::default(), |_| false)
        .expect("flushed")
        .into_iter()
        .map(
            |Flushed {
                 run,
                 stream,
                 removed,
             }| {
                assert!(removed.kept.is_none(), "{:?}", removed.kept);
                let name = format!("{}.{}.{}", run.app, run.run, stream.stem());
                (name, removed.bytes)
            },
        )
        .collect()
}

#[test]
fn living_streams_begin_anew_and_ended_runs_are_gone() {
    let home = tempdir().expect("a folder");
    let runs = home.path();
    let mut api = Writer::new(runs, &run_id("api", 2), Stream::Out);
    api.write(b"one\ntwo\n", 1);
    api.rotate();
    api.write(b"three\nfo", 2);
    for stream in Stream::BOTH {
        Writer::ended(
            runs,
            &run_id("web", 7),
            stream,
            &[&[(b"w\n", 1)], &[(b"w\n", 2)]],
        );
    }
    let first = api.segment().with_file_name("out.0001");
    let told = [("api.2.out", 16), ("web.7.err", 4), ("web.7.out", 4)];
    let mut all = flushed(runs);
    all.sort();
    assert_eq!(all, told.map(|(name, bytes)| (name.to_owned(), bytes)));
    assert!(!first.exists() && !run_id("web", 7).folder(runs).exists());
    assert!(!runs.join(".flushed").exists());
    assert_eq!(ask(runs, &everything()), Vec::<String>::new());
    assert_eq!(flushed(runs), []);

    api.write(b"ur\nfive\n", 3);
    let rest = ["api.2.out ur", "api.2.out five"];
    assert_eq!(ask(runs, &everything()), rest);
    for (last, since) in [(Some(9), 0), (Some(2), 0), (None, 2), (None, 3)] {
        let query = Query {
            last,
            since,
            ..everything()
        };
        assert_eq!(ask(runs, &query), rest);
    }
    let until = Query {
        until: 3,
        ..everything()
    };
    assert_eq!(ask(runs, &until), Vec::<String>::new());
}

#[test]
fn who_reads_at_an_offset_before_is_told_how_much_is_gone() {
    let home = tempdir().expect("a folder");
    let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
    writer.write(b"a\nb", 1);
    writer.rotate();
    writer.write(b"b\nc\n", 2);
    let before = survey(&writer.place()).expect("surveyed");
    let mut reader = Reader::new(writer.place(), before.extents, 0, 2, Tail::Held);
    let mut read = || std::iter::from_fn(|| reader.read().expect("read")).collect::<Vec<Item>>();
    assert_eq!(shown(&read()), [(0, 1, "a".to_owned())]);
    hot::flush(&writer.place()).expect("flushed");
    writer.write(b"d\n", 3);
    reader.look().expect("looked");
    let items = std::iter::from_fn(|| reader.read().expect("read")).collect::<Vec<Item>>();
    assert_eq!(
        shown(&items),
        [(2, 0, "<5 gone>".to_owned()), (7, 3, "d".to_owned())]
    );
}

#[test]
fn bytes_that_no_note_came_for_stay() {
    let home = tempdir().expect("a folder");
    let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
    writer.write_bytes(b"a\n");
    writer.change_at(5);
    assert_eq!(flushed(home.path()), []);
    writer.note(2, 5);
    writer.write_bytes(b"b\n");
    writer.change_at(6);
    assert_eq!(flushed(home.path()), [("api.1.out".to_owned(), 2)]);
    assert_eq!(survey(&writer.place()).expect("surveyed").start(), 2);
    writer.note(4, 6);
    assert_eq!(ask(home.path(), &everything()), ["api.1.out b"]);
}

#[derive(Clone, Debug)]
enum Action {
    Write(Vec<u8>),
    Rotate,
    Flush,
}

fn action() -> impl Strategy<Value = Action> {
    let byte = prop_oneof![Just(b'\n'), Just(b'x')];
    prop_oneof![
        6 => vec(byte, 1..200).prop_map(Action::Write),
        1 => Just(Action::Rotate),
        1 => Just(Action::Flush),
    ]
}

/// The lines of what was written since the last flush, as (offset, time, text).
fn lines(since: u64, written: &[(Vec<u8>, u64)]) -> Vec<(u64, u64, String)> {
    let mut lines = Vec::new();
    let (mut offset, mut begins, mut text) = (since, since, String::new());
    let mut last = 0;
    for (bytes, time) in written {
        last = *time;
        for byte in bytes {
            offset += 1;
            if *byte == b'\n' {
                lines.push((begins, *time, std::mem::take(&mut text)));
                begins = offset;
            } else {
                text.push('x');
            }
        }
    }
    if !text.is_empty() {
        lines.push((begins, last, text));
    }
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_since_the_last_flush_is_there_and_nothing_else(actions in vec(action(), 0..30)) {
        let home = tempdir().expect("a folder");
        let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
        let (mut time, mut end, mut since) = (0, 0, 0);
        let mut written = Vec::new();
        for action in actions {
            match action {
                Action::Write(bytes) => {
                    time += 1;
                    end += bytes.len() as u64;
                    writer.write(&bytes, time);
                    written.push((bytes, time));
                }
                Action::Rotate => writer.rotate(),
                Action::Flush => {
                    let removed = hot::flush(&writer.place()).expect("flushed");
                    prop_assert_eq!(removed.bytes, end - since);
                    since = end;
                    written.clear();
                }
            }
        }
        let survey = survey(&writer.place()).expect("surveyed");
        prop_assert_eq!((survey.start(), survey.end()), (since, end));
        let mut reader = Reader::new(writer.place(), survey.extents, since, end, Tail::Passed);
        let items: Vec<Item> = std::iter::from_fn(|| reader.read().expect("read")).collect();
        prop_assert_eq!(shown(&items), lines(since, &written));
    }
}
