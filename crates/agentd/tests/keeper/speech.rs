//! What apps are told and say: over their stdin, their channel, and as notices.

use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use eco_home::runs::Stream;
use eco_proto::keeper::v1::exited::How;
use eco_proto::keeper::v1::to_keeper::Message as Request;
use eco_proto::keeper::v1::{Signal, SignalReach, Spawn};
use nix::libc::O_NONBLOCK;
use nix::unistd::geteuid;

use crate::stage::{Stage, contents, is_alive, key, wait_until};

/// A run of `sh -c script` with a channel.
fn spoken_to(stage: &Stage, script: &str) -> Spawn {
    Spawn {
        ipc: true,
        ..stage.script("api", script)
    }
}

/// A run of a Python program that sends notices.
fn noticing(stage: &Stage, script: &str) -> Spawn {
    let begin = "import os, socket, sys, time\n\
        def notice(text):\n  one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n  \
        one.sendto(text.encode(), os.environ['NOTIFY_SOCKET'])\n";
    python(stage, &format!("{begin}{script}"), |spawn| Spawn {
        notify: true,
        ..spawn
    })
}

fn python(stage: &Stage, script: &str, with: impl Fn(Spawn) -> Spawn) -> Spawn {
    let run = "exec python3 -c \"$0\"".into();
    let spawn = stage.script("api", "");
    with(Spawn {
        arguments: vec![b"sh".to_vec(), b"-c".to_vec(), run, script.into()],
        ..spawn
    })
}

fn descriptors(pid: i32) -> usize {
    let folder = format!("/proc/{pid}/fd");
    std::fs::read_dir(folder).expect("ours").count()
}

#[test]
fn a_run_reads_what_is_written_to_its_fifo_and_never_an_end() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = stage.script("api", "read one; echo $one; read two; echo $two; exit 4");
    stage.spawn(&mut agent, request);
    let path = stage.run_dir(&key("api")).join("in.fifo");
    for line in ["first\n", "second\n"] {
        // Opened and closed: whoever writes comes and goes.
        let mut options = std::fs::File::options();
        let fifo = options.write(true).custom_flags(O_NONBLOCK).open(&path);
        let mut fifo = fifo.expect("somebody reads");
        fifo.write_all(line.as_bytes()).expect("room");
    }
    assert_eq!(agent.ended(), How::Code(4));
    assert_eq!(stage.stored("api", Stream::Out), b"first\nsecond\n");
    assert!(!path.exists());
}

#[test]
fn a_run_is_told_of_its_channel_and_speaks_and_hears_over_it() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "echo \"$NODE_CHANNEL_FD $NODE_CHANNEL_SERIALIZATION_MODE\"; echo '\"ready\"' >&3; read line <&3; \
        echo \"$line\"; exit 3";
    let request = spoken_to(&stage, script);
    assert!(stage.spawn(&mut agent, request).channel);
    assert_eq!(agent.said(), "\"ready\"");
    agent.say("api", "\"shutdown\"");
    agent.channel_closed();
    assert_eq!(agent.ended(), How::Code(3));
    assert_eq!(stage.stored("api", Stream::Out), b"3 json\n\"shutdown\"\n");
}

#[test]
fn a_run_without_a_channel_has_nothing_at_its_descriptor_and_knows_of_none() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "[ -e /proc/$$/fd/3 ] && echo has; env | grep -c -e NODE_CHANNEL -e NOTIFY_SOCKET";
    let request = stage.script("api", script);
    assert!(!stage.spawn(&mut agent, request).channel);
    agent.say("api", "\"nobody hears it\"");
    agent.ended();
    assert_eq!(stage.stored("api", Stream::Out), b"0\n");
    wait_until("it is said that nobody hears it", || {
        stage.log().contains("has no channel")
    });
}

