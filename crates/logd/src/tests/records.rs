//! Questions for records: against a naive model, and as facts.

use std::convert::Infallible;
use std::sync::Arc;

use eco_home::runs::Stream;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tempfile::tempdir;
use tokio::sync::mpsc;

use super::world::{Writer, everything, run_id};
use crate::query::{self, Query, Stop};
use crate::record::{Comparison, Condition, Grouping, Level, NEAR, level};
use crate::sieve::{Pattern, Sieve};
use crate::tail::Bell;

/// A line of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    source: String,
    pub(super) text: String,
    time: u64,
    level: Option<Level>,
    joined: bool,
}

/// The lines of the answer to `query`; a gap is a line without time.
pub(super) fn tell(runs: &std::path::Path, query: &Query) -> Vec<Told> {
    let (sender, mut items) = mpsc::channel(10_000);
    query::answer(query, runs, &Bell::default(), sender);
    let mut names = vec![String::new()];
    let mut told = Vec::new();
    let mut is_complete = false;
    while let Ok(item) = items.try_recv() {
        match item.expect("complete") {
            query::Item::Source { run, stream, .. } => {
                names.push(format!("{}.{}.{}", run.app, run.run, stream.stem()));
            }
            query::Item::Lines(lines) => told.extend(lines.into_iter().map(|line| Told {
                source: names[line.source as usize].clone(),
                text: String::from_utf8(line.text).expect("text"),
                time: line.time,
                level: line.level,
                joined: line.joined,
            })),
            query::Item::Gap { source, bytes, .. } => told.push(Told {
                source: names[source as usize].clone(),
                text: format!("<{bytes} gone>"),
                time: 0,
                level: None,
                joined: false,
            }),
            query::Item::CaughtUp => is_complete = true,
            query::Item::Begun { .. } => panic!("only a follower hears of it"),
        }
    }
    assert!(is_complete);
    told
}

fn texts(told: &[Told]) -> Vec<&str> {
    told.iter().map(|line| line.text.as_str()).collect()
}

/// What is asked for, so that both can be made of it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) grep: Vec<&'static str>,
    pub(super) exclude: Vec<&'static str>,
    pub(super) level: Option<Level>,
    pub(super) fields: Vec<(&'static str, &'static str)>,
}

impl Asked {
    fn fields(&self) -> Vec<Condition> {
        let field = |(key, value): &(&str, &str)| {
            Condition::new(&[(*key).to_owned()], Comparison::AtLeast, value).expect("valid")
        };
        self.fields.iter().map(field).collect()
    }

    pub(super) fn sieve(&self) -> Arc<Sieve> {
        let patterns = |texts: &[&str]| {
            let pattern = |text: &&str| Pattern::new(text).expect("a pattern");
            texts.iter().map(pattern).collect()
        };
        let (grep, exclude) = (patterns(&self.grep), patterns(&self.exclude));
        Arc::new(Sieve::new(grep, exclude, self.level, self.fields()))
    }

    /// Line by line and one condition after the other.
    fn passes(&self, record: &[Told]) -> bool {
        let has = |pattern: &&str| {
            let pattern = regex::bytes::Regex::new(pattern).expect("a regex");
            record
                .iter()
                .any(|line| pattern.is_match(line.text.as_bytes()))
        };
        let text = texts(record).join("\n");
        self.grep.iter().all(has)
            && !self.exclude.iter().any(has)
            && (self.level.is_none() || record[0].level >= self.level)
            && self
                .fields()
                .iter()
                .all(|field| field.holds(text.as_bytes()))
    }
}

/// The records of `lines` of one source, told of as they should be.
fn records(lines: Vec<Told>) -> Vec<Vec<Told>> {
    let mut records: Vec<Vec<Told>> = Vec::new();
    let mut grouping = Grouping::default();
    for mut line in lines {
        let record = records.last();
        let first = record.map_or("", |record| &record[0].text);
        let before = record.map_or(0, |record| record[record.len() - 1].time);
        let near = || Ok::<_, Infallible>(line.time - before <= NEAR);
        let joins = grouping.joins(line.text.as_bytes(), first.as_bytes(), near);
        line.joined = joins.expect("infallible");
        if let Some(record) = records.last_mut().filter(|_| line.joined) {
            line.level = record[0].level;
            record.push(line);
        } else {
            line.level = level(line.text.as_bytes());
            records.push(vec![line]);
        }
    }
    records
}

