//! Stop means stop: *stopped* is said when no process of the app is left.

use std::fs;

use eco_tests::{TestEnv, app, wait_until};
use serde_json::json;

fn fakes(env: &TestEnv) -> usize {
    env.processes()
        .iter()
        .filter(|(_, name)| name == "fake-app")
        .count()
}

#[test]
fn an_app_that_ignores_signals_is_killed_with_its_whole_tree_after_its_time() {
    let env = TestEnv::new();
    let tree = [
        "ignore",
        "child:wait",
        "child:setsid,child:setsid,wait",
        "wait",
    ];
    let mut stubborn = app("stubborn", &tree);
    stubborn["kill_timeout"] = json!(700);
    env.ecosystem("dev", &json!([stubborn]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("the tree is there", || fakes(&env) >= 3);
    drop(env.eco(&["stop", "stubborn"]).ok());
    assert_eq!(fakes(&env), 0);
    let described = env.describe("stubborn");
    assert_eq!(described["exits"][0]["signal"], json!(9), "{described}");
    let lived = described["exits"][0]["lived_ms"].as_u64();
    assert!(lived.is_some_and(|lived| lived >= 700), "{described}");
}

#[test]
fn an_app_that_heeds_the_signal_says_its_last_words() {
    let env = TestEnv::started(&json!([app("a", &["polite", "wait"])]));
    drop(env.eco(&["stop", "a"]).ok());
    assert_eq!(
        env.logs("a").last().map(|record| record.line.clone()),
        Some("bye".to_owned())
    );
    let described = env.describe("a");
    assert_eq!(described["exits"][0]["code"], json!(0), "{described}");
    let me = format!("stopped by {}", eco_tests::me());
    assert_eq!(described["cause"], json!(me));
}

#[test]
fn a_stopped_app_stays_stopped_when_the_agent_is_replaced() {
    let env = TestEnv::started(&json!([app("a", &["wait"]), app("b", &["wait"])]));
    drop(env.eco(&["stop", "a"]).ok());
    env.slay(env.daemons().agent);
    let list = env.list();
    assert_eq!(list.one("a").status(), "stopped");
    assert_eq!(list.one("b").status(), "online");
}

#[test]
fn stopping_twice_is_no_failure() {
    let env = TestEnv::started(&json!([app("a", &["wait"])]));
    drop(env.eco(&["stop", "a"]).ok());
    env.eco(&["stop", "a"]).ok().tells(&["unchanged"]);
}

#[test]
fn no_fifo_is_left_of_a_stopped_run() {
    let env = TestEnv::started(&json!([app("a", &["out:x", "wait"])]));
    drop(env.eco(&["stop", "a"]).ok());
    let described = env.describe("a");
    let folder = described["run_dir"].as_str().expect("a folder").to_owned();
    wait_until("the output is complete", || {
        let names = fs::read_dir(&folder).expect("it is there").flatten();
        !names
            .into_iter()
            .any(|entry| entry.path().extension().is_some_and(|end| end == "fifo"))
    });
}
