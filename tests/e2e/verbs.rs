//! Verbs that answer one question.

use eco_tests::{TestEnv, app};
use serde_json::json;

fn pids(text: &str) -> Vec<i32> {
    text.lines()
        .map(|line| line.parse().expect("a pid"))
        .collect()
}

#[test]
fn pid_and_id_are_those_of_the_list() {
    let env = TestEnv::started(&json!([app("a", &["wait"]), app("b", &["wait"])]));
    let list = env.list();
    let shown = env.eco(&["pid", "b"]).ok();
    assert_eq!(pids(&shown.stdout), [list.one("b").pid()]);
    assert_eq!(pids(&env.eco(&["pid"]).ok().stdout).len(), 2);
    let id = list.one("b").number("id");
    assert_eq!(env.eco(&["id", "b"]).ok().stdout, format!("{id}\n"));
    assert_eq!(env.eco(&["id", "b", "--json"]).ok().json(), json!([id]));
    drop(env.eco(&["stop", "b"]).ok());
    let stopped = env.eco(&["pid", "b"]).ok();
    assert_eq!(stopped.stdout, "");
    stopped.tells(&["dev/b#0: stopped"]);
    for verb in ["pid", "id", "env"] {
        env.eco(&[verb, "c"]).fails(1, &["no app"]);
    }
}

#[test]
fn env_tells_what_the_living_run_was_given_also_after_the_shell_has_changed() {
    let env = TestEnv::new();
    let mut one = app("a", &["env:MOOD", "wait"]);
    one["env"] = json!({ "API_KEY": "s3cret" });
    env.ecosystem("dev", &json!([one]));
    let start = |mood: &str| {
        let mut command = env.command(env.project(), &["start", "dev"]);
        command.env("MOOD", mood);
        drop(env.run(command).ok());
    };
    let told = || env.eco(&["env", "a", "--json"]).ok().json()[0].clone();
    start("calm");
    // Nothing that makes the app another one: it is left alone.
    start("stormy");
    let given = told();
    assert_eq!(given["variables"]["MOOD"], "calm");
    assert_eq!(given["variables"]["API_KEY"], "(hidden)");
    assert_eq!(given["variables"]["ECO_RUN"], "1");
    assert_eq!(given["run"], 1);
    let open = env.eco(&["env", "a", "--show-secrets"]).ok();
    assert!(open.stdout.contains("API_KEY=s3cret\n"), "{open}");

    drop(env.eco(&["stop", "a"]).ok());
    let next = told();
    assert_eq!(
        (&next["run"], &next["variables"]["MOOD"]),
        (&json!(null), &json!("stormy"))
    );
    env.eco(&["env", "a"]).ok().tells(&["next run"]);
}
