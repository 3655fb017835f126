//! `eco diff` and `eco apply`: what would change is told, and only that is touched.

use eco_tests::{TestEnv, app};
use serde_json::{Value, json};

fn with_env(name: &str, port: &str) -> Value {
    let Value::Object(mut app) = app(name, &["wait"]) else {
        unreachable!("an app is an object");
    };
    let env = json!({ "MODE": port, "API_KEY": format!("key of {port}") });
    app.insert("env".to_owned(), env);
    Value::Object(app)
}

fn three() -> Value {
    json!([
        with_env("api", "one"),
        app("web", &["wait"]),
        app("old", &["wait"])
    ])
}

#[test]
fn what_is_as_the_file_says_differs_in_nothing() {
    let env = TestEnv::started(&three());
    let diff = env.eco(&["diff", "dev"]).ok();
    diff.tells(&["No changes."]);
    assert_eq!(diff.stdout, "");
    let applied = env.eco(&["apply", "dev"]).ok();
    applied.tells(&["Nothing to do."]);
}

#[test]
fn a_difference_is_told_by_field_touches_nothing_and_apply_touches_nothing_else() {
    let env = TestEnv::started(&three());
    let before = env.list();
    env.ecosystem(
        "dev",
        &json!([
            with_env("api", "two"),
            app("web", &["wait"]),
            app("new", &["wait"])
        ]),
    );
    let diff = env.eco(&["diff", "dev"]);
    assert_eq!(diff.code, 2, "{diff}");
    assert!(diff.stdout.contains(r#"env.MODE: "one" → "two""#), "{diff}");
    assert!(
        diff.stdout.contains("env.API_KEY: changed (hidden)"),
        "{diff}"
    );
    assert!(
        diff.stdout
            .contains("+ dev/new: create and start 1 instance"),
        "{diff}"
    );
    assert!(
        !diff.stdout.contains("dev/web") && !diff.stdout.contains("dev/old"),
        "{diff}"
    );
    assert_eq!(env.list().pids(), before.pids());

    drop(env.eco(&["apply", "dev"]).ok());
    let after = env.list();
    assert_eq!(after.names(), ["dev/api", "dev/new", "dev/old", "dev/web"]);
    assert_ne!(after.one("dev/api").pid(), before.one("dev/api").pid());
    assert_eq!(after.one("dev/web").pid(), before.one("dev/web").pid());
    assert_eq!(env.eco(&["diff", "dev"]).code, 0);
}

#[test]
fn pruning_deletes_what_the_file_names_no_more_and_nothing_of_other_files() {
    let env = TestEnv::started(&three());
    env.write(
        "elsewhere/dev/ecosystem.config.json",
        &json!({ "apps": [app("other", &["wait"])] }).to_string(),
    );
    drop(env.eco(&["start", "elsewhere/dev"]).ok());
    env.ecosystem(
        "dev",
        &json!([with_env("api", "one"), app("web", &["wait"])]),
    );
    assert_eq!(env.eco(&["diff", "dev"]).code, 0);
    let diff = env.eco(&["diff", "process-manager/dev", "--prune", "--json"]);
    assert_eq!(diff.code, 2, "{diff}");
    let plan: Value = serde_json::from_str(&diff.stdout).expect("it is JSON");
    let gist = |plan: &Value| plan["changes"][0]["name"].clone();
    assert_eq!(
        (plan["changes"].as_array().map(Vec::len), gist(&plan)),
        (Some(1), json!("old"))
    );
    drop(env.eco(&["apply", "process-manager/dev", "--prune"]).ok());
    assert_eq!(env.list().names(), ["dev/api", "dev/other", "dev/web"]);
}

#[test]
fn a_file_without_apps_deletes_all_only_by_force() {
    let env = TestEnv::started(&json!([app("api", &["wait"])]));
    env.ecosystem("dev", &json!([]));
    env.eco(&["apply", "dev", "--prune"])
        .fails(1, &["dev/api", "--force"]);
    assert_eq!(env.list().names(), ["dev/api"]);
    drop(env.eco(&["apply", "dev", "--prune", "--force"]).ok());
    assert!(env.list().names().is_empty());
}

#[test]
fn a_plan_is_refused_once_what_runs_or_the_file_has_moved() {
    let env = TestEnv::started(&three());
    env.ecosystem(
        "dev",
        &json!([with_env("api", "two"), app("web", &["wait"])]),
    );
    let plan = env.eco(&["diff", "dev", "--json"]);
    env.write("plan.json", &plan.stdout);
    env.ecosystem(
        "dev",
        &json!([with_env("api", "three"), app("web", &["wait"])]),
    );
    let apply = ["apply", "dev", "--plan", "plan.json"];
    let before = env.list();
    env.eco(&apply)
        .fails(1, &["changed since it was made", "dev/api"]);
    env.ecosystem(
        "dev",
        &json!([with_env("api", "two"), app("web", &["wait"])]),
    );
    drop(env.eco(&["stop", "web"]).ok());
    env.eco(&apply)
        .fails(1, &["changed since it was made", "dev/web: start"]);
    assert_eq!(env.list().one("dev/api").pid(), before.one("dev/api").pid());
    drop(env.eco(&["start", "web"]).ok());
    drop(env.eco(&apply).ok());
    assert_eq!(env.eco(&["diff", "dev"]).code, 0);
}

#[test]
fn what_is_no_plan_and_what_is_no_file_are_refused() {
    let env = TestEnv::started(&json!([app("api", &["wait"])]));
    env.write("broken.json", "{ \"fingerprint\": ");
    env.eco(&["apply", "dev", "--plan", "broken.json"])
        .fails(1, &["broken.json", "eco diff --json"]);
    env.eco(&["apply", "dev", "--plan", "missing.json"])
        .fails(1, &["missing.json"]);
    env.eco(&["diff", "api"]).fails(1, &["api", "not a file"]);
    env.eco(&["diff", "nothing-like-it"])
        .fails(1, &["nothing-like-it"]);
}

#[test]
fn what_cannot_run_here_is_told_before_anything_is_touched() {
    let env = TestEnv::started(&json!([app("api", &["wait"])]));
    env.ecosystem("dev", &json!([{ "name": "api", "script": "nowhere.js" }]));
    env.eco(&["diff", "dev"]).fails(1, &["nowhere.js"]);
    assert!(env.list().are_all("online"));
}
