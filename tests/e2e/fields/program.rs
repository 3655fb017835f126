//! What runs, as what, where and as whom.

use std::os::unix::fs::PermissionsExt as _;

use eco_tests::{TestEnv, app, fake_app};
use serde_json::json;

use super::{facts, facts_of, lines, merge, telling};

#[test]
fn a_script_is_a_path_or_a_command_line_and_is_given_arguments() {
    let env = TestEnv::new();
    env.write(
        "process-manager/dev/run.sh",
        "echo \"run $1\"; sleep 1000\n",
    );
    env.ecosystem(
        "dev",
        &json!([
            { "name": "path", "script": "./run.sh", "args": "'a b' c" },
            { "name": "line", "script": "echo line $0 $1; sleep 1000", "args": ["x"] },
        ]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(lines(&env, "path", 1), ["run a b"]);
    assert_eq!(lines(&env, "line", 1), ["line line x"]);
    let args = facts(&json!({ "args": ["facts", "rest:1", "wait"] }));
    assert_eq!(args["args"], json!(["facts", "rest:1", "wait"]));
}

#[test]
fn an_interpreter_runs_the_script_and_gets_arguments_of_its_own() {
    let env = TestEnv::new();
    env.write("process-manager/dev/tool.txt", "echo out\nsleep 1000\n");
    let tool = json!({ "name": "tool", "script": "tool.txt", "interpreter": "sh", "interpreter_args": "-x" });
    let itself = json!({ "name": "itself", "script": fake_app(), "interpreter": "none", "args": ["out:me", "wait"] });
    env.ecosystem("dev", &json!([tool, itself]));
    drop(env.eco(&["start", "dev"]).ok());
    let mut said = lines(&env, "tool", 3);
    said.sort();
    assert_eq!(said, ["+ echo out", "+ sleep 1000", "out"]);
    assert_eq!(lines(&env, "itself", 1), ["me"]);
}

#[test]
fn source_maps_are_asked_of_node_unless_that_is_taken_back() {
    let env = TestEnv::new();
    env.write(
        "node_modules/.bin/node",
        "#!/bin/sh\necho \"$@\"\nexec sleep 1000\n",
    );
    let node = env.path("node_modules/.bin/node");
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(node, executable).expect("it is ours");
    env.write("process-manager/dev/app.js", "");
    let script = env.path("process-manager/dev/app.js");
    let with = json!({ "name": "with", "script": "app.js", "source_map_support": true, "node_args": "--x" });
    let mut without = with.clone();
    merge(
        &mut without,
        &json!({ "name": "without", "disable_source_map_support": true }),
    );
    env.ecosystem("dev", &json!([with, without]));
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(
        lines(&env, "with", 1),
        [format!("--enable-source-maps --x {script}")]
    );
    assert_eq!(lines(&env, "without", 1), [format!("--x {script}")]);
}

#[test]
fn a_name_has_a_prefix_and_the_block_that_was_asked_for() {
    let env = TestEnv::new();
    let named =
        json!({ "name_prefix": "x-", "append_env_to_name": true, "env_blue": { "A": "1" } });
    env.ecosystem("dev", &json!([telling(&named)]));
    drop(env.eco(&["start", "dev", "--env", "blue"]).ok());
    assert_eq!(env.list().names(), ["dev/x-a-blue"]);
    assert_eq!(facts_of(&env, "x-a-blue")["env"]["ECO_APP"], "x-a-blue");
}

#[test]
fn a_namespace_selects() {
    let one = app("one", &["wait"]);
    let mut two = app("two", &["wait"]);
    two["namespace"] = json!("backend");
    let env = TestEnv::started(&json!([one, two]));
    drop(env.eco(&["stop", "backend"]).ok());
    assert_eq!(env.list().one("one").status(), "online");
    assert_eq!(env.list().one("two").status(), "stopped");
}

#[test]
fn an_app_runs_in_its_folder() {
    let env = TestEnv::new();
    env.write("process-manager/dev/data/readme", "");
    env.ecosystem("dev", &json!([telling(&json!({ "cwd": "./data" }))]));
    drop(env.eco(&["start", "dev"]).ok());
    let cwd = env.path("process-manager/dev/data");
    let real = std::fs::canonicalize(cwd).expect("it is there");
    assert_eq!(facts_of(&env, "a")["cwd"], json!(real));
}

#[test]
fn an_app_runs_as_the_user_and_group_it_names() {
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    let own = facts(&json!({ "uid": uid.as_raw(), "gid": gid.as_raw() }));
    assert_eq!(own["uid"], json!(uid.as_raw()));
    assert_eq!(own["gid"], json!(gid.as_raw()));
    if !uid.is_root() {
        return;
    }
    // Only root can be somebody else.
    let env = TestEnv::new();
    let other = json!([{
        "name": "a", "script": "/usr/bin/id", "args": "-u", "cwd": "/", "user": 12345, "group": "12345",
        "interpreter": "none", "autorestart": false, "min_uptime": 0,
    }]);
    env.ecosystem("dev", &other);
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    assert_eq!(lines(&env, "a", 1), ["12345"]);
}
