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

#[test]
fn a_state_that_lost_a_part_is_refused_and_not_used() {
    let env = TestEnv::started(&json!([app("a", &["wait"]), app("b", &["wait"])]));
    let before = env.list().pids();
    env.slay(env.daemons().agent);
    let db = env.home().join("state/db");
    let whole = fs::read(&db).expect("it is there");
    let file = fs::File::options().write(true).open(&db);
    file.expect("it is ours").set_len(1000).expect("cut");
    let refused = env.eco(&["list"]);
    refused.fails(
        4,
        &[
            "find the whole state in",
            "damaged",
            "eco kill",
            "move that folder",
        ],
    );
    env.eco(&["start", "dev"]).fails(4, &["damaged"]);

    fs::write(&db, whole).expect("it is ours");
    for snapshot in fs::read_dir(env.home().join("state")).expect("there") {
        let path = snapshot.expect("it can be read").path();
        if path.to_string_lossy().contains("snap.") {
            fs::remove_file(path).expect("it is ours");
        }
    }
    assert_eq!(env.list().pids(), before);
}

#[test]
fn apps_start_anew_when_the_damaged_state_was_moved_away() {
    let env = TestEnv::started(&json!([app("a", &["wait"])]));
    for _ in 0..2 {
        drop(env.eco(&["restart", "a"]).ok());
    }
    let before = env.list().one("a").number("run");
    env.slay(env.daemons().agent);
    for (file, bytes) in state(&env) {
        fs::write(file, vec![0xa5; bytes.len()]).expect("it is ours");
    }
    env.eco(&["start", "dev"]).fails(4, &["eco kill"]);
    drop(env.eco(&["kill"]).ok());
    let folder = env.home().join("state");
    fs::rename(&folder, env.home().join("state.damaged")).expect("moved");

    drop(env.eco(&["start", "dev"]).ok());
    let list = env.list();
    let anew = list.one("a");
    assert_eq!(anew.status(), "online");
    assert_eq!(anew.number("run"), before + 1);
    assert_eq!(anew.number("restarts"), 0);
}

#[test]
fn what_no_known_app_explains_is_ended_too() {
    let env = TestEnv::started(&json!([app("a", &["wait"]), app("b", &["wait"])]));
    env.slay(env.daemons().agent);
    let state = env.home().join("state");
    fs::rename(&state, env.home().join("state.away")).expect("moved");
    assert!(env.list().all().is_empty());

    let killed = env.eco(&["kill"]).ok();
    killed.tells(&["belong to no app that is known"]);
    assert!(!killed.stderr.contains("was killed"), "{killed}");
    assert_eq!(env.processes(), std::collections::BTreeSet::new());
}
