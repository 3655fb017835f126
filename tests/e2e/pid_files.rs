//! Pid files: there while the app runs, right after the agent's death, and never in the way of the app.

use std::fs;

use eco_tests::{Signal, TestEnv, app, kill, wait_until};
use serde_json::{Value, json};

/// An app that waits and has a pid file, its working directory the project.
fn with_file(env: &TestEnv, name: &str, file: &str, more: &Value) -> Value {
    let mut app = app(name, &["wait"]);
    let fields = app.as_object_mut().expect("an app is an object");
    fields.extend(more.as_object().expect("fields").clone());
    fields.insert("cwd".to_owned(), json!(env.path("")));
    fields.insert("pid_file".to_owned(), json!(file));
    app
}

fn text(env: &TestEnv, file: &str) -> Option<String> {
    fs::read_to_string(env.path(file)).ok()
}

/// Waits until a file names `pid`.
#[track_caller]
fn names(env: &TestEnv, file: &str, pid: i32) {
    let wanted = format!("{pid}\n");
    wait_until("the file names the process", || {
        text(env, file).as_deref() == Some(&wanted)
    });
}

#[track_caller]
fn is_gone(env: &TestEnv, file: &str) {
    wait_until("the file is gone", || text(env, file).is_none());
}

#[test]
fn a_file_names_the_first_process_for_as_long_as_the_app_runs() {
    let env = TestEnv::new();
    let one = with_file(&env, "one", "run/one.pid", &json!({}));
    let two = with_file(&env, "two", "two.pid", &json!({ "instances": 2 }));
    env.ecosystem("dev", &json!([one, two]));
    drop(env.eco(&["start", "dev"]).ok());
    let list = env.list();
    names(&env, "run/one.pid", list.one("one").pid());
    let of_two = list.all().iter().filter(|one| one.text("name") == "two");
    for instance in of_two {
        let number = instance.number("instance");
        names(&env, &format!("two-{number}.pid"), instance.pid());
    }
    let shown = env.describe("one");
    assert_eq!(shown["pid_file"], env.path("run/one.pid"));
    assert_eq!(shown["pid_file_problem"], Value::Null);

    let first = list.one("one").pid();
    drop(env.eco(&["restart", "one"]).ok());
    let second = env.list().one("one").pid();
    assert_ne!(first, second);
    names(&env, "run/one.pid", second);
    drop(env.eco(&["stop", "one"]).ok());
    is_gone(&env, "run/one.pid");
    assert!(text(&env, "two-1.pid").is_some());

    drop(env.eco(&["start", "one"]).ok());
    names(&env, "run/one.pid", env.list().one("one").pid());
    drop(env.eco(&["kill"]).ok());
    let left = ["run/one.pid", "two-0.pid", "two-1.pid"].map(|file| text(&env, file));
    assert_eq!(left, [None, None, None]);
}

#[test]
fn a_file_is_right_again_after_the_death_of_the_agent() {
    let env = TestEnv::new();
    let on = with_file(&env, "on", "on.pid", &json!({}));
    let for_good = json!({ "autorestart": false });
    let ends = with_file(&env, "ends", "ends.pid", &for_good);
    let comes_back = with_file(&env, "comes-back", "comes-back.pid", &json!({}));
    env.ecosystem("dev", &json!([on, ends, comes_back]));
    drop(env.eco(&["start", "dev"]).ok());
    let pid = |name: &str| env.list().one(name).pid();
    let (stays, goes, returns) = (pid("on"), pid("ends"), pid("comes-back"));
    names(&env, "on.pid", stays);
    names(&env, "ends.pid", goes);
    names(&env, "comes-back.pid", returns);

    env.slay(env.daemons().agent);
    kill(goes, Signal::SIGKILL);
    kill(returns, Signal::SIGKILL);
    assert_eq!(pid("on"), stays);
    is_gone(&env, "ends.pid");
    wait_until("it is back", || {
        let list = env.list();
        let pid = list.one("comes-back").field("pid").as_i64();
        pid.is_some_and(|pid| pid != i64::from(returns))
    });
    names(&env, "comes-back.pid", pid("comes-back"));
    names(&env, "on.pid", stays);
}

#[test]
fn a_file_that_cannot_be_written_is_told_and_the_app_runs() {
    let env = TestEnv::new();
    env.write("server.js", "serve()");
    let careless = with_file(&env, "careless", "server.js", &json!({}));
    env.ecosystem("dev", &json!([careless]));
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(env.list().one("careless").status(), "online");
    wait_until("it is told", || {
        env.describe("careless")["pid_file_problem"].is_string()
    });
    let told = env.eco(&["describe", "careless"]).ok().stdout;
    assert!(told.contains("server.js is not replaced"), "{told}");
    assert_eq!(text(&env, "server.js").as_deref(), Some("serve()"));
    let log = fs::read_to_string(env.home().join("log/agentd.log")).expect("there");
    assert!(log.contains("server.js is not replaced"), "{log}");

    fs::remove_file(env.path("server.js")).expect("it is ours");
    names(&env, "server.js", env.list().one("careless").pid());
}
