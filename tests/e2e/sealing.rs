//! Output that is complete is packed, and the oldest goes; `eco logs` tells what is there all the same.

use std::path::PathBuf;

use eco_tests::{TestEnv, app, wait_until};
use serde_json::{Value, json};

fn folder(env: &TestEnv) -> PathBuf {
    let described = env.describe("a");
    let folder = described.get("run_dir").and_then(Value::as_str);
    PathBuf::from(folder.expect("a folder"))
}

#[test]
fn a_run_that_has_ended_is_sealed_and_tells_the_same() {
    let env = TestEnv::started(&json!([app("a", &["lines:5000", "wait"])]));
    wait_until("all lines", || env.logs("a").len() == 5000);
    let folder = folder(&env);
    drop(env.eco(&["stop", "a"]).ok());
    let before = env.eco(&["logs", "a", "-n", "all", "--json"]).ok().stdout;
    wait_until("it is sealed", || {
        folder.join("out.0001.sealed").exists() && !folder.join("out.0001.times").exists()
    });
    assert!(!folder.join("out.0001").exists());
    let after = env.eco(&["logs", "a", "-n", "all", "--json"]).ok().stdout;
    assert_eq!(before, after);
    let tail = env.eco(&["logs", "a", "-n", "3", "--json"]).ok().stdout;
    assert!(!tail.is_empty() && before.ends_with(&tail));
}

#[test]
fn a_run_that_is_older_than_is_kept_goes_and_a_living_one_stays() {
    let env = TestEnv::new();
    std::fs::create_dir_all(env.home()).expect("made");
    std::fs::write(env.home().join("eco.toml"), "[logs]\nmax_age = \"1s\"\n").expect("written");
    env.ecosystem("dev", &json!([app("a", &["lines:5000", "wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("all lines", || !env.logs("a").is_empty());
    let first = folder(&env);
    drop(env.eco(&["restart", "a"]).ok());
    wait_until("the first run is gone", || !first.exists());
    let second = folder(&env);
    wait_until("all lines of the second run", || {
        env.logs("a").len() == 5000
    });
    assert!(second.join("out.0001").exists());
}
