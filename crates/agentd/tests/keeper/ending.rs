//! How a run ends.

use eco_proto::keeper::v1::exited::How;

use crate::stage::{Stage, contents, is_alive, key, wait_until};

#[test]
fn a_run_that_is_killed_says_by_which_signal() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    for (app, signal) in [("a", 9), ("b", 15), ("c", 34)] {
        let request = stage.script(app, "exec sleep 600");
        stage.spawn(&mut agent, request);
        agent.signal(app, signal);
        assert_eq!(agent.ended(), How::Signal(signal));
    }
}

#[test]
fn a_child_that_left_the_session_is_found_and_killed() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script(
        "api",
        "setsid sh -c 'echo $$ > child; exec sleep 600' & wait",
    );
    stage.spawn(&mut agent, request);
    let child = contents(&stage.path("child")).parse().expect("a pid");
    stage.remember(child);
    agent.signal("api", 9);
    let exited = agent.exited();
    assert_eq!(exited.how, Some(How::Signal(9)));
    agent.gone();
    assert!(!is_alive(child));
}

#[test]
fn a_daemon_that_lost_session_and_parent_is_waited_for() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "(setsid sh -c '(echo begun > begun; sh -c \"echo \\$\\$ > child; exec sleep 600\") & exit' &) ; \
        while [ ! -s child ]; do sleep 0.01; done; exit 4";
    let request = stage.script("api", script);
    stage.spawn(&mut agent, request);
    let child = contents(&stage.path("child")).parse().expect("a pid");
    stage.remember(child);
    let exited = agent.exited();
    assert_eq!(exited.how, Some(How::Code(4)));
    assert!(exited.left >= 1, "{exited:?}");
    assert!(is_alive(child));
    assert!(stage.run_dir(&key("api")).join("out.fifo").exists());
    agent.signal("api", 15);
    agent.gone();
    assert!(!is_alive(child));
    assert!(!stage.run_dir(&key("api")).join("out.fifo").exists());
}

#[test]
fn a_run_of_only_its_leader_ends_with_it_and_leaves_others_alone() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let mut request = stage.script("api", "sleep 600 & echo $! > child; wait");
    request.tree = false;
    stage.spawn(&mut agent, request);
    let child = contents(&stage.path("child")).parse().expect("a pid");
    stage.remember(child);
    agent.signal("api", 9);
    assert_eq!(agent.ended(), How::Signal(9));
    assert!(is_alive(child));
}

#[test]
fn a_shell_that_ends_before_its_background_job_is_not_gone() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    nix::unistd::mkfifo(&stage.path("go"), nix::sys::stat::Mode::S_IRWXU).expect("made");
    let request = stage.script("api", "(read line < go; echo last) & exit 0");
    stage.spawn(&mut agent, request);
    assert_eq!(agent.exited().left, 1);
    std::fs::write(stage.path("go"), b"go\n").expect("read");
    agent.gone();
    let stored = stage.stored("api", eco_home::runs::Stream::Out);
    assert_eq!(stored, b"last\n");
}

#[test]
fn many_that_fork_all_the_time_are_killed_to_the_last() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script =
        "while :; do setsid sh -c 'sleep 600; :' & [ -e begun ] || echo > begun; sleep 0.02; done";
    let request = stage.script("api", script);
    stage.spawn(&mut agent, request);
    contents_or_empty(&stage);
    agent.signal("api", 9);
    agent.exited();
    // One that was forked between the last look and the kill is the agent's second round.
    agent.signal("api", 9);
    agent.gone();
}

fn contents_or_empty(stage: &Stage) {
    wait_until("it has begun", || stage.path("begun").exists());
}

#[test]
fn orphans_of_no_run_leave_no_zombies() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "(sh -c 'exit 3' & sh -c 'exit 4' &) ; exit 0");
    stage.spawn(&mut agent, request);
    agent.exited();
    agent.gone();
    let keeper = stage.keeper_pid();
    wait_until("all are reaped", || {
        let all = eco_agentd::os::process::scan();
        !all.iter().any(|one| one.parent == keeper)
    });
}
