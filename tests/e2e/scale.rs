//! `eco scale` and `eco reset`: another number of instances, and counts that begin anew, with no harm to who is there.

use eco_tests::{Instances, Signal, TestEnv, app, fake_app, is_alive, kill, wait_until};
use serde_json::{Value, json};

/// `dev/twin` with two instances, which say their number and their port.
fn twins() -> TestEnv {
    let env = TestEnv::new();
    env.ecosystem("dev", &json!([twin("twin", 2)]));
    drop(env.eco(&["start", "dev"]).ok());
    env
}

fn twin(name: &str, instances: u32) -> Value {
    json!({
        "name": name,
        "script": fake_app(),
        "args": ["env:NUMBER", "env:NODE_APP_INSTANCE", "polite", "wait"],
        "instances": instances,
        "exec_mode": "fork",
        "increment_var": "NUMBER",
        "env": { "NUMBER": 7000 },
    })
}

/// The processes of the app by the number of the instance.
fn pids(list: &Instances) -> Vec<(u64, i32)> {
    let all = list.pids().into_iter();
    all.map(|(_, instance, pid)| (instance, pid)).collect()
}

fn numbers(list: &Instances) -> Vec<u64> {
    let all = list.all().iter();
    all.map(|one| one.number("instance")).collect()
}

fn scaled(env: &TestEnv) -> Vec<Value> {
    let told = env.eco(&["events", "-n", "all", "--json", "twin"]).ok();
    let events = told.stdout.lines().map(|line| {
        let event: Value = serde_json::from_str(line).expect("each line is an object");
        event
    });
    events
        .filter(|event| event.get("event") == Some(&json!("scaled")))
        .collect()
}

#[test]
fn more_instances_have_the_next_numbers_and_ports_and_the_others_their_processes() {
    let env = twins();
    let before = pids(&env.list());
    let output = env.eco(&["scale", "twin", "+2"]).ok();
    output.tells(&[
        "dev/twin: 2 → 4 instances",
        "dev/twin#2: online",
        "dev/twin#3: online",
    ]);
    assert!(!output.stderr.contains("unchanged"), "{output}");
    let after = pids(&env.list());
    assert_eq!(after.get(..2), Some(before.as_slice()));
    assert_eq!(numbers(&env.list()), [0, 1, 2, 3]);
    let mut lines: Vec<String> = env.logs("twin").into_iter().map(|one| one.line).collect();
    lines.sort();
    let numbered = [0, 1, 2, 3].map(|number| format!("NODE_APP_INSTANCE={number}"));
    let ports = [7000, 7001, 7002, 7003].map(|port| format!("NUMBER={port}"));
    assert_eq!(lines, [numbered, ports].concat());
}

