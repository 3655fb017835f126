//! Whole commands against daemons that do as the test says.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "the fakes are of this test alone, and stand in for all of a contract"
)]

mod fakes;
#[path = "commands/logs.rs"]
mod logs;
#[path = "commands/logs_options.rs"]
mod logs_options;

use std::sync::Mutex;
use std::time::Duration;

use eco_home::Daemon;
use eco_home::launch::LaunchError;
use eco_proto::agent::v1::scale_request::Size;
use eco_proto::agent::v1::{
    Action, ErrorDetail, Instance, Outcome, Problem, Status, Verb, error_detail,
};
use fakes::{FakeAgent, FakeLog, Said, World, Written, instance, outcome, patient_child, spoken};

const FILE: &str = "module.exports = { apps: [{ name: 'api', script: './api.js' }] };";

fn line(run: u64, offset: u64, time: u64, text: &'static str) -> Written {
    Written {
        app: "api",
        run,
        offset,
        time,
        text,
        level: 0,
        joined: false,
    }
}

#[tokio::test]
async fn an_agent_of_another_version_is_refused_and_still_answers_ping() {
    let world = World::new();
    let agent = FakeAgent {
        version: "9.9.9".to_owned(),
        ..FakeAgent::new(Vec::new())
    };
    let _server = agent.start(&world.home);
    let list = world.run(&["list"]).await;
    let err = list.ended_with(4).err();
    assert!(
        err.contains("9.9.9") && err.contains(eco_proto::VERSION),
        "{err}"
    );
    assert!(err.contains("Hint: eco update"), "{err}");
    let ping = world.run(&["ping"]).await;
    assert!(ping.ended_with(0).out().contains("eco-agentd 9.9.9"));
}

#[tokio::test]
async fn ping_and_kill_start_nothing() {
    let world = World::new();
    let ping = world.run(&["ping"]).await;
    assert!(ping.ended_with(4).err().contains("no agent runs for"));
    let kill = world.run(&["kill"]).await;
    assert!(kill.ended_with(0).out().contains("Nothing runs"));
}

#[tokio::test]
async fn kill_leaves_apps_alone_where_the_agent_is_only_missing() {
    let world = World::new();
    let keeper = world.home.socket(Daemon::Keeper);
    let _keeper = eco_home::socket::bind(&keeper).expect("bound");
    let mut surroundings = world.surroundings();
    surroundings.launch = Box::new(|_, daemon| {
        Err(LaunchError::Missing {
            program: daemon.program(),
            beside: "/opt/eco".into(),
        })
    });
    let ran = world.run_in(&surroundings, &["kill"]).await;
    let err = ran.ended_with(4).err();
    assert!(err.contains("install eco-agentd beside eco"), "{err}");
    assert!(err.contains("what runs goes on"), "{err}");
    assert!(!err.contains("SIGKILL"), "{err}");
}

#[tokio::test]
async fn a_dead_socket_file_is_a_missing_agent() {
    let world = World::new();
    let dead = world.home.socket(Daemon::Agent);
    drop(eco_home::socket::bind(&dead).expect("bound"));
    assert!(dead.exists());
    let started = std::sync::Arc::new(Mutex::new(None));
    let server = std::sync::Arc::clone(&started);
    let mut surroundings = world.surroundings();
    surroundings.launch = Box::new(move |home, _| {
        *server.lock().unwrap() = Some(FakeAgent::new(Vec::new()).start(home));
        Ok(patient_child())
    });
    let ran = world.run_in(&surroundings, &["list", "--json"]).await;
    assert_eq!(ran.ended_with(0).out(), "[]\n");
    assert!(ran.err().contains("Starting the eco agent"));
}

#[tokio::test]
async fn an_agent_that_dies_at_once_shows_its_last_words() {
    let world = World::new();
    std::fs::write(world.home.log(Daemon::Agent), "old news\n").expect("written");
    let mut surroundings = world.surroundings();
    surroundings.launch = Box::new(|home, daemon| {
        let log = home.log(daemon);
        let text = std::fs::read_to_string(&log).unwrap();
        std::fs::write(&log, text + "the state is on a read-only disk\n").unwrap();
        Ok(std::process::Command::new("false")
            .spawn()
            .expect("spawned"))
    });
    let ran = world.run_in(&surroundings, &["list"]).await;
    let err = ran.ended_with(4).err();
    assert!(err.contains("failed to start the agent"), "{err}");
    assert!(
        err.contains("read-only disk") && !err.contains("old news"),
        "{err}"
    );
}