#[test]
fn what_is_said_while_no_agent_is_there_waits_for_the_next_one() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "while [ ! -e alone ]; do sleep 0.01; done; echo '\"ready\"' >&3; echo x > said; exec sleep 600";
    let request = spoken_to(&stage, script);
    stage.spawn(&mut agent, request);
    drop(agent);
    std::fs::write(stage.path("alone"), b"").expect("written");
    contents(&stage.path("said"));
    let mut next = stage.agent();
    assert!(next.known("api").expect("known").channel);
    assert_eq!(next.said(), "\"ready\"");
}

#[test]
fn what_was_sent_to_an_agent_that_did_not_act_upon_it_is_said_again_to_the_next_one() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "echo '\"ready\"' >&3; read line <&3; echo '\"second\"' >&3; exec sleep 600";
    let request = spoken_to(&stage, script);
    stage.spawn(&mut agent, request);
    assert_eq!(agent.said(), "\"ready\"");
    // It is killed with the word in its hands.
    drop(agent);
    let mut second = stage.agent();
    assert_eq!(second.said(), "\"ready\"");
    second.heard(1);
    second.say("api", "go on");
    assert_eq!(second.said(), "\"second\"");
    drop(second);
    let mut third = stage.agent();
    assert_eq!(third.said(), "\"second\"");
}

#[test]
fn what_a_run_says_last_is_heard_before_its_end() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo $i; done >&3";
    let request = spoken_to(&stage, script);
    stage.spawn(&mut agent, request);
    for number in 1..=500 {
        assert_eq!(agent.said(), number.to_string());
    }
    agent.channel_closed();
    assert_eq!(agent.ended(), How::Code(0));
}

#[test]
fn a_line_that_is_too_long_is_left_out_and_said_once() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let long = "head -c 2000000 /dev/zero | tr '\\0' x >&3; echo >&3";
    let script = format!("{long}; {long}; echo short >&3; exec sleep 600");
    let request = spoken_to(&stage, &script);
    stage.spawn(&mut agent, request);
    assert_eq!(agent.said(), "short");
    let said = stage
        .log()
        .matches("leaves out what test/api/0/1 says")
        .count();
    assert_eq!(said, 1, "{}", stage.log());
}

#[test]
fn an_app_that_reads_nothing_is_told_no_more_than_fits_and_holds_nobody_up() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = spoken_to(&stage, "exec sleep 600");
    stage.spawn(&mut agent, request);
    let line = "x".repeat(64 << 10);
    for _ in 0..64 {
        agent.say("api", &line);
    }
    wait_until("it is full", || {
        stage.log().contains("left") && stage.log().contains("bytes waiting")
    });
    agent.signal("api", 9);
    agent.channel_closed();
    assert_eq!(agent.ended(), How::Signal(9));
}

#[test]
fn an_app_that_says_more_than_its_agent_takes_waits_and_so_does_nobody_else() {
    let mut stage = Stage::new();
    let mut deaf = stage.agent();
    let flood = spoken_to(
        &stage,
        "yes '{\"a\": \"long enough to fill something\"}' >&3",
    );
    stage.spawn(&mut deaf, flood);
    let other = Spawn {
        key: Some(key("other")),
        run_dir: crate::stage::bytes(&stage.run_dir(&key("other"))),
        ..stage.script("other", "echo flows; exec sleep 600")
    };
    deaf.ask(Request::Spawn(other));
    // The agent reads nothing from here on.
    let file = stage.run_dir(&key("other")).join("out.0001");
    wait_until("the other's output flows", || {
        std::fs::read(&file).is_ok_and(|bytes| bytes == b"flows\n")
    });
    let resident = || {
        let keeper = eco_agentd::os::process::read(stage.keeper_pid());
        keeper.expect("it lives").resident_bytes
    };
    assert!(resident() < 64 << 20);
    // Who hears it is told on.
    let mut next = stage.agent();
    assert_eq!(next.said(), "{\"a\": \"long enough to fill something\"}");
    next.signal("api", 9);
    next.signal("other", 9);
}