/// What the answer is to be, by asking for everything and looking at each record.
fn model(runs: &std::path::Path, query: &Query, asked: &Asked, wanted: Option<usize>) -> Vec<Told> {
    let plain = Query {
        sieve: None,
        last: None,
        ..query.clone()
    };
    let all = tell(runs, &plain);
    let mut sources: Vec<_> = all.iter().map(|line| line.source.clone()).collect();
    sources.sort();
    sources.dedup();
    // Standard output comes first where times are equal.
    sources.sort_by_key(|source| {
        let (name, stream) = source.rsplit_once('.').expect("three parts");
        (name.to_owned(), stream != "out")
    });
    let mut found: Vec<Vec<Told>> = Vec::new();
    for source in sources {
        let lines = all.iter().filter(|line| line.source == source).cloned();
        let records = records(lines.collect()).into_iter();
        found.extend(records.filter(|record| asked.passes(record)));
    }
    found.sort_by_key(|record| record[0].time);
    let skip = wanted.map_or(0, |wanted| found.len().saturating_sub(wanted));
    found.split_off(skip).concat()
}

pub(super) fn line() -> impl Strategy<Value = &'static str> {
    let traces = [
        include_str!("../record/traces/node_uncaught.txt"),
        include_str!("../record/traces/python_logging.txt"),
        include_str!("../record/traces/rust_panic.txt"),
    ];
    let lines: Vec<_> = traces.iter().flat_map(|trace| trace.lines()).collect();
    prop_oneof![
        2 => select(lines),
        2 => select(vec![
            "{\"level\":30,\"status\":200,\"msg\":\"fine\"}",
            "{\"level\":50,\"status\":503,\"msg\":\"rare\"}",
            "INFO: plain",
            "WARN: rare words",
            "plain words",
            "  more of it",
            "  rare and indented",
            "}",
            "",
        ]),
    ]
}

pub(super) fn asked() -> impl Strategy<Value = Asked> {
    let pattern = || {
        select(vec![
            "rare",
            "Error",
            "(?i)error",
            "^ ",
            "^$",
            "at \\w+",
            "word.*",
            "\\d{3}",
            "n$",
            "\\Aplain",
            "",
            "[^a-z]\\s",
        ])
    };
    (
        vec(pattern(), 0..3),
        vec(pattern(), 0..2),
        proptest::option::of(select(Level::ALL.to_vec())),
        vec(select(vec![("status", "500"), ("msg", "q")]), 0..2),
    )
        .prop_map(|(grep, exclude, level, fields)| Asked {
            grep,
            exclude,
            level,
            fields,
        })
}

