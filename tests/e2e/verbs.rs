//! Verbs that answer one question; and what holds for every verb.

mod coverage;
mod refusals;

use eco_tests::{TestEnv, app, fake_app, wait_until};
use serde_json::json;

/// What a verb cannot do without.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Agent,
    Nothing,
}

/// A command line of a verb that means something where an app `a` of an environment `dev` runs.
struct Invocation {
    line: &'static [&'static str],
    needs: Needs,
}

impl Invocation {
    const fn agent(line: &'static [&'static str]) -> Self {
        let needs = Needs::Agent;
        Self { line, needs }
    }

    const fn alone(line: &'static [&'static str]) -> Self {
        let needs = Needs::Nothing;
        Self { line, needs }
    }

    fn verb(&self) -> &'static str {
        self.line.first().expect("a verb comes first")
    }
}

/// One of each verb, in an order in which each finds what it needs.
const INVOCATIONS: &[Invocation] = &[
    Invocation::alone(&["help", "start"]),
    Invocation::alone(&["init", "elsewhere"]),
    Invocation::alone(&["validate", "dev"]),
    Invocation::alone(&["config", "dev"]),
    Invocation::alone(&["schema"]),
    Invocation::agent(&["ping"]),
    Invocation::agent(&["list"]),
    Invocation::agent(&["describe", "a"]),
    Invocation::agent(&["why", "a"]),
    Invocation::agent(&["events"]),
    Invocation::agent(&["watch", "a"]),
    Invocation::agent(&["env", "a"]),
    Invocation::agent(&["pid", "a"]),
    Invocation::agent(&["id", "a"]),
    Invocation::agent(&["logs", "a"]),
    Invocation::agent(&["attach", "a", "-n", "1"]),
    Invocation::agent(&["send", "a", "x"]),
    Invocation::agent(&["trigger", "a", "gc"]),
    Invocation::agent(&["signal", "CONT", "a"]),
    Invocation::agent(&["diff", "dev"]),
    Invocation::agent(&["apply", "dev"]),
    Invocation::agent(&["restart", "a"]),
    Invocation::agent(&["reset", "a"]),
    Invocation::agent(&["scale", "a", "2"]),
    Invocation::agent(&["stop", "a"]),
    Invocation::agent(&["start", "a"]),
    Invocation::agent(&["flush", "a"]),
    Invocation::agent(&["reload-logs"]),
    Invocation::agent(&["save"]),
    Invocation::agent(&["update"]),
    Invocation::agent(&["kill"]),
    Invocation::agent(&["resurrect"]),
    Invocation::agent(&["delete", "a"]),
];

fn pids(text: &str) -> Vec<i32> {
    text.lines()
        .map(|line| line.parse().expect("a pid"))
        .collect()
}

#[test]
fn pid_and_id_are_those_of_the_list() {
    let env = TestEnv::started(&json!([app("a", &["wait"]), app("b", &["wait"])]));
    let list = env.list();
    let shown = env.eco(&["pid", "b"]).ok();
    assert_eq!(pids(&shown.stdout), [list.one("b").pid()]);
    assert_eq!(pids(&env.eco(&["pid"]).ok().stdout).len(), 2);
    let id = list.one("b").number("id");
    assert_eq!(env.eco(&["id", "b"]).ok().stdout, format!("{id}\n"));
    assert_eq!(env.eco(&["id", "b", "--json"]).ok().json(), json!([id]));
    drop(env.eco(&["stop", "b"]).ok());
    let stopped = env.eco(&["pid", "b"]).ok();
    assert_eq!(stopped.stdout, "");
    stopped.tells(&["dev/b#0: stopped"]);
    for verb in ["pid", "id", "env"] {
        env.eco(&[verb, "c"]).fails(1, &["no app"]);
    }
}

#[test]
fn env_tells_what_the_living_run_was_given_also_after_the_shell_has_changed() {
    let env = TestEnv::new();
    let mut one = app("a", &["env:MOOD", "wait"]);
    one["env"] = json!({ "API_KEY": "s3cret" });
    env.ecosystem("dev", &json!([one]));
    let start = |mood: &str| {
        let mut command = env.command(env.project(), &["start", "dev"]);
        command.env("MOOD", mood);
        drop(env.run(command).ok());
    };
    let told = || env.eco(&["env", "a", "--json"]).ok().json()[0].clone();
    start("calm");
    // Nothing that makes the app another one: it is left alone.
    start("stormy");
    let given = told();
    assert_eq!(given["variables"]["MOOD"], "calm");
    assert_eq!(given["variables"]["API_KEY"], "(hidden)");
    assert_eq!(given["variables"]["ECO_RUN"], "1");
    assert_eq!(given["run"], 1);
    let open = env.eco(&["env", "a", "--show-secrets"]).ok();
    assert!(open.stdout.contains("API_KEY=s3cret\n"), "{open}");

    drop(env.eco(&["stop", "a"]).ok());
    let next = told();
    assert_eq!(
        (&next["run"], &next["variables"]["MOOD"]),
        (&json!(null), &json!("stormy"))
    );
    env.eco(&["env", "a"]).ok().tells(&["next run"]);
}

#[test]
fn metrics_are_of_the_whole_tree_and_null_where_nobody_asks() {
    let child = "child:allocate:33554432,open:40,threads:5,out:grown,wait";
    let env = TestEnv::started(&json!([app("a", &["open:20", child, "wait"])]));
    wait_until("the child has grown", || !env.logs("a").is_empty());
    let plain = env.list();
    for field in ["pss_bytes", "fds", "threads"] {
        assert!(plain.one("a").field(field).is_null(), "{plain:?}");
    }
    let listed = env.eco(&["list", "--metrics", "--json"]).ok().json()[0].clone();
    for told in [listed, env.describe("a")] {
        let number = |name: &str| told[name].as_u64().expect("a number");
        assert!(number("pss_bytes") > 32 << 20, "{told}");
        assert!(number("memory_bytes") > 32 << 20, "{told}");
        assert!(number("fds") >= 60, "{told}");
        assert!(number("threads") >= 7, "{told}");
    }
    let table = env.eco(&["list", "--metrics"]).ok();
    assert!(table.stdout.contains("threads"), "{table}");
    drop(env.eco(&["stop", "a"]).ok());
    let stopped = env.eco(&["list", "--metrics", "--json"]).ok().json()[0].clone();
    assert!(stopped["fds"].is_null() && stopped["cpu_percent"].is_null());
}

#[test]
fn who_left_session_and_parent_is_still_counted() {
    let fake = fake_app();
    let orphan = format!("{fake} setsid allocate:33554432 out:grown wait");
    let script = format!("({orphan} &); exec {fake} wait");
    let env = TestEnv::started(&json!([{ "name": "a", "script": script }]));
    wait_until("the orphan has grown", || !env.logs("a").is_empty());
    assert!(env.list().one("a").number("memory_bytes") > 32 << 20);
}
