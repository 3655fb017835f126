//! Apps whose files are watched: what restarts them, what does not, and who explains it.

use std::fs;

use eco_tests::{TestEnv, app, wait_until};
use serde_json::{Value, json};

/// An app that watches `src` of the project, and says `began` when it begins.
fn watched(env: &TestEnv, fields: &Value) -> Value {
    let Value::Object(mut one) = app("watched", &["out:began", "wait"]) else {
        panic!("an app is an object");
    };
    one.insert("watch".to_owned(), json!(["src"]));
    one.insert("cwd".to_owned(), json!(env.path("")));
    one.extend(fields.as_object().expect("an object").clone());
    Value::Object(one)
}

/// Starts it, and waits until its files are watched.
fn start(env: &TestEnv, fields: &Value) {
    env.ecosystem("dev", &json!([watched(env, fields)]));
    drop(env.eco(&["start", "dev"]).ok());
    is_watched(env);
}

fn is_watched(env: &TestEnv) {
    wait_until("its files are watched", || {
        folders(env).is_some() && env.list().one("watched").status() == "online"
    });
}

/// A field of the state of the app's watching; `None`: it is not watched.
fn state(env: &TestEnv, field: &str) -> Option<Value> {
    let told = env.eco(&["watch", "watched", "--json"]).ok().json();
    let path = format!("/0/watching/state/{field}");
    told.pointer(&path).cloned()
}

/// How many folders are watched.
fn folders(env: &TestEnv) -> Option<u64> {
    state(env, "folders")?.as_u64()
}

fn run(env: &TestEnv) -> u64 {
    env.list().one("watched").number("run")
}

/// Waits until the app runs as another run than `last`, and returns which.
#[track_caller]
fn next_run(env: &TestEnv, last: u64) -> u64 {
    wait_until("the app is replaced", || {
        let all = env.list();
        let one = all.one("watched");
        one.status() == "online" && one.number("run") > last
    });
    run(env)
}

#[test]
fn what_is_left_out_is_neither_watched_nor_a_reason_and_explain_tells_so() {
    let env = TestEnv::new();
    for file in [
        "src/a.py",
        "src/node_modules/x/y/z.js",
        "src/__pycache__/a.pyc",
        "src/logs/today/app.log",
        "src/dist/out.js",
        "src/pkg/dist/in.js",
    ] {
        env.write(file, "x");
    }
    let ignore = json!(["logs/", "/dist", "*.pyc", "!keep.pyc"]);
    start(&env, &json!({ "ignore_watch": ignore, "watch_delay": 100 }));
    // src, src/pkg, src/pkg/dist.
    assert_eq!(folders(&env), Some(3));

    let asked = [
        "src/a.py",
        "src/a.pyc",
        "src/keep.pyc",
        "src/logs/x",
        "src/dist/",
        "src/pkg/dist/in.js",
        "src/.env",
    ];
    let line: Vec<&str> = ["watch", "--explain", "--json", "watched"]
        .into_iter()
        .chain(asked)
        .collect();
    let told = env.eco(&line).ok().json();
    let verdicts = told[0]["watching"]["paths"]
        .as_array()
        .expect("paths")
        .clone();
    let counting: Vec<bool> = verdicts.iter().map(|one| one["counts"] == true).collect();
    assert_eq!(
        counting,
        [true, false, true, false, false, true, true],
        "{told}"
    );
    assert_eq!(verdicts[3]["rule"]["text"], "logs/");
    let people = env
        .eco(&["watch", "--explain", "watched", "src/dist/out.js"])
        .ok();
    assert!(
        people.stdout.contains("/dist (ignore_watch) leaves it out"),
        "{people}"
    );

    // Each that does not count is written before one that does: only that one is told as the cause.
    let before = run(&env);
    for file in [
        "src/a.pyc",
        "src/logs/today/app.log",
        "src/dist/out.js",
        "src/node_modules/x/y/z.js",
        "src/__pycache__/b",
    ] {
        env.write(file, "y");
    }
    env.write("src/keep.pyc", "y");
    next_run(&env, before);
    let cause = env.list().one("watched").text("cause").to_owned();
    assert!(cause.contains("src/keep.pyc changed"), "{cause}");
}

#[test]
fn a_burst_is_one_restart_and_what_comes_during_it_is_one_more() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    // Slow to end, so that a change can come meanwhile; slow to begin would be the same.
    let actions = json!({ "args": ["out:began", "slow:300", "wait"], "watch_delay": 200, "kill_timeout": 10_000 });
    start(&env, &actions);
    let first = run(&env);
    for number in 0..200 {
        env.write(&format!("src/{}/{number}", number % 10), "x");
    }
    let second = next_run(&env, first);
    assert_eq!(second, first + 1, "a burst is one restart");

    env.write("src/a", "y");
    wait_until("it is ending", || {
        env.list().one("watched").status() == "stopping"
    });
    // The next run begins after this: it needs no restart for it.
    env.write("src/a", "z");
    let third = next_run(&env, second);
    env.write("src/a", "last");
    let fourth = next_run(&env, third);
    assert_eq!((third, fourth), (second + 1, third + 1));
}

