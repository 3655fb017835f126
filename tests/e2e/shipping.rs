//! What the apps of one host write is kept by the log daemon of another one too.

use eco_tests::{
    Output, Signal, TestEnv, app, check_numbered, free_port, kill, records, wait_until,
};
use serde_json::json;

fn on(env: &TestEnv, host: &str, args: &[&str]) -> Output {
    let mut command = env.command(env.project(), args);
    command.env("ECO_HOST", host);
    env.run(command)
}

fn write_eco_toml(env: &TestEnv, text: &str) {
    std::fs::create_dir_all(env.home()).expect("made");
    std::fs::write(env.home().join("eco.toml"), text).expect("written");
}

fn logd_problem(env: &TestEnv) -> Option<String> {
    let told = env.eco(&["ping", "--json"]).ok().json();
    let problem = told.get("logd_problem")?;
    problem.as_str().map(str::to_owned)
}

#[test]
fn each_line_is_once_at_the_second_log_daemon_whoever_is_killed_on_the_way() {
    let port = free_port();
    let archive = TestEnv::new();
    let listen = format!("[logs]\nlisten = \"127.0.0.1:{port}\"\ndurability = \"power\"\n");
    write_eco_toml(&archive, &listen);
    let source = TestEnv::new();
    write_eco_toml(
        &source,
        &format!("[ship]\nto = \"http://127.0.0.1:{port}\"\n"),
    );
    source.ecosystem("dev", &json!([app("a", &["lines:5000", "wait"])]));

    drop(on(&source, "trading", &["start", "dev"]).ok());
    wait_until("nobody takes it, and that is told", || {
        logd_problem(&source).is_some_and(|told| told.contains("rests"))
    });
    drop(on(&archive, "archive", &["list"]).ok());
    let kept = || {
        let told = archive.eco(&["logs", "a", "-n", "all", "--json"]);
        records(&told.stdout)
    };
    wait_until("all lines are there", || kept().len() == 5000);
    assert_eq!(check_numbered(&kept(), "a", 1), 5000);
    assert_eq!(logd_problem(&source), None);

    kill(source.daemons().logd, Signal::SIGKILL);
    kill(archive.daemons().logd, Signal::SIGKILL);
    drop(on(&source, "trading", &["restart", "a"]).ok());
    wait_until("those of the next run too", || kept().len() == 10_000);
    assert_eq!(check_numbered(&kept(), "a", 2), 5000);
    assert_eq!(kept(), source.logs("a"));
}

#[test]
fn two_hosts_of_one_name_are_not_mixed_up_and_that_is_told() {
    let port = free_port();
    let archive = TestEnv::new();
    write_eco_toml(
        &archive,
        &format!("[logs]\nlisten = \"127.0.0.1:{port}\"\n"),
    );
    drop(on(&archive, "one", &["list"]).ok());
    let source = TestEnv::new();
    write_eco_toml(
        &source,
        &format!("[ship]\nto = \"http://127.0.0.1:{port}\"\n"),
    );
    source.ecosystem("dev", &json!([app("a", &["lines:9", "wait"])]));
    drop(on(&source, "one", &["start", "dev"]).ok());
    wait_until("the reason is told", || {
        logd_problem(&source).is_some_and(|told| told.contains("Give the hosts different names"))
    });
}
