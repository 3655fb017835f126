//! Apps that eco itself replaces: their files changed, or they hold too much memory.

use std::time::Duration;

use eco_tests::{TestEnv, app, wait_until};
use serde_json::json;

/// Long enough for a restart that must not come to come: four times the apps' `watch_delay`.
const LONG_ENOUGH: Duration = Duration::from_millis(800);

#[test]
fn a_watched_app_is_replaced_when_its_files_change_and_another_is_not() {
    let env = TestEnv::new();
    env.write("src/a.txt", "one");
    let mut watched = app("watched", &["wait"]);
    watched["watch"] = json!(["src"]);
    watched["watch_delay"] = json!(200);
    watched["cwd"] = json!(env.path(""));
    env.ecosystem("dev", &json!([watched, app("other", &["wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list();
    assert_eq!(before.one("watched").field("watch"), &json!(true));

    env.write("src/a.txt", "two");
    wait_until("the watched app is replaced", || {
        let list = env.list();
        let now = list.one("watched");
        now.status() == "online" && now.pid() != before.one("watched").pid()
    });
    let after = env.list();
    assert!(
        after
            .one("watched")
            .text("cause")
            .contains("src/a.txt changed"),
        "{after:?}"
    );
    assert_eq!(after.one("other").pid(), before.one("other").pid());
}

#[test]
fn what_is_ignored_is_no_change_and_a_burst_is_one_restart() {
    let env = TestEnv::new();
    env.write("src/a.txt", "one");
    env.write("src/node_modules/x/index.js", "one");
    let mut watched = app("watched", &["wait"]);
    watched["watch"] = json!(["src"]);
    watched["watch_delay"] = json!(200);
    watched["ignore_watch"] = json!(["node_modules", "*.log"]);
    watched["cwd"] = json!(env.path(""));
    env.ecosystem("dev", &json!([watched]));
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list().one("watched").pid();

    env.write("src/node_modules/x/index.js", "two");
    env.write("src/app.log", "a line");
    let follower = std::time::Instant::now();
    wait_until("a restart would have come", || {
        follower.elapsed() > LONG_ENOUGH
    });
    assert_eq!(env.list().one("watched").pid(), before);

    for text in ["two", "three", "four"] {
        env.write("src/a.txt", text);
        env.write("src/b.txt", text);
    }
    wait_until("it is replaced", || {
        let list = env.list();
        list.one("watched").status() == "online" && list.one("watched").pid() != before
    });
    assert_eq!(env.list().one("watched").number("restarts"), 1);
}

#[test]
fn an_app_that_holds_more_memory_than_it_may_is_replaced() {
    let env = TestEnv::new();
    let mut greedy = app("greedy", &["polite", "allocate:67108864", "wait"]);
    greedy["max_memory_restart"] = json!("32M");
    let mut modest = app("modest", &["wait"]);
    modest["max_memory_restart"] = json!("500M");
    env.ecosystem("dev", &json!([greedy, modest]));
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list();
    wait_until("the greedy one is replaced", || {
        let list = env.list();
        list.one("greedy").number("restarts") > 0
    });
    let after = env.list();
    let described = env.describe("greedy").to_string();
    assert!(described.contains("may hold 32 MiB"), "{described}");
    let farewell = env.logs("greedy").into_iter().find(|one| one.line == "bye");
    assert!(farewell.is_some(), "it was asked to end, and not killed");
    assert_eq!(after.one("modest").pid(), before.one("modest").pid());
}
