//! The options of `eco logs`: what is chosen, how it is shown, and that a cursor goes on exactly where it was left.

use eco_tests::{
    Record, Signal, TestEnv, app, check_numbered, check_same_lines, kill, records, wait_until,
};
use serde_json::json;

#[test]
fn a_range_of_times_holds_what_was_written_in_it_and_nothing_else() {
    let env = TestEnv::started(&json!([app("a", &["lines:60:5", "wait"])]));
    wait_until("all lines", || env.logs("a").len() == 60);
    let all = env.logs("a");
    let (from, to) = (&all[20].time, &all[40].time);
    let output = env
        .eco(&["logs", "a", "--since", from, "--until", to, "--json"])
        .ok();
    let is_within = |line: &&Record| *from <= line.time && line.time < *to;
    let within: Vec<Record> = all.iter().filter(is_within).cloned().collect();
    check_same_lines(&records(&output.stdout), &within);
    let lately = env
        .eco(&["logs", "a", "--since", "1 hour ago", "--json"])
        .ok();
    assert_eq!(records(&lately.stdout).len(), 60);
    assert_eq!(env.eco(&["logs", "a", "--until", "1h"]).ok().stdout, "");
    env.eco(&["logs", "a", "--since", "1m", "--until", "2m"])
        .fails(1, &["the range ends before it begins"]);
}

#[test]
fn raw_output_is_byte_for_byte_what_was_written() {
    // A colour, bytes that are no UTF-8, and a carriage return.
    let bytes = "bytes:1b5b33316d610d0aff00620a";
    let env = TestEnv::started(&json!([app("a", &[bytes, "wait"])]));
    wait_until("both lines", || env.logs("a").len() == 2);
    let output = env
        .command(env.project(), &["logs", "a", "--raw", "--color", "always"])
        .output();
    let output = output.expect("it runs");
    assert_eq!(output.stdout, b"\x1b[31ma\r\n\xff\x00b\n");
    let plain = env
        .command(env.project(), &["logs", "a", "--raw"])
        .output()
        .expect("it runs");
    assert_eq!(plain.stdout, output.stdout);
}

#[test]
fn a_cursor_shows_each_line_once_over_new_runs_and_lines_that_are_not_complete() {
    let env = TestEnv::new();
    let until = format!("until:{}", env.path("enough"));
    let go = format!("file:{}", env.path("go"));
    let apps = json!([
        app("a", &[&until, "wait"]),
        app("b", &["part:half ", &go, "out:whole", "wait"]),
    ]);
    env.ecosystem("dev", &apps);
    drop(env.eco(&["start", "dev"]).ok());
    let next = || {
        let output = env
            .eco(&["logs", "--cursor", "seen.json", "-n", "all", "--json"])
            .ok();
        records(&output.stdout)
    };
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.extend(next());
    }
    assert!(seen.iter().all(|line| line.name == "a"), "{seen:?}");
    drop(env.eco(&["restart", "a"]).ok());
    seen.extend(next());
    env.write("enough", "");
    env.write("go", "");
    wait_until("the end is seen", || {
        seen.extend(next());
        let has = |text: &str| seen.iter().any(|line| line.line == text);
        has("end") && has("half whole")
    });
    for run in [1, 2] {
        let of_run: Vec<_> = seen
            .iter()
            .filter(|line| line.name == "a" && line.run == run)
            .cloned()
            .collect();
        let mut stored = env.logs("a");
        stored.retain(|line| line.run == run);
        check_same_lines(&of_run, &stored);
        assert!(check_numbered(&of_run, "a", run) > 0);
    }
    assert_eq!(next(), []);
    env.write("seen.json", "{}");
    env.eco(&["logs", "--cursor", "seen.json"]).fails(
        1,
        &["it is no cursor of eco logs", "remove it to begin anew"],
    );
}

