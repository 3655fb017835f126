//! What an app finds in its environment, and what tells its instances apart.

use eco_tests::TestEnv;
use serde_json::{Value, json};

use super::{facts_of, lines, merge, telling};

#[test]
fn variables_of_an_app_are_texts_and_a_block_is_laid_over_them() {
    let env = TestEnv::new();
    let own = json!({
        "port": 4000,
        "env": { "TEXT": "a b", "NUMBER": 1.5, "FLAG": true, "LIST": [1, "x"], "NOTHING": null, "BLOCK": "no" },
        "env_dev": { "BLOCK": "by environment" },
        "env_blue": { "BLOCK": "asked for", "PORT": 5000 },
        "listen_timeout": 1,
    });
    env.ecosystem("dev", &json!([telling(&own)]));
    drop(env.eco(&["start", "dev"]).ok());
    let given = facts_of(&env, "a")["env"].clone();
    let of = |given: &Value, names: &[&str]| {
        names
            .iter()
            .map(|name| given[*name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(
            &given,
            &["TEXT", "NUMBER", "FLAG", "LIST", "NOTHING", "BLOCK", "PORT"]
        ),
        [
            json!("a b"),
            json!("1.5"),
            json!("true"),
            json!("[1,\"x\"]"),
            json!(null),
            json!("by environment"),
            json!("4000")
        ]
    );
    drop(env.eco(&["start", "dev", "--env", "blue"]).ok());
    let given = facts_of(&env, "a")["env"].clone();
    assert_eq!(
        of(&given, &["BLOCK", "PORT"]),
        [json!("asked for"), json!("5000")]
    );
}

/// What of the shell's variables `A_SECRET`, `B_SECRET` and `C` an app with this filter gets.
fn inherited(filter: &Value) -> Vec<String> {
    let env = TestEnv::new();
    env.ecosystem("dev", &json!([telling(&json!({ "filter_env": filter }))]));
    let mut start = env.command(env.project(), &["start", "dev"]);
    start.envs([("A_SECRET", "1"), ("B_SECRET", "2"), ("C", "3")]);
    drop(env.run(start).ok());
    let facts = facts_of(&env, "a");
    let given = facts
        .get("env")
        .and_then(Value::as_object)
        .expect("variables");
    let mut names: Vec<_> = ["A_SECRET", "B_SECRET", "C", "HOME"]
        .map(str::to_owned)
        .into();
    names.retain(|name| given.contains_key(name));
    names
}

#[test]
fn a_filter_says_which_variables_of_the_shell_are_not_inherited() {
    assert_eq!(
        inherited(&json!(false)),
        ["A_SECRET", "B_SECRET", "C", "HOME"]
    );
    assert_eq!(inherited(&json!("A_SECRET")), ["B_SECRET", "C", "HOME"]);
    assert_eq!(inherited(&json!(["SECRET"])), ["C", "HOME"]);
    assert_eq!(inherited(&json!(true)), [""; 0]);
}

#[test]
fn nothing_of_eco_s_shadows_a_variable_of_the_user_s() {
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([telling(
            &json!({ "env": { "status": "mine", "args": "too" } })
        )]),
    );
    let mut start = env.command(env.project(), &["start", "dev"]);
    start.envs([("name", "the shell's"), ("watch", "out")]);
    drop(env.run(start).ok());
    let facts = facts_of(&env, "a");
    let given = facts["env"].as_object().expect("variables");
    let small: Vec<_> = given
        .iter()
        .filter(|(name, _)| name.chars().any(char::is_lowercase))
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        small,
        ["args=too", "name=the shell's", "status=mine", "watch=out"]
    );
}

#[test]
fn instances_are_numbered_by_the_variables_that_are_named_for_it() {
    let many = json!({
        "instances": 2, "exec_mode": "fork", "instance_var": "NUMBER", "increment_var": "BASE", "env": { "BASE": 70 },
        "args": ["env:NUMBER", "env:BASE", "env:NODE_APP_INSTANCE", "wait"],
    });
    let env = TestEnv::started(&json!([telling(&many)]));
    let mut said = lines(&env, "a", 6);
    said.sort();
    let expected = [
        "BASE=70",
        "BASE=71",
        "NODE_APP_INSTANCE=(unset)",
        "NODE_APP_INSTANCE=(unset)",
        "NUMBER=0",
        "NUMBER=1",
    ];
    assert_eq!(said, expected);
}

#[test]
fn several_instances_of_a_node_program_are_plain_processes_where_that_is_asked_for() {
    let env = TestEnv::new();
    env.write("process-manager/dev/app.js", "setInterval(() => {}, 1000)");
    let node = |name: &str, more: &Value| {
        let mut node =
            json!({ "name": name, "script": "app.js", "interpreter": "node", "instances": 2 });
        merge(&mut node, more);
        node
    };
    env.ecosystem(
        "dev",
        &json!([
            node("cluster", &json!({})),
            node("fork", &json!({ "exec_mode": "fork" })),
            node("command", &json!({ "execute_command": true })),
        ]),
    );
    let config = env.eco(&["config", "dev", "--json"]).ok().json();
    let modes: Vec<_> = config["apps"]
        .as_array()
        .expect("apps")
        .iter()
        .map(|app| app["exec_mode"].clone())
        .collect();
    assert_eq!(modes, ["cluster", "fork", "fork"]);
    drop(env.eco(&["start", "dev", "--only", "fork,command"]).ok());
    assert!(env.list().are_all("online"));
    assert_eq!(env.list().pids().len(), 4);
}
