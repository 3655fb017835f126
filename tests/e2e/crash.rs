//! Apps that end when nobody asked them to.

use eco_tests::{Signal, TestEnv, app, free_port, is_alive, is_free, kill, wait_until};
use serde_json::{Value, json};

#[test]
fn an_app_killed_from_outside_is_back_and_counted_and_the_reason_is_told() {
    let env = TestEnv::started(&json!([app("a", &["wait"]), app("b", &["wait"])]));
    let before = env.list();
    kill(before.one("a").pid(), Signal::SIGKILL);
    wait_until("it is back", || {
        let list = env.list();
        let now = list.one("a");
        now.status() == "online" && now.pid() != before.one("a").pid()
    });
    let after = env.list();
    assert_eq!(after.one("a").number("restarts"), 1);
    assert_eq!(after.one("b").pid(), before.one("b").pid());
    assert!(
        after.one("a").text("cause").contains("killed by SIGKILL"),
        "{after:?}"
    );
    let described = env.describe("a");
    assert_eq!(described["exits"][0]["signal"], json!(9), "{described}");
    let text = env.eco(&["describe", "a"]).ok().stdout;
    assert!(text.contains("killed by SIGKILL"), "{text}");
}

#[test]
fn an_app_that_dies_at_once_is_given_up_with_its_last_lines_told_and_the_others_start() {
    let env = TestEnv::new();
    let mut dies = app(
        "dies",
        &["out:loading", "err:no such table: users", "exit:3"],
    );
    dies["max_restarts"] = json!(4);
    env.ecosystem("dev", &json!([dies, app("lives", &["wait"])]));
    let output = env.eco(&["start", "dev"]);
    output.fails(
        1,
        &[
            "dev/dies",
            "exited with code 3",
            "loading",
            "no such table: users",
        ],
    );
    let list = env.list();
    assert_eq!(list.one("lives").status(), "online");
    assert_eq!(list.one("dies").status(), "errored");
    assert_eq!(list.one("dies").number("unstable_restarts"), 4);

    let described = env.describe("dies");
    let exits = described["exits"].as_array().expect("an array");
    assert_eq!(exits.len(), 4, "{described}");
    assert!(exits.iter().all(|exit| exit["code"] == json!(3)));
    // The latest first: each pause between an end and the next beginning is longer than the one before.
    let causes: Vec<&str> = exits
        .iter()
        .rev()
        .filter_map(|exit| exit["cause"].as_str())
        .collect();
    let waits = ["at once", "100 ms", "150 ms", "given up after 4"];
    for (cause, wait) in causes.iter().zip(waits) {
        assert!(cause.contains(wait), "{causes:?}");
    }
}

#[test]
fn an_app_given_up_can_be_started_again() {
    let env = TestEnv::new();
    let mut once = app("once", &["exit:1"]);
    once["max_restarts"] = json!(1);
    env.ecosystem("dev", &json!([once]));
    env.eco(&["start", "dev"]).fails(1, &["once"]);
    once["args"] = json!(["wait"]);
    env.ecosystem("dev", &json!([once]));
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(env.list().one("once").status(), "online");
}

#[test]
fn an_app_that_keeps_failing_waits_longer_each_time_and_shows_for_how_long() {
    let env = TestEnv::new();
    let mut slow = app("slow", &["exit:1"]);
    slow["exp_backoff_restart_delay"] = json!(1000);
    env.ecosystem("dev", &json!([slow]));
    env.eco(&["start", "dev"])
        .fails(1, &["dev/slow", "keeps failing"]);
    let list = env.list();
    let waiting = list.one("slow");
    assert_eq!(waiting.status(), "waiting restart");
    assert!(
        waiting.text("cause").contains("next attempt after 2.2 s"),
        "{waiting:?}"
    );
    assert!(
        (1..=2250).contains(&waiting.number("restart_in_ms")),
        "{waiting:?}"
    );
    let described = env.describe("slow");
    let exits = described["exits"]
        .as_array()
        .expect("an array")
        .iter()
        .rev();
    let causes: Vec<&str> = exits.filter_map(|exit| exit["cause"].as_str()).collect();
    for (cause, delay) in causes.iter().zip(["1 s", "1.5 s", "2.2 s"]) {
        assert!(cause.contains(delay), "{causes:?}");
    }
    drop(env.eco(&["stop", "slow"]).ok());
    assert_eq!(env.list().one("slow").status(), "stopped");
}

fn ended(env: &TestEnv, name: &str) {
    wait_until("the end is taken for one", || {
        env.list().one(name).status() == "stopped"
    });
    assert_eq!(env.list().one(name).number("restarts"), 0);
}

#[test]
fn an_exit_code_named_as_an_end_is_one_and_without_autorestart_every_end_is() {
    let env = TestEnv::new();
    let go = env.path("go");
    let wait = format!("file:{go}");
    let with = |name: &str, code: &str, field: &str, value: Value| {
        let mut one = app(name, &[&wait, code]);
        one[field] = value;
        one
    };
    env.ecosystem(
        "dev",
        &json!([
            with("done", "exit:5", "stop_exit_codes", json!([5])),
            with("single", "exit:9", "autorestart", json!(false)),
        ]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    env.write("go", "");
    ended(&env, "done");
    ended(&env, "single");
    assert_eq!(env.describe("single")["exits"][0]["code"], json!(9));
}

#[test]
fn what_a_killed_app_leaves_behind_is_ended_before_the_next_one_begins() {
    let env = TestEnv::new();
    let port = free_port();
    let child = format!("child:setsid,ignore,listen:{port},wait");
    env.ecosystem("dev", &json!([app("wrapper", &[&child, "wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("the child listens", || !is_free(port));
    let before = env.list().one("wrapper").pid();
    kill(before, Signal::SIGKILL);
    wait_until("the wrapper is back", || {
        let list = env.list();
        let now = list.one("wrapper");
        now.status() == "online" && now.pid() != before
    });
    wait_until("the new child listens", || !is_free(port));
    let lines = env.logs("wrapper");
    assert!(lines.is_empty(), "the port was free for it: {lines:?}");
    let apps = env
        .processes()
        .into_iter()
        .filter(|(_, name)| name == "fake-app")
        .count();
    assert_eq!(apps, 2);
    assert!(!is_alive(before));
}
