//! Apps that are asked whether they are ready, and whether they are still well.
//!
//! How often is asked is short here, and how long may be taken is short only where it is to be too long.

use std::path::Path;

use eco_tests::{Instance, TestEnv, app, free_port, is_alive, wait_until};
use serde_json::{Value, json};

/// An object with more fields.
fn joined(mut object: Value, more: &Value) -> Value {
    let fields = object.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    object
}

/// An app with more fields.
fn with(name: &str, actions: &[&str], fields: &Value) -> Value {
    joined(app(name, actions), fields)
}

/// A probe that is asked often, and for long enough.
fn often(check: &Value) -> Value {
    joined(json!({ "interval": "50ms", "timeout": "10s" }), check)
}

/// The same, with a time after which the start has failed.
fn soon(check: &Value) -> Value {
    joined(often(check), &json!({ "within": "700ms" }))
}

fn health<'a>(instance: &'a Instance, field: &str) -> &'a Value {
    &instance.field("health")[field]
}

/// What the probe of `api` hears.
fn answer(env: &TestEnv) -> String {
    let list = env.list();
    let answer = health(list.one("api"), "answer").as_str();
    answer.unwrap_or_default().to_owned()
}

fn hears(env: &TestEnv, words: &str) {
    wait_until(words, || answer(env).contains(words));
}

fn status(env: &TestEnv) -> String {
    env.list().one("api").status().to_owned()
}

