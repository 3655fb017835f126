//! A daemon that is there and does nothing: nobody waits for it without end, and it stays behind no `eco kill`.

use std::collections::BTreeSet;

use eco_tests::{Signal, TestEnv, app, kill, wait_until};
use serde_json::json;

#[test]
fn a_log_daemon_that_stands_still_costs_no_line_and_does_not_stay() {
    let env = TestEnv::new();
    let (go, done) = (env.path("go"), env.path("done"));
    let acts = [
        "out:first",
        &format!("file:{go}"),
        "lines:1000",
        &format!("once:{done}"),
        "wait",
    ];
    env.ecosystem("dev", &json!([app("writer", &acts)]));
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list();
    let logd = env.daemons().logd;
    kill(logd, Signal::SIGSTOP);
    env.eco(&["logs", "writer"])
        .fails(4, &["failed to read the log", "no answer within", "Hint:"]);
    env.write("go", "");
    wait_until("the app has written on", || {
        std::path::Path::new(&done).exists()
    });
    assert_eq!(env.list().pids(), before.pids());

    kill(logd, Signal::SIGCONT);
    wait_until("all that was written is there", || {
        env.logs("writer").len() == 1001
    });
    assert_eq!(env.daemons().logd, logd);

    kill(logd, Signal::SIGSTOP);
    let killed = env.eco(&["kill"]).ok();
    killed.tells(&["eco-logd did not end when it was told to, and was killed"]);
    assert_eq!(env.processes(), BTreeSet::new());
}

#[test]
fn a_log_daemon_that_stands_still_keeps_no_new_agent_from_its_work() {
    let env = TestEnv::started(&json!([app("a", &["wait"])]));
    let (before, old) = (env.list(), env.daemons());
    kill(old.logd, Signal::SIGSTOP);
    drop(env.eco(&["update"]).ok());
    assert_eq!(env.list().pids(), before.pids());
    let new = env.daemons();
    assert!(new.agent != old.agent && new.logd != old.logd);
}

#[test]
fn an_agent_that_stands_still_keeps_no_app_from_its_end() {
    let env = TestEnv::started(&json!([app("polite", &["polite", "wait"])]));
    kill(env.daemons().agent, Signal::SIGSTOP);
    let killed = env.eco(&["kill"]).ok();
    killed.tells(&["eco-agentd did not answer", "another is started"]);
    assert!(killed.stdout.contains("Stopped 1 instances"), "{killed}");
    assert_eq!(env.processes(), BTreeSet::new());
    drop(env.eco(&["resurrect"]).ok());
    assert_eq!(env.list().one("polite").status(), "online");
}
