//! The verbs about what apps wrote.

use eco_cli::Ui;
use eco_proto::agent::v1::Status;
use eco_proto::log::v1::{Flushed, Source};

use crate::fakes::{FakeAgent, FakeLog, World, instance};
use crate::{line, until};

#[tokio::test]
async fn logs_end_after_the_history() {
    let world = World::new();
    let log = FakeLog {
        history: vec![
            line(1, 0, 1_000_000_000, "a"),
            line(1, 2, 2_000_000_000, "b"),
        ],
        ..FakeLog::default()
    };
    let agent = FakeAgent::new(vec![instance("api", Status::Online, 1)]);
    let _servers = (agent.start(&world.home), log.start(&world.home));
    let ran = world.run(&["logs", "api", "-n", "1", "--json"]).await;
    let out = ran.ended_with(0).out();
    assert!(
        out.contains(r#""offset":2,"line":"b""#) && out.lines().count() == 1,
        "{out}"
    );
}

#[tokio::test]
async fn what_the_log_daemon_cannot_read_is_told_and_not_asked_for_again() {
    let world = World::new();
    let log = FakeLog {
        refusal: Some(tonic::Status::failed_precondition(
            "failed to read runs/box/dev/api: permission denied",
        )),
        ..FakeLog::default()
    };
    let agent = FakeAgent::new(vec![instance("api", Status::Online, 1)]);
    let _servers = (agent.start(&world.home), log.start(&world.home));
    let ran = world.run(&["logs", "api"]).await;
    let err = ran.ended_with(1).err();
    assert!(err.contains("permission denied"), "{err}");
}

#[tokio::test]
async fn logs_of_a_run_are_found_by_its_number_or_from_the_last_one() {
    let world = World::new();
    let log = FakeLog {
        history: vec![
            line(1, 0, 1_000_000_000, "of the first"),
            line(2, 0, 2_000_000_000, "of the second"),
        ],
        ..FakeLog::default()
    };
    let agent = FakeAgent::new(vec![instance("api", Status::Online, 2)]);
    let _servers = (agent.start(&world.home), log.start(&world.home));
    for (run, text) in [("1", "first"), ("-1", "second"), ("-2", "first")] {
        let ran = world.run(&["logs", "api", "--run", run]).await;
        let out = ran.ended_with(0).out();
        assert!(out.contains(text) && out.lines().count() == 1, "{out}");
    }
    let missing = world.run(&["logs", "api", "--run", "7"]).await;
    insta::assert_snapshot!(missing.ended_with(1).err(), @r"
    Error: failed to find run 7
      dev/api#0: runs 1 to 2 are kept
    ");
    world.run(&["logs", "--run", "0"]).await.ended_with(2);
}

#[tokio::test]
async fn logs_of_a_deleted_app_are_there_and_what_is_not_there_is_named() {
    let world = World::new();
    let log = FakeLog {
        history: vec![line(1, 0, 1_000_000_000, "last words")],
        ..FakeLog::default()
    };
    let agent = FakeAgent::new(vec![instance("web", Status::Online, 2)]);
    let _servers = (agent.start(&world.home), log.start(&world.home));
    for word in ["api", "dev/api", "a*"] {
        let out = world.run(&["logs", word]).await.ended_with(0).out();
        assert!(out.contains("last words"), "{out}");
    }
    let ran = world.run(&["logs", "apj"]).await;
    insta::assert_snapshot!(ran.ended_with(1).err(), @r"
    Error: failed to find apj
      app apj: the agent knows none
      output of an app apj that was deleted: none is kept
    Hint: did you mean dev/api or dev/web?
    ");
}

#[tokio::test]
async fn following_over_the_death_of_the_log_daemon_loses_and_repeats_nothing() {
    let world = World::new();
    let agent = FakeAgent::new(vec![instance("api", Status::Online, 1)]);
    let agent = agent.start(&world.home);
    let first = FakeLog {
        history: vec![line(1, 0, 10, "a0"), line(1, 3, 20, "a1")],
        live: vec![line(1, 6, 30, "a2")],
        ..FakeLog::default()
    };
    // What the first one never told, a line of a new run among it, at the time of one that was told.
    let second = FakeLog {
        history: [first.history.clone(), first.live.clone()]
            .concat()
            .into_iter()
            .chain([line(1, 9, 30, "a3"), line(2, 0, 40, "b0")])
            .collect(),
        live: vec![line(2, 3, 50, "b1")],
        ..FakeLog::default()
    };
    let running = first.start(&world.home);
    let (mut ui, captured) = Ui::captured();
    let surroundings = world.surroundings();
    let arguments = ["eco", "logs", "-f", "--json"].map(Into::into);
    let following = eco_cli::run(arguments, &surroundings, &mut ui);
    let world_goes_on = async {
        until(|| captured.stdout().contains("a2")).await;
        // The log daemon dies, and the agent with it: following needs neither of them.
        drop(agent);
        drop(running);
        let next = second.start(&world.home);
        until(|| captured.stdout().contains("b1")).await;
        drop(next);
    };
    tokio::select! {
        code = following => panic!("ended with {code:?}: {}", captured.stderr()),
        () = world_goes_on => {}
    }
    let told: Vec<String> = captured
        .stdout()
        .lines()
        .filter_map(|line| line.split_once(r#""line":""#))
        .map(|(_, text)| text.trim_end_matches("\"}").to_owned())
        .collect();
    assert_eq!(told, ["a0", "a1", "a2", "a3", "b0", "b1"]);
    assert_eq!(second.asked.lock().unwrap()[0].last, None);
}

#[tokio::test]
async fn what_is_flushed_between_two_log_daemons_is_a_gap_to_who_follows() {
    let world = World::new();
    let agent = FakeAgent::new(vec![instance("api", Status::Online, 1)]);
    let _agent = agent.start(&world.home);
    let first = FakeLog {
        history: vec![line(1, 0, 10, "a0")],
        ..FakeLog::default()
    };
    let second = FakeLog {
        history: vec![line(1, 90, 20, "a9")],
        ..FakeLog::default()
    };
    let running = first.start(&world.home);
    let (mut ui, captured) = Ui::captured();
    let surroundings = world.surroundings();
    let arguments = ["eco", "logs", "-f", "--json"].map(Into::into);
    let following = eco_cli::run(arguments, &surroundings, &mut ui);
    let world_goes_on = async {
        until(|| captured.stdout().contains("a0")).await;
        drop(running);
        let next = second.start(&world.home);
        until(|| captured.stdout().contains("a9")).await;
        drop(next);
    };
    tokio::select! {
        code = following => panic!("ended with {code:?}: {}", captured.stderr()),
        () = world_goes_on => {}
    }
    let out = captured.stdout();
    let gap = r#""offset":3,"line":null,"gap_bytes":87}"#;
    assert_eq!(
        out.lines().filter(|line| line.ends_with(gap)).count(),
        1,
        "{out}"
    );
}

#[tokio::test]
async fn flush_tells_what_was_removed_and_what_could_not_be() {
    let world = World::new();
    let removed = |app: &str, bytes, problem: &str| Flushed {
        source: Some(Source {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: app.to_owned(),
            run: 3,
            stream: 1,
            ..Source::default()
        }),
        bytes,
        freed: bytes / 2,
        problem: problem.to_owned(),
    };
    let log = FakeLog {
        flushed: vec![removed("api", 2048, ""), removed("api", 1024, "")],
        ..FakeLog::default()
    };
    let agent = FakeAgent::new(vec![instance("api", Status::Online, 1)]);
    let _agent = agent.start(&world.home);
    let server = log.start(&world.home);
    let ran = world.run(&["flush", "api"]).await;
    insta::assert_snapshot!(ran.ended_with(0).out(), @"dev/api: removed 3.0 KiB, 1.5 KiB of the disk are free again");
    let asked = log.flushes.lock().unwrap()[0].matches[0].clone();
    assert_eq!(
        (asked.environment.as_str(), asked.app.as_str()),
        ("dev", "api")
    );
    let json = world.run(&["flush", "--json"]).await;
    insta::assert_snapshot!(json.ended_with(0).out().split_inclusive('}').next().unwrap(), @r#"
    [
      {
        "host": "box",
        "environment": "dev",
        "name": "api",
        "instance": 0,
        "run": 3,
        "stream": "out",
        "bytes": 2048,
        "freed_bytes": 1024,
        "problem": null
      }
    "#);
    drop(server);
    let full = FakeLog {
        flushed: vec![removed("web", 0, "write /x: no space left on device")],
        ..FakeLog::default()
    };
    let _server = full.start(&world.home);
    let ran = world.run(&["flush"]).await;
    insta::assert_snapshot!(ran.ended_with(1).err(), @r"
    Error: failed to remove all of it
      dev/web#0, run 3: failed to write /x: no space left on device
    ");
}
