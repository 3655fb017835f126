//! The options of `eco logs`.

use std::fs;

use eco_proto::agent::v1::Status;
use eco_proto::log::v1::{Comparison, Gap, Level, Loss, StatsItem};

use crate::fakes::{FakeAgent, FakeLog, Server, World, Written, instance};
use crate::line;

const SECOND: u64 = 1_000_000_000;

fn graded(line: Written, level: Level) -> Written {
    Written {
        level: level.into(),
        ..line
    }
}

fn log(history: Vec<Written>) -> FakeLog {
    FakeLog {
        history,
        ..FakeLog::default()
    }
}

fn served(world: &World, log: &FakeLog) -> (Server, Server) {
    let agent = FakeAgent {
        happened_at: SECOND + 1,
        ..FakeAgent::new(vec![instance("api", Status::Online, 1)])
    };
    (agent.start(&world.home), log.start(&world.home))
}

fn two() -> Vec<Written> {
    vec![line(1, 0, SECOND, "a"), line(1, 2, 2 * SECOND, "b")]
}

#[tokio::test]
async fn conditions_reach_the_log_daemon_and_since_asks_for_all_lines() {
    let world = World::new();
    let log = log(two());
    let _servers = served(&world, &log);
    let words = [
        "logs",
        "api",
        "--since",
        "@2",
        "--until",
        "@3",
        "-i",
        "--grep",
        "x",
        "-v",
        "y",
        "--level",
        "error",
        "--where",
        "req.status>=500",
    ];
    let ran = world.run(&words).await;
    assert!(ran.ended_with(0).out().ends_with("| b\n"), "{}", ran.out());
    world.run(&["logs"]).await.ended_with(0);
    world
        .run(&["log", "--lines", "3", "--nostream"])
        .await
        .ended_with(0);
    world
        .run(&["logs", "-n", "2", "--since", "@1"])
        .await
        .ended_with(0);
    let asked = log.asked.lock().unwrap();
    let [first, plain, counted, both] = asked.as_slice() else {
        panic!("{asked:?}");
    };
    assert_eq!(first.grep, ["(?i)x"]);
    assert_eq!(first.exclude, ["(?i)y"]);
    assert_eq!(first.level(), Level::Error);
    assert_eq!(first.r#where[0].path, ["req", "status"]);
    assert_eq!(first.r#where[0].comparison(), Comparison::AtLeast);
    assert_eq!(
        (first.since_ns, first.until_ns, first.last),
        (Some(2 * SECOND), Some(3 * SECOND), None)
    );
    assert_eq!(
        (plain.last, counted.last, both.last),
        (Some(15), Some(3), Some(2))
    );
    assert!(asked.iter().all(|one| !one.recognise && !one.follow));
}

#[tokio::test]
async fn what_cannot_be_understood_is_a_command_line_that_is_wrong() {
    let world = World::new();
    for (words, why) in [
        (&["--since", "soon"][..], "expected a time such as 14:02"),
        (&["--until", "14:05", "-f"], "cannot be used with"),
        (&["--run", "1", "-f"], "cannot be used with"),
        (&["--nostream", "-f"], "cannot be used with"),
        (&["--raw", "--json"], "cannot be used with"),
        (&["--grep", "("], "unclosed group"),
        (&["--where", ">=500"], "expected the name of a field"),
        (
            &["--level", "loud"],
            "expected trace, debug, info, warn, error or fatal",
        ),
        (&["--timestamp", "api"], "expected a form of times"),
        (&["--by", "1m"], "--stats"),
        (
            &["--stats", "--by", "often"],
            "expected the length of a span",
        ),
        (&["export", "--format", "xml"], "ndjson"),
    ] {
        let ran = world.run(&[&["logs"], words].concat()).await;
        let err = ran.ended_with(2).err();
        assert!(err.contains(why), "{words:?}: {err}");
    }
}

#[tokio::test]
async fn on_a_terminal_json_is_pretty_and_elsewhere_it_is_as_it_was_written() {
    let world = World::new();
    let json = r#"{"level":50,"time":1,"msg":"it failed","status":500}"#;
    let log = log(vec![
        graded(line(1, 0, SECOND, json), Level::Error),
        Written {
            joined: true,
            ..graded(line(1, 60, SECOND, "    at x.js:1"), Level::Error)
        },
    ]);
    let _servers = served(&world, &log);
    let ran = world
        .run_on_terminal(&["logs", "api", "--highlight", "failed"])
        .await;
    let out = ran.ended_with(0).out();
    let shown: Vec<_> = out.lines().collect();
    assert!(
        shown[0].ends_with(" api | ERROR it failed status=500"),
        "{out}"
    );
    assert_eq!(shown[1], "                 |     at x.js:1");
    for words in [&["logs", "api"][..], &["logs", "api", "--no-prefix"]] {
        let out = world.run(words).await.ended_with(0).out();
        assert!(out.contains(json), "{out}");
    }
    let raw = world.run_on_terminal(&["logs", "api", "--raw"]).await;
    assert_eq!(raw.ended_with(0).out(), format!("{json}\n    at x.js:1\n"));
    let asked = log.asked.lock().unwrap();
    let recognised: Vec<_> = asked.iter().map(|one| one.recognise).collect();
    assert_eq!(recognised, [true, false, false, false]);
}

#[tokio::test]
async fn json_tells_levels_and_why_bytes_are_gone() {
    let world = World::new();
    let log = FakeLog {
        gap: Some(Gap {
            offset: 2,
            bytes: 12_595,
            loss: Loss::Retention.into(),
            ..Gap::default()
        }),
        ..log(vec![graded(line(1, 0, SECOND, "a"), Level::Warn)])
    };
    let _servers = served(&world, &log);
    let out = world.run(&["logs", "--json"]).await.ended_with(0).out();
    insta::assert_snapshot!(out, @r#"
    {"time":"1970-01-01T00:00:01.000000000Z","host":"box","environment":"dev","name":"api","instance":0,"run":1,"stream":"out","level":"warn","offset":0,"line":"a"}
    {"time":null,"host":"box","environment":"dev","name":"api","instance":0,"run":1,"stream":"out","level":null,"loss":"retention","offset":2,"line":null,"gap_bytes":12595}
    "#);
    let text = world
        .run(&["logs", "--no-prefix"])
        .await
        .ended_with(0)
        .out();
    assert_eq!(
        text,
        "a\n… 12.3 KiB of api are no longer kept (retention)\n"
    );
    let raw = world.run(&["logs", "--raw"]).await;
    assert_eq!(raw.ended_with(0).out(), "a\n");
    assert!(raw.err().contains("no longer kept"), "{}", raw.err());
}

#[tokio::test]
async fn times_are_shown_in_the_form_that_is_asked_for() {
    let world = World::new();
    let log = log(vec![line(1, 0, SECOND, "a")]);
    let _servers = served(&world, &log);
    for (words, begin) in [
        (&["--timestamps"][..], "T"),
        (&["--timestamp", "YYYY"], "19"),
        (&["--timestamp", "%Y-"], "19"),
        (&["--timestamp"], "T"),
    ] {
        let out = world
            .run(&[&["logs"], words].concat())
            .await
            .ended_with(0)
            .out();
        assert!(out.contains(begin) && out.ends_with(" api | a\n"), "{out}");
    }
    let out = world
        .run(&["logs", "--timestamps", "--no-prefix"])
        .await
        .ended_with(0)
        .out();
    assert!(out.ends_with(" a\n") && !out.contains("api"), "{out}");
    let out = world.run(&["logs", "--format"]).await.ended_with(0).out();
    assert!(
        out.starts_with("timestamp=19") && out.ends_with(" app=api id=0 type=out message=a\n"),
        "{out}"
    );
}

#[tokio::test]
async fn what_happened_stands_among_the_lines_in_order_of_time() {
    let world = World::new();
    let log = log(two());
    let _servers = served(&world, &log);
    let out = world
        .run(&["logs", "api", "--events"])
        .await
        .ended_with(0)
        .out();
    let shown: Vec<_> = out
        .lines()
        .filter_map(|line| line.split_once(" api "))
        .map(|(_, text)| text)
        .collect();
    assert_eq!(shown, ["| a", "* stopped: stopped by ann", "| b"]);
    let out = world
        .run(&["logs", "api", "--events", "--json"])
        .await
        .ended_with(0)
        .out();
    assert!(
        out.lines().nth(1).unwrap().contains(r#""event":"stopped""#),
        "{out}"
    );
    let out = world
        .run(&["logs", "api", "--events", "-n", "1"])
        .await
        .ended_with(0)
        .out();
    assert!(!out.contains("stopped"), "{out}");
}

#[tokio::test]
async fn a_cursor_goes_on_exactly_where_the_last_command_ended() {
    let world = World::new();
    let text = |out: String| {
        out.lines()
            .map(|line| line.rsplit("| ").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let words = ["logs", "api", "--cursor", "c.json", "-n", "1", "--events"];
    let first = log(two());
    let servers = served(&world, &first);
    assert_eq!(text(world.run(&words).await.ended_with(0).out()), ["b"]);
    assert_eq!(text(world.run(&words).await.ended_with(0).out()), [""; 0]);
    drop(servers);
    // At the time of the last one that was shown: one of the same run, and one of a new run that came a little later.
    let second = log([
        two(),
        vec![line(1, 4, 2 * SECOND, "c"), line(2, 0, 2 * SECOND + 1, "d")],
    ]
    .concat());
    let servers = served(&world, &second);
    assert_eq!(
        text(world.run(&words).await.ended_with(0).out()),
        ["c", "d"]
    );
    assert_eq!(text(world.run(&words).await.ended_with(0).out()), [""; 0]);
    drop(servers);
    // Something was taken away meanwhile.
    let third = log(vec![line(2, 90, 3 * SECOND, "e")]);
    let servers = served(&world, &third);
    let out = world.run(&words).await.ended_with(0).out();
    assert!(
        out.contains("88 B of api are no longer there") && out.ends_with("| e\n"),
        "{out}"
    );
    let other = world.run(&[&words[..], &["--grep", "x"]].concat()).await;
    assert!(
        other
            .ended_with(1)
            .err()
            .contains("made by another question"),
        "{}",
        other.err()
    );
    fs::write(world.work().join("c.json"), "{").unwrap();
    let damaged = world.run(&words).await;
    let err = damaged.ended_with(1).err();
    assert!(
        err.contains("no cursor of eco logs") && err.contains("Hint: remove it"),
        "{err}"
    );
    drop(servers);
}

#[tokio::test]
async fn what_matches_a_condition_is_gone_on_with_and_no_gap_is_invented() {
    let world = World::new();
    let words = ["logs", "api", "--cursor", "c.json", "--grep", "."];
    let first = log(vec![line(1, 50, SECOND, "a")]);
    let servers = served(&world, &first);
    world.run(&words).await.ended_with(0);
    drop(servers);
    let second = log(vec![line(1, 50, SECOND, "a"), line(1, 99, 2 * SECOND, "b")]);
    let _servers = served(&world, &second);
    let out = world.run(&words).await.ended_with(0).out();
    assert!(out.ends_with("| b\n") && out.lines().count() == 1, "{out}");
}

#[tokio::test]
async fn counts_are_a_table_or_objects() {
    let world = World::new();
    let log = FakeLog {
        counted: vec![StatsItem {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            from_ns: SECOND,
            to_ns: 61 * SECOND,
            lines: 90,
            bytes: 2048,
            records: 80,
            levels: vec![70, 0, 0, 0, 0, 10],
        }],
        ..log(two())
    };
    let _servers = served(&world, &log);
    let out = world
        .run(&["logs", "--stats", "--level", "warn"])
        .await
        .ended_with(0)
        .out();
    assert!(
        out.contains("dev/api ┆    90 ┆ 2.0 KiB ┆     1.5 ┆    10 ┆   70"),
        "{out}"
    );
    let json = world
        .run(&["logs", "--stats", "--by", "1m", "--json"])
        .await;
    insta::assert_snapshot!(json.ended_with(0).out(), @r#"{"from":"1970-01-01T00:00:01.000000000Z","to":"1970-01-01T00:01:01.000000000Z","host":"box","environment":"dev","name":"api","lines":90,"bytes":2048,"lines_per_second":1.5,"records":80,"levels":{"trace":0,"debug":0,"info":0,"warn":0,"error":10,"fatal":0,"none":70}}"#);
    let counts = log.counts.lock().unwrap();
    let spans: Vec<_> = counts.iter().map(|one| one.bucket_ns).collect();
    assert_eq!(spans, [0, 60 * SECOND]);
    assert_eq!(counts[0].query.as_ref().unwrap().level(), Level::Warn);
}

#[tokio::test]
async fn lines_are_exported_and_an_app_that_is_called_export_is_found() {
    let world = World::new();
    let log = log(two());
    let _servers = served(&world, &log);
    let stdout = world
        .run(&["logs", "export", "api"])
        .await
        .ended_with(0)
        .out();
    assert!(
        stdout.lines().count() == 2 && stdout.contains(r#""line":"b""#),
        "{stdout}"
    );
    let to_file = world
        .run(&["logs", "export", "api", "--output", "x.ndjson"])
        .await;
    assert!(
        to_file
            .ended_with(0)
            .err()
            .contains("Wrote 2 lines to x.ndjson"),
        "{}",
        to_file.err()
    );
    assert_eq!(
        fs::read_to_string(world.work().join("x.ndjson")).unwrap(),
        stdout
    );
    let nowhere = world.run(&["logs", "export", "--format", "parquet"]).await;
    assert!(
        nowhere.ended_with(1).err().contains("--output FILE"),
        "{}",
        nowhere.err()
    );
    let missing = world
        .run(&["logs", "export", "--output", "missing/x"])
        .await;
    assert!(
        missing.ended_with(1).err().contains("missing/x"),
        "{}",
        missing.err()
    );
    for words in [
        &["logs", "--", "export"][..],
        &["logs", "./export"],
        &["logs", "api", "export"],
        &["logs", "--since", "@1", "export"],
    ] {
        let app = world.run(words).await;
        assert!(
            app.ended_with(1).err().contains("failed to find export"),
            "{}",
            app.err()
        );
    }
}

#[cfg(feature = "parquet")]
#[tokio::test]
async fn parquet_is_a_file_of_its_kind() {
    let world = World::new();
    let _servers = served(&world, &log(two()));
    let words = ["logs", "export", "--format", "parquet", "-o", "x.parquet"];
    world.run(&words).await.ended_with(0);
    let file = fs::read(world.work().join("x.parquet")).unwrap();
    assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
}
