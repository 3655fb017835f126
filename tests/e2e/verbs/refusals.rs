//! What each verb says when it cannot do as asked: what failed, why, and a way on, with the exit code that is documented.

use std::fs::File;
use std::os::unix::net::UnixListener;

use eco_tests::{Follower, Signal, TestEnv, app, kill, wait_until};
use serde_json::json;

use super::{INVOCATIONS, Needs};

/// Waits until all of these have ended, and checks how.
#[track_caller]
fn all_fail(followers: Vec<(&str, Follower)>, code: i32, words: &[&str]) {
    for (verb, mut follower) in followers {
        let mut ended = None;
        wait_until("the command ends", || {
            ended = follower.code();
            ended.is_some()
        });
        let (told, shown) = (follower.told(), follower.text());
        assert_eq!(ended, Some(code), "{verb}: {told}");
        assert_eq!(shown, "", "{verb}");
        for word in words {
            assert!(told.contains(word), "{verb} does not tell {word}: {told}");
        }
    }
}

#[test]
fn an_agent_that_does_not_answer_is_told_by_every_verb_that_asks_it() {
    let env = TestEnv::new();
    env.ecosystem("dev", &json!([app("a", &["wait"])]));
    let run = env.home().join("run");
    std::fs::create_dir_all(&run).expect("made");
    // Connections wait there for ever.
    let silence = UnixListener::bind(run.join("agentd.sock")).expect("bound");
    let asking = INVOCATIONS
        .iter()
        .filter(|one| one.needs == Needs::Agent)
        .map(|one| (one.verb(), env.follow(one.line)));
    let words = [
        "Error: failed to ask the agent",
        "eco-agentd did not answer",
        "Hint: see ",
        "log/agentd.log",
        "run/agentd.lock",
    ];
    all_fail(asking.collect(), 4, &words);
    drop(silence);
}

#[test]
fn a_log_daemon_that_does_not_answer_is_told_by_every_verb_that_asks_it() {
    let env = TestEnv::started(&json!([app("a", &["out:1", "wait"])]));
    let daemons = env.daemons();
    kill(daemons.logd, Signal::SIGSTOP);
    let flush = ["flush", "a"];
    let logs = ["logs", "a", "--run", "1"];
    let reload = ["reload-logs"];
    let asking = [&flush[..], &logs, &reload].map(|line| (line[0], env.follow(line)));
    let words = ["eco-logd did not answer", "log/logd.log", "run/logd.lock"];
    all_fail(asking.into(), 4, &words);
    let plain = vec![("logs", env.follow(&["logs", "a"]))];
    all_fail(
        plain,
        4,
        &["failed to read the log", "no answer within", "Hint:"],
    );
    // What does not need it does not wait for it.
    drop(env.eco(&["list"]).ok());
    kill(daemons.logd, Signal::SIGCONT);
    drop(env.eco(&["flush", "a"]).ok());
}

#[test]
fn a_keeper_that_does_nothing_keeps_nobody_waiting_without_end() {
    let env = TestEnv::started(&json!([app("a", &["wait"])]));
    let keeper = env.daemons().keeper;
    kill(keeper, Signal::SIGSTOP);
    let later = "eco goes on with it: --timeout SECONDS waits longer";
    for verb in ["restart", "stop"] {
        env.eco(&[verb, "a", "--timeout", "1"])
            .fails(1, &[&format!("failed to {verb} dev/a"), later]);
    }
    env.eco(&["kill", "--timeout", "1"]).fails(
        1,
        &["failed to stop every app", "eco kill again", "keeper.log"],
    );
    kill(keeper, Signal::SIGCONT);
    wait_until("the app has ended", || env.list().are_all("stopped"));
    drop(env.eco(&["kill"]).ok());
}

#[test]
fn what_selects_nothing_is_refused_by_every_verb_that_selects() {
    let env = TestEnv::started(&json!([app("mds-fetcher", &["wait"])]));
    let before = env.list().pids();
    for verb in [
        "start", "list", "logs", "why", "flush", "events", "restart", "stop", "delete", "describe",
        "watch", "env", "pid", "id", "attach", "reset",
    ] {
        env.eco(&[verb, "nobody"])
            .fails(1, &["Error: failed to", "nobody", "Hint: eco list"]);
        env.eco(&[verb, "mds-fetchr"])
            .fails(1, &["mds-fetchr", "did you mean dev/mds-fetcher?"]);
    }
    for line in [
        ["trigger", "nobody", "gc"],
        ["send", "nobody", "x"],
        ["signal", "USR2", "nobody"],
        ["scale", "nobody", "2"],
    ] {
        env.eco(&line)
            .fails(1, &["no app matches \"nobody\"", "Hint: eco list"]);
    }
    for selector in ["[", "/(/"] {
        env.eco(&["stop", selector])
            .fails(1, &["is not a pattern", "Hint: a glob is like"]);
    }
    assert_eq!(env.list().pids(), before);
}

