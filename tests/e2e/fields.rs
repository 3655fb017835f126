//! Every field of the table that is acted on, seen on a real process: here, or in the file that is about it.

mod coverage;

use std::os::unix::fs::PermissionsExt as _;

use eco_tests::{Signal, TestEnv, app, fake_app, free_port, kill, wait_until};
use serde_json::{Value, json};

/// A command line that says which signal ends it.
const TRAP: &str =
    "trap 'echo TERM; exit' TERM; trap 'echo INT; exit' INT; echo up; while :; do sleep 0.05; done";

/// An app that says what it was given, and rests.
fn telling(fields: &Value) -> Value {
    let mut telling = app("a", &["facts", "wait"]);
    merge(&mut telling, fields);
    telling
}

fn merge(app: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().expect("fields") {
        app[name] = value.clone();
    }
}

/// What the latest run of an app said of itself.
#[track_caller]
fn facts_of(env: &TestEnv, name: &str) -> Value {
    let mut facts = None;
    wait_until("the app says what it was given", || {
        let run = env.list().one(name).number("run");
        let said = env.logs(name).into_iter().rfind(|record| record.run == run);
        facts = said.and_then(|record| serde_json::from_str(&record.line).ok());
        facts.is_some()
    });
    facts.expect("it was waited for")
}

/// What an app with these fields says of itself.
#[track_caller]
fn facts(fields: &Value) -> Value {
    let env = TestEnv::started(&json!([telling(fields)]));
    facts_of(&env, "a")
}

/// The lines of an app that have come once there are as many.
#[track_caller]
fn lines(env: &TestEnv, name: &str, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    wait_until("the lines are there", || {
        lines = env
            .logs(name)
            .into_iter()
            .map(|record| record.line)
            .collect();
        lines.len() >= count
    });
    lines
}

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

