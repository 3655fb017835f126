//! Files and requests that cannot be carried out: one clear message, the right exit code, and nothing else is touched.

use std::net::TcpListener;

use eco_tests::{Instances, TestEnv, app};
use serde_json::json;

const FILE: &str = "process-manager/dev/ecosystem.config.js";

/// An environment with one app that runs, and what is known of it.
fn running() -> (TestEnv, Instances) {
    let env = TestEnv::started(&json!([app("steady", &["wait"])]));
    let before = env.list();
    (env, before)
}

/// Starts `dev` with this file, which must be refused with all of `words`; the running app must not notice.
#[track_caller]
fn refused(file: &str, words: &[&str]) {
    let (env, before) = running();
    env.write(FILE, file);
    let output = env.eco(&["start", "dev"]);
    output.fails(1, words);
    output.tells(&[FILE]);
    assert_eq!(output.stdout, "");
    let after = env.list();
    assert_eq!(after.names(), ["dev/steady"]);
    assert_eq!(after.pids(), before.pids());
}

#[test]
fn a_syntax_error_is_told_with_its_place() {
    refused(
        "module.exports = {\n  apps: [{ name: 'a' script: 'x' }],\n};",
        &["ecosystem.config.js:2:22", "SyntaxError"],
    );
}

#[test]
fn an_exception_is_told_with_its_place() {
    refused(
        "\nthrow new Error('the vault is closed');",
        &["config.js:2:", "the vault is closed"],
    );
}

#[test]
fn a_missing_module_is_told_with_the_places_tried() {
    refused(
        "module.exports = require('./nowhere');",
        &[
            "cannot find the module \"./nowhere\"",
            "dev/nowhere.js",
            "dev/nowhere.json",
        ],
    );
}

#[test]
fn an_endless_loop_is_ended() {
    refused("while (true) {}", &["it ran for more than"]);
}

#[test]
fn two_gigabytes_are_refused() {
    refused(
        "module.exports = { apps: [], x: new ArrayBuffer(2e9) };",
        &["memory"],
    );
    refused(
        "const all = []; for (;;) all.push(new ArrayBuffer(1e6));",
        &["memory"],
    );
}

#[test]
fn every_wrong_type_is_told_at_once() {
    refused(
        "module.exports = { apps: [{ name: 'a', script: 'sleep', instances: {}, kill_timeout: 'soon' }] };",
        &[
            "apps[0].instances: found an empty object, expected a number",
            "apps[0].kill_timeout: found \"soon\", expected milliseconds",
        ],
    );
}

#[test]
fn two_apps_of_one_name_are_told_with_both_places() {
    refused(
        "module.exports = { apps: [\n{ name: 'a', script: 'sleep' },\n{ name: 'a', script: 'true' }] };",
        &[
            "a second app named \"a\"",
            "ecosystem.config.js:3:",
            "ecosystem.config.js:2:",
        ],
    );
}

#[test]
fn a_missing_script_is_told_with_the_places_tried_and_the_other_app_is_not_started() {
    refused(
        "module.exports = { apps: [{ name: 'good', script: 'sleep', args: '9' }, { name: 'a', script: './a.js' }] };",
        &[
            "dev/a: script",
            "\"./a.js\" was not found",
            "process-manager/dev/a.js",
            "project/a.js",
        ],
    );
}

#[test]
fn a_missing_interpreter_is_told_with_the_command_that_installs_it() {
    let (env, before) = running();
    env.write("server.ts", "");
    env.write(
        FILE,
        "module.exports = { apps: [{ name: 'a', script: './server.ts', interpreter: 'tsx' }] };",
    );
    let mut start = env.command(env.project(), &["start", "dev"]);
    start.env("PATH", "/usr/bin:/bin");
    env.run(start)
        .fails(1, &["interpreter tsx was not found", "npm i -D tsx"]);
    assert_eq!(env.list().pids(), before.pids());
}

#[test]
fn an_unknown_field_is_warned_of_and_the_start_goes_on() {
    let env = TestEnv::new();
    let mut one = app("a", &["wait"]);
    one["max_memry_restart"] = json!("1G");
    env.ecosystem("dev", &json!([one]));
    let output = env.eco(&["start", "dev"]).ok();
    output.tells(&[
        "Warning",
        "max_memry_restart",
        "did you mean \"max_memory_restart\"?",
    ]);
    assert_eq!(env.list().one("a").status(), "online");
}

#[test]
fn an_environment_that_is_not_there_is_told_with_what_was_tried() {
    let (env, before) = running();
    env.eco(&["start", "dve"])
        .fails(1, &["dve", "environment dve", "did you mean dev?"]);
    assert_eq!(env.list().pids(), before.pids());
}

#[test]
fn a_verb_that_is_not_there_is_a_fault_of_usage() {
    let env = TestEnv::new();
    env.eco(&["strat", "dev"]).fails(2, &["start"]);
}

#[test]
fn a_port_in_use_is_told_in_the_app_s_own_words_and_the_others_start() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = taken.local_addr().expect("it has an address").port();
    let (env, before) = running();
    let mut server = app("server", &[&format!("listen:{port}"), "wait"]);
    server["max_restarts"] = json!(2);
    env.ecosystem(
        "dev",
        &json!([app("steady", &["wait"]), server, app("new", &["wait"])]),
    );
    let output = env.eco(&["start", "dev"]);
    output.fails(1, &["dev/server", "EADDRINUSE", &port.to_string()]);
    let after = env.list();
    assert_eq!(after.one("server").status(), "errored");
    assert_eq!(after.one("new").status(), "online");
    assert_eq!(after.one("steady").pid(), before.one("steady").pid());
}