#[test]
fn a_follower_with_a_cursor_notes_what_it_showed() {
    let env = TestEnv::new();
    let go = format!("file:{}", env.path("go"));
    env.ecosystem(
        "dev",
        &json!([app("a", &["out:one", &go, "out:two", "wait"])]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let mut follower = env.follow(&["logs", "-f", "--cursor", "seen.json", "--no-prefix"]);
    wait_until("the first line", || follower.text().contains("one"));
    kill(follower.pid(), Signal::SIGTERM);
    wait_until("its end", || follower.code() == Some(0));
    env.write("go", "");
    wait_until("the second line", || env.logs("a").len() == 2);
    let next = || {
        env.eco(&["logs", "--cursor", "seen.json", "--no-prefix"])
            .ok()
            .stdout
    };
    assert_eq!((next(), next()), ("two\n".to_owned(), String::new()));
}

#[test]
fn restarts_stand_among_the_lines_and_go_on_live() {
    let env = TestEnv::started(&json!([app("a", &["out:hello", "wait"])]));
    let follower = env.follow(&["logs", "a", "-f", "--events", "-n", "all", "--no-prefix"]);
    wait_until("the history", || follower.text().contains("hello"));
    assert!(
        follower.text().contains("* a started"),
        "{}",
        follower.text()
    );
    drop(env.eco(&["restart", "a"]).ok());
    wait_until("the restart", || follower.text().contains("* a restarted"));
    let shown = env
        .eco(&["logs", "a", "--events", "-n", "all", "--no-prefix"])
        .ok()
        .stdout;
    let place = |text: &str| {
        shown
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {shown}"))
    };
    assert!(
        place("* a started") < place("hello") && place("hello") < place("restarted"),
        "{shown}"
    );
}

#[test]
fn an_export_is_what_json_shows_and_an_app_may_be_called_export() {
    let env = TestEnv::started(&json!([app("export", &["lines:50", "wait"])]));
    wait_until("all lines", || env.logs("./export").len() == 50);
    assert_eq!(
        env.eco(&["logs", "--", "export"])
            .ok()
            .stdout
            .lines()
            .count(),
        15
    );
    let output = env.eco(&["logs", "export", "--output", "all.ndjson"]).ok();
    output.tells(&["Wrote 50 lines to all.ndjson"]);
    let written = std::fs::read_to_string(env.path("all.ndjson")).expect("it is there");
    assert_eq!(
        written,
        env.eco(&["logs", "-n", "all", "--json"]).ok().stdout
    );
    assert_eq!(written, env.eco(&["logs", "export"]).ok().stdout);
}

#[test]
fn each_way_to_choose_and_to_show_does_something() {
    let boom = r#"{"level":"error","status":503,"msg":"boom"}"#;
    let json_line = format!("out:{boom}");
    let actions = [
        "out:plain Apple",
        "out:plain pear",
        &json_line,
        "err:to err",
        "wait",
    ];
    let env = TestEnv::started(&json!([app("a", &actions)]));
    wait_until("all lines", || env.logs("a").len() == 4);
    let chosen = |args: &[&str]| {
        let output = env.eco(&[&["logs", "a", "--json"], args].concat()).ok();
        let mut lines: Vec<_> = records(&output.stdout)
            .into_iter()
            .map(|one| one.line)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(chosen(&["-v", "plain"]), ["to err", boom]);
    assert_eq!(
        chosen(&["--exclude", "plain", "--exclude", "boom"]),
        ["to err"]
    );
    assert_eq!(chosen(&["--grep", "apple"]), [""; 0]);
    assert_eq!(chosen(&["--grep", "apple", "-i"]), ["plain Apple"]);
    assert_eq!(chosen(&["--level", "error"]), [boom]);
    assert_eq!(chosen(&["--where", "status>=500"]), [boom]);
    assert_eq!(chosen(&["--where", "status>=504"]), [""; 0]);
    assert_eq!(chosen(&["--nostream"]).len(), 4);

    let shown = |args: &[&str]| env.eco(&[&["logs", "a"], args].concat()).ok().stdout;
    let first = env.logs("a").remove(0).time;
    let (date, _) = first.split_once('T').expect("a date and a time");
    assert!(!shown(&[]).contains(date));
    assert!(shown(&["--timestamps"]).contains(date));
    assert!(shown(&["--timestamp"]).contains(&format!("{date}T")));
    assert!(shown(&["--timestamp", "[on] YYYY"]).contains(&format!("on {}", &date[..4])));
    let formatted = shown(&["--format"]);
    assert!(
        formatted.contains("app=a ") && formatted.contains("message=plain Apple"),
        "{formatted}"
    );
    let plain = shown(&["--color", "always", "--no-prefix"]);
    let highlit = shown(&["--color", "always", "--no-prefix", "--highlight", "pear"]);
    assert!(
        !plain.contains("mpear") && highlit.contains("mpear"),
        "{highlit}"
    );

    let stats = shown(&["--stats"]);
    assert!(stats.contains('4') && !stats.contains("boom"), "{stats}");
    assert_ne!(shown(&["--stats", "--by", "1h"]), stats);
    let exported = env.eco(&["logs", "export", "a", "--grep", "pear"]).ok();
    assert_eq!(records(&exported.stdout).len(), 1);
    let export = ["logs", "export", "--format", "parquet", "-o", "all.parquet"];
    drop(env.eco(&export).ok());
    let written = std::fs::read(env.path("all.parquet")).expect("it is there");
    assert!(written.starts_with(b"PAR1") && written.ends_with(b"PAR1"));
}
