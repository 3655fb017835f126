//! The conversation itself.

use std::io::Write as _;

use eco_proto::keeper::v1::Shutdown;
use eco_proto::keeper::v1::exited::How;
use eco_proto::keeper::v1::to_keeper::Message as Request;

use crate::stage::{Stage, wait_until};

#[test]
fn an_exit_that_found_no_agent_is_told_to_the_next() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    nix::unistd::mkfifo(&stage.path("go"), nix::sys::stat::Mode::S_IRWXU).expect("made");
    let request = stage.script("api", "read line < go; exit 9");
    let spawned = stage.spawn(&mut agent, request);
    drop(agent);
    std::fs::write(stage.path("go"), b"go\n").expect("read");
    let mut state = None;
    wait_until("the run is gone", || {
        state = stage.agent().known("api").cloned();
        state.as_ref().is_some_and(|state| state.gone)
    });
    let state = state.expect("known");
    assert_eq!(state.spawned, Some(spawned));
    assert_eq!(
        state.exited.and_then(|exited| exited.how),
        Some(How::Code(9))
    );

    let mut agent = stage.agent();
    agent.forget("api");
    wait_until("the run is forgotten", || {
        stage.agent().known("api").is_none()
    });
}

#[test]
fn a_living_run_is_not_forgotten() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "exec sleep 600");
    stage.spawn(&mut agent, request);
    agent.forget("api");
    agent.signal("api", 9);
    assert_eq!(agent.ended(), How::Signal(9));
}

#[test]
fn the_newest_agent_takes_over() {
    let stage = Stage::new();
    let mut first = stage.agent();
    let second = stage.agent();
    assert!(first.is_hung_up());
    assert_eq!(second.hello.protocol, 1);
    assert_eq!(second.hello.pid, stage.keeper_pid());
}

#[test]
fn hostile_bytes_end_their_connection_and_nothing_else() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "exec sleep 600");
    let spawned = stage.spawn(&mut agent, request);
    for hostile in [
        &[0xff, 0xff, 0xff, 0xff, 0][..],
        &[4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        let mut agent = stage.agent();
        agent.stream.write_all(hostile).expect("taken");
        assert!(agent.is_hung_up());
    }
    // What is a frame, and no request, changes nothing and ends nothing.
    let mut agent = stage.agent();
    agent.stream.write_all(&[0, 0, 0, 0]).expect("taken");
    let state = agent.known("api").expect("it lives").clone();
    assert_eq!(state.spawned, Some(spawned));
    agent.signal("api", 9);
    assert_eq!(agent.ended(), How::Signal(9));
}

#[test]
fn an_agent_that_does_not_read_holds_nobody_up() {
    let mut stage = Stage::new();
    let mut deaf = stage.agent();
    for number in 0..3000 {
        let mut request = stage.script(&format!("app{number}"), "");
        request.program = format!("/nowhere/{}", "x".repeat(4000)).into_bytes();
        if !deaf.asks(Request::Spawn(request)) {
            break; // The keeper has hung up.
        }
    }
    wait_until("the keeper gives up", || {
        stage.log().contains("bytes waiting")
    });
    let mut agent = stage.agent();
    let known = agent.hello.runs.len();
    assert!(known > 1000, "{known}");
    let request = stage.script("api", "exit 1");
    stage.spawn(&mut agent, request);
    assert_eq!(agent.ended(), How::Code(1));
}

#[test]
fn a_second_keeper_leaves_the_home_to_the_first() {
    let stage = Stage::new();
    let status = stage.keeper_command().status().expect("started");
    assert!(status.success());
    assert_eq!(stage.agent().hello.pid, stage.keeper_pid());
}

#[test]
fn a_stray_sigterm_orphans_no_app_and_ends_an_idle_keeper() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "exec sleep 600");
    stage.spawn(&mut agent, request);
    let keeper = nix::unistd::Pid::from_raw(stage.keeper_pid());
    for signal in [nix::libc::SIGHUP, nix::libc::SIGINT, nix::libc::SIGTERM] {
        let signal = nix::sys::signal::Signal::try_from(signal).expect("known");
        nix::sys::signal::kill(keeper, signal).expect("sent");
    }
    wait_until("it says that it stays", || {
        stage.log().contains("stays in spite")
    });
    agent.signal("api", 9);
    agent.ended();
    nix::sys::signal::kill(keeper, nix::sys::signal::Signal::SIGTERM).expect("sent");
    assert!(stage.keeper_ends());
    assert!(!stage.home().socket(eco_home::Daemon::Keeper).exists());
}

#[test]
fn shutdown_waits_for_the_last_run_to_be_forgotten() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "exec sleep 600");
    stage.spawn(&mut agent, request);
    agent.ask(Request::Shutdown(Shutdown {}));
    agent.signal("api", 9);
    assert_eq!(agent.ended(), How::Signal(9));
    agent.forget("api");
    assert!(stage.keeper_ends());
}