#[tokio::test]
async fn list_json_has_the_promised_fields() {
    let world = World::new();
    let _server = FakeAgent::new(vec![instance("api", Status::Online, 1)]).start(&world.home);
    let ran = world.run(&["ls", "--json"]).await;
    insta::assert_snapshot!(ran.ended_with(0).out(), @r#"
    [
      {
        "id": 0,
        "host": "box",
        "env": "dev",
        "name": "api",
        "instance": 0,
        "namespace": "default",
        "pid": null,
        "run": 1,
        "status": "online",
        "restarts": 0,
        "unstable_restarts": 0,
        "uptime_ms": 60000,
        "started_at": null,
        "restart_in_ms": null,
        "cpu_percent": null,
        "memory_bytes": null,
        "pss_bytes": null,
        "fds": null,
        "threads": null,
        "exec_mode": "fork",
        "watch": false,
        "cause": null,
        "health": null
      }
    ]
    "#);
    assert_eq!(ran.err(), "");
}

#[tokio::test]
async fn metrics_are_measured_when_they_are_asked_for() {
    let world = World::new();
    let _server = FakeAgent::new(vec![instance("api", Status::Online, 1)]).start(&world.home);
    for (line, fds) in [
        (&["list", "--json"][..], "\"fds\": null"),
        (&["list", "--json", "--metrics"][..], "\"fds\": 9"),
    ] {
        let out = world.run(line).await.ended_with(0).out();
        assert!(out.contains(fds), "{out}");
    }
    let table = world.run(&["list", "--metrics"]).await;
    assert!(table.ended_with(0).out().contains("fds"), "{}", table.out());
}

#[tokio::test]
async fn a_start_by_environment_sends_the_apps_of_its_file() {
    let world = World::new();
    let folder = world.work().join("process-manager/dev");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("ecosystem.config.js"), FILE).expect("written");
    let agent = FakeAgent {
        outcomes: vec![outcome("api", Action::Created, 1)],
        then: vec![instance("api", Status::Online, 1)],
        ..FakeAgent::new(Vec::new())
    };
    let _server = agent.start(&world.home);
    let ran = world.run(&["start", "dev"]).await;
    assert!(ran.ended_with(0).out().contains("dev/api"), "{}", ran.out());
    let err = ran.err();
    assert!(
        err.contains("Environment dev: ") && err.contains("✓ dev/api: online"),
        "{err}"
    );
    let applied = agent.applied.lock().unwrap();
    assert_eq!(applied[0].apps[0].environment, "dev");
    assert_eq!(applied[0].apps[0].name, "api");
}

#[tokio::test]
async fn a_start_that_fails_shows_the_last_lines_and_exits_1() {
    let world = World::new();
    std::fs::write(world.work().join("ecosystem.config.js"), FILE).expect("written");
    let agent = FakeAgent {
        outcomes: vec![outcome("api", Action::Created, 2)],
        then: vec![instance("api", Status::Errored, 2)],
        ..FakeAgent::new(Vec::new())
    };
    let log = FakeLog {
        history: vec![
            line(1, 0, 1, "of an earlier run"),
            line(2, 0, 2, "port 3000 is taken"),
        ],
        ..FakeLog::default()
    };
    let _servers = (agent.start(&world.home), log.start(&world.home));
    let ran = world.run(&["start", "-E", "dev"]).await;
    let err = ran.ended_with(1).err();
    assert!(
        err.contains("✗ dev/api: errored: exited with code 3"),
        "{err}"
    );
    assert!(err.contains("port 3000 is taken"), "{err}");
    assert!(!err.contains("of an earlier run"), "{err}");
    let end = "Error: failed to start dev/api\nHint: eco why dev/api tells more\n";
    assert!(err.ends_with(end), "{err}");
}

#[tokio::test]
async fn every_problem_that_the_agent_finds_is_told() {
    let world = World::new();
    std::fs::write(world.work().join("ecosystem.config.js"), FILE).expect("written");
    let problem = |app: &str| Problem {
        app: app.to_owned(),
        field: "script".to_owned(),
        message: "not found".to_owned(),
        ..Problem::default()
    };
    let agent = FakeAgent {
        refusal: Some(ErrorDetail {
            code: error_detail::Code::Invalid.into(),
            problems: vec![problem("dev/a"), problem("dev/b")],
            ..ErrorDetail::default()
        }),
        ..FakeAgent::new(Vec::new())
    };
    let _server = agent.start(&world.home);
    let ran = world.run(&["start"]).await;
    let err = ran.ended_with(1).err();
    assert!(err.contains("dev/a: script: not found"), "{err}");
    assert!(err.contains("dev/b: script: not found"), "{err}");
}

