//! Files of variables: read at each start on the agent's host, and kept nowhere.

use std::fs;
use std::path::Path;

use eco_tests::{TestEnv, app, free_port, wait_until};
use serde_json::{Value, json};

fn with_file(app: &Value, path: &str) -> Value {
    let mut app = app.as_object().expect("an app is an object").clone();
    app.insert("env_file".to_owned(), json!(path));
    Value::Object(app)
}

const FILE: &str = "process-manager/dev/.env";

fn says(env: &TestEnv, name: &str, line: &str) {
    wait_until(line, || {
        env.logs(name).iter().any(|record| record.line == line)
    });
}

/// Whether some file below `folder` holds `bytes`.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_dir() {
            return holds(&path, bytes);
        }
        let found = fs::read(&path).unwrap_or_default();
        found.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn a_restart_takes_up_what_has_changed_in_the_file_and_no_value_is_kept_or_shown() {
    let env = TestEnv::new();
    env.write(
        FILE,
        "export TOKEN='hidden treasure' # keep it\nURL=\"http://${HOST_PART:-box}/\"\n",
    );
    let actions = ["env:TOKEN", "env:URL", "wait"];
    env.ecosystem("dev", &json!([with_file(&app("a", &actions), ".env")]));
    drop(env.eco(&["start", "dev"]).ok());
    says(&env, "a", "TOKEN=hidden treasure");
    says(&env, "a", "URL=http://box/");
    env.write(FILE, "TOKEN=\"another\ttreasure\"\n");
    drop(env.eco(&["restart", "a"]).ok());
    says(&env, "a", "TOKEN=another\ttreasure");
    says(&env, "a", "URL=(unset)");
    for args in [
        &["describe", "a"][..],
        &["describe", "a", "--json"],
        &["list", "--json"],
    ] {
        let output = env.eco(args).ok();
        assert!(!output.stdout.contains("treasure"), "{output}");
    }
    drop(env.eco(&["kill"]).ok());
    for kept in ["state", "log"] {
        assert!(!holds(&env.home().join(kept), b"treasure"), "{kept}");
    }
}

#[test]
fn a_missing_file_is_told_before_anything_is_started() {
    let env = TestEnv::new();
    let apps = json!([
        app("first", &["wait"]),
        with_file(&app("a", &["wait"]), "gone.env")
    ]);
    env.ecosystem("dev", &apps);
    let place = env.path("process-manager/dev/gone.env");
    env.eco(&["start", "dev"])
        .fails(1, &["env_file", "was not found", &place]);
    assert!(env.list().all().is_empty());
}

#[test]
fn a_file_that_is_missing_at_a_restart_is_waited_for() {
    let env = TestEnv::new();
    env.write(FILE, "WORD=first\n");
    let go = env.path("go");
    let mut a = app("a", &["env:WORD", &format!("file:{go}"), "exit:3"]);
    a["restart_delay"] = json!(100);
    a["max_restarts"] = json!(10_000);
    env.ecosystem("dev", &json!([with_file(&a, ".env")]));
    drop(env.eco(&["start", "dev"]).ok());
    says(&env, "a", "WORD=first");
    fs::remove_file(env.path(FILE)).expect("it is there");
    env.write("go", "");
    wait_until("its absence is the cause", || {
        let cause = env.list().one("a").text("cause").to_owned();
        cause.contains("the file of variables") && cause.contains("was not found")
    });
    fs::remove_file(&go).expect("it is there");
    env.write(FILE, "WORD=second\n");
    says(&env, "a", "WORD=second");
}

#[test]
fn an_app_whose_port_comes_from_the_file_is_online_when_it_listens_there() {
    let env = TestEnv::new();
    let port = free_port();
    env.write(FILE, &format!("PORT={port}\n"));
    let (go, listen) = (format!("file:{}", env.path("go")), format!("listen:{port}"));
    let mut a = app("a", &[&go, &listen, "wait"]);
    a["listen_timeout"] = json!(600_000);
    env.ecosystem("dev", &json!([with_file(&a, ".env")]));
    let start = env.follow(&["start", "dev"]);
    wait_until("it is known what it waits for", || {
        let output = env.eco(&["list", "--json"]);
        output.stdout.contains(&format!("port {port}"))
    });
    assert_eq!(env.list().one("a").status(), "launching");
    env.write("go", "");
    wait_until("it is online", || env.list().one("a").status() == "online");
    drop(start);
}
