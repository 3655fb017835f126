//! `eco logs`: what the apps wrote, all of it, in the order in which it came.

use std::process::Command;

use eco_tests::{TestEnv, app, check_numbered, check_same_lines, program, records, wait_until};
use serde_json::{Value, json};

#[test]
fn lines_of_several_apps_are_in_the_order_of_their_times_and_n_counts_them_all_together() {
    let writer = |name: &str| app(name, &["lines:40:3", "wait"]);
    let env = TestEnv::started(&json!([writer("a"), writer("b"), writer("c")]));
    wait_until("all lines", || env.logs("*").len() == 120);
    let all = env.logs("*");
    assert!(all.is_sorted_by(|left, right| left.time <= right.time));
    for name in ["a", "b", "c"] {
        assert_eq!(check_numbered(&all, name, 1), 40);
    }
    let last = records(&env.eco(&["logs", "-n", "25", "--json"]).ok().stdout);
    assert_eq!(last, all[95..]);
    assert_eq!(env.eco(&["logs"]).ok().stdout.lines().count(), 15);
    assert_eq!(env.eco(&["logs", "-n", "0"]).ok().stdout, "");
}

#[test]
fn the_two_streams_are_told_apart() {
    let env = TestEnv::started(&json!([app("a", &["out:to out", "err:to err", "wait"])]));
    let lines = |flag: &str| {
        let output = env.eco(&["logs", "--json", flag]).ok();
        let all = records(&output.stdout).into_iter();
        all.map(|record| (record.stream, record.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("--out"), [("out".to_owned(), "to out".to_owned())]);
    assert_eq!(lines("--err"), [("err".to_owned(), "to err".to_owned())]);
    assert_eq!(env.eco(&["logs", "--out", "--err"]).code, 2);
}

#[test]
fn a_json_line_has_exactly_the_promised_fields_and_text_names_the_app() {
    let env = TestEnv::started(&json!([app("a", &["out:hello", "wait"])]));
    let output = env.eco(&["logs", "--json"]).ok();
    assert_eq!(output.stderr, "");
    let line = output.json();
    let mut fields: Vec<&str> = line
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    let promised = [
        "environment",
        "host",
        "instance",
        "level",
        "line",
        "name",
        "offset",
        "run",
        "stream",
        "time",
    ];
    assert_eq!(fields, promised);
    assert_eq!(line["environment"], json!("dev"));
    let text = env.eco(&["logs"]).ok().stdout;
    assert!(text.ends_with(" a | hello\n"), "{text}");
}

#[test]
fn history_and_what_follows_meet_without_a_gap_or_a_repeat() {
    let env = TestEnv::new();
    let until = format!("until:{}", env.path("enough"));
    env.ecosystem("dev", &json!([app("a", &[&until, "wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    let mut followers: Vec<_> = (0..4)
        .map(|_| {
            let follower = env.follow(&["logs", "-f", "-n", "all", "--json"]);
            wait_until("it has begun", || follower.count() > 0);
            follower
        })
        .collect();
    let seen = env.logs("a").len();
    wait_until("much more is written", || env.logs("a").len() > seen + 2000);
    env.write("enough", "");
    for follower in &mut followers {
        follower.wait_for_end("\"line\":\"end\"");
        let followed = records(&follower.text());
        assert!(check_numbered(&followed, "a", 1) > 2000);
        check_same_lines(&followed, &env.logs("a"));
    }
}

#[test]
fn following_goes_on_over_a_restart_and_into_an_app_that_appears_later() {
    let env = TestEnv::started(&json!([app("a1", &["out:here", "wait"])]));
    let follower = env.follow(&["logs", "-f", "-n", "0", "a*", "--json"]);
    let heard = || {
        let all = records(&follower.text()).into_iter();
        all.map(|record| (record.name, record.run))
            .collect::<Vec<_>>()
    };
    // Whether it follows yet is only known by what it hears.
    wait_until("a restart is heard", || {
        drop(env.eco(&["restart", "a1"]).ok());
        !heard().is_empty()
    });
    env.ecosystem("dev", &json!([app("a2", &["out:new", "wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("the new app is heard", || {
        heard().iter().any(|(name, _)| name == "a2")
    });
}

#[test]
fn a_run_is_shown_by_its_number_or_counted_back_also_when_its_app_was_deleted() {
    let env = TestEnv::started(&json!([app("a", &["out:hello", "wait"])]));
    drop(env.eco(&["restart", "a"]).ok());
    let of_run = |run: &str| {
        let output = env.eco(&["logs", "a", "--run", run, "--json"]).ok();
        let all = records(&output.stdout).into_iter();
        all.map(|record| (record.run, record.line))
            .collect::<Vec<_>>()
    };
    let hello = |run| vec![(run, "hello".to_owned())];
    for _ in 0..2 {
        assert_eq!(of_run("1"), hello(1));
        assert_eq!(of_run("-1"), hello(2));
        assert_eq!(of_run("-2"), hello(1));
        env.eco(&["logs", "a", "--run", "3"])
            .fails(1, &["dev/a#0: runs 1 to 2 are kept"]);
        // The second time round the agent does not know it any more.
        drop(env.eco(&["delete", "a"]));
    }
    assert_eq!(env.logs("a").len(), 2);
    env.eco(&["logs", "b"])
        .fails(1, &["failed to find b", "app b: the agent knows none"]);
}

#[test]
fn a_million_bytes_written_just_before_a_crash_are_there() {
    let env = TestEnv::new();
    let mut crash = app("crash", &["lines:30000", "part:no newline", "die:SIGKILL"]);
    crash["autorestart"] = json!(false);
    env.ecosystem("dev", &json!([crash]));
    drop(env.eco(&["start", "dev"]));
    wait_until("it has ended", || {
        env.list().one("crash").field("pid").is_null()
    });
    let mut all = env.logs("crash");
    let last = all.pop().expect("lines");
    assert_eq!(last.line, "no newline");
    assert_eq!(check_numbered(&all, "crash", last.run), 30_000);
}

#[test]
fn bytes_that_are_no_text_are_shown_as_well_as_can_be() {
    let env = TestEnv::started(&json!([app(
        "a",
        &["bytes:fffe00411b5b33316d0a", "out:after", "wait"]
    )]));
    let all = env.logs("a");
    let lines: Vec<&str> = all.iter().map(|record| record.line.as_str()).collect();
    assert_eq!(lines, ["\u{fffd}\u{fffd}\0A\u{1b}[31m", "after"]);
    assert_eq!(all[1].offset, 10);
    drop(env.eco(&["logs"]).ok());
}

#[test]
fn a_reader_that_leaves_early_is_no_failure_to_speak_of() {
    let env = TestEnv::started(&json!([app("a", &["lines:20000", "wait"])]));
    let mut shell = Command::new("sh");
    let text = "\"$0\" logs -n all | head -n 2; \"$0\" logs -f -n all | head -n 1";
    shell.args(["-c", text]).arg(program("eco"));
    let eco = env.command(env.project(), &[]);
    for (name, value) in eco.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let output = env.run(shell);
    assert_eq!(output.stdout.lines().count(), 3, "{output}");
    assert_eq!(output.stderr, "");
}

#[test]
fn variables_that_look_secret_are_not_shown() {
    let env = TestEnv::new();
    let mut one: Value = app("a", &["env:API_TOKEN", "wait"]);
    one["env"] = json!({ "API_TOKEN": "hunter2" });
    env.ecosystem("dev", &json!([one]));
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(env.logs("a")[0].line, "API_TOKEN=hunter2");
    for args in [&["describe", "a"][..], &["describe", "a", "--json"]] {
        assert!(!env.eco(args).ok().stdout.contains("hunter2"));
    }
}