/// Starts `api` and does not wait until it is up.
fn begun(env: &TestEnv, api: Value) {
    env.ecosystem("dev", &Value::Array(vec![api]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
}

/// The causes of the ends of `api`, the latest first.
fn ends(env: &TestEnv) -> Vec<String> {
    let described = env.describe("api");
    let exits = described.get("exits").and_then(Value::as_array);
    let exits = exits.expect("an array").iter();
    let causes = exits.filter_map(|exit| exit.get("cause")?.as_str());
    causes.map(str::to_owned).collect()
}

/// Waits until a run of `api` has ended because of this.
fn ends_because(env: &TestEnv, words: &str) {
    wait_until(words, || {
        ends(env).iter().any(|cause| cause.contains(words))
    });
}

#[test]
fn an_app_is_online_when_its_url_answers_well_and_by_nothing_else() {
    let env = TestEnv::new();
    let (port, word) = (free_port(), env.path("word"));
    env.write("word", "503");
    let fields = json!({
        // It listens there, has lived long enough, and has taken its time: nothing of that counts.
        "env": { "PORT": port }, "listen_timeout": "1ms", "min_uptime": "1ms",
        "readiness": often(&json!({ "http": "http://127.0.0.1:${PORT}/health?token=secret" })),
    });
    begun(
        &env,
        with("api", &[&format!("http:{port}:{word}"), "wait"], &fields),
    );
    hears(
        &env,
        &format!("http://127.0.0.1:{port}/health answered 503"),
    );
    assert_eq!(status(&env), "launching");
    assert!(!env.eco(&["list"]).ok().stdout.contains("secret"));
    env.write("word", "200");
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("it is online", || status(&env) == "online");
    assert_eq!(env.list().one("api").field("health"), &Value::Null);
}

#[test]
fn a_start_tells_what_keeps_it_waiting() {
    let env = TestEnv::new();
    let go = env.path("go");
    let port = free_port();
    let fields = json!({ "readiness": often(&json!({ "tcp": port })) });
    let waits = format!("file:{go}");
    env.ecosystem(
        "dev",
        &json!([with(
            "api",
            &[&waits, &format!("listen:{port}"), "wait"],
            &fields
        )]),
    );
    let mut start = env.follow(&["start", "dev"]);
    let line = format!("dev/api: not ready yet: connection refused (127.0.0.1:{port})");
    wait_until("the start tells", || start.told().contains(&line));
    assert_eq!(start.code(), None);
    env.write("go", "");
    wait_until("the start has ended", || start.code().is_some());
    assert_eq!(start.code(), Some(0), "{}", start.told());
    assert!(start.told().contains("dev/api: online"), "{}", start.told());
}

#[test]
fn an_app_that_is_not_ready_in_time_has_failed_and_tells_its_last_answer_and_lines() {
    let env = TestEnv::new();
    let port = free_port();
    let fields = json!({ "readiness": soon(&json!({ "tcp": port })), "max_restarts": 2 });
    let api = with(
        "api",
        &["out:connecting to the database", "polite", "wait"],
        &fields,
    );
    env.ecosystem("dev", &json!([api, app("other", &["wait"])]));
    let start = env.eco(&["start", "dev"]);
    let refused = format!("last answer: connection refused (127.0.0.1:{port})");
    start.fails(
        1,
        &[
            "dev/api",
            "not ready within 700 ms",
            &refused,
            "connecting to the database",
        ],
    );
    wait_until("it is given up", || status(&env) == "errored");
    assert_eq!(env.list().one("other").status(), "online");
    assert_eq!(env.list().one("api").number("unstable_restarts"), 2);
    let ends = ends(&env);
    assert!(
        ends.iter()
            .all(|cause| cause.starts_with("not ready within 700 ms: ")),
        "{ends:?}"
    );
    // It was asked to end, and did as it was asked.
    assert_eq!(
        env.logs("api")
            .iter()
            .filter(|line| line.line == "bye")
            .count(),
        2
    );
}

#[test]
fn a_program_is_asked_in_the_apps_folder_with_its_variables() {
    let env = TestEnv::new();
    let check = "echo \"$PWD $GREETING $ECO_APP\" > seen; echo looking; test -e ready";
    let fields = json!({
        "cwd": env.path("."), "env": { "GREETING": "hello" },
        "readiness": often(&json!({ "exec": ["sh", "-c", check] })),
    });
    begun(&env, with("api", &["wait"], &fields));
    hears(&env, "sh exited with code 1: looking");
    let seen = std::fs::read_to_string(env.path("seen")).expect("written");
    let folder = env.project().canonicalize().expect("it is there");
    assert_eq!(seen, format!("{} hello api\n", folder.display()));
    assert_eq!(status(&env), "launching");
    env.write("ready", "");
    wait_until("it is online", || status(&env) == "online");
}

#[test]
fn a_program_that_hangs_is_a_failure_and_is_killed_with_what_it_started() {
    let env = TestEnv::new();
    let fields = json!({
        "cwd": env.path("."),
        "readiness": {
            "exec": ["sh", "-c", "sleep 1000 & echo $! $$ > pids; echo asking; wait"],
            "interval": "10s", "timeout": "1s", "within": 0,
        },
    });
    begun(&env, with("api", &["wait"], &fields));
    hears(&env, "sh did not end within 1 s: asking");
    assert_eq!(status(&env), "launching");
    check_gone(&env);
}

/// The processes that a check noted are no more.
fn check_gone(env: &TestEnv) {
    let pids = std::fs::read_to_string(env.path("pids")).expect("written");
    for pid in pids.split_whitespace() {
        let pid = pid.parse().expect("a pid");
        wait_until("a check's process is gone", || !is_alive(pid));
    }
}

#[test]
fn a_check_ends_with_its_run_and_with_the_agent() {
    let env = TestEnv::new();
    let check = "echo $$ > pids.new; mv pids.new pids; exec sleep 1000";
    let fields = json!({
        "cwd": env.path("."),
        "readiness": { "exec": ["sh", "-c", check], "timeout": "1000s", "within": 0 },
    });
    let is_asked = || wait_until("it is asked", || Path::new(&env.path("pids")).exists());
    begun(&env, with("api", &["wait"], &fields));
    is_asked();
    drop(env.eco(&["stop", "api"]).ok());
    check_gone(&env);
    std::fs::remove_file(env.path("pids")).expect("there");
    drop(env.eco(&["start", "api", "--no-wait"]).ok());
    is_asked();
    env.slay(env.daemons().agent);
    check_gone(&env);
}

#[test]
fn a_line_makes_an_app_ready_over_the_death_of_the_log_daemon() {
    let env = TestEnv::new();
    let go = env.path("go");
    let fields = json!({ "readiness": often(&json!({ "log": "(?i)^listening on \\d+$" })) });
    let actions = [
        "err:not listening on anything",
        &format!("file:{go}"),
        "out:Listening on 3000",
        "wait",
    ];
    begun(&env, with("api", &actions, &fields));
    wait_until("it is asked for", || {
        health(env.list().one("api"), "asks")
            .as_str()
            .is_some_and(|asks| asks.starts_with("a line like /"))
    });
    env.slay(env.daemons().logd);
    assert_eq!(status(&env), "launching");
    env.write("go", "");
    wait_until("it is online", || status(&env) == "online");
}

#[test]
fn a_line_that_was_written_while_nobody_looked_counts_and_one_of_an_earlier_run_does_not() {
    let env = TestEnv::new();
    let (go, once) = (env.path("go"), env.path("once"));
    let fields = json!({ "readiness": soon(&json!({ "log": "^ready$" })), "max_restarts": 2 });
    // Only the first run writes it.
    let actions = [
        "out:begins",
        &format!("file:{go}"),
        &format!("once:{once}"),
        "out:ready",
        "wait",
    ];
    let mut api = with("api", &actions, &fields);
    api["readiness"]["within"] = json!(0);
    begun(&env, api);
    wait_until("it has begun", || !env.logs("api").is_empty());
    env.slay(env.daemons().agent);
    env.write("go", "");
    drop(env.eco(&["list"]).ok());
    wait_until("it is online", || status(&env) == "online");
    let mut api = with("api", &actions, &fields);
    api["env"] = json!({ "CHANGED": 1 });
    begun(&env, api);
    ends_because(
        &env,
        "not ready within 700 ms: waited for a line like /^ready$/",
    );
}

#[test]
fn an_app_says_itself_that_it_is_ready_and_that_it_is_alive() {
    let env = TestEnv::new();
    let (go, hangs) = (env.path("go"), env.path("hangs"));
    let fields = json!({
        "readiness": often(&json!({ "notify": true })),
        "liveness": { "notify": true, "interval": "2s", "failures": 1 },
    });
    let actions = [
        &format!("file:{go}"),
        "notify:READY=1",
        &format!("alive:{hangs}"),
        "wait",
    ];
    begun(&env, with("api", &actions, &fields));
    wait_until("it is launching", || status(&env) == "launching");
    assert_eq!(answer(&env), "");
    env.write("go", "");
    hears(&env, "said WATCHDOG=1");
    let list = env.list();
    assert_eq!(list.one("api").status(), "online");
    assert_eq!(health(list.one("api"), "verdict"), "healthy");
    env.write("hangs", "");
    ends_because(&env, "not alive: did not say WATCHDOG=1 for ");
}

#[test]
fn one_that_never_says_that_it_is_ready_has_failed() {
    let env = TestEnv::new();
    let fields = json!({ "readiness": soon(&json!({ "notify": true })) });
    begun(&env, with("api", &["notify:STATUS=busy", "wait"], &fields));
    ends_because(
        &env,
        "not ready within 700 ms: waited for a word through NOTIFY_SOCKET",
    );
}

#[test]
fn an_app_that_falls_silent_is_replaced() {
    let env = TestEnv::new();
    let fields = json!({ "liveness": { "silence": "2s" } });
    let until = format!("until:{}", env.path("enough"));
    let env = {
        env.ecosystem("dev", &json!([with("api", &[&until, "wait"], &fields)]));
        drop(env.eco(&["start", "dev"]).ok());
        env
    };
    hears(&env, "writes");
    assert_eq!(ends(&env), Vec::<String>::new());
    env.write("enough", "");
    ends_because(&env, "not alive: wrote nothing for ");
}

/// `api`, online, with a probe of liveness that asks its URL.
fn served(env: &TestEnv, liveness: &Value) {
    let (port, word) = (free_port(), env.path("word"));
    let liveness = joined(often(liveness), &json!({ "http": { "port": port } }));
    let fields = json!({ "liveness": liveness, "readiness": often(&json!({ "tcp": port })) });
    let action = format!("http:{port}:{word}");
    env.ecosystem(
        "dev",
        &json!([with("api", &["polite", &action, "wait"], &fields)]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    hears(env, "answered 200");
}

#[test]
fn an_ill_app_is_replaced_and_the_cause_is_told() {
    let env = TestEnv::new();
    served(&env, &json!({ "failures": 3 }));
    let before = env.list();
    env.write("word", "503");
    ends_because(&env, "not alive: 3 failures in a row: http://127.0.0.1:");
    env.write("word", "200");
    wait_until("it is well as another process", || {
        let list = env.list();
        let now = list.one("api");
        now.status() == "online"
            && now.pid() != before.one("api").pid()
            && health(now, "verdict") == "healthy"
    });
    assert!(
        env.logs("api").iter().any(|line| line.line == "bye"),
        "it was asked to end"
    );
    let text = env.eco(&["describe", "api"]).ok().stdout;
    for words in [
        "healthy",
        "answered 200",
        "answered 503; restarted",
        "liveness",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn an_ill_app_is_stopped_where_that_is_asked_for() {
    let env = TestEnv::new();
    served(&env, &json!({ "failures": 1, "action": "stop" }));
    env.write("word", "500");
    wait_until("it is stopped", || status(&env) == "stopped");
    let list = env.list();
    let cause = list.one("api").text("cause");
    assert!(cause.starts_with("stopped: not alive: http://"), "{cause}");
}

#[test]
fn an_ill_app_that_is_only_marked_goes_on_and_is_well_again_when_it_answers() {
    let env = TestEnv::new();
    served(
        &env,
        &json!({ "failures": 2, "successes": 2, "action": "mark" }),
    );
    let before = env.list().one("api").pid();
    let counts_as = |verdict: &str| {
        wait_until(verdict, || {
            health(env.list().one("api"), "verdict") == verdict
        });
    };
    env.write("word", "500");
    counts_as("unhealthy");
    let table = env.eco(&["list"]).ok().stdout;
    assert!(
        table.contains("unhealthy") && table.contains("answered 500"),
        "{table}"
    );
    env.write("word", "200");
    counts_as("healthy");
    assert_eq!(env.list().one("api").pid(), before);
}

#[test]
fn a_service_that_hangs_or_answers_like_a_madman_is_ill_and_hangs_nobody() {
    let env = TestEnv::new();
    served(
        &env,
        &json!({ "failures": 1, "timeout": "1s", "action": "mark" }),
    );
    let words = [
        ("silence", "no answer within 1 s"),
        ("garbage", "answered with something that is not HTTP"),
        ("flood", "answered with a head of more than 64 KiB"),
        ("drip", "no answer within 1 s"),
        ("418", "answered 418"),
    ];
    for (word, expected) in words {
        env.write("word", word);
        hears(&env, expected);
        assert_eq!(status(&env), "online");
        env.write("word", "200");
        hears(&env, "answered 200");
    }
}

#[test]
fn an_app_that_was_launching_when_the_agent_died_is_asked_by_the_next_one() {
    let env = TestEnv::new();
    let (port, word) = (free_port(), env.path("word"));
    env.write("word", "503");
    let mut readiness = often(&json!({ "http": { "port": port } }));
    readiness["within"] = json!("2s");
    let fields = json!({ "readiness": readiness });
    let serves = format!("http:{port}:{word}");
    begun(
        &env,
        with("api", &[&serves, "rest:2600", "out:late", "wait"], &fields),
    );
    hears(&env, "answered 503");
    let described = env.describe("api");
    let folder = described["run_dir"].as_str().expect("a folder");
    let output = Path::new(folder).join("out.0001");
    env.slay(env.daemons().agent);
    // It becomes ready while nobody asks, and later than it was given.
    env.write("word", "200");
    wait_until("its time is up", || {
        std::fs::read_to_string(&output).is_ok_and(|text| text.contains("late"))
    });
    wait_until("it is online", || status(&env) == "online");
    assert_eq!(env.list().one("api").field("pid"), &described["pid"]);
    assert_eq!(ends(&env), Vec::<String>::new());
}

#[test]
fn an_app_that_was_online_when_the_agent_died_is_asked_by_the_next_one() {
    let env = TestEnv::new();
    served(&env, &json!({ "failures": 2 }));
    let before = env.list();
    env.slay(env.daemons().agent);
    drop(env.eco(&["list"]).ok());
    hears(&env, "answered 200");
    assert_eq!(env.list().pids(), before.pids());
    env.write("word", "503");
    ends_because(&env, "not alive: 2 failures in a row: ");
}

#[test]
fn a_probe_with_a_variable_that_is_not_set_is_refused_and_the_field_is_named() {
    let env = TestEnv::new();
    let fields = json!({ "liveness": { "http": "http://127.0.0.1:${PROT}/" } });
    env.ecosystem(
        "dev",
        &json!([with("api", &["wait"], &fields), app("other", &["wait"])]),
    );
    let start = env.eco(&["start", "dev"]);
    start.fails(
        1,
        &[
            "liveness.http",
            "the variable PROT is not set",
            "set PROT in `env`",
        ],
    );
    assert!(env.list().names().is_empty(), "nothing was touched");
}

#[test]
fn an_app_that_listens_later_than_it_may_is_online_and_told_of_until_it_does() {
    let env = TestEnv::new();
    let (port, go) = (free_port(), env.path("go"));
    let fields = json!({ "env": { "PORT": port }, "listen_timeout": "300ms" });
    let actions = [&format!("file:{go}"), &format!("listen:{port}"), "wait"];
    env.ecosystem("dev", &json!([with("api", &actions, &fields)]));
    let silent = format!("nothing listens on port {port} yet");
    let start = env.eco(&["start", "dev"]).ok();
    start.tells(&[&format!("dev/api: online; {silent}")]);
    assert_eq!(
        env.list().one("api").text("cause"),
        format!("online; {silent}")
    );
    assert!(env.eco(&["list"]).ok().stdout.contains(&silent));
    env.slay(env.daemons().agent);
    env.write("go", "");
    drop(env.eco(&["list"]).ok());
    wait_until("it is seen to listen", || {
        env.list().one("api").text("cause") == format!("listens on port {port}")
    });
    assert_eq!(env.list().one("api").field("health"), &Value::Null);
}

#[test]
fn an_app_waits_for_what_is_outside_and_says_what_it_hears() {
    let env = TestEnv::new();
    let (db, web) = (free_port(), free_port());
    let word = env.path("word");
    env.write("word", "503");
    let needs = json!([
        format!("tcp://127.0.0.1:{db}"),
        format!("http://127.0.0.1:{web}/")
    ]);
    let fields = json!({ "depends_on": needs });
    let serves = format!("http:{web}:{word}");
    env.ecosystem("dev", &json!([with("api", &["wait"], &fields)]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    env.ecosystem("other", &json!([app("web", &[&serves, "wait"])]));
    drop(env.eco(&["start", "other"]).ok());
    let told = format!(
        "waits for tcp://127.0.0.1:{db} to answer: connection refused (127.0.0.1:{db}), \
         and for http://127.0.0.1:{web}/ to answer: http://127.0.0.1:{web}/ answered 503"
    );
    let cause = || env.list().one("api").text("cause").to_owned();
    wait_until(&told, || cause() == told);
    let listener = std::net::TcpListener::bind(("127.0.0.1", db)).expect("it is free");
    wait_until("one of them is met", || {
        cause()
            == format!(
                "waits for http://127.0.0.1:{web}/ to answer: http://127.0.0.1:{web}/ answered 503"
            )
    });
    assert_eq!(env.list().one("api").field("run"), &Value::Null);
    env.write("word", "204");
    wait_until("it is online", || status(&env) == "online");
    drop(listener);
}
