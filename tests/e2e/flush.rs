//! `eco flush`: the disk gets back what was written, whoever writes and reads meanwhile.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use eco_tests::{Record, TestEnv, app, records, wait_until};
use serde_json::{Value, json};

/// An app that has written more than a megabyte, and writes a line whenever a file is there.
fn written() -> (TestEnv, PathBuf) {
    let env = TestEnv::new();
    let (more, end) = (
        format!("file:{}", env.path("more")),
        format!("file:{}", env.path("end")),
    );
    let actions = ["lines:100000", &more, "out:more", &end, "out:end", "wait"];
    env.ecosystem("dev", &json!([app("a", &actions)]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("all of it", || {
        last(&env).is_some_and(|last| last.line.starts_with("100000"))
    });
    let described = env.describe("a");
    let folder = described.get("run_dir").and_then(Value::as_str);
    let folder = PathBuf::from(folder.expect("a folder"));
    (env, folder)
}

fn last(env: &TestEnv) -> Option<Record> {
    let output = env.eco(&["logs", "a", "-n", "1", "--json"]).ok();
    records(&output.stdout).pop()
}

#[test]
fn what_a_living_app_wrote_is_given_back_and_what_it_writes_then_is_kept() {
    let (env, folder) = written();
    let segment = folder.join("out.0001");
    let (size, taken) = {
        let metadata = fs::metadata(&segment).expect("there");
        (metadata.len(), metadata.blocks())
    };
    let before = env.list();
    let output = env.eco(&["flush", "a", "--json"]).ok().json();
    assert_eq!(output[0]["bytes"], json!(size), "{output}");
    assert_eq!(output[0]["problem"], json!(null));
    let metadata = fs::metadata(&segment).expect("there");
    assert_eq!(metadata.len(), size);
    assert!(
        metadata.blocks() < taken / 10,
        "{} of {taken}",
        metadata.blocks()
    );
    assert_eq!(
        env.eco(&["logs", "a", "-n", "all", "--json"]).ok().stdout,
        ""
    );
    env.eco(&["flush", "a"]).tells(&["Nothing to remove."]);

    env.write("more", "");
    wait_until("a line", || !env.logs("a").is_empty());
    let expected = |offset, line: &str| (offset, line.to_owned());
    let lines = || {
        let all = env.logs("a").into_iter();
        all.map(|record| (record.offset, record.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(), [expected(size, "more")]);

    // Neither daemon keeps what it knows of this in its memory.
    let daemons = env.daemons();
    env.slay(daemons.logd);
    env.slay(daemons.keeper);
    wait_until("others", || {
        let now = env.daemons();
        now.logd != daemons.logd && now.keeper != daemons.keeper
    });
    env.write("end", "");
    wait_until("the last line", || lines().len() > 1);
    assert_eq!(lines(), [expected(size, "more"), expected(size + 5, "end")]);
    assert_eq!(env.list().pids(), before.pids());
}

#[test]
fn a_follower_notices_nothing_of_a_flush() {
    let (env, _) = written();
    let mut follower = env.follow(&["logs", "-f", "a", "-n", "1", "--json"]);
    wait_until("it follows", || follower.count() > 0);
    drop(env.eco(&["flush"]).ok());
    env.write("more", "");
    env.write("end", "");
    follower.wait_for_end("\"line\":\"end\"");
    let lines: Vec<String> = records(&follower.text())
        .into_iter()
        .map(|record| record.line)
        .collect();
    assert_eq!(lines[1..], ["more", "end"]);
}

#[test]
fn runs_that_have_ended_go_as_a_whole_and_apps_that_were_deleted_are_flushed_by_name() {
    let (env, folder) = written();
    drop(env.eco(&["restart", "a"]).ok());
    env.eco(&["flush", "b"]).fails(1, &["failed to find b"]);
    drop(env.eco(&["delete", "a"]).ok());
    let removed = env.eco(&["flush", "a"]).ok();
    assert!(removed.stdout.contains("dev/a: removed "), "{removed}");
    assert!(!folder.exists());
    env.eco(&["logs", "a"]).fails(1, &["failed to find a"]);
    // The numbers of its runs count on.
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(env.list().one("a").number("run"), 3);
}
