//! A state that cannot be read any more: it is told, nothing is guessed, and what runs can be ended.

use std::fs;
use std::path::PathBuf;

use eco_tests::{TestEnv, app};
use serde_json::json;

/// The files of the state, and what is in them.
fn state(env: &TestEnv) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(env.home().join("state")).expect("it is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let files = paths.filter(|path| path.is_file());
    let mut files: Vec<_> = files
        .map(|path| (path.clone(), fs::read(path).expect("it can be read")))
        .collect();
    files.sort();
    files
}

#[test]
fn what_runs_is_ended_though_the_state_cannot_be_read() {
    let stubborn = app("stubborn", &["ignore", "wait"]);
    let env = TestEnv::started(&json!([app("a", &["wait"]), stubborn]));
    env.slay(env.daemons().agent);
    for (file, bytes) in state(&env) {
        fs::write(file, vec![0xa5; bytes.len()]).expect("it is ours");
    }
    let damaged = state(&env);
    env.eco(&["list"]).fails(4, &["have the state", "eco kill"]);

    let killed = env.eco(&["kill"]).ok();
    assert!(killed.stdout.contains("Ended 2 instances"), "{killed}");
    killed.tells(&[
        "failed to start the agent",
        "have the state",
        "is left as it is",
    ]);
    assert_eq!(env.processes(), std::collections::BTreeSet::new());
    assert_eq!(state(&env), damaged);
    let again = env.eco(&["kill"]).ok();
    assert!(again.stdout.contains("Nothing runs"), "{again}");
}
