//! `eco start`: from wherever it is typed, once or twice, all or some.

use eco_tests::{TestEnv, app, wait_until};
use serde_json::{Value, json};

fn three() -> Value {
    json!([
        app("mds-a", &["wait"]),
        app("mds-b", &["wait"]),
        app("other", &["wait"])
    ])
}

#[test]
fn an_environment_starts_from_any_folder_and_a_second_start_changes_nothing_and_says_so() {
    let env = TestEnv::started(&three());
    let before = env.list();
    assert_eq!(before.names(), ["dev/mds-a", "dev/mds-b", "dev/other"]);
    assert!(before.are_all("online"), "{before:?}");
    env.write("apps/deep/below/readme", "");
    for folder in [".", "apps/deep/below", "process-manager/dev"] {
        let again = env.eco_in(folder, &["start", "dev"]).ok();
        again.tells(&[
            "dev/mds-a: unchanged",
            "dev/other: unchanged",
            "Nothing to do.",
        ]);
        assert_eq!(env.list().pids(), before.pids(), "{folder}");
    }
}

/// A tree like the examples': a service's file says `../../apps/…`, alone and composed.
fn composed() -> TestEnv {
    let env = TestEnv::new();
    env.write(
        "apps/say.sh",
        "echo \"$GREETING from $PWD\"\nexec sleep 1000\n",
    );
    env.write(
        "process-manager/dev/ecosystem.config.js",
        "module.exports = { apps: [
           ...require('./greeter/ecosystem.config').apps,
           { name: 'plain', script: 'sleep', args: '1000' },
         ] };",
    );
    env.write(
        "process-manager/dev/greeter/ecosystem.config.js",
        "module.exports = { apps: [{
           name: 'greeter', script: '../../apps/say.sh', interpreter: 'sh', env: { GREETING: 'hello' },
         }] };",
    );
    env
}

#[test]
fn a_composed_file_and_a_part_of_it_mean_the_same_app() {
    let env = composed();
    drop(
        env.eco_in(
            "process-manager/dev/greeter",
            &["start", "ecosystem.config.js"],
        )
        .ok(),
    );
    let alone = env.list();
    assert_eq!(alone.names(), ["dev/greeter"]);
    drop(
        env.eco_in("process-manager/dev", &["start", "ecosystem.config.js"])
            .ok(),
    );
    let all = env.list();
    assert_eq!(all.names(), ["dev/greeter", "dev/plain"]);
    assert_eq!(all.one("greeter").pid(), alone.one("greeter").pid());
    let lines = env.logs("greeter");
    let [line] = lines.as_slice() else {
        panic!("one line was written: {lines:?}");
    };
    assert!(line.line.starts_with("hello from /"), "{line:?}");
}

#[test]
fn only_takes_names_and_patterns() {
    let env = TestEnv::new();
    env.ecosystem("dev", &three());
    drop(env.eco(&["start", "dev", "--only", "other"]).ok());
    assert_eq!(env.list().names(), ["dev/other"]);
    let other = env.list().one("other").pid();
    drop(env.eco(&["start", "dev", "--only", "mds-*"]).ok());
    assert_eq!(env.list().names(), ["dev/mds-a", "dev/mds-b", "dev/other"]);
    assert_eq!(env.list().one("other").pid(), other);
    let unknown = env.eco(&["start", "dev", "--only", "mds-c"]);
    unknown.fails(1, &["mds-c", "mds-a"]);
}

#[test]
fn environments_run_side_by_side() {
    let env = TestEnv::started(&three());
    let dev = env.list().pids();
    env.ecosystem("production", &three());
    drop(env.eco(&["start", "production"]).ok());
    let all = env.list();
    assert_eq!(all.names().len(), 6, "{all:?}");
    assert!(all.are_all("online"), "{all:?}");
    let still: Vec<_> = all
        .pids()
        .into_iter()
        .filter(|one| one.0.starts_with("dev/"))
        .collect();
    assert_eq!(still, dev);
}