/// Lines with steps of time, and whether the segment ends there; and where chunks end.
pub(super) type Script = (Vec<(&'static str, u64, bool)>, Vec<Index>, bool);

pub(super) fn script() -> impl Strategy<Value = Script> {
    let step = select(vec![0, 0, 1, NEAR / 2, NEAR + 1]);
    let line = (line(), step, prop::bool::weighted(0.1));
    (vec(line, 0..40), vec(any::<Index>(), 0..4), any::<bool>())
}

/// Writes a stream; most lines have a note of their own, and some come in two pieces.
pub(super) fn write(
    runs: &std::path::Path,
    app: &str,
    stream: Stream,
    (lines, borders, is_open): &Script,
) {
    let mut writer = Writer::new(runs, &run_id(app, 1), stream);
    let mut time = 1;
    let count = lines.len();
    for (index, (text, step, is_last)) in lines.iter().enumerate() {
        time += step;
        let newline = if index + 1 == count && *is_open {
            ""
        } else {
            "\n"
        };
        let text = format!("{text}{newline}");
        let border = borders
            .iter()
            .map(|border| border.index(count))
            .find(|border| *border == index);
        let (left, right) = text.split_at(border.map_or(0, |_| text.len() / 2));
        if !left.is_empty() {
            writer.write(left.as_bytes(), time);
            writer.rotate();
        }
        writer.write(right.as_bytes(), time);
        if *is_last {
            writer.rotate();
        }
    }
    writer.end();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_answer_is_what_is_left_of_all_records(
        scripts in vec(script(), 1..4),
        asked in asked(),
        wanted in proptest::option::of(0_usize..8),
        range in proptest::option::of((0..20 * NEAR, 0..30 * NEAR)),
    ) {
        let home = tempdir().expect("a folder");
        for (script, (app, stream)) in scripts.iter().zip([("api", Stream::Out), ("api", Stream::Err), ("web", Stream::Out)]) {
            write(home.path(), app, stream, script);
        }
        let (since, until) = range.map_or((0, u64::MAX), |(since, length)| (since, since + length));
        let sieve = asked.sieve();
        // Without conditions it is lines that are counted.
        let wanted = wanted.filter(|_| sieve.chooses());
        let query = Query {
            last: wanted.map(|wanted| wanted as u64),
            since,
            until,
            sieve: Some(sieve),
            ..everything()
        };
        prop_assert_eq!(tell(home.path(), &query), model(home.path(), &query, &asked, wanted));
    }
}

pub(super) fn nothing() -> Asked {
    Asked {
        grep: Vec::new(),
        exclude: Vec::new(),
        level: None,
        fields: Vec::new(),
    }
}

pub(super) fn asking(asked: &Asked) -> Query {
    Query {
        sieve: Some(asked.sieve()),
        ..everything()
    }
}

const LOG: &[u8] =
    b"INFO: started\nERROR: cannot load rare\n    at boom (x.js:1)\n    at load (x.js:9)\n\
    {\"level\":40,\"status\":503,\"msg\":\"slow rare\"}\nINFO: rare health\nINFO: done\n";

#[test]
fn each_condition_chooses_records_and_all_of_them_together() {
    let home = tempdir().expect("a folder");
    let writer = Writer::ended(home.path(), &run_id("api", 1), Stream::Out, &[&[(LOG, 5)]]);
    drop(writer);
    let firsts = |asked: &Asked| -> Vec<String> {
        let told = tell(home.path(), &asking(asked));
        let first = told.iter().filter(|line| !line.joined);
        first
            .map(|line| line.text.chars().take(8).collect())
            .collect()
    };
    let grep = |grep: Vec<&'static str>| Asked { grep, ..nothing() };
    assert_eq!(
        firsts(&grep(vec!["rare"])),
        ["ERROR: c", "{\"level\"", "INFO: ra"]
    );
    assert_eq!(firsts(&grep(vec!["rare", "boom"])), ["ERROR: c"]);
    assert_eq!(firsts(&grep(vec!["x.js:9"])), ["ERROR: c"]);
    let exclude = vec!["health", "x.js:9"];
    assert_eq!(
        firsts(&Asked {
            exclude,
            ..grep(vec!["rare"])
        }),
        ["{\"level\""]
    );
    let level = Some(Level::Warn);
    assert_eq!(
        firsts(&Asked { level, ..nothing() }),
        ["ERROR: c", "{\"level\""]
    );
    let level = Some(Level::Error);
    assert_eq!(firsts(&Asked { level, ..nothing() }), ["ERROR: c"]);
    let fields = vec![("status", "500")];
    assert_eq!(
        firsts(&Asked {
            fields,
            ..nothing()
        }),
        ["{\"level\""]
    );
    assert_eq!(firsts(&nothing()).len(), 5);
}

#[test]
fn a_record_comes_whole_with_its_level_though_another_app_wrote_meanwhile() {
    let home = tempdir().expect("a folder");
    let trace: &[(&[u8], u64)] = &[(b"ERROR: x\n", 1), (b"  at y\n", 3), (b"INFO: z\n", 4)];
    Writer::ended(home.path(), &run_id("api", 1), Stream::Out, &[trace]);
    Writer::ended(
        home.path(),
        &run_id("web", 1),
        Stream::Out,
        &[&[(b"other\n", 2)]],
    );
    let told = tell(home.path(), &asking(&nothing()));
    assert_eq!(texts(&told), ["ERROR: x", "  at y", "other", "INFO: z"]);
    let marks: Vec<_> = told.iter().map(|line| (line.level, line.joined)).collect();
    assert_eq!(
        marks,
        [
            (Some(Level::Error), false),
            (Some(Level::Error), true),
            (None, false),
            (Some(Level::Info), false),
        ]
    );
}

#[test]
fn the_last_records_are_found_from_behind_over_all_apps() {
    let home = tempdir().expect("a folder");
    let filler = "INFO: nothing to see here\n".repeat(200);
    let chunks: &[(&[u8], u64)] = &[
        (b"rare 1\n", 1),
        (filler.as_bytes(), 2),
        (b"rare 3\n  with more\n", 3),
        (filler.as_bytes(), 4),
        (b"rare 5\n", 5),
    ];
    Writer::ended(home.path(), &run_id("api", 1), Stream::Out, &[chunks]);
    Writer::ended(
        home.path(),
        &run_id("web", 1),
        Stream::Out,
        &[&[(b"rare 4\n", 4)]],
    );
    let rare = Asked {
        grep: vec!["rare"],
        ..nothing()
    };
    let last = |last| {
        let query = Query {
            last: Some(last),
            ..asking(&rare)
        };
        texts(&tell(home.path(), &query))
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(last(1), ["rare 5"]);
    assert_eq!(last(2), ["rare 4", "rare 5"]);
    assert_eq!(last(3), ["rare 3", "  with more", "rare 4", "rare 5"]);
    assert_eq!(
        last(9),
        ["rare 1", "rare 3", "  with more", "rare 4", "rare 5"]
    );
    assert!(last(0).is_empty());
}

#[test]
fn what_is_gone_is_said_whatever_is_asked_for() {
    let home = tempdir().expect("a folder");
    let writer = Writer::ended(
        home.path(),
        &run_id("api", 1),
        Stream::Out,
        &[
            &[(b"rare 1\nx\n", 1)],
            &[(b"gone\n", 2)],
            &[(b"  rare 2\n", 2)],
        ],
    );
    std::fs::remove_file(writer.segment().with_file_name("out.0002")).expect("removed");
    let rare = Asked {
        grep: vec!["rare"],
        ..nothing()
    };
    let told = tell(home.path(), &asking(&rare));
    assert_eq!(texts(&told), ["rare 1", "<5 gone>", "  rare 2"]);
    assert!(!told[2].joined);
    let last = Query {
        last: Some(1),
        ..asking(&rare)
    };
    assert_eq!(texts(&tell(home.path(), &last)), ["  rare 2"]);
}

#[test]
fn a_search_that_finds_nothing_ends_when_the_daemon_does() {
    let home = tempdir().expect("a folder");
    Writer::ended(home.path(), &run_id("api", 1), Stream::Out, &[&[(LOG, 5)]]);
    let nowhere = Asked {
        grep: vec!["nowhere"],
        ..nothing()
    };
    let bell = Bell::default();
    bell.close();
    for last in [None, Some(1)] {
        let (sender, mut items) = mpsc::channel(10);
        let query = Query {
            last,
            ..asking(&nowhere)
        };
        query::answer(&query, home.path(), &bell, sender);
        assert!(matches!(items.try_recv(), Ok(Err(Stop::Closing(_)))));
    }
}

#[test]
fn of_a_line_that_is_too_long_the_beginning_decides() {
    use crate::line::LONGEST;
    let home = tempdir().expect("a folder");
    let mut text = vec![b'x'; 2 * LONGEST + 7];
    text.extend_from_slice(b" late\n  indented\nrare\n");
    text.extend_from_slice(b"early ");
    text.extend(vec![b'y'; 2 * LONGEST]);
    text.extend_from_slice(b"\nend\n");
    Writer::ended(
        home.path(),
        &run_id("api", 1),
        Stream::Out,
        &[&[(&text, 1)]],
    );
    let lengths = |pattern: &'static str| -> Vec<usize> {
        let asked = Asked {
            grep: vec![pattern],
            ..nothing()
        };
        tell(home.path(), &asking(&asked))
            .iter()
            .map(|line| line.text.len())
            .collect()
    };
    assert!(lengths("late").is_empty());
    assert_eq!(lengths("early"), [LONGEST, LONGEST, 6]);
    assert_eq!(lengths("^x"), [LONGEST, LONGEST, 12]);
    assert_eq!(lengths("rare|indented|end"), [10, 4, 3]);
    assert_eq!(lengths("").len(), 3 + 1 + 1 + 3 + 1);
}
