//! The daemons are killed with SIGKILL at bad moments: no app notices, and no line is lost or told twice.
//!
//! The apps write numbered lines in bursts until a file says that it is enough; then all of their lines are compared with
//! 1, 2, 3 … and with the offsets, which must be contiguous.

use std::fs;
use std::path::{Path, PathBuf};

use eco_tests::{
    Follower, Instances, Signal, TestEnv, app, check_numbered, check_same_lines, is_alive, kill,
    records, wait_until,
};
use serde_json::{Value, json};

const WRITERS: [&str; 3] = ["w0", "w1", "w2"];

/// Starts apps that write until the file `enough` is there.
fn writing() -> TestEnv {
    let env = TestEnv::new();
    let until = format!("until:{}", env.path("enough"));
    let apps: Vec<Value> = WRITERS
        .iter()
        .map(|name| app(name, &[&until, "wait"]))
        .collect();
    env.ecosystem("dev", &Value::Array(apps));
    drop(env.eco(&["start", "dev"]).ok());
    env
}

fn last_line(env: &TestEnv, name: &str) -> Option<String> {
    let output = env.eco(&["logs", name, "-n", "1", "--json"]).ok();
    records(&output.stdout).pop().map(|record| record.line)
}

/// Has the writers come to their end and checks every line of theirs.
fn check(env: &TestEnv, before: &Instances) {
    env.write("enough", "");
    for name in WRITERS {
        wait_until("the writer's last line", || {
            last_line(env, name).as_deref() == Some("end")
        });
    }
    let lines = env.logs("w*");
    for name in WRITERS {
        let count = check_numbered(&lines, name, before.one(name).number("run"));
        assert!(count > 1000, "{name} wrote only {count} lines");
    }
    unmoved(env, before);
}

/// Every app is the process that it was, and known to be.
fn unmoved(env: &TestEnv, before: &Instances) {
    let now = env.list();
    assert_eq!(now.pids(), before.pids());
    for (was, is) in before.all().iter().zip(now.all()) {
        for field in ["started_at", "restarts", "status", "run", "id"] {
            assert_eq!(was.field(field), is.field(field), "{field}");
        }
        assert!(is.number("uptime_ms") >= was.number("uptime_ms"));
    }
}

/// The size of what an app wrote, as the keeper has it on disk.
fn written(folder: &Path) -> u64 {
    fs::metadata(folder.join("out.0001")).map_or(0, |about| about.len())
}

fn folder(env: &TestEnv, name: &str) -> PathBuf {
    let described = env.describe(name);
    let folder = described.get("run_dir").and_then(Value::as_str);
    PathBuf::from(folder.expect("a folder"))
}

/// Waits until an app is up as another process: until an agent has met the keeper it tells what it knew.
fn back_as_another(env: &TestEnv, name: &str, old: i32) {
    wait_until("it is up again as another process", || {
        let list = env.list();
        let now = list.one(name);
        now.status() == "online" && now.pid() != old
    });
}

#[test]
fn killing_the_agent_moves_no_app_and_costs_no_line() {
    let env = writing();
    let before = env.list();
    let output = folder(&env, "w0");
    let mut follower = env.follow(&["logs", "-f", "w0", "-n", "all", "--json"]);
    wait_until("the first lines", || follower.count() > 0);
    for _ in 0..3 {
        let daemons = env.daemons();
        env.slay(daemons.agent);
        env.eco(&["ping"]).fails(4, &["no agent runs"]);
        let size = written(&output);
        let heard = follower.count();
        wait_until("the output goes on without an agent", || {
            written(&output) > size + 20_000
        });
        wait_until("it is followed without an agent", || {
            follower.count() > heard + 200
        });
        unmoved(&env, &before);
        let now = env.daemons();
        assert_ne!(now.agent, daemons.agent);
        assert_eq!(now.keeper, daemons.keeper);
    }
    check(&env, &before);
    followed_all(&env, &mut follower, &before, "w0");
}

/// A follower has heard what is stored, no more and no less.
fn followed_all(env: &TestEnv, follower: &mut Follower, before: &Instances, name: &str) {
    follower.wait_for_end("\"line\":\"end\"");
    let heard = records(&follower.text());
    let count = check_numbered(&heard, name, before.one(name).number("run"));
    let stored = env.logs(name);
    // All of them, and the closing `end`.
    check_same_lines(&heard, &stored);
    assert_eq!(usize::try_from(count).expect("small") + 1, stored.len());
}

