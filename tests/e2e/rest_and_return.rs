//! The whole of eco goes, by `kill`, by loss of power, or piece by piece by `update`, and comes back.

use eco_tests::{Instances, Signal, TestEnv, app, is_alive, kill, wait_until};
use serde_json::json;

/// Two apps that are wanted up, and one that is not.
fn two_of_three() -> TestEnv {
    let apps = json!([
        app("a", &["polite", "wait"]),
        app("b", &["wait"]),
        app("c", &["wait"])
    ]);
    let env = TestEnv::started(&apps);
    drop(env.eco(&["stop", "b"]).ok());
    env
}

fn is_as_wanted(list: &Instances) -> bool {
    list.one("a").status() == "online"
        && list.one("b").status() == "stopped"
        && list.one("c").status() == "online"
}

#[test]
fn kill_ends_everything_and_resurrect_brings_back_exactly_what_was_up() {
    let env = two_of_three();
    let killed = env.eco(&["kill"]).ok();
    assert!(killed.stdout.contains("Stopped 2 instances"), "{killed}");
    assert_eq!(env.processes(), [].into());
    let known = env.list();
    assert_eq!(known.names(), ["dev/a", "dev/b", "dev/c"]);
    assert!(known.are_all("stopped"), "{known:?}");
    drop(env.eco(&["resurrect"]).ok());
    assert!(is_as_wanted(&env.list()));
    let words = env.logs("a").pop().map(|record| (record.run, record.line));
    assert_eq!(words, Some((1, "bye".to_owned())));
}

#[test]
fn kill_ends_apps_that_no_agent_looks_after() {
    let env = two_of_three();
    env.slay(env.daemons().agent);
    drop(env.eco(&["kill"]).ok());
    assert_eq!(env.processes(), [].into());
    let again = env.eco(&["kill"]).ok();
    assert!(again.stdout.contains("Nothing runs"), "{again}");
}

#[test]
fn after_a_loss_of_all_processes_a_list_brings_back_what_was_wanted_up() {
    let env = two_of_three();
    let before = env.list().pids();
    env.pull_the_plug();
    drop(env.eco(&["list"]).ok());
    wait_until("everything is back", || is_as_wanted(&env.list()));
    let after = env.list().pids();
    assert_eq!(after.len(), 2);
    for ((name, _, was), (same, _, is)) in before.iter().zip(&after) {
        assert_eq!(name, same);
        assert_ne!(was, is);
    }
    assert_eq!(
        env.processes()
            .iter()
            .filter(|(_, name)| name == "fake-app")
            .count(),
        2
    );
}

#[test]
fn an_update_replaces_agent_and_log_daemon_and_moves_no_app() {
    let env = two_of_three();
    let (apps, before) = (env.list().pids(), env.daemons());
    drop(env.eco(&["update"]).ok());
    let now = env.daemons();
    assert_ne!(now.agent, before.agent);
    assert_ne!(now.logd, before.logd);
    assert_eq!(now.keeper, before.keeper);
    assert_eq!(env.list().pids(), apps);
}

#[test]
fn what_cannot_be_brought_up_again_is_told_by_resurrect() {
    let env = TestEnv::new();
    env.write("a.sh", "exec sleep 600");
    let lost = json!({ "name": "lost", "script": "./a.sh", "max_restarts": 1 });
    env.ecosystem("dev", &json!([lost, app("b", &["wait"])]));
    drop(env.eco(&["start", "dev"]).ok());
    drop(env.eco(&["kill"]).ok());
    std::fs::remove_file(env.path("a.sh")).expect("it is there");
    env.eco(&["resurrect"])
        .fails(1, &["Error: failed to bring up dev/lost", "a.sh"]);
    assert_eq!(env.list().one("b").status(), "online");
}

#[test]
fn save_says_what_is_kept() {
    let env = two_of_three();
    let saved = env.eco(&["save"]).ok();
    assert!(saved.stdout.contains('3'), "{saved}");
}

#[test]
fn an_agent_that_is_told_to_end_leaves_the_apps_alone() {
    let env = two_of_three();
    let (apps, agent) = (env.list().pids(), env.daemons().agent);
    kill(agent, Signal::SIGTERM);
    wait_until("the agent has ended", || !is_alive(agent));
    assert!(apps.iter().all(|(_, _, pid)| is_alive(*pid)));
    assert_eq!(env.list().pids(), apps);
}