#[test]
fn descriptors_that_an_app_passes_along_are_closed_and_acknowledged() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "import array, socket, time\n\
        one = socket.socket(fileno=3)\n\
        for number in range(20):\n  \
          socket.send_fds(one, [b'{\"cmd\": \"NODE_HANDLE\"}\\n'], [0, 1, 2])\n  \
          print(one.recv(100).decode().strip(), flush=True)\n\
        time.sleep(600)\n";
    let request = python(&stage, script, |spawn| Spawn { ipc: true, ..spawn });
    stage.spawn(&mut agent, request);
    let before = descriptors(stage.keeper_pid());
    for _ in 0..20 {
        assert_eq!(agent.said(), "{\"cmd\": \"NODE_HANDLE\"}");
    }
    wait_until("all are acknowledged", || {
        stage.stored("api", Stream::Out) == "{\"cmd\":\"NODE_HANDLE_ACK\"}\n".repeat(20).as_bytes()
    });
    assert_eq!(descriptors(stage.keeper_pid()), before);
}

#[test]
fn a_channel_is_gone_with_its_keeper_and_the_app_is_not() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "cat <&3 > heard; echo closed > closed; exec sleep 600";
    let request = spoken_to(&stage, script);
    let spawned = stage.spawn(&mut agent, request);
    stage.kill_keeper();
    assert_eq!(contents(&stage.path("closed")), "closed");
    stage.start_keeper();
    let mut agent = stage.agent();
    agent.ask(Request::Adopt(stage.adopt(&spawned)));
    assert!(!agent.spawned().channel);
    assert!(is_alive(spawned.pid));
    let mut next = stage.agent();
    assert!(!next.known("api").expect("known").channel);
    next.signal("api", 9);
}

#[test]
fn an_app_that_closes_its_channel_is_told_of_once_and_lives() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let request = spoken_to(
        &stage,
        "echo last >&3; exec 3>&-; echo x > closed; exec sleep 600",
    );
    let spawned = stage.spawn(&mut agent, request);
    assert_eq!(agent.said(), "last");
    agent.channel_closed();
    contents(&stage.path("closed"));
    assert!(is_alive(spawned.pid));
    drop(agent);
    assert!(!stage.agent().known("api").expect("known").channel);
}

#[test]
fn notices_are_passed_on_whole_and_the_socket_goes_with_the_run() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "notice('READY=1\\nSTATUS=up')\nprint(os.environ['NOTIFY_SOCKET'], os.environ['WATCHDOG_USEC'])\n";
    let request = Spawn {
        watchdog_usec: 5000,
        ..noticing(&stage, script)
    };
    stage.spawn(&mut agent, request);
    assert_eq!(agent.notified(), "READY=1\nSTATUS=up");
    assert_eq!(agent.ended(), How::Code(0));
    let said = String::from_utf8(stage.stored("api", Stream::Out)).expect("text");
    let (path, span) = said.trim().split_once(' ').expect("two words");
    assert_eq!(span, "5000");
    assert!(path.starts_with(stage.home().notices().to_str().expect("text")));
    assert!(!Path::new(path).exists());
}

#[test]
fn notices_wait_for_an_agent_and_reach_the_next_keeper_too() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script = "while not os.path.exists('alone'): time.sleep(0.01)\n\
        notice('READY=1')\nopen('sent', 'w').write('x\\n')\n\
        while not os.path.exists('adopted'): time.sleep(0.01)\n\
        notice('WATCHDOG=1')\ntime.sleep(600)\n";
    let request = noticing(&stage, script);
    let spawned = stage.spawn(&mut agent, request);
    drop(agent);
    std::fs::write(stage.path("alone"), b"").expect("written");
    contents(&stage.path("sent"));
    let mut agent = stage.agent();
    assert_eq!(agent.notified(), "READY=1");
    stage.kill_keeper();
    stage.start_keeper();
    let mut agent = stage.agent();
    agent.ask(Request::Adopt(stage.adopt(&spawned)));
    agent.spawned();
    std::fs::write(stage.path("adopted"), b"").expect("written");
    assert_eq!(agent.notified(), "WATCHDOG=1");
    agent.signal("api", 9);
    agent.exited();
    agent.gone();
    let left = std::fs::read_dir(stage.home().notices()).expect("there");
    assert_eq!(left.count(), 0);
}