#[test]
fn a_target_that_is_no_file_is_refused_by_every_verb_that_reads_one() {
    let env = TestEnv::new();
    for verb in ["start", "restart", "diff", "apply", "validate", "config"] {
        let output = env.eco(&[verb, "nowhere"]);
        output.fails(1, &["failed to find nowhere", "not there", "Hint: "]);
        let may_be_a_command = output.stderr.contains("command nowhere: not on PATH");
        assert_eq!(may_be_a_command, verb == "start", "{output}");
    }
    for verb in ["start", "diff", "apply", "validate", "config"] {
        let words = ["find an ecosystem file", "there is none in", "eco init"];
        env.eco(&[verb]).fails(1, &words);
    }
}

#[test]
fn a_file_with_an_error_is_told_with_its_place_by_every_verb_that_reads_it() {
    let env = TestEnv::started(&json!([app("a", &["wait"])]));
    let before = env.list().pids();
    env.write(
        "process-manager/bad/ecosystem.config.js",
        "module.exports = { apps: [{ name: 'a' script: 'x' }] };",
    );
    let place = ["ecosystem.config.js:1:39", "SyntaxError"];
    for verb in [
        "start", "list", "logs", "why", "flush", "events", "diff", "apply", "restart", "stop",
        "delete", "describe", "watch", "env", "pid", "id", "attach", "config", "reset",
    ] {
        env.eco(&[verb, "bad"]).fails(1, &place);
    }
    env.eco(&["send", "bad", "x"]).fails(1, &place);
    env.eco(&["scale", "bad", "2"]).fails(1, &place);
    env.eco(&["trigger", "bad", "gc"]).fails(1, &place);
    env.eco(&["signal", "USR2", "bad"]).fails(1, &place);
    let validated = env.eco(&["validate", "bad"]);
    validated.fails(1, &["failed to validate 1 file"]);
    assert!(validated.stdout.contains(place[0]), "{validated}");
    assert_eq!(env.list().pids(), before);
}

#[test]
fn an_environment_without_apps_is_told_with_those_that_have_some() {
    let env = TestEnv::started(&json!([app("a", &["wait"])]));
    let warning = "Warning: no app is in the environment dve; there are apps in dev";
    for verb in ["list", "logs", "events", "flush"] {
        env.eco(&[verb, "-E", "dve"]).ok().tells(&[warning]);
    }
    env.eco(&["stop", "all", "-E", "dve"])
        .fails(1, &[warning, "no app matches \"all\""]);
    let known = env.eco(&["list", "-E", "dev"]).ok();
    assert!(!known.stderr.contains("Warning"), "{known}");
    env.eco(&["list", "-E", ""]).fails(2, &["--environment"]);
}

#[test]
fn a_word_that_is_no_number_is_told_what_would_be_one() {
    let env = TestEnv::new();
    let whole = "expected a whole number";
    let seconds = "expected a number of seconds from 1 to 60";
    for (line, expected) in [
        (&["stop", "a", "--timeout", "soon"][..], whole),
        (&["why", "a", "--lines", "few"], whole),
        (&["attach", "a", "-n", "few"], whole),
        (&["send", "a", "x", "--timeout", "0"], seconds),
        (&["trigger", "a", "gc", "--timeout", "x"], seconds),
        (&["events", "-n", "few"], "expected a number, or 'all'"),
        (&["logs", "--run", "last"], "expected the number of a run"),
        (&["signal", "USR3", "a"], "did you mean"),
    ] {
        env.eco(line).fails(2, &["invalid value", expected]);
    }
    assert!(!env.home().exists());
}

#[test]
fn a_verb_that_is_not_there_has_no_help() {
    let env = TestEnv::new();
    env.eco(&["help", "strat"])
        .fails(2, &["unrecognized subcommand 'strat'"]);
    env.eco(&["schema", "file"])
        .fails(2, &["unexpected argument"]);
}

#[test]
fn a_full_disk_and_a_reader_that_has_gone_are_told_apart() {
    let env = TestEnv::new();
    let schema = |stdout: std::process::Stdio| {
        let mut command = env.command(env.project(), &["schema"]);
        let child = command
            .stdout(stdout)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("eco can be run");
        child.wait_with_output().expect("it ends")
    };
    let full = File::options().write(true).open("/dev/full");
    let output = schema(full.expect("the kernel has it").into());
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("failed to write the output"), "{told}");

    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    assert_eq!(schema(writer.into()).status.code(), Some(3));
}

#[test]
fn a_folder_that_cannot_be_made_is_told_by_init() {
    let env = TestEnv::new();
    env.write("flat", "a file, no folder");
    env.eco(&["init", "flat/below"])
        .fails(1, &["failed to write", "flat/below", "Hint: eco init DIR"]);
}
