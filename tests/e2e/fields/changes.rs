//! What is changed in a file, or in a file that is watched.

use eco_tests::{TestEnv, app, fake_app, wait_until};
use serde_json::{Value, json};

use super::{TRAP, facts_of, lines, merge, telling};

#[test]
fn options_of_a_watch_say_which_changes_count() {
    let env = TestEnv::new();
    for file in ["src/a", "src/skipped", "src/deep/x", "outside/x"] {
        env.write(file, "1");
    }
    std::os::unix::fs::symlink(env.path("outside"), env.path("src/link")).expect("linked");
    let watching = |name: &str, options: &Value| {
        let mut watching = app(name, &["wait"]);
        let project = env.path("");
        merge(
            &mut watching,
            &json!({ "cwd": project, "watch": ["src"], "watch_options": options }),
        );
        watching
    };
    let names = ["control", "shallow", "ignoring", "plain", "patient"];
    env.ecosystem(
        "dev",
        &json!([
            watching("control", &json!({})),
            watching("shallow", &json!({ "depth": 0 })),
            watching("ignoring", &json!({ "ignored": ["skipped"] })),
            watching("plain", &json!({ "followSymlinks": false })),
            watching(
                "patient",
                &json!({ "awaitWriteFinish": { "stabilityThreshold": "1h" } })
            ),
        ]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let is_watched = |name: &str| {
        let told = env.eco(&["watch", name, "--json"]).ok().json();
        told.pointer("/0/watching/state/folders")
            .is_some_and(Value::is_number)
    };
    let runs = || names.map(|name| env.list().one(name).number("run"));
    let first = runs();
    let mut expected = first;
    // Each change is one for the control and not for the one whose option says so; after all of them is one for all.
    let changes = [
        ("src/deep/x", [1, 0, 1, 1, 0]),
        ("src/skipped", [1, 1, 0, 1, 0]),
        ("outside/x", [1, 0, 1, 0, 0]),
        ("src/a", [1, 1, 1, 1, 0]),
    ];
    for (file, more) in changes {
        for name in names {
            wait_until("its files are watched", || is_watched(name));
        }
        env.write(file, "another");
        for (run, more) in expected.iter_mut().zip(more) {
            *run += more;
        }
        wait_until(file, || runs() == expected);
    }
    assert_eq!(expected.map(|run| run - first[0]), [4, 2, 3, 3, 0]);
}

/// Changes the file, starts it, and gives what the app says then.
#[track_caller]
fn changed(env: &TestEnv, app: &Value) -> Value {
    let before = env.list().one("a").number("run");
    env.ecosystem("dev", &json!([app]));
    let output = env.eco(&["start", "dev"]).ok();
    let run = env.list().one("a").number("run");
    assert!(run > before, "nothing was replaced\n{output}");
    facts_of(env, "a")
}

#[test]
fn a_change_of_any_field_is_applied_by_the_next_start() {
    let env = TestEnv::new();
    env.write("process-manager/dev/other/readme", "");
    let mut a =
        telling(&json!({ "env": { "KEPT": "1", "GONE": "1" }, "env_dev": { "BLOCK": "1" } }));
    env.ecosystem("dev", &json!([a]));
    drop(env.eco(&["start", "dev"]).ok());
    let first = facts_of(&env, "a");
    assert_eq!(
        (&first["env"]["GONE"], &first["env"]["BLOCK"]),
        (&json!("1"), &json!("1"))
    );

    a["env"] = json!({ "KEPT": "2" });
    a.as_object_mut().expect("an app").remove("env_dev");
    let given = changed(&env, &a)["env"].clone();
    assert_eq!(given["KEPT"], "2");
    assert_eq!(
        (&given["GONE"], &given["BLOCK"]),
        (&Value::Null, &Value::Null),
        "what is left away is gone"
    );

    a["cwd"] = json!("other");
    let cwd = changed(&env, &a)["cwd"].clone();
    assert!(
        cwd.as_str().is_some_and(|cwd| cwd.ends_with("dev/other")),
        "{cwd}"
    );

    a["args"] = json!(["facts", "rest:1", "wait"]);
    assert_eq!(changed(&env, &a)["args"], a["args"]);

    // Another script that is the same program, so that it can say what it was given.
    std::fs::copy(fake_app(), env.path("process-manager/dev/another")).expect("copied");
    a["script"] = json!("./another");
    a["args"] = json!(["facts", "wait", "by another script"]);
    assert_eq!(changed(&env, &a)["args"][2], "by another script");

    a["interpreter"] = json!("env");
    a["interpreter_args"] = json!("BY=interpreter");
    assert_eq!(changed(&env, &a)["env"]["BY"], "interpreter");
    a.as_object_mut().expect("an app").remove("interpreter");
    a.as_object_mut()
        .expect("an app")
        .remove("interpreter_args");
    assert_eq!(changed(&env, &a)["env"]["BY"], Value::Null);
}

#[test]
fn a_change_of_the_number_of_instances_leaves_those_alone_that_stay() {
    let env = TestEnv::started(&json!([telling(&json!({ "exec_mode": "fork" }))]));
    let one = env.list().pids();
    let many = |count: u32| {
        env.ecosystem(
            "dev",
            &json!([telling(&json!({ "exec_mode": "fork", "instances": count }))]),
        );
        drop(env.eco(&["start", "dev"]).ok());
        env.list().pids()
    };
    let three = many(3);
    assert_eq!(three.len(), 3);
    assert_eq!(three.first(), one.first());
    assert_eq!(many(1), one);
}

#[test]
fn a_change_of_a_policy_is_in_force_after_the_next_start() {
    let trap = json!({ "name": "a", "script": TRAP });
    let env = TestEnv::started(&json!([trap]));
    assert_eq!(lines(&env, "a", 1), ["up"]);
    let mut other = trap;
    merge(
        &mut other,
        &json!({ "kill_signal": "SIGTERM", "namespace": "n" }),
    );
    env.ecosystem("dev", &json!([other]));
    drop(env.eco(&["start", "dev"]).ok());
    let run = env.list().one("a").number("run");
    let said = |word: &str| {
        env.logs("a")
            .iter()
            .any(|record| record.run == run && record.line == word)
    };
    wait_until("it is up", || said("up"));
    drop(env.eco(&["stop", "n"]).ok());
    assert!(said("TERM") && !said("INT"));
}