#[test]
fn an_app_of_another_user_reaches_a_socket_that_it_alone_may_use() {
    if !geteuid().is_root() {
        return; // Only root may become another.
    }
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let script =
        "notice('READY=1')\nprint(os.environ['NOTIFY_SOCKET'], flush=True)\ntime.sleep(600)\n";
    let request = Spawn {
        uid: Some(65534),
        gid: Some(65534),
        cwd: b"/".to_vec(),
        ..noticing(&stage, script)
    };
    stage.spawn(&mut agent, request);
    assert_eq!(agent.notified(), "READY=1");
    let mut path = String::new();
    wait_until("it says where", || {
        path = String::from_utf8(stage.stored("api", Stream::Out)).expect("text");
        path.ends_with('\n')
    });
    let found = std::fs::metadata(path.trim()).expect("there");
    assert!(found.file_type().is_socket());
    assert_eq!((found.uid(), found.mode() & 0o777), (65534, 0o600));
    agent.signal("api", 9);
    agent.exited();
    agent.gone();
    assert!(!Path::new(path.trim()).exists());
}

#[test]
fn a_signal_reaches_the_first_process_alone_or_all_of_them_as_it_says() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let trap = "trap 'echo $0 >> told' USR1; echo > up-$0; while :; do sleep 0.01; done";
    let script = format!(
        "sh -c '{}' child & exec sh -c '{}' leader",
        escaped(trap),
        escaped(trap)
    );
    let request = Spawn {
        tree: false,
        ..stage.script("api", &script)
    };
    stage.spawn(&mut agent, request);
    for name in ["up-child", "up-leader"] {
        contents(&stage.path(name));
    }
    let told = |stage: &Stage| {
        let text = std::fs::read_to_string(stage.path("told")).unwrap_or_default();
        (
            text.matches("leader").count(),
            text.matches("child").count(),
        )
    };
    for (reach, expected) in [(SignalReach::Leader, (1, 0)), (SignalReach::Tree, (2, 1))] {
        agent.ask(Request::Signal(Signal {
            key: Some(key("api")),
            signal: nix::libc::SIGUSR1,
            reach: reach.into(),
        }));
        wait_until("all are told", || told(&stage) == expected);
    }
    agent.ask(Request::Signal(Signal {
        key: Some(key("api")),
        signal: 9,
        reach: SignalReach::Tree.into(),
    }));
    assert_eq!(agent.ended(), How::Signal(9));
}

/// A text within single quotes of a shell.
fn escaped(text: &str) -> String {
    text.replace('\'', "'\\''")
}

#[test]
fn a_run_that_cannot_begin_leaves_nothing_behind_and_takes_nothing_of_others() {
    let mut stage = Stage::new();
    let mut agent = stage.agent();
    let running = spoken_to(&stage, "exec sleep 600");
    let folder = stage.run_dir(&key("api"));
    let home = folder.join("in.fifo");
    stage.spawn(&mut agent, running.clone());
    // Another key with the folder of a run that lives.
    agent.ask(Request::Spawn(Spawn {
        key: Some(key("thief")),
        ..running
    }));
    agent.failed();
    assert!(home.exists() && folder.join("out.fifo").exists());
    let lost = Spawn {
        key: Some(key("lost")),
        run_dir: crate::stage::bytes(&stage.run_dir(&key("lost"))),
        program: b"/no/such/program".to_vec(),
        notify: true,
        ..spoken_to(&stage, "")
    };
    agent.ask(Request::Spawn(lost));
    agent.failed();
    let named = |path: &Path| {
        let found = std::fs::read_dir(path).expect("there").flatten();
        let named = found.filter(|one| !one.file_type().expect("told").is_file());
        named.count()
    };
    assert_eq!(named(&stage.run_dir(&key("lost"))), 0);
    assert_eq!(named(&stage.home().notices()), 0);
}
