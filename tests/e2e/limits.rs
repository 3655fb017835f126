//! What an app may use: kept by a cgroup where one can be made, else as well as may be, and told which.

use eco_tests::{TestEnv, app, is_alive, wait_until};
use serde_json::{Value, json};

fn with_limits(app: &Value, limits: &Value) -> Value {
    let mut app = app.as_object().expect("an app is an object").clone();
    app.insert("limits".to_owned(), limits.clone());
    Value::Object(app)
}

/// What the cgroups of this host can limit.
fn kept_by_cgroups(env: &TestEnv) -> Vec<String> {
    let answer = env.eco(&["ping", "--json"]).ok().json();
    let limits = answer.get("cgroup_limits").and_then(Value::as_array);
    let limits = limits.expect("a list").iter();
    limits
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn limits_are_told_with_what_keeps_them_and_one_that_nothing_keeps_is_a_note() {
    let env = TestEnv::new();
    let limits = json!({ "memory": "300M", "cpu": 0.5, "open_files": 99 });
    env.ecosystem("dev", &json!([with_limits(&app("a", &["wait"]), &limits)]));
    let started = env.eco(&["start", "dev"]).ok();
    let by_cgroups = kept_by_cgroups(&env);
    let described = env.describe("a");
    let told = |name: &str| {
        let all = described["limits"].as_array().expect("a list").iter();
        let mut found = all.filter(|limit| limit["name"] == name);
        found.next().expect("it is told").clone()
    };
    for (name, value) in [("memory", "300M"), ("cpu", "0.5")] {
        let is_by_cgroup = by_cgroups.iter().any(|it| it == name);
        let how = told(name)["how"].as_str().expect("a text").to_owned();
        assert_eq!(told(name)["value"], json!(value));
        assert_eq!(how.contains("by a cgroup"), is_by_cgroup, "{how}");
        let note = format!("The {name} limit ({value})");
        assert_eq!(started.stderr.contains(&note), !is_by_cgroup, "{started}");
    }
    assert_eq!(
        told("cpu")["is_kept"].as_bool(),
        Some(by_cgroups.contains(&"cpu".to_owned()))
    );
    assert_eq!(told("open_files")["is_kept"], json!(true));
    assert!(!started.stderr.contains("open_files"), "{started}");
}

#[test]
fn an_app_that_takes_more_memory_than_it_may_ends_and_its_cause_is_not_invented() {
    let env = TestEnv::new();
    let mut greedy = app("greedy", &["allocate:400000000", "wait"]);
    greedy["autorestart"] = json!(false);
    let greedy = with_limits(&greedy, &json!({ "memory": "100M" }));
    env.ecosystem("dev", &json!([greedy]));
    // Whether it is up for a moment is its own affair.
    drop(env.eco(&["start", "dev"]));
    wait_until("it has ended", || {
        env.list().one("greedy").status() == "stopped"
    });
    let end = env.describe("greedy")["exits"][0].clone();
    let is_by_cgroup = kept_by_cgroups(&env).contains(&"memory".to_owned());
    assert_eq!(end["out_of_memory"], json!(is_by_cgroup));
    // The kernel kills it, or its allocator gives up.
    assert_eq!(
        end["signal"],
        json!(if is_by_cgroup { 9 } else { 6 }),
        "{end}"
    );
}

#[test]
fn open_files_are_limited_everywhere() {
    let env = TestEnv::new();
    let app = json!({ "name": "a", "script": "ulimit -n; exec sleep 600" });
    let app = with_limits(&app, &json!({ "open_files": 77 }));
    env.ecosystem("dev", &json!([app]));
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("it says so", || {
        env.logs("a").iter().any(|record| record.line == "77")
    });
}

/// It leaves the app's session, parent and environment, and ends by itself if nobody finds it.
#[test]
fn a_process_that_hides_from_its_app_is_found_by_the_cgroup() {
    let env = TestEnv::new();
    let hides = format!(
        "env -i PATH=\"$PATH\" setsid sh -c '(sh -c \"echo \\$\\$ > {}; exec sleep 40\" &) ; exit'; exec sleep 600",
        env.path("hidden")
    );
    env.ecosystem("dev", &json!([{ "name": "a", "script": hides }]));
    drop(env.eco(&["start", "dev"]).ok());
    if env.eco(&["ping", "--json"]).ok().json()["cgroup"].is_null() {
        println!("skipped: no cgroup can be made here");
        return;
    }
    let pid = || std::fs::read_to_string(env.path("hidden")).unwrap_or_default();
    wait_until("it hides", || pid().ends_with('\n'));
    let hidden: i32 = pid().trim().parse().expect("a pid");
    assert!(is_alive(hidden));
    drop(env.eco(&["stop", "a"]).ok());
    assert!(!is_alive(hidden));
}
