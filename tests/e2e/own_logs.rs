//! What the daemons say of themselves does not fill a disk.

use std::fs;

use eco_tests::{TestEnv, app, wait_until};
use serde_json::json;

/// More than a daemon's log may have.
const TOO_MUCH: usize = 5 << 20;
const DAEMONS: [&str; 3] = ["agentd", "keeper", "logd"];

#[test]
fn a_log_that_has_become_too_large_is_put_aside_and_the_daemon_writes_on() {
    let env = TestEnv::new();
    let log = |name: &str| env.home().join("log").join(name);
    fs::create_dir_all(env.home().join("log")).expect("made");
    let noise = "the same error, again and again\n".repeat(TOO_MUCH / 32);
    for daemon in DAEMONS {
        fs::write(log(&format!("{daemon}.log")), &noise).expect("written");
    }
    env.ecosystem("dev", &json!([app("a", &["wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    for daemon in DAEMONS {
        wait_until("the old log is put aside", || {
            log(&format!("{daemon}.log.1")).exists()
        });
        wait_until("the daemon writes on", || {
            let text = fs::read_to_string(log(&format!("{daemon}.log")));
            text.is_ok_and(|text| !text.is_empty() && text.len() < TOO_MUCH / 2)
        });
    }
    drop(env.eco(&["kill"]).ok());
    let text = fs::read_to_string(log("agentd.log")).expect("there");
    assert!(text.contains("ended"), "{text}");
}