#[test]
fn an_app_that_ends_while_no_agent_runs_is_restarted_with_its_exit_code_on_record() {
    let env = TestEnv::new();
    let actions = [
        format!("once:{}", env.path("ran")),
        format!("file:{}", env.path("go")),
    ];
    env.ecosystem(
        "dev",
        &json!([app(
            "a",
            &[&actions[0], &actions[1], "out:leaving", "exit:7"]
        )]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let pid = env.list().one("a").pid();
    env.slay(env.daemons().agent);
    env.write("go", "");
    wait_until("the app has ended", || !is_alive(pid));
    back_as_another(&env, "a", pid);
    let list = env.list();
    assert_eq!(list.one("a").number("restarts"), 1);
    assert_eq!(env.describe("a")["exits"][0]["code"], json!(7));
    assert_eq!(last_line(&env, "a").as_deref(), Some("leaving"));
}

#[test]
fn killing_the_log_daemon_costs_a_follower_nothing() {
    let env = writing();
    let before = env.list();
    let mut follower = env.follow(&["logs", "-f", "w1", "-n", "all", "--json"]);
    wait_until("the first lines", || follower.count() > 100);
    for _ in 0..3 {
        let logd = env.daemons().logd;
        env.slay(logd);
        let seen = follower.count();
        wait_until("the output has caught up", || follower.count() > seen + 500);
        wait_until("another log daemon", || env.daemons().logd != logd);
    }
    check(&env, &before);
    followed_all(&env, &mut follower, &before, "w1");
}

#[test]
fn killing_the_keeper_moves_no_app_and_costs_no_line() {
    let env = writing();
    let before = env.list();
    let output = folder(&env, "w0");
    let mut follower = env.follow(&["logs", "-f", "w0", "-n", "all", "--json"]);
    wait_until("the first lines", || follower.count() > 0);
    for _ in 0..2 {
        let keeper = env.daemons().keeper;
        env.slay(keeper);
        wait_until("another keeper", || env.daemons().keeper != keeper);
        let size = written(&output);
        wait_until("the output goes on", || written(&output) > size + 20_000);
        unmoved(&env, &before);
    }
    check(&env, &before);
    followed_all(&env, &mut follower, &before, "w0");
}

#[test]
fn killing_agent_and_keeper_together_moves_no_app_and_costs_no_line() {
    let env = writing();
    let before = env.list();
    let daemons = env.daemons();
    env.slay(daemons.agent);
    env.slay(daemons.keeper);
    unmoved(&env, &before);
    check(&env, &before);
}

#[test]
fn an_app_whose_keeper_was_killed_is_still_supervised() {
    let env = TestEnv::started(&json!([app("a", &["polite", "wait"]), app("b", &["wait"])]));
    let keeper = env.daemons().keeper;
    env.slay(keeper);
    wait_until("another keeper", || env.daemons().keeper != keeper);
    let b = env.list().one("b").pid();
    env.slay(b);
    back_as_another(&env, "b", b);
    let a = env.list().one("a").pid();
    drop(env.eco(&["stop", "a"]).ok());
    assert!(!is_alive(a));
    assert_eq!(last_line(&env, "a").as_deref(), Some("bye"));
}

#[test]
fn an_agent_killed_during_a_start_leaves_no_app_twice() {
    let env = TestEnv::new();
    let apps: Vec<Value> = (0..6).map(|n| app(&format!("a{n}"), &["wait"])).collect();
    env.ecosystem("dev", &Value::Array(apps));
    drop(env.eco(&["list"]).ok());
    let agent = env.daemons().agent;
    let start = env.follow(&["start", "dev"]);
    wait_until("some app runs", || {
        env.processes().iter().any(|(_, name)| name == "fake-app")
    });
    env.slay(agent);
    drop(start);
    drop(env.eco(&["start", "dev"]).ok());
    let list = env.list();
    assert_eq!(list.pids().len(), 6);
    let known: Vec<i32> = list.pids().into_iter().map(|(_, _, pid)| pid).collect();
    for (pid, name) in env.processes() {
        assert!(
            name != "fake-app" || known.contains(&pid),
            "{pid} is nobody's"
        );
    }
}

#[test]
fn an_agent_killed_during_a_stop_goes_on_with_it() {
    let env = TestEnv::new();
    let mut slow = app("slow", &["ignore", "wait"]);
    slow["kill_timeout"] = json!(1500);
    env.ecosystem("dev", &json!([slow, app("other", &["wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list();
    let stop = env.follow(&["stop", "slow"]);
    wait_until("the stop is under way", || {
        env.list().one("slow").status() == "stopping"
    });
    env.slay(env.daemons().agent);
    drop(stop);
    wait_until("the stop is done", || {
        env.list().one("slow").status() == "stopped"
    });
    assert!(!is_alive(before.one("slow").pid()));
    assert_eq!(env.list().one("other").pid(), before.one("other").pid());
}

#[test]
fn an_app_that_ends_while_neither_agent_nor_keeper_runs_is_restarted_and_no_exit_code_is_invented()
{
    let env = TestEnv::new();
    let actions = [
        format!("once:{}", env.path("ran")),
        format!("file:{}", env.path("go")),
    ];
    let actions = [&actions[0], &actions[1], "exit:7"];
    env.ecosystem("dev", &json!([app("a", &actions)]));
    drop(env.eco(&["start", "dev"]).ok());
    let pid = env.list().one("a").pid();
    let daemons = env.daemons();
    env.slay(daemons.agent);
    env.slay(daemons.keeper);
    env.write("go", "");
    wait_until("the app has ended", || !is_alive(pid));
    back_as_another(&env, "a", pid);
    let described = env.describe("a");
    let code = described.pointer("/exits/0/code");
    assert!(
        code == Some(&json!(7)) || code == Some(&json!(null)),
        "{described}"
    );
    assert_eq!(env.list().one("a").number("restarts"), 1);
}

#[test]
fn an_app_that_writes_as_fast_as_it_can_loses_nothing_to_the_deaths_of_its_keepers() {
    let env = TestEnv::new();
    let lines = 1_000_000;
    let fast = [format!("file:{}", env.path("go")), format!("lines:{lines}")];
    env.ecosystem(
        "dev",
        &json!([app("fast", &[&fast[0], &fast[1], "out:end", "wait"])]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list();
    let output = folder(&env, "fast");
    env.write("go", "");
    let is_done = || last_line(&env, "fast").as_deref() == Some("end");
    let mut kills = 0;
    while kills < 6 {
        let size = written(&output);
        wait_until("more is written, or all", || {
            written(&output) > size || is_done()
        });
        if is_done() {
            break;
        }
        let keeper = env.daemons().keeper;
        env.slay(keeper);
        wait_until("another keeper", || env.daemons().keeper != keeper);
        kills += 1;
    }
    assert!(kills > 0, "it was over before a keeper could be killed");
    wait_until("the last line", is_done);
    let stored = env.logs("fast");
    assert_eq!(
        check_numbered(&stored, "fast", before.one("fast").number("run")),
        lines
    );
    unmoved(&env, &before);
}

/// The agent is stopped meanwhile, so that no other keeper comes before the app is gone.
#[test]
fn what_an_app_writes_last_while_no_keeper_runs_is_kept() {
    let env = TestEnv::new();
    let go = format!("file:{}", env.path("go"));
    let mut last = app(
        "last",
        &["out:first", &go, "lines:1000", "err:ends", "exit:7"],
    );
    last["autorestart"] = json!(false);
    env.ecosystem("dev", &json!([last]));
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list();
    wait_until("it is heard", || {
        last_line(&env, "last").as_deref() == Some("first")
    });
    let daemons = env.daemons();
    kill(daemons.agent, Signal::SIGSTOP);
    env.slay(daemons.keeper);
    env.write("go", "");
    wait_until("the app has ended", || !is_alive(before.one("last").pid()));
    kill(daemons.agent, Signal::SIGCONT);
    wait_until("its end is known", || {
        env.list().one("last").status() == "stopped"
    });
    let mut lines = env.logs("last");
    let at = |text: &str| lines.iter().position(|record| record.line == text);
    lines.remove(at("ends").expect("the last word"));
    let at = lines.iter().position(|record| record.line == "first");
    lines.remove(at.expect("the first word"));
    assert_eq!(lines.len(), 1000);
    assert!(
        lines
            .first()
            .is_some_and(|record| record.line.starts_with("1 "))
    );
    assert!(
        lines
            .last()
            .is_some_and(|record| record.line.starts_with("1000 "))
    );
}

#[test]
fn an_agent_killed_during_a_restart_leaves_each_app_up_once() {
    let env = TestEnv::new();
    let mut slow = app("slow", &["ignore", "wait"]);
    slow["kill_timeout"] = json!(800);
    env.ecosystem("dev", &json!([slow]));
    drop(env.eco(&["start", "dev"]).ok());
    let before = env.list().one("slow").pid();
    let restart = env.follow(&["restart", "slow"]);
    wait_until("the restart is under way", || {
        env.list().one("slow").status() == "stopping"
    });
    env.slay(env.daemons().agent);
    drop(restart);
    back_as_another(&env, "slow", before);
    assert!(!is_alive(before));
    let count = env
        .processes()
        .iter()
        .filter(|(_, name)| name == "fake-app")
        .count();
    assert_eq!(count, 1);
}