#[test]
fn fewer_instances_end_in_peace_and_the_others_keep_their_processes() {
    let env = twins();
    drop(env.eco(&["scale", "dev/twin", "4"]).ok());
    let before = pids(&env.list());
    let output = env.eco(&["scale", "dev/twin", "-3", "--json"]).ok();
    let shown = output.json();
    assert_eq!(shown.as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(shown[0]["instance"], 0);
    let after = pids(&env.list());
    assert_eq!(after.as_slice(), before.get(..1).expect("four"));
    let gone = before.get(1..).expect("four");
    assert!(gone.iter().all(|(_, pid)| !is_alive(*pid)), "{gone:?}");
    let words: Vec<String> = env.logs("twin").into_iter().map(|one| one.line).collect();
    assert_eq!(words.iter().filter(|line| *line == "bye").count(), 3);
    let events = scaled(&env);
    let steps: Vec<_> = events
        .iter()
        .map(|one| (&one["from"], &one["to"]))
        .collect();
    assert_eq!(steps, [(&json!(2), &json!(4)), (&json!(4), &json!(1))]);
    for event in &events {
        let by = event["by"].as_str().unwrap_or_default();
        assert!(!by.is_empty() && by != "itself", "{event}");
        assert_eq!(event["cause"], format!("scaled by {by}"));
    }
}

#[test]
fn the_number_outlives_agent_and_host() {
    let env = twins();
    drop(env.eco(&["scale", "twin", "3"]).ok());
    let before = pids(&env.list());
    env.slay(env.daemons().agent);
    assert_eq!(pids(&env.list()), before);
    env.pull_the_plug();
    wait_until("all three are back", || {
        let list = env.list();
        list.are_all("online") && list.pids().len() == 3
    });
    drop(env.eco(&["kill"]).ok());
    let added = env.eco(&["scale", "twin", "4"]).ok();
    added.tells(&["added, and not started"]);
    assert!(env.list().are_all("stopped"));
    drop(env.eco(&["resurrect"]).ok());
    let list = env.list();
    assert!(list.are_all("online") && numbers(&list) == [0, 1, 2, 3]);
}

#[test]
fn an_agent_that_dies_while_instances_leave_is_followed_by_one_that_sees_them_off() {
    let env = TestEnv::new();
    let note = env.path("note");
    let mut one = app("twin", &[&format!("leave:{note}:twin"), "wait"]);
    one["instances"] = json!(2);
    one["exec_mode"] = json!("fork");
    one["kill_timeout"] = json!(60_000);
    env.write("note.twin", "");
    env.ecosystem("dev", &json!([one]));
    drop(env.eco(&["start", "dev"]).ok());
    let first = pids(&env.list()).first().copied();
    drop(env.eco(&["scale", "twin", "1", "--no-wait"]).ok());
    env.slay(env.daemons().agent);
    std::fs::remove_file(format!("{note}.twin")).expect("it is there");
    wait_until("the second is gone", || numbers(&env.list()) == [0]);
    assert_eq!(pids(&env.list()).first().copied(), first);
}

#[test]
fn its_file_tells_the_difference_and_a_start_by_it_goes_back() {
    let env = twins();
    let before = pids(&env.list());
    drop(env.eco(&["scale", "twin", "4"]).ok());
    let diff = env.eco(&["diff", "dev"]);
    assert_eq!(diff.code, 2, "{diff}");
    for words in ["dev/twin: stop and delete 2 instances", "instances: 4 → 2"] {
        assert!(diff.stdout.contains(words), "{diff}");
    }
    let plan = env.eco(&["diff", "dev", "--json"]).json();
    assert_eq!(plan["changes"][0]["action"], "scale", "{plan}");
    drop(env.eco(&["start", "dev"]).ok());
    assert_eq!(pids(&env.list()), before);
    drop(env.eco(&["scale", "twin", "1"]).ok());
    drop(env.eco(&["apply", "dev"]).ok());
    assert_eq!(numbers(&env.list()), [0, 1]);
    assert_eq!(pids(&env.list()).first(), before.first());
    assert_eq!(env.eco(&["diff", "dev"]).code, 0);
}

#[test]
fn what_cannot_be_scaled_is_refused_and_nothing_is_touched() {
    let env = TestEnv::new();
    for environment in ["dev", "production"] {
        let apps = json!([twin("twin", 1), twin("other", 1)]);
        env.ecosystem(environment, &apps);
        drop(env.eco(&["start", environment]).ok());
    }
    let before = env.list().pids();
    let named = ["dev/twin", "production/twin", "Hint: name one of them"];
    env.eco(&["scale", "twin", "3"]).fails(1, &named);
    let both = ["dev/twin", "dev/other", "Hint:"];
    env.eco(&["scale", "dev", "3"]).fails(1, &both);
    env.eco(&["scale", "dev/twim", "3"])
        .fails(1, &["dev/twim", "did you mean dev/twin"]);
    let none = ["no instance of dev/twin would be left", "eco stop dev/twin"];
    env.eco(&["scale", "dev/twin", "-1"]).fails(1, &none);
    env.eco(&["scale", "dev/twin", "1025"])
        .fails(1, &["1024 are the most"]);
    for (number, words) in [
        ("0", "eco delete"),
        ("+0", "it changes nothing"),
        ("x", "expected a number"),
        ("-x", "unexpected argument"),
    ] {
        env.eco(&["scale", "dev/twin", number]).fails(2, &[words]);
    }
    env.eco(&["scale", "dev/twin"]).fails(2, &["<N>"]);
    assert_eq!(env.list().pids(), before);
    let output = env.eco(&["scale", "-E", "production", "twin", "1"]).ok();
    output.tells(&["production/twin: unchanged", "Nothing to do."]);
}

#[test]
fn more_of_what_has_lost_its_script_is_refused_and_fewer_is_not() {
    let env = TestEnv::new();
    env.write("serve.sh", "exec sleep 1000\n");
    drop(env.eco(&["start", "serve.sh", "--name", "web"]).ok());
    drop(env.eco(&["scale", "web", "2"]).ok());
    std::fs::remove_file(env.path("serve.sh")).expect("it is there");
    env.eco(&["scale", "web", "3"]).fails(1, &["serve.sh"]);
    assert_eq!(numbers(&env.list()), [0, 1]);
    drop(env.eco(&["scale", "web", "1"]).ok());
    assert_eq!(numbers(&env.list()), [0]);
}

#[test]
fn new_instances_wait_for_what_they_need_and_bring_it_up() {
    let env = TestEnv::new();
    let mut api = twin("api", 1);
    api["depends_on"] = json!(["db"]);
    env.ecosystem("dev", &json!([app("db", &["wait"]), api]));
    drop(env.eco(&["start", "dev"]).ok());
    drop(env.eco(&["stop", "db"]).ok());
    let output = env.eco(&["scale", "api", "2"]).ok();
    output.tells(&["dev/db: online", "dev/api#1: online"]);
    drop(env.eco(&["stop", "db"]).ok());
    drop(env.eco(&["scale", "api", "3", "--no-deps"]).ok());
    assert_eq!(env.list().one("db").status(), "stopped");
}

#[test]
fn a_stopped_app_stays_down_with_more_instances() {
    let env = twins();
    drop(env.eco(&["stop", "twin"]).ok());
    let output = env.eco(&["scale", "twin", "3"]).ok();
    output.tells(&["dev/twin: added, and not started: the app is stopped"]);
    assert!(env.list().are_all("stopped"));
    drop(env.eco(&["start", "twin"]).ok());
    let list = env.list();
    assert!(list.are_all("online") && numbers(&list) == [0, 1, 2]);
}

#[test]
fn a_reset_counts_from_zero_and_touches_no_process() {
    let env = TestEnv::started(&json!([app("api", &["wait"]), app("web", &["wait"])]));
    for name in ["api", "web"] {
        let first = env.list().one(name).pid();
        kill(first, Signal::SIGKILL);
        wait_until("it is back", || {
            let list = env.list();
            let one = list.one(name);
            one.number("restarts") == 1 && one.status() == "online"
        });
    }
    let before = env.list();
    let output = env.eco(&["reset", "api", "--json"]).ok();
    output.tells(&["dev/api: restarts and failures count from zero"]);
    assert_eq!(output.json()[0]["restarts"], 0);
    let counts = |env: &TestEnv| {
        let list = env.list();
        ["api", "web"].map(|name| list.one(name).number("restarts"))
    };
    assert_eq!(counts(&env), [0, 1]);
    env.slay(env.daemons().agent);
    assert_eq!(counts(&env), [0, 1]);
    drop(env.eco(&["reset", "all"]).ok());
    assert_eq!(counts(&env), [0, 0]);
    assert_eq!(env.list().pids(), before.pids());
    env.eco(&["reset", "apj"])
        .fails(1, &["did you mean dev/api?"]);
    env.eco(&["reset"]).fails(2, &["<SELECTOR>"]);
}
