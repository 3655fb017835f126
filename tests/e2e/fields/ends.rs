//! What follows an end, how one is asked for, and when a start counts as done.

use eco_tests::{Signal, TestEnv, app, free_port, kill, wait_until};
use serde_json::{Value, json};

use super::{TRAP, lines, merge};

#[test]
fn after_a_failure_a_restart_follows_and_after_success_none() {
    let env = TestEnv::new();
    let flag = env.path("failed-once");
    let mut once = app("a", &[]);
    once["script"] = json!(format!("test -e {flag} || {{ touch {flag}; exit 3; }}"));
    merge(
        &mut once,
        &json!({ "args": [], "autorestart": "on-failure" }),
    );
    env.ecosystem("dev", &json!([once]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("it has ended well", || {
        env.list().one("a").status() == "stopped"
    });
    let exits = env.describe("a")["exits"].clone();
    let codes: Vec<_> = exits
        .as_array()
        .expect("exits")
        .iter()
        .map(|exit| exit["code"].clone())
        .collect();
    assert_eq!(codes, [json!(0), json!(3)]);
}

#[test]
fn an_end_is_unstable_only_before_the_min_uptime() {
    let short = |name: &str, min_uptime: &str| {
        let mut short = app(name, &["rest:120", "exit:1"]);
        merge(
            &mut short,
            &json!({ "min_uptime": min_uptime, "max_restarts": 3 }),
        );
        short
    };
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([short("stable", "1ms"), short("unstable", "1h")]),
    );
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("one of them is given up", || {
        env.list().one("unstable").status() == "errored"
    });
    wait_until("the other one goes on", || {
        env.list().one("stable").number("restarts") > 3
    });
    assert_eq!(env.list().one("stable").number("unstable_restarts"), 0);
}

#[test]
fn a_fixed_delay_is_waited_for_before_every_restart() {
    let mut ends = app("a", &["exit:1"]);
    ends["restart_delay"] = json!("1h");
    let env = TestEnv::new();
    env.ecosystem("dev", &json!([ends]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("it waits", || {
        env.list().one("a").status() == "waiting restart"
    });
    let list = env.list();
    let waiting = list.one("a");
    assert!(waiting.number("restart_in_ms") > 3_500_000, "{waiting:?}");
}

#[test]
fn the_signal_that_asks_an_app_to_end_can_be_chosen() {
    let asks =
        |name: &str, signal: &Value| json!({ "name": name, "script": TRAP, "kill_signal": signal });
    let env = TestEnv::started(&json!([
        asks("int", &Value::Null),
        asks("term", &json!("SIGTERM")),
        asks("number", &json!(15))
    ]));
    for name in ["int", "term", "number"] {
        assert_eq!(lines(&env, name, 1), ["up"]);
    }
    drop(env.eco(&["stop", "all", "-E", "dev"]).ok());
    // The shell may say of its `sleep`, too, that it was terminated.
    for (name, word) in [("int", "INT"), ("term", "TERM"), ("number", "TERM")] {
        let said = lines(&env, name, 2);
        assert!(said.contains(&word.to_owned()), "{name}: {said:?}");
    }
}

#[test]
fn the_whole_tree_is_asked_to_end_or_its_first_process_alone() {
    let tree = |name: &str, whole: bool| {
        let mut tree = app(
            name,
            &["child:polite,out:up,wait", "polite", "out:up", "wait"],
        );
        tree["treekill"] = json!(whole);
        tree
    };
    let env = TestEnv::started(&json!([tree("whole", true), tree("first", false)]));
    for name in ["whole", "first"] {
        assert_eq!(lines(&env, name, 2), ["up", "up"]);
    }
    drop(env.eco(&["stop", "all", "-E", "dev"]).ok());
    assert_eq!(lines(&env, "whole", 4), ["up", "up", "bye", "bye"]);
    assert_eq!(lines(&env, "first", 3), ["up", "up", "bye"]);
    let left = env
        .processes()
        .into_iter()
        .filter(|(_, name)| name == "fake-app");
    assert_eq!(
        left.count(),
        1,
        "what the first process leaves behind goes on"
    );
}

#[test]
fn an_app_that_does_not_listen_counts_as_up_after_its_listen_timeout() {
    let silent = |name: &str, more: &Value| {
        let mut silent = app(name, &["wait"]);
        merge(&mut silent, &json!({ "env": { "PORT": free_port() } }));
        merge(&mut silent, more);
        silent
    };
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([
            silent("patient", &json!({ "listen_timeout": "1h" })),
            silent("usual", &json!({}))
        ]),
    );
    let start = env.follow(&["start", "dev"]);
    // Both began at the same time, so that the one of three seconds tells that the other one's were not enough.
    wait_until("the usual one is up", || {
        let list = env.list();
        list.all().len() == 2 && list.one("usual").status() == "online"
    });
    assert_eq!(env.list().one("patient").status(), "launching");
    kill(start.pid(), Signal::SIGINT);
}
