//! `eco events`: what happened, why, and who asked.

use eco_tests::{Signal, TestEnv, app, kill, wait_until};
use serde_json::{Value, json};

fn events(env: &TestEnv, args: &[&str]) -> Vec<Value> {
    let args = [&["events", "-n", "all", "--json"], args].concat();
    let told = env.eco(&args).ok();
    told.stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is an object"))
        .collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| event.get("event") == Some(&json!(kind)))
        .collect()
}

fn text<'a>(event: &'a Value, field: &str) -> &'a str {
    event.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn the_life_of_an_app_is_told_with_causes_and_persons() {
    let env = TestEnv::started(&json!([app("api", &["wait"])]));
    let first = env.list().one("dev/api").pid();
    kill(first, Signal::SIGKILL);
    wait_until("it is back", || {
        let list = env.list();
        list.are_all("online") && list.one("dev/api").pid() != first
    });
    drop(env.eco(&["stop", "api"]).ok());
    drop(env.eco(&["delete", "api"]).ok());
    let all = events(&env, &[]);
    let kinds: Vec<_> = all.iter().map(|event| text(event, "event")).collect();
    for kind in [
        "registered",
        "started",
        "ready",
        "exited",
        "restarted",
        "stopped",
        "deleted",
    ] {
        assert!(kinds.contains(&kind), "{kind} in {kinds:?}");
    }
    let numbers: Vec<_> = all
        .iter()
        .map(|event| event.get("number").and_then(Value::as_u64))
        .collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let ends = of_kind(&all, "exited");
    let crash = ends.first().expect("it crashed");
    assert_eq!(crash.get("signal"), Some(&json!(9)), "{crash}");
    assert_eq!(text(crash, "by"), "itself");
    assert!(text(crash, "cause").contains("SIGKILL"), "{crash}");
    let stop = of_kind(&all, "stopped");
    let who = text(stop.first().expect("it was stopped"), "by");
    assert!(!who.is_empty() && who != "itself", "{stop:?}");
    let cause = text(stop.first().expect("it was stopped"), "cause");
    assert!(cause.contains(&format!("stopped by {who}")), "{cause}");
}

#[test]
fn what_happened_before_the_agent_died_is_still_told_and_a_follower_goes_on_with_the_next() {
    let env = TestEnv::started(&json!([app("api", &["wait"]), app("web", &["wait"])]));
    let before = events(&env, &["api"]);
    let follower = env.follow(&["events", "-f", "-n", "0", "--json", "api"]);
    env.slay(env.daemons().agent);
    drop(env.eco(&["restart", "api"]).ok());
    let ready = "\"event\":\"ready\"";
    wait_until("the follower hears of it", || {
        follower.text().contains(ready)
    });
    let told = follower.text();
    assert!(told.lines().all(|line| line.contains("\"api\"")), "{told}");
    let after = events(&env, &["api"]);
    assert_eq!(after.get(..before.len()), Some(before.as_slice()));
    assert!(after.len() > before.len());
    let restarted = of_kind(&after, "restarted");
    assert_eq!(restarted.len(), 1, "{restarted:?}");
}

#[test]
fn a_changed_file_is_told_as_a_change_of_the_app() {
    let env = TestEnv::started(&json!([app("api", &["wait"])]));
    let Value::Object(mut two) = app("api", &["wait"]) else {
        unreachable!("an app is an object");
    };
    two.insert("instances".to_owned(), json!(2));
    two.insert("exec_mode".to_owned(), json!("fork"));
    two.insert("env".to_owned(), json!({ "MODE": "new" }));
    env.ecosystem("dev", &json!([two]));
    drop(env.eco(&["start", "dev"]).ok());
    let all = events(&env, &["dev/api"]);
    assert_eq!(of_kind(&all, "config changed").len(), 1);
    let scaled = of_kind(&all, "scaled");
    let numbers = |event: &&Value| (event.get("from").cloned(), event.get("to").cloned());
    assert_eq!(
        scaled.iter().map(numbers).collect::<Vec<_>>(),
        [(Some(json!(1)), Some(json!(2)))]
    );
}

#[test]
fn deleted_apps_are_found_by_name_and_what_never_was_is_refused() {
    let env = TestEnv::started(&json!([app("api", &["wait"])]));
    drop(env.eco(&["delete", "api"]).ok());
    assert!(!events(&env, &["api"]).is_empty());
    assert!(!events(&env, &["dev/a*"]).is_empty());
    env.eco(&["events", "nosuch"]).fails(1, &["nosuch"]);
}