#[tokio::test]
async fn an_unchanged_app_is_said_to_be_so() {
    let world = World::new();
    let agent = FakeAgent {
        outcomes: vec![outcome("api", Action::Unchanged, 0)],
        ..FakeAgent::new(vec![instance("api", Status::Online, 1)])
    };
    let _server = agent.start(&world.home);
    let ran = world.run(&["start", "dev/api"]).await;
    let err = ran.ended_with(0).err();
    assert!(err.contains("dev/api: unchanged\nNothing to do."), "{err}");
}

#[tokio::test]
async fn a_word_without_meaning_tells_what_was_tried() {
    let world = World::new();
    let _server = FakeAgent::new(vec![instance("api", Status::Online, 1)]).start(&world.home);
    let ran = world.run(&["start", "apj"]).await;
    insta::assert_snapshot!(ran.ended_with(1).err(), @r"
    Error: failed to find apj
      file or folder apj: not there
      environment apj: no process-manager/apj or apj with an ecosystem file from here upwards
      app apj: the agent knows none
      command apj: not on PATH
    Hint: did you mean dev/api?
    ");
}

#[tokio::test]
async fn stop_returns_when_everything_is_stopped() {
    let world = World::new();
    let agent = FakeAgent {
        outcomes: vec![outcome("api", Action::Stopped, 1)],
        then: vec![instance("api", Status::Stopping, 1)],
        ..FakeAgent::new(vec![instance("api", Status::Online, 1)])
    };
    let _server = agent.start(&world.home);
    let surroundings = world.surroundings();
    let stop = world.run_in(&surroundings, &["stop", "api"]);
    let world_goes_on = async {
        until(|| agent.acted.lock().unwrap().len() == 1).await;
        agent
            .instances
            .send_replace(vec![instance("api", Status::Stopped, 1)]);
    };
    let (ran, ()) = tokio::join!(stop, world_goes_on);
    assert!(ran.ended_with(0).err().contains("✓ dev/api: stopped"));
}

#[tokio::test]
async fn a_stop_that_takes_too_long_is_a_failure() {
    let world = World::new();
    let agent = FakeAgent {
        outcomes: vec![outcome("api", Action::Stopped, 1)],
        then: vec![instance("api", Status::Stopping, 1)],
        ..FakeAgent::new(vec![instance("api", Status::Online, 1)])
    };
    let _server = agent.start(&world.home);
    let ran = world.run(&["stop", "api", "--timeout", "0"]).await;
    assert!(
        ran.ended_with(1)
            .err()
            .contains("not there in time (stopping)")
    );
}

#[tokio::test]
async fn a_scale_says_both_numbers_asks_for_the_signed_one_and_waits_for_what_comes() {
    let world = World::new();
    let agent = FakeAgent {
        outcomes: vec![
            outcome("api", Action::Unchanged, 0),
            Outcome {
                instance: 1,
                ..outcome("api", Action::Created, 1)
            },
        ],
        then: vec![
            instance("api", Status::Online, 1),
            Instance {
                instance: 1,
                ..instance("api", Status::Online, 1)
            },
        ],
        ..FakeAgent::new(vec![instance("api", Status::Online, 1)])
    };
    let _server = agent.start(&world.home);
    let ran = world.run(&["scale", "api", "+1", "--no-deps"]).await;
    let err = ran.ended_with(0).err();
    assert_eq!(err, "dev/api: 1 → 2 instances\n✓ dev/api#1: online\n");
    let ran = world.run(&["scale", "api", "--json", "-1"]).await;
    assert!(ran.ended_with(0).out().starts_with('['), "{}", ran.out());
    let asked = agent.scaled.lock().unwrap();
    let sizes: Vec<_> = asked
        .iter()
        .map(|one| (one.size, one.no_dependencies))
        .collect();
    let (more, fewer) = (Size::More(1), Size::Fewer(1));
    assert_eq!(sizes, [(Some(more), true), (Some(fewer), false)]);
}

#[tokio::test]
async fn a_reset_says_what_it_did_and_waits_for_nothing() {
    let world = World::new();
    let agent = FakeAgent {
        outcomes: vec![outcome("api", Action::Reset, 0)],
        ..FakeAgent::new(vec![instance("api", Status::Errored, 1)])
    };
    let _server = agent.start(&world.home);
    let ran = world.run(&["reset", "api", "--json"]).await;
    let err = ran.ended_with(0).err();
    assert_eq!(err, "dev/api: restarts and failures count from zero\n");
    assert!(ran.out().contains("\"errored\""), "{}", ran.out());
    let acted = agent.acted.lock().unwrap();
    assert_eq!(acted[0].verb(), Verb::Reset);
}

#[tokio::test]
async fn describe_hides_secrets() {
    let world = World::new();
    let _server = FakeAgent::new(vec![instance("api", Status::Online, 1)]).start(&world.home);
    for form in [&["describe", "api"][..], &["describe", "api", "--json"]] {
        let out = world.run(form).await.ended_with(0).out();
        assert!(out.contains("(hidden)") && out.contains("3000"), "{out}");
        assert!(!out.contains("s3cret"), "{out}");
    }
}

fn living(name: &str, id: u32, pid: i32) -> Instance {
    Instance {
        id,
        pid: Some(pid),
        ..instance(name, Status::Online, 1)
    }
}

#[tokio::test]
async fn env_hides_secrets_unless_they_are_asked_for_and_says_when_nothing_runs() {
    let world = World::new();
    let stopped = instance("old", Status::Stopped, 1);
    let _server = FakeAgent::new(vec![living("api", 0, 7), stopped]).start(&world.home);
    let ran = world.run(&["env", "api"]).await;
    assert_eq!(
        ran.ended_with(0).out(),
        "API_KEY=(hidden)\nPORT=3000\n",
        "{}",
        ran.err()
    );
    assert_eq!(ran.err(), "");
    let open = world.run(&["env", "api", "--show-secrets"]).await;
    assert!(open.ended_with(0).out().contains("API_KEY=s3cret"));
    let json = world.run(&["env", "old", "--json"]).await;
    let out = json.ended_with(0).out();
    assert!(
        out.contains("\"run\": null") && !out.contains("s3cret"),
        "{out}"
    );
    let old = world.run(&["env", "old"]).await;
    assert!(old.ended_with(0).err().contains("of its next run"));
}

#[tokio::test]
async fn watch_asks_about_paths_from_where_the_person_is() {
    let world = World::new();
    let mut watched = living("api", 0, 7);
    watched.watch = true;
    let _server = FakeAgent::new(vec![watched, living("web", 1, 8)]).start(&world.home);
    let ran = world
        .run(&["watch", "--explain", "api", "src/a.js", "gen/"])
        .await;
    let out = ran.ended_with(0).out();
    for path in ["src/a.js", "gen/"] {
        let shown = format!("{}/{path}: counts", world.work().display());
        assert!(out.contains(&shown), "{out}");
    }
    let json = world.run(&["watch", "web", "--json"]).await;
    assert!(json.ended_with(0).out().contains("\"watching\": null"));
    // Without --explain a path would be asked about in vain.
    world.run(&["watch", "api", "src"]).await.ended_with(2);
    let unknown = world.run(&["watch", "apj"]).await;
    assert!(unknown.ended_with(1).err().contains("dev/api"));
}

#[tokio::test]
async fn pids_and_ids_are_one_a_line_and_what_does_not_run_is_told_beside() {
    let world = World::new();
    let mut stopped = instance("old", Status::Stopped, 1);
    stopped.id = 4;
    let _server = FakeAgent::new(vec![living("api", 2, 70), living("web", 3, 71), stopped])
        .start(&world.home);
    let pids = world.run(&["pid"]).await;
    assert_eq!(pids.ended_with(0).out(), "70\n71\n");
    assert!(pids.err().contains("dev/old#0: stopped, no process"));
    let ids = world.run(&["id", "old", "web", "--json"]).await;
    assert_eq!(ids.ended_with(0).out(), "[\n  4,\n  3\n]\n");
}

#[tokio::test]
async fn what_is_not_known_has_no_pid_no_id_and_no_variables() {
    let world = World::new();
    let _server = FakeAgent::new(vec![living("api", 0, 7)]).start(&world.home);
    for verb in ["pid", "id", "env"] {
        let ran = world.run(&[verb, "apj"]).await;
        let err = ran.ended_with(1).err();
        assert!(err.contains("did you mean dev/api?"), "{verb}: {err}");
        assert_eq!(ran.out(), "");
    }
    for verb in ["id", "env"] {
        world.run(&[verb]).await.ended_with(2);
    }
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_exits_2() {
    let world = World::new();
    world.run(&["frobnicate"]).await.ended_with(2);
    world.run(&["stop"]).await.ended_with(2);
    let version = world.run(&["-V"]).await;
    assert!(version.ended_with(0).out().contains(eco_proto::VERSION));
}

/// Waits until `condition` holds.
async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("it came about in time");
}

#[tokio::test]
async fn what_comes_of_speaking_to_apps_is_told_of_each_and_one_failure_is_one() {
    let world = World::new();
    let agent = FakeAgent {
        spoken: vec![
            eco_proto::agent::v1::Spoken {
                answer: Some(r#"{"freed":7}"#.to_owned()),
                ..spoken("api", "")
            },
            eco_proto::agent::v1::Spoken {
                hint: "restart it".to_owned(),
                ..spoken("web", "it has no channel")
            },
        ],
        ..FakeAgent::new(vec![instance("api", Status::Online, 1)])
    };
    let _server = agent.start(&world.home);
    let ran = world
        .run(&["trigger", "api", "gc", "-5", "--timeout", "9"])
        .await;
    assert_eq!(ran.ended_with(1).out(), "dev/api#0: {\"freed\":7}\n");
    let err = ran.err();
    assert!(
        err.contains("Error: failed to trigger gc\n  dev/web#0: it has no channel"),
        "{err}"
    );
    assert!(err.contains("Hint: restart it"), "{err}");
    let json = world.run(&["trigger", "api", "gc", "--json"]).await;
    let told: serde_json::Value = serde_json::from_str(&json.ended_with(1).out()).unwrap();
    assert_eq!(told[0]["answer"]["freed"], 7);
    assert_eq!(told[0]["problem"], serde_json::Value::Null);
    assert_eq!(told[1]["problem"], "it has no channel");
    let said = agent.said.lock().unwrap().clone();
    let [Said::Trigger(with), Said::Trigger(without)] = said.as_slice() else {
        panic!("not triggered: {said:?}");
    };
    assert_eq!(
        (with.parameter.as_deref(), with.timeout_ms),
        (Some("-5"), 9000)
    );
    assert_eq!(
        (without.parameter.as_deref(), without.timeout_ms),
        (None, 5000)
    );
}

#[tokio::test]
async fn a_line_is_sent_with_its_end_and_a_signal_by_its_number() {
    let world = World::new();
    let agent = FakeAgent {
        spoken: vec![spoken("api", "")],
        ..FakeAgent::new(vec![instance("api", Status::Online, 1)])
    };
    let _server = agent.start(&world.home);
    let sent = world.run(&["send", "api", "--go"]).await;
    assert!(sent.ended_with(0).out().starts_with("dev/api#0: sent"));
    let signal = world.run(&["sendSignal", "usr2", "api", "--tree"]).await;
    let out = signal.ended_with(0).out();
    assert_eq!(out, "dev/api#0: SIGUSR2 sent to process 42\n");
    let said = agent.said.lock().unwrap().clone();
    let [Said::Send(sent), Said::Signal(signal)] = said.as_slice() else {
        panic!("neither sent nor signalled: {said:?}");
    };
    assert_eq!(sent.data, b"--go\n");
    assert_eq!((signal.signal, signal.tree), (12, true));
}

#[tokio::test]
async fn words_that_are_no_signal_or_no_app_are_refused() {
    let world = World::new();
    let _server = FakeAgent::new(vec![instance("api", Status::Online, 1)]).start(&world.home);
    let signal = world.run(&["signal", "USR3", "api"]).await;
    assert!(signal.ended_with(2).err().contains("did you mean USR"));
    let attach = world.run(&["attach", "web"]).await;
    assert!(attach.ended_with(1).err().contains("no app matches"));
    assert!(
        world
            .run(&["trigger", "api"])
            .await
            .ended_with(2)
            .err()
            .contains("ACTION")
    );
    assert!(
        world
            .run(&["send", "api"])
            .await
            .ended_with(2)
            .err()
            .contains("LINE")
    );
}
