//! `eco why`: every run tells why it began and ended, who asked, and what it wrote last.

use eco_tests::{Signal, TestEnv, app, kill, wait_until};
use serde_json::{Value, json};

fn runs(env: &TestEnv, name: &str) -> Value {
    let told = env
        .eco(&["why", name, "--runs", "all", "--json"])
        .ok()
        .json();
    at(&told, "/0/runs").clone()
}

fn at<'a>(run: &'a Value, path: &str) -> &'a Value {
    run.pointer(path).unwrap_or(&Value::Null)
}

#[test]
fn a_crash_an_exit_and_a_stop_are_told_apart_run_by_run_with_the_last_lines() {
    let env = TestEnv::started(&json!([app("api", &["out:up and well", "wait"])]));
    let first = env.list().one("dev/api").pid();
    wait_until("it has spoken", || !env.logs("api").is_empty());
    kill(first, Signal::SIGKILL);
    wait_until("it is back", || {
        let list = env.list();
        list.are_all("online") && list.one("dev/api").pid() != first
    });
    drop(env.eco(&["restart", "api"]).ok());
    drop(env.eco(&["stop", "api"]).ok());

    let runs = runs(&env, "api");
    assert_eq!(runs.as_array().map(Vec::len), Some(3), "{runs:#}");
    let person = at(&runs, "/0/ended/by")
        .as_str()
        .expect("somebody stopped it")
        .to_owned();
    assert_eq!(
        at(&runs, "/0/ended/cause"),
        &json!(format!("stopped by {person}"))
    );
    assert_eq!(
        at(&runs, "/0/began/cause"),
        &json!(format!("restarted by {person}"))
    );
    assert_eq!(at(&runs, "/2/ended/signal"), &json!(9));
    assert_eq!(at(&runs, "/2/ended/code"), &Value::Null);
    assert_eq!(at(&runs, "/2/ended/by"), &json!("itself"));
    assert_eq!(
        at(&runs, "/2/began/cause"),
        &json!(format!("started by {person}"))
    );
    assert_eq!(at(&runs, "/2/last_lines/0/line"), &json!("up and well"));
    let said = env.eco(&["why", "api"]).ok();
    for words in ["stopped by", "killed by SIGKILL", "up and well", "run 1"] {
        assert!(said.stdout.contains(words), "{words} in {said}");
    }
}

#[test]
fn what_never_began_tells_why() {
    let env = TestEnv::new();
    env.write("gone.sh", "exec sleep 1000\n");
    let once = json!({ "name": "api", "script": env.path("gone.sh"), "interpreter": "sh", "max_restarts": 1 });
    env.ecosystem("dev", &json!([once]));
    drop(env.eco(&["start", "dev"]).ok());
    std::fs::remove_file(env.path("gone.sh")).expect("it is there");
    env.eco(&["restart", "api"]).fails(1, &["gone.sh"]);
    let runs = runs(&env, "api");
    let why = at(&runs, "/0/ended/spawn_failed").as_str();
    assert!(why.is_some_and(|why| why.contains("gone.sh")), "{runs:#}");
}

#[test]
fn an_app_that_nobody_knows_is_refused() {
    let env = TestEnv::started(&json!([app("api", &["wait"])]));
    env.eco(&["why", "nosuch"]).fails(1, &["nosuch"]);
}