#[test]
fn the_block_of_the_environment_s_name_is_applied_and_a_person_can_choose_another() {
    let env = TestEnv::new();
    let mut echo = app("echo", &["env:WHO", "env:INHERITED", "wait"]);
    let blocks = json!({
        "env": { "WHO": "plain" }, "env_dev": { "WHO": "dev" }, "env_qa": { "WHO": "qa" }
    });
    let fields = echo.as_object_mut().expect("an object");
    fields.extend(blocks.as_object().expect("an object").clone());
    env.ecosystem("dev", &json!([echo]));
    drop(env.eco(&["start", "dev"]).ok());
    drop(env.eco(&["start", "dev", "--env", "qa"]).ok());
    let lines: Vec<String> = env
        .logs("echo")
        .into_iter()
        .map(|record| record.line)
        .collect();
    let expected = [
        "WHO=dev",
        "INHERITED=(unset)",
        "WHO=qa",
        "INHERITED=(unset)",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_changed_app_is_restarted_and_no_other() {
    let env = TestEnv::started(&three());
    let before = env.list();
    let mut apps = three();
    apps[1] = app("mds-b", &["out:changed", "wait"]);
    env.ecosystem("dev", &apps);
    drop(env.eco(&["start", "dev"]).ok());
    let after = env.list();
    assert_ne!(after.one("mds-b").pid(), before.one("mds-b").pid());
    for name in ["mds-a", "other"] {
        assert_eq!(after.one(name).pid(), before.one(name).pid());
    }
    assert_eq!(env.logs("mds-b").len(), 1);
}

#[test]
fn ids_follow_the_order_of_the_file_and_stay() {
    let env = TestEnv::started(&json!([app("z", &["wait"]), app("a", &["wait"])]));
    let ids = |env: &TestEnv| {
        let list = env.list();
        (list.one("z").number("id"), list.one("a").number("id"))
    };
    assert_eq!(ids(&env), (0, 1));
    drop(env.eco(&["restart", "z"]).ok());
    drop(env.eco(&["stop", "a"]).ok());
    assert_eq!(ids(&env), (0, 1));
}

#[test]
fn json_is_all_that_is_printed_and_holds_the_promised_fields() {
    let env = TestEnv::new();
    env.ecosystem("dev", &three());
    let started = env.eco(&["start", "dev", "--json"]).ok().json();
    assert_eq!(started.as_array().map(Vec::len), Some(3), "{started}");
    let listed = env.eco(&["list", "--json"]).ok();
    assert_eq!(listed.stderr, "");
    let first = listed.json()[0].clone();
    let promised = [
        "id",
        "host",
        "env",
        "name",
        "instance",
        "pid",
        "status",
        "restarts",
        "unstable_restarts",
        "uptime_ms",
        "cpu_percent",
        "memory_bytes",
        "exec_mode",
        "watch",
        "cause",
    ];
    for field in promised {
        assert!(first.get(field).is_some(), "{field} in {first}");
    }
}

#[test]
fn an_app_that_is_not_to_start_by_itself_is_known_and_starts_when_it_is_named() {
    let env = TestEnv::new();
    let mut lazy = app("lazy", &["wait"]);
    lazy["autostart"] = json!(false);
    env.ecosystem("dev", &json!([lazy, app("eager", &["wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(env.list().one("lazy").status(), "stopped");
    assert_eq!(env.list().one("eager").status(), "online");
    drop(env.eco(&["start", "lazy"]).ok());
    assert_eq!(env.list().one("lazy").status(), "online");
}

#[test]
fn instances_get_numbers_and_ports_of_their_own() {
    let env = TestEnv::new();
    let mut twin = app("twin", &["env:NUMBER", "env:NODE_APP_INSTANCE", "wait"]);
    twin["instances"] = json!(2);
    twin["increment_var"] = json!("NUMBER");
    twin["env"] = json!({ "NUMBER": 7 });
    env.ecosystem("dev", &json!([twin]));
    drop(env.eco(&["start", "dev"]).ok());
    let mut lines: Vec<String> = env
        .logs("twin")
        .into_iter()
        .map(|record| record.line)
        .collect();
    lines.sort();
    let expected = [
        "NODE_APP_INSTANCE=0",
        "NODE_APP_INSTANCE=1",
        "NUMBER=7",
        "NUMBER=8",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn two_people_who_start_at_once_get_one_agent_and_each_app_once() {
    let env = TestEnv::new();
    env.ecosystem("dev", &three());
    let starting = [env.follow(&["start", "dev"]), env.follow(&["start", "dev"])];
    for mut one in starting {
        wait_until("the start has ended", || one.code().is_some());
        assert_eq!(one.code(), Some(0));
    }
    let processes = env.processes();
    let count = |wanted: &str| processes.iter().filter(|(_, name)| name == wanted).count();
    assert_eq!(
        ["eco-agentd", "eco-keeper", "eco-logd", "fake-app"].map(count),
        [1, 1, 1, 3]
    );
}

#[test]
fn a_script_and_a_command_start_without_a_file() {
    let env = TestEnv::new();
    env.write("greet.sh", "echo \"hello $1\"\nexec sleep 1000\n");
    let script = env.eco(&["start", "greet.sh", "--name", "greet", "--", "you"]);
    drop(script.ok());
    drop(env.eco(&["start", "sleep 1000", "--name", "rest"]).ok());
    assert_eq!(env.list().names(), ["default/greet", "default/rest"]);
    assert_eq!(env.logs("greet")[0].line, "hello you");
}

#[test]
fn a_script_is_told_by_options_what_a_file_would_say() {
    let env = TestEnv::new();
    env.write("src/greet.sh", "echo \"$PWD $PORT\"\nexec sleep 1000\n");
    let typed =
        "start src/greet.sh --cwd src -i 2 --no-autorestart --port 7100 --increment-var PORT";
    let words: Vec<&str> = typed.split(' ').collect();
    drop(env.eco(&words).ok());
    let mut lines: Vec<_> = env
        .logs("greet")
        .into_iter()
        .map(|line| line.line)
        .collect();
    lines.sort();
    let folder = env.project().join("src");
    assert_eq!(
        lines,
        [7100, 7101].map(|port| format!("{} {port}", folder.display()))
    );
}

#[test]
fn options_about_a_script_are_refused_where_they_mean_nothing_or_are_wrong() {
    let env = TestEnv::new();
    env.ecosystem("dev", &json!([app("a", &["wait"])]));
    env.write("greet.sh", "exec sleep 1000\n");
    env.eco(&["start", "dev", "--watch"])
        .fails(1, &["single script", "ecosystem file"]);
    env.eco(&["start", "greet.sh", "--max-memory-restart", "lots"])
        .fails(1, &["max_memory_restart", "lots", "200M"]);
    env.eco(&["start", "greet.sh", "--max-memory"])
        .fails(2, &["--max-memory-restart"]);
}

#[test]
fn names_and_arguments_of_any_kind_arrive_as_they_are() {
    let env = TestEnv::new();
    let odd = "out:a b  \"c\" $HOME 'd' \\ ü";
    env.ecosystem(
        "dev",
        &json!([app("@acme/äpi", &[odd, "wait"]), app("..", &["wait"])]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(env.list().names(), ["dev/..", "dev/@acme/äpi"]);
    let line = env.logs("@acme/äpi").pop().map(|record| record.line);
    assert_eq!(line.as_deref(), odd.strip_prefix("out:"));
    drop(env.eco(&["restart", "dev/@acme/äpi"]).ok());
}
