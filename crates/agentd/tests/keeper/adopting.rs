//! What becomes of runs when their keeper is killed.

use eco_home::runs::Stream;
use eco_proto::keeper::v1::exited::How;
use eco_proto::keeper::v1::to_keeper::Message as Request;

use crate::stage::{Stage, bytes, contents, is_alive, key, wait_until};

#[test]
fn no_line_is_lost_or_doubled_when_the_keeper_is_killed_again_and_again() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "i=0; while [ ! -e stop ]; do i=$((i+1)); echo $i; done; exit 6";
    let request = stage.script("api", script);
    let spawned = stage.spawn(&mut agent, request);
    let file = stage.run_dir(&key("api")).join("out.0001");
    for _ in 0..8 {
        let size = || file.metadata().map_or(0, |found| found.len());
        let before = size();
        wait_until("output flows", || size() > before + 20_000);
        stage.kill_keeper();
        stage.start_keeper();
        agent = stage.agent();
        assert_eq!(agent.hello.runs, []);
        agent.ask(Request::Adopt(stage.adopt(&spawned)));
        assert_eq!(agent.spawned(), spawned);
    }
    std::fs::write(stage.path("stop"), b"").expect("written");
    let exited = agent.exited();
    agent.gone();
    // Before Linux 6.15 nobody can tell the code of another's child, unless it is a zombie.
    assert!(matches!(
        exited.how,
        Some(How::Code(6) | How::Unknown(true))
    ));
    let text = String::from_utf8(stage.stored("api", Stream::Out)).expect("digits");
    let mut expected = 0_u64;
    for line in text.lines() {
        expected += 1;
        assert_eq!(line, expected.to_string());
    }
    assert!(text.ends_with('\n') && expected > 1000);
}

#[test]
fn an_adopted_run_is_killed_with_all_its_processes() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script(
        "api",
        "setsid sh -c 'echo $$ > child; exec sleep 600' & wait",
    );
    let spawned = stage.spawn(&mut agent, request);
    let child = contents(&stage.path("child")).parse().expect("a pid");
    stage.remember(child);
    stage.kill_keeper();
    stage.start_keeper();
    let mut agent = stage.agent();
    agent.ask(Request::Adopt(stage.adopt(&spawned)));
    assert_eq!(agent.spawned(), spawned);
    agent.signal("api", 9);
    let exited = agent.exited();
    assert!(matches!(
        exited.how,
        Some(How::Signal(9) | How::Unknown(true))
    ));
    agent.gone();
    assert!(!is_alive(child));
    assert!(!stage.run_dir(&key("api")).join("out.fifo").exists());
}

#[test]
fn a_run_that_ended_unseen_is_told_as_ended() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "echo before; exec sleep 600");
    let spawned = stage.spawn(&mut agent, request);
    wait_until("the line is stored", || {
        let file = stage.run_dir(&key("api")).join("out.0001");
        std::fs::read(file).is_ok_and(|bytes| bytes == b"before\n")
    });
    stage.kill_keeper();
    let leader = stage.remember(spawned.pid);
    eco_agentd::os::pidfd::signal(leader, 9).expect("sent");
    wait_until("it ended", || !is_alive(spawned.pid));
    stage.start_keeper();
    let mut agent = stage.agent();
    agent.ask(Request::Adopt(stage.adopt(&spawned)));
    // A zombie that its new parent has not reaped still tells.
    assert!(matches!(agent.ended(), How::Signal(9) | How::Unknown(true)));
    assert_eq!(stage.stored("api", Stream::Out), b"before\n");
    assert!(!stage.run_dir(&key("api")).join("out.fifo").exists());
}

#[test]
fn what_a_survivor_of_an_ended_leader_wrote_is_stored() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    nix::unistd::mkfifo(&stage.path("go"), nix::sys::stat::Mode::S_IRWXU).expect("made");
    let script = "(echo $$ > child; read line < go; echo last) & sleep 600";
    let request = stage.script("api", script);
    let spawned = stage.spawn(&mut agent, request);
    contents(&stage.path("child"));
    stage.kill_keeper();
    let leader = stage.remember(spawned.pid);
    eco_agentd::os::pidfd::signal(leader, 9).expect("sent");
    wait_until("it ended", || !is_alive(spawned.pid));
    stage.start_keeper();
    let mut agent = stage.agent();
    agent.ask(Request::Adopt(stage.adopt(&spawned)));
    assert!(agent.exited().left >= 1);
    std::fs::write(stage.path("go"), b"go\n").expect("read");
    agent.signal("api", 15);
    agent.gone();
}

#[test]
fn a_process_that_only_has_the_same_pid_is_left_alone() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("other", "exec sleep 600");
    let other = stage.spawn(&mut agent, request);
    let mut adopt = stage.adopt(&other);
    adopt.key = Some(key("api"));
    adopt.run_dir = bytes(&stage.run_dir(&key("api")));
    adopt.start_ticks -= 1;
    agent.ask(Request::Adopt(adopt.clone()));
    assert_eq!(agent.ended(), How::Unknown(true));
    adopt.key = Some(key("api2"));
    adopt.start_ticks += 1;
    adopt.boot_id = "another".to_owned();
    agent.ask(Request::Adopt(adopt));
    assert_eq!(agent.ended(), How::Unknown(true));
    assert!(is_alive(other.pid));
}
