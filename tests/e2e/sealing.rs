//! Output that is complete is packed, and the oldest goes; `eco logs` tells what is there all the same.

use std::path::PathBuf;

use eco_tests::{TestEnv, app, most_held, records, wait_until};
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
fn a_run_that_is_older_than_is_kept_goes_and_a_living_one_loses_what_is() {
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
    let told = || env.eco(&["logs", "a", "-n", "all"]).ok().stdout;
    wait_until("the lines of the second run are a gap", || {
        told().lines().count() == 1 && told().contains("no longer kept (retention)")
    });
    assert_eq!(folder(&env), second);
    assert!(second.join("out.0001").exists());
}

/// Blocks of 256 KiB and what zstd needs for them, beside the daemon itself.
const MOST_HELD: u64 = 32 << 20;

#[test]
fn a_complete_segment_of_an_app_that_runs_on_is_sealed_and_all_is_read_as_before() {
    let env = TestEnv::new();
    // A segment is complete at 64 MiB.
    let line = "a line that is written again and again";
    let script =
        format!("echo first; yes '{line}' | head -c 70000000; echo; echo last; exec sleep 600");
    env.ecosystem("dev", &json!([{ "name": "a", "script": script }]));
    drop(env.eco(&["start", "dev"]).ok());
    let last = || {
        let told = env.eco(&["logs", "a", "-n", "1", "--json"]).ok();
        records(&told.stdout)
            .pop()
            .map(|record| (record.line, record.offset))
    };
    let end = 6 + 70_000_000 + 1;
    wait_until("all is written", || {
        last() == Some(("last".to_owned(), end))
    });
    let first = || {
        let told = env.eco(&["logs", "a", "-n", "all", "--grep", "^(fir|la)st$", "--json"]);
        told.ok().stdout
    };
    let before = first();
    assert_eq!(records(&before).len(), 2);
    let folder = folder(&env);
    wait_until("it is sealed", || {
        folder.join("out.0001.sealed").exists() && !folder.join("out.0001.times").exists()
    });
    assert!(!folder.join("out.0001").exists() && folder.join("out.0002").exists());
    assert_eq!(first(), before);
    assert_eq!(last(), Some(("last".to_owned(), end)));
    let held = most_held(env.daemons().logd);
    assert!(held < MOST_HELD, "the log daemon held {held} bytes");
}