#[test]
fn after_a_failure_a_restart_follows_and_after_success_none() {
    let env = TestEnv::new();
    let flag = env.path("failed-once");
    let mut once = app("a", &[]);
    once["script"] = json!(format!("test -e {flag} || {{ touch {flag}; exit 3; }}"));
    merge(
        &mut once,
        &json!({ "args": [], "autorestart": "on-failure" }),
    );
    env.ecosystem("dev", &json!([once]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("it has ended well", || {
        env.list().one("a").status() == "stopped"
    });
    let exits = env.describe("a")["exits"].clone();
    let codes: Vec<_> = exits
        .as_array()
        .expect("exits")
        .iter()
        .map(|exit| exit["code"].clone())
        .collect();
    assert_eq!(codes, [json!(0), json!(3)]);
}

#[test]
fn an_end_is_unstable_only_before_the_min_uptime() {
    let short = |name: &str, min_uptime: &str| {
        let mut short = app(name, &["rest:120", "exit:1"]);
        merge(
            &mut short,
            &json!({ "min_uptime": min_uptime, "max_restarts": 3 }),
        );
        short
    };
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([short("stable", "1ms"), short("unstable", "1h")]),
    );
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("one of them is given up", || {
        env.list().one("unstable").status() == "errored"
    });
    wait_until("the other one goes on", || {
        env.list().one("stable").number("restarts") > 3
    });
    assert_eq!(env.list().one("stable").number("unstable_restarts"), 0);
}

#[test]
fn a_fixed_delay_is_waited_for_before_every_restart() {
    let mut ends = app("a", &["exit:1"]);
    ends["restart_delay"] = json!("1h");
    let env = TestEnv::new();
    env.ecosystem("dev", &json!([ends]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("it waits", || {
        env.list().one("a").status() == "waiting restart"
    });
    let list = env.list();
    let waiting = list.one("a");
    assert!(waiting.number("restart_in_ms") > 3_500_000, "{waiting:?}");
}

#[test]
fn the_signal_that_asks_an_app_to_end_can_be_chosen() {
    let asks =
        |name: &str, signal: &Value| json!({ "name": name, "script": TRAP, "kill_signal": signal });
    let env = TestEnv::started(&json!([
        asks("int", &Value::Null),
        asks("term", &json!("SIGTERM")),
        asks("number", &json!(15))
    ]));
    for name in ["int", "term", "number"] {
        assert_eq!(lines(&env, name, 1), ["up"]);
    }
    drop(env.eco(&["stop", "all", "-E", "dev"]).ok());
    // The shell may say of its `sleep`, too, that it was terminated.
    for (name, word) in [("int", "INT"), ("term", "TERM"), ("number", "TERM")] {
        let said = lines(&env, name, 2);
        assert!(said.contains(&word.to_owned()), "{name}: {said:?}");
    }
}

#[test]
fn the_whole_tree_is_asked_to_end_or_its_first_process_alone() {
    let tree = |name: &str, whole: bool| {
        let mut tree = app(
            name,
            &["child:polite,out:up,wait", "polite", "out:up", "wait"],
        );
        tree["treekill"] = json!(whole);
        tree
    };
    let env = TestEnv::started(&json!([tree("whole", true), tree("first", false)]));
    for name in ["whole", "first"] {
        assert_eq!(lines(&env, name, 2), ["up", "up"]);
    }
    drop(env.eco(&["stop", "all", "-E", "dev"]).ok());
    assert_eq!(lines(&env, "whole", 4), ["up", "up", "bye", "bye"]);
    assert_eq!(lines(&env, "first", 3), ["up", "up", "bye"]);
    let left = env
        .processes()
        .into_iter()
        .filter(|(_, name)| name == "fake-app");
    assert_eq!(
        left.count(),
        1,
        "what the first process leaves behind goes on"
    );
}

#[test]
fn an_app_that_does_not_listen_counts_as_up_after_its_listen_timeout() {
    let silent = |name: &str, more: &Value| {
        let mut silent = app(name, &["wait"]);
        merge(&mut silent, &json!({ "env": { "PORT": free_port() } }));
        merge(&mut silent, more);
        silent
    };
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([
            silent("patient", &json!({ "listen_timeout": "1h" })),
            silent("usual", &json!({}))
        ]),
    );
    let start = env.follow(&["start", "dev"]);
    // Both began at the same time, so that the one of three seconds tells that the other one's were not enough.
    wait_until("the usual one is up", || {
        let list = env.list();
        list.all().len() == 2 && list.one("usual").status() == "online"
    });
    assert_eq!(env.list().one("patient").status(), "launching");
    kill(start.pid(), Signal::SIGINT);
}

/// The health of an app's only instance.
fn health(env: &TestEnv, name: &str, key: &str) -> String {
    let list = env.list();
    let health = list.one(name).field("health");
    health[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_url_is_put_together_and_the_status_that_is_well_can_be_chosen() {
    let env = TestEnv::new();
    env.write("word", "404");
    let word = env.path("word");
    let served = |name: &str, port: u16, fields: &Value| {
        let mut served = app(name, &[&format!("http:{port}:{word}"), "wait"]);
        merge(&mut served, &json!({ "env": { "WEB": port } }));
        merge(&mut served, fields);
        served
    };
    let (by_parts, by_url, living) = (free_port(), free_port(), free_port());
    let url = format!("http://127.0.0.1:{by_url}/b");
    let parts = json!({ "port": "${WEB}", "path": "/a", "status": 200 });
    let alive = json!({ "port": living, "path": "/c", "status": "400-404" });
    env.ecosystem(
        "dev",
        &json!([
            served("parts", by_parts, &json!({ "readiness": { "http": parts, "interval": "50ms", "within": 0 } })),
            served("url", by_url, &json!({ "readiness": { "http": { "url": url, "status": [404] }, "interval": "50ms" } })),
            served("alive", living, &json!({ "liveness": { "http": alive, "interval": "50ms", "failures": 1, "action": "mark" } })),
        ]),
    );
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("404 is well where it was said to be", || {
        env.list().one("url").status() == "online" && health(&env, "alive", "verdict") == "healthy"
    });
    let answer = format!("http://127.0.0.1:{by_parts}/a answered 404");
    wait_until("the parts are asked", || {
        health(&env, "parts", "answer").contains(&answer)
    });
    assert_eq!(env.list().one("parts").status(), "launching");
    env.write("word", "200");
    wait_until("200 is well for one and ill for another", || {
        env.list().one("parts").status() == "online"
            && health(&env, "alive", "verdict") == "unhealthy"
    });
}

#[test]
fn how_often_is_asked_and_how_many_answers_count_can_be_chosen() {
    let env = TestEnv::new();
    let asked = |name: &str, end: &str| format!("echo >> {}; {end}", env.path(name));
    let times =
        |name: &str| std::fs::read_to_string(env.path(name)).map_or(0, |text| text.lines().count());
    let starting = |name: &str, end: &str, more: &Value| {
        let mut readiness =
            json!({ "exec": ["sh", "-c", asked(name, end)], "interval": "20ms", "within": 0 });
        merge(&mut readiness, more);
        let mut starting = app(name, &["wait"]);
        starting["readiness"] = readiness;
        starting
    };
    let running = |name: &str, more: &Value| {
        let mut liveness = json!({ "exec": ["sh", "-c", asked(name, "false")], "interval": "20ms", "action": "stop" });
        merge(&mut liveness, more);
        let mut running = app(name, &["wait"]);
        merge(
            &mut running,
            &json!({ "liveness": liveness, "min_uptime": 1 }),
        );
        running
    };
    env.ecosystem(
        "dev",
        &json!([
            starting("seldom", "false", &json!({ "interval": "1h" })),
            starting("three", "true", &json!({ "successes": 3 })),
            starting("never", "true", &json!({ "successes": 1_000_000 })),
            running("ill", &json!({ "failures": 2 })),
            running("lenient", &json!({ "failures": 1_000_000 })),
            running("young", &json!({ "failures": 1, "start_period": "1h" })),
            running("once", &json!({ "failures": 2, "interval": "1h" })),
        ]),
    );
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("enough answers decide", || {
        let list = env.list();
        list.one("three").status() == "online" && list.one("ill").status() == "stopped"
    });
    wait_until("the others were asked as often", || {
        ["never", "lenient", "young"]
            .iter()
            .all(|name| times(name) > 4)
            && times("seldom") > 0
            && times("once") > 0
    });
    let list = env.list();
    assert_eq!(
        (list.one("never").status(), list.one("seldom").status()),
        ("launching", "launching")
    );
    for name in ["lenient", "young", "once"] {
        assert_eq!(list.one(name).status(), "online", "{name}");
    }
    assert!(times("three") >= 3);
    assert_eq!((times("seldom"), times("once")), (1, 1));
}

#[test]
fn an_app_that_must_write_or_listen_is_ill_when_it_does_not() {
    let ill = |name: &str, liveness: &Value| {
        let mut ill = app(name, &["out:up", "wait"]);
        let mut all = json!({ "interval": "200ms", "failures": 2, "action": "stop" });
        merge(&mut all, liveness);
        ill["liveness"] = all;
        ill
    };
    let env = TestEnv::started(&json!([
        ill("silent", &json!({ "output": true })),
        ill("deaf", &json!({ "tcp": free_port() })),
    ]));
    for name in ["silent", "deaf"] {
        wait_until("it is stopped", || {
            env.list().one(name).status() == "stopped"
        });
        let list = env.list();
        assert!(
            list.one(name).text("cause").contains("not alive"),
            "{list:?}"
        );
    }
}

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