#[test]
fn a_stopped_app_stays_stopped_when_its_files_change_and_is_watched_again_after_a_start() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    start(&env, &json!({}));
    drop(env.eco(&["stop", "watched"]).ok());
    wait_until("nothing is watched", || folders(&env).is_none());
    env.write("src/a", "y");
    drop(env.eco(&["start", "watched"]).ok());
    is_watched(&env);
    let started = run(&env);
    env.write("src/a", "z");
    assert_eq!(next_run(&env, started), started + 1);
}

#[test]
fn a_folder_that_is_made_again_and_one_that_is_new_are_watched() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    start(&env, &json!({}));
    let mut last = run(&env);
    fs::remove_dir_all(env.path("src")).expect("removed");
    last = next_run(&env, last);
    env.write("src/new/b", "x");
    last = next_run(&env, last);
    wait_until("the new folder is watched", || folders(&env) == Some(2));
    env.write("src/new/b", "y");
    next_run(&env, last);
}

#[test]
fn what_the_agent_writes_for_an_app_restarts_nothing() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    start(
        &env,
        &json!({ "pid_file": "src/watched.pid", "watch_delay": 100 }),
    );
    let first = run(&env);
    env.write("src/watched.pid", "12345");
    env.write("src/b", "y");
    next_run(&env, first);
    let cause = env.list().one("watched").text("cause").to_owned();
    assert!(cause.contains("src/b changed"), "{cause}");
}

#[test]
fn a_rule_that_means_nothing_is_a_problem_of_the_file() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    env.write(
        "ecosystem.config.js",
        "module.exports = { apps: [{ name: 'a', script: 'sleep 9', watch: true, ignore_watch: [/(?<!x)y/, '!(b)'] }] }",
    );
    let refused = env.eco(&["start", "-E", "dev"]);
    refused.fails(1, &["ignore_watch", "look-around", "extended globs"]);
}

#[test]
fn polling_sees_changes_too_and_other_options_are_told() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    let options = json!({ "usePolling": true, "interval": 50, "disableGlobbing": true });
    env.ecosystem(
        "dev",
        &json!([watched(&env, &json!({ "watch_options": options }))]),
    );
    env.eco(&["start", "dev"]).ok().tells(&["disableGlobbing"]);
    is_watched(&env);
    assert_eq!(state(&env, "poll_ms"), Some(json!(50)));
    let first = run(&env);
    env.write("src/a", "longer");
    next_run(&env, first);
}

#[test]
fn what_ended_by_itself_runs_again_when_its_files_change_unless_it_was_stopped() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    let once = json!({ "args": ["out:built"], "autorestart": false });
    env.ecosystem("dev", &json!([watched(&env, &once)]));
    drop(env.eco(&["start", "dev", "--no-wait"]));
    let built = |times: usize| {
        wait_until("it is built", || env.logs("watched").len() == times);
        wait_until("it has ended", || {
            env.list().one("watched").status() == "stopped"
        });
    };
    built(1);
    wait_until("its files are watched", || folders(&env).is_some());
    env.write("src/a", "y");
    built(2);
    drop(env.eco(&["stop", "watched"]).ok());
    wait_until("nothing is watched", || folders(&env).is_none());
}

#[test]
fn what_ended_by_itself_is_watched_again_when_it_is_back_from_its_rest() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    let once = json!({ "args": ["out:built"], "autorestart": false });
    env.ecosystem("dev", &json!([watched(&env, &once)]));
    drop(env.eco(&["start", "dev", "--no-wait"]));
    wait_until("its files are watched", || {
        env.list().one("watched").status() == "stopped" && folders(&env).is_some()
    });
    drop(env.eco(&["kill"]).ok());
    assert_eq!(folders(&env), None);
    drop(env.eco(&["resurrect"]).ok());
    wait_until("its files are watched", || folders(&env).is_some());
    assert_eq!(env.logs("watched").len(), 1);
    env.write("src/a", "y");
    wait_until("it is built", || env.logs("watched").len() == 2);
}

#[test]
fn an_app_that_writes_what_it_watches_is_told_so() {
    let env = TestEnv::new();
    env.write("src/a", "x");
    let fake = eco_tests::fake_app();
    let script = format!("test -e src/go && echo x >> src/own; exec {fake} wait");
    start(&env, &json!({ "script": script, "args": [] }));
    env.write("src/go", "on");
    wait_until("the loop is told", || {
        env.list()
            .one("watched")
            .text("cause")
            .contains("ignore_watch can leave it out")
    });
}
