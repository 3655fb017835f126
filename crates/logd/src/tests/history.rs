//! Questions without follow, over several apps and runs.

use std::collections::BTreeMap;

use eco_home::runs::Stream;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::tempdir;

use super::world::{Writer, ask, everything, run_id};
use crate::catalog::Filter;
use crate::query::Query;

#[test]
fn several_apps_and_both_streams_come_in_time_order() {
    let home = tempdir().expect("a folder");
    let runs = home.path();
    Writer::ended(
        runs,
        &run_id("web", 1),
        Stream::Out,
        &[&[(b"w1\n", 1), (b"w4\nw4b\n", 4)]],
    );
    Writer::ended(
        runs,
        &run_id("api", 1),
        Stream::Out,
        &[&[(b"a2\n", 2)], &[(b"a5", 5)]],
    );
    Writer::ended(
        runs,
        &run_id("api", 1),
        Stream::Err,
        &[&[(b"e3\n", 3), (b"e4\n", 4)]],
    );
    let all = ask(runs, &everything());
    assert_eq!(
        all,
        [
            "web.1.out w1",
            "api.1.out a2",
            "api.1.err e3",
            "api.1.err e4",
            "web.1.out w4",
            "web.1.out w4b",
            "api.1.out a5",
        ]
    );
    let last = |last| {
        ask(
            runs,
            &Query {
                last: Some(last),
                ..everything()
            },
        )
    };
    assert_eq!(last(3), all[4..]);
    assert_eq!(last(0), Vec::<String>::new());
    assert_eq!(last(99), all);
    let range = Query {
        since: 3,
        until: 5,
        ..everything()
    };
    assert_eq!(ask(runs, &range), all[2..6]);
    let errors = Query {
        streams: vec![Stream::Err],
        last: Some(1),
        ..everything()
    };
    assert_eq!(ask(runs, &errors), all[3..4]);
}

#[test]
fn the_last_lines_come_from_as_many_runs_as_needed() {
    let home = tempdir().expect("a folder");
    for run in 1..=30 {
        let text = format!("line {run}\n");
        let chunks: &[(&[u8], u64)] = &[(text.as_bytes(), run)];
        Writer::ended(home.path(), &run_id("crash", run), Stream::Err, &[chunks]);
    }
    let query = Query {
        last: Some(3),
        ..everything()
    };
    assert_eq!(
        ask(home.path(), &query),
        [
            "crash.28.err line 28",
            "crash.29.err line 29",
            "crash.30.err line 30"
        ]
    );
}

#[test]
fn a_run_is_read_by_its_number_and_no_other_is_opened() {
    let home = tempdir().expect("a folder");
    let runs = home.path();
    for (run, text) in [(1, "one"), (3, "three")] {
        let chunks: &[(&[u8], u64)] = &[(text.as_bytes(), run)];
        Writer::ended(runs, &run_id("api", run), Stream::Out, &[chunks]);
    }
    // A folder can be opened and not be read.
    let folder = run_id("api", 2).folder(runs).join("out.0001");
    std::fs::create_dir_all(folder).expect("made");
    let of_run = |run| {
        let mut filter = Filter::default();
        filter.add("dev", "api", None, Some(run)).expect("patterns");
        ask(
            runs,
            &Query {
                filter,
                ..everything()
            },
        )
    };
    assert_eq!(of_run(1), ["api.1.out one"]);
    assert_eq!(of_run(3), ["api.3.out three"]);
    assert!(of_run(9).is_empty());
}

#[test]
fn an_older_run_that_outlived_its_failed_successor_is_not_forgotten() {
    let home = tempdir().expect("a folder");
    let runs = home.path();
    Writer::ended(
        runs,
        &run_id("api", 1),
        Stream::Out,
        &[&[(b"old 1\n", 1), (b"old 9\n", 9)]],
    );
    Writer::ended(
        runs,
        &run_id("api", 2),
        Stream::Out,
        &[&[(b"failed 3\n", 3)]],
    );
    Writer::ended(
        runs,
        &run_id("api", 3),
        Stream::Out,
        &[&[(b"new 8\nnew 8b\n", 8)]],
    );
    let query = Query {
        last: Some(2),
        ..everything()
    };
    assert_eq!(ask(runs, &query), ["api.3.out new 8b", "api.1.out old 9"]);
}

#[test]
fn what_is_gone_is_said_when_it_was_asked_for() {
    let home = tempdir().expect("a folder");
    let runs = home.path();
    let writer = Writer::ended(
        runs,
        &run_id("api", 1),
        Stream::Out,
        &[&[(b"one\n", 1)], &[(b"two\nthree\n", 2)]],
    );
    std::fs::remove_file(writer.segment().with_file_name("out.0001")).expect("removed");
    let with_gap = ["api.1.out <4 gone>", "api.1.out two", "api.1.out three"];
    assert_eq!(ask(runs, &everything()), with_gap);
    assert_eq!(
        ask(
            runs,
            &Query {
                last: Some(3),
                ..everything()
            }
        ),
        with_gap
    );
    assert_eq!(
        ask(
            runs,
            &Query {
                last: Some(2),
                ..everything()
            }
        ),
        with_gap[1..]
    );
}

/// Per (app, stream): lines as (time steps), each line a note.
fn world() -> impl Strategy<Value = BTreeMap<(u8, bool), Vec<u64>>> {
    proptest::collection::btree_map((0_u8..3, any::<bool>()), vec(0_u64..4, 0..12), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_last_n_over_all_sources_are_the_end_of_the_whole_history(
        world in world(), wanted in 0_u64..40, since in 0_u64..20, length in 0_u64..30
    ) {
        let home = tempdir().expect("a folder");
        let mut model = Vec::new();
        for ((app, is_err), steps) in &world {
            let stream = if *is_err { Stream::Err } else { Stream::Out };
            let app = format!("app{app}");
            let mut writer = Writer::new(home.path(), &run_id(&app, 1), stream);
            let mut time = 1;
            for (index, step) in steps.iter().enumerate() {
                time += step;
                writer.write(format!("{index}\n").as_bytes(), time);
                if step % 3 == 2 {
                    writer.rotate();
                }
                if (since..since + length).contains(&time) {
                    model.push((time, format!("{app}.1.{} {index}", stream.stem())));
                }
            }
            writer.end();
        }
        model.sort_by_key(|line| line.0);
        let model: Vec<_> = model.into_iter().map(|line| line.1).collect();
        let query = Query { since, until: since + length, ..everything() };
        prop_assert_eq!(&ask(home.path(), &query), &model);
        let last = Query { last: Some(wanted), ..query };
        let skip = model.len().saturating_sub(usize::try_from(wanted).expect("small"));
        prop_assert_eq!(&ask(home.path(), &last), &model[skip..]);
    }
}
