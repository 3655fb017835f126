//! `eco validate`, `config`, `schema` and `init`: they touch nothing, and know what an agent knows where one runs.

use eco_tests::{TestEnv, app};
use serde_json::{Value, json};

#[test]
fn what_init_writes_is_valid_and_starts() {
    let env = TestEnv::new();
    drop(env.eco(&["init"]).ok());
    env.eco(&["validate", "--strict"])
        .ok()
        .tells(&["found nothing to mend", "No agent runs"]);
    drop(env.eco(&["start"]).ok());
    assert_eq!(env.list().one("default/hello").status(), "online");
    assert_eq!(
        env.logs("hello")
            .first()
            .map(|record| record.line.clone())
            .as_deref(),
        Some("hello")
    );
    env.eco(&["init"])
        .fails(1, &["ecosystem.config.js is there already"]);
}

#[test]
fn an_agent_that_runs_is_asked_what_its_host_lacks_and_none_is_started_for_that() {
    let env = TestEnv::new();
    let missing = json!([{ "name": "a", "script": "./nowhere.js" }, { "name": "b", "script": "sleep", "uid": "nobody-at-all" }]);
    env.ecosystem("dev", &missing);
    env.eco(&["validate", "dev"]).ok().tells(&["No agent runs"]);
    assert!(!env.home().exists());

    env.ecosystem("other", &json!([app("steady", &["wait"])]));
    drop(env.eco(&["start", "other"]).ok());
    let before = env.list();
    let output = env.eco(&["validate", "dev", "--json"]);
    output.fails(1, &["Caused by: 2 errors"]);
    let findings = output.json();
    let told =
        |index: usize, key: &str| findings[index][key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (told(0, "app"), told(0, "field"), told(0, "level")),
        ("dev/a".into(), "script".into(), "error".into())
    );
    assert!(told(0, "message").contains("nowhere.js"), "{findings}");
    assert!(
        told(0, "file").ends_with("process-manager/dev/ecosystem.config.js"),
        "{findings}"
    );
    assert_eq!(told(1, "field"), "uid");
    drop(env.eco(&["validate", "other"]).ok());
    assert_eq!(env.list().pids(), before.pids());
    assert_eq!(env.list().names(), ["other/steady"]);
}

/// An app that says everything there is to say and can be said again.
fn full() -> Value {
    json!({
        "name": "full", "namespace": "n", "script": "sleep", "args": ["1000"], "cwd": ".", "interpreter": "none", "pid_file": "a.pid",
        "instances": 2, "exec_mode": "fork", "instance_var": "I", "increment_var": "PORT", "env": { "PORT": "1" },
        "env_file": [".env"], "autostart": false, "depends_on": { "db": "started", "tcp://h:1": "ready" },
        "oneshot": true, "autorestart": "on-failure", "readiness": { "http": { "url": "http://h/", "status": 204 } },
        "liveness": { "silence": "5m", "action": "mark" }, "stop_exit_codes": [3], "restart_delay": "1m",
        "max_memory_restart": "1G", "cron_restart": "0 3 * * *", "cron_timezone": "Europe/Berlin", "kill_signal": "TERM",
        "shutdown_with_message": true, "limits": { "memory": "512M", "cpu": 0.5, "tasks": 9, "open_files": 99 },
        "watch": ["a"], "ignore_watch": ["b"], "watch_delay": 5, "watch_options": { "followSymlinks": false, "depth": 1 },
    })
}

#[test]
fn what_a_file_comes_to_is_a_file_that_comes_to_the_same() {
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([full(), { "script": "sleep 1000", "exp_backoff_restart_delay": 100 }]),
    );
    let first = env.eco(&["config", "dev", "--json"]).ok().json();
    assert_eq!(first["environment"], "dev");
    env.ecosystem("dev", &first["apps"]);
    env.eco(&["validate", "dev", "--strict"])
        .ok()
        .tells(&["found nothing to mend"]);
    let again = env.eco(&["config", "dev", "--json"]).ok().json();
    assert_eq!(again["apps"], first["apps"]);
    assert!(!env.home().exists());
}

#[test]
fn a_config_shows_neither_secrets_nor_the_shell() {
    let env = TestEnv::new();
    let own =
        json!({ "name": "a", "script": "sleep", "env": { "API_KEY": "k3y" }, "vizion": true });
    env.ecosystem("dev", &json!([own]));
    let shown = |more: &[&str]| {
        let args = [&["config", "dev"], more].concat();
        let mut command = env.command(env.project(), &args);
        command.env("OF_THE_SHELL", "1");
        env.run(command).ok()
    };
    let hidden = shown(&[]);
    assert!(
        hidden.stdout.contains("(hidden)") && !hidden.stdout.contains("k3y"),
        "{hidden}"
    );
    assert!(!hidden.stdout.contains("OF_THE_SHELL"), "{hidden}");
    hidden.tells(&["vizion: has no effect"]);
    assert!(shown(&["--show-secrets"]).stdout.contains("k3y"));
    let quiet = env.eco(&["start", "dev"]);
    assert!(!quiet.stderr.contains("vizion"), "{quiet}");
}

#[test]
fn the_schema_needs_no_home() {
    let env = TestEnv::new();
    let mut command = env.command(env.project(), &["schema"]);
    command.env_remove("HOME").env_remove("ECO_HOME");
    let schema = env.run(command).ok().json();
    assert_eq!(schema["title"], "Ecosystem file of eco");
}
