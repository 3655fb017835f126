//! The JSON Schema takes what is taken, and refuses what is refused.

mod validator;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::spec::EnvironmentName;
use crate::{EnvBlock, Request, Runtime, eval, is_ecosystem_file, load};
use validator::Validator;

/// Apps that a file may have, each to be taken by the schema and by the parser.
fn good() -> Vec<Value> {
    let fields = json!([
        { "instances": "max", "execMode": "cluster", "maxMemoryRestart": "200M", "killTimeout": 3000 },
        { "nodeArgs": "--inspect", "args": ["a", 1], "env": { "A": 1, "B": null }, "env_production": {} },
        { "env_file": ".env" }, { "env_files": ["a", "b"] }, { "env_f": {}, "env_filex": {} },
        { "port": "3000", "uid": 1000, "gid": "users", "filter_env": ["SECRET"], "autorestart": "on-failure" },
        { "restart": false, "oneshot": true, "stop_exit_codes": "0 3" }, { "stop_exit_codes": [0, "3"] },
        { "depends_on": ["tcp://h:1", "db"] }, { "depends_on": { "db": "ready", "x": { "condition": "completed" } } },
        { "readiness": { "http": { "port": "${PORT}", "status": [200, "300-399"] }, "within": "2m" } },
        { "readiness": { "log": "up", "interval": "1 s", "successes": "2" } },
        { "liveness": { "silence": "5m", "action": "mark" } }, { "liveness": { "tcp": 1 } },
        { "limits": { "memory": "512M", "cpu": "50%", "pids": 5, "nofile": 6 } }, { "limits": { "cpu": 0.5 } },
        { "cron": "0 3 * * *", "timezone": "Europe/Berlin" }, { "cron_restart": 0 },
        { "watch": ["a"], "ignore_watch": "x", "watch_options": { "followSymlinks": false, "persistent": true } },
        { "kill_signal": 15, "treekill": false, "wait_ready": true, "listen_timeout": "3s" },
        { "out_file": "x.log", "time": true, "pmx": false, "vizion": true, "source_map_support": true },
    ]);
    let mut apps: Vec<_> = fields.as_array().unwrap().clone();
    for app in &mut apps {
        app["script"] = json!("app.js");
    }
    apps.extend([
        json!({ "cmd": "app.js" }),
        json!({ "name": "x", "command": "sleep 5" }),
    ]);
    apps
}

/// Fields with values that will not do, each to be refused by the schema and by the parser.
fn bad() -> Vec<Value> {
    let fields = json!([
        { "instances": "lots" }, { "instances": 1.5 }, { "max_memory_restart": "200 apples" }, { "kill_timeout": -1 },
        { "min_uptime": "soon" }, { "autorestart": "true" }, { "exec_mode": "clutser" }, { "args": { "a": 1 } },
        { "cwd": 5 }, { "watch": 1 }, { "uid": -1 }, { "namespace": "" }, { "env": "A=1" }, { "env_production": "x" },
        { "port": 70000 }, { "depends_on": 1 }, { "depends_on": { "a": "redy" } }, { "readiness": "x" },
        { "readiness": { "tcp": 1, "successes": 0 } }, { "readiness": { "http": { "port": 1, "status": 99 } } },
        { "liveness": { "tcp": 1, "action": "kill" } }, { "limits": "1G" }, { "limits": { "tasks": 0 } },
        { "env_file": 1 }, { "watch_options": true }, { "cron_timezone": 1 }, { "oneshot": 1 }, { "filter_env": 1 },
    ]);
    let mut apps = fields.as_array().unwrap().clone();
    for app in &mut apps {
        app["script"] = json!("app.js");
    }
    apps.extend([json!({ "name": "x" }), json!("app.js"), json!(1)]);
    apps
}

fn request(file: PathBuf) -> Request {
    Request {
        invoked_in: file.parent().unwrap().to_owned(),
        file,
        text: None,
        environment: EnvironmentName::new("dev").unwrap(),
        env_block: EnvBlock::ByEnvironment,
        variables: BTreeMap::new(),
        runtime: Runtime::Auto,
    }
}

fn loads(app: &Value) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ecosystem.config.json");
    std::fs::write(&file, json!({ "apps": [app] }).to_string()).unwrap();
    load(&request(file)).is_ok()
}

#[test]
fn what_the_parser_takes_the_schema_takes() {
    let validator = Validator::new();
    for app in good() {
        assert!(loads(&app), "the parser refuses {app}");
        assert_eq!(validator.refuses_app(&app), [""; 0], "{app}");
        for file in [
            json!({ "apps": [app] }),
            json!({ "pm2": app, "deploy": {} }),
            json!([app]),
            app.clone(),
        ] {
            assert!(validator.takes(&file), "{file}");
        }
    }
}

#[test]
fn what_the_parser_refuses_the_schema_refuses() {
    let validator = Validator::new();
    for app in bad() {
        assert!(!loads(&app), "the parser takes {app}");
        assert!(
            !validator.takes(&json!({ "apps": [app] })),
            "the schema takes {app}"
        );
    }
}

#[test]
fn a_key_that_nobody_knows_is_refused_wherever_it_stands() {
    let validator = Validator::new();
    for app in [
        json!({ "script": "a", "instancs": 2 }),
        json!({ "script": "a", "readiness": { "tcp": 1, "intervall": 1 } }),
        json!({ "script": "a", "limits": { "disk": 1 } }),
        json!({ "script": "a", "depends_on": { "b": { "when": "ready" } } }),
    ] {
        assert!(!validator.takes(&json!([app])), "{app}");
    }
    assert!(!validator.takes(&json!({ "apps": [], "colour": 1 })));
}

/// Every ecosystem file below a folder.
fn ecosystem_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            found.extend(ecosystem_files(&path));
        } else if is_ecosystem_file(&path) {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_examples_are_taken_as_they_were_evaluated() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/process-manager");
    let files = ecosystem_files(&examples);
    assert_eq!(files.len(), 10, "{files:?}");
    let validator = Validator::new();
    for file in files {
        let answer = eval::evaluate(&request(file.clone())).unwrap().answer;
        for app in answer.apps.unwrap() {
            assert_eq!(validator.refuses(&app.value), [""; 0], "{}", file.display());
        }
    }
}
