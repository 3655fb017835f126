//! Speaking with apps: over Node's channel, their standard input, notices and signals, with real programs.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

use eco_tests::{TestEnv, app, wait_until};
use nix::pty::openpty;
use nix::sys::termios::tcgetattr;
use serde_json::{Value, json};

/// A Node app, or one of tsx, that does what it is told, over its channel and its standard input.
const TALKER: &str = r#"
process.on("message", (message) => {
  const answer = (value) => process.send({ type: "axm:reply", data: { action_name: "gc", return: value } });
  if (message === "shutdown") { console.log("told to shut down"); process.exit(0); }
  if (message === "gc") answer({ freed: 7 });
  if (message?.msg === "gc") answer(`gc of ${message.opts}`);
});
process.on("SIGINT", () => { console.log("SIGINT"); process.exit(0); });
process.on("SIGUSR2", () => console.log("SIGUSR2"));
process.on("disconnect", () => console.log("disconnected"));
process.stdin.on("data", (data) => console.log(`heard ${String(data).trim()}`));
for (const name of ["gc", "silent"]) process.send({ type: "axm:action", data: { action_name: name, action_type: "custom" } });
process.send({ type: "axm:monitor", data: { sold: { value: 3, unit: "items" } } });
console.log("up");
"#;

/// A Python app that tells what it has of a channel, and what it reads.
const READER: &str = r#"
import os, sys
print(os.path.exists("/proc/self/fd/3"), "NODE_CHANNEL_FD" in os.environ, "NOTIFY_SOCKET" in os.environ, flush=True)
for line in sys.stdin:
    print("heard", line.strip(), flush=True)
"#;

fn tsx() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/apps/node_modules/.bin/tsx");
    assert!(
        path.exists(),
        "{} is missing: cargo xtask test installs what the examples' services need",
        path.display()
    );
    path.to_str().expect("the path is UTF-8").to_owned()
}

/// An environment of these apps, whose scripts are `talker.js` and `reader.py`, all of them started and up.
fn started(apps: &Value) -> TestEnv {
    let env = TestEnv::new();
    env.write("talker.js", TALKER);
    env.write("talker.ts", TALKER);
    env.write("reader.py", READER);
    env.ecosystem("dev", apps);
    drop(env.eco(&["start", "dev"]).ok());
    env
}

fn talker(fields: &Value) -> Value {
    let mut app = json!({ "name": "talker", "script": "talker.js" });
    if let (Some(app), Some(fields)) = (app.as_object_mut(), fields.as_object()) {
        app.extend(fields.clone());
    }
    app
}

fn lines(env: &TestEnv, app: &str) -> Vec<String> {
    env.logs(app)
        .into_iter()
        .map(|record| record.line)
        .collect()
}

fn says(env: &TestEnv, app: &str, line: &str) {
    wait_until(&format!("{app} says {line}"), || {
        lines(env, app).iter().any(|said| said == line)
    });
}

#[test]
fn an_app_that_is_to_say_so_is_online_when_it_says_that_it_is_ready() {
    let env = TestEnv::new();
    let go = env.path("go");
    let script = "const fs = require('fs'); setInterval(() => { if (fs.existsSync('GO')) process.send('ready'); }, 5);";
    env.write("slow.js", &script.replace("GO", &go));
    let app = json!({ "name": "slow", "script": "slow.js", "wait_ready": true, "listen_timeout": 60_000 });
    env.ecosystem("dev", &json!([app]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("it lives", || {
        env.list().one("slow").field("pid").is_number()
    });
    assert_eq!(env.list().one("slow").status(), "launching");
    env.write("go", "");
    drop(env.eco(&["start", "dev"]).ok());
    wait_until("it is online", || {
        env.list().one("slow").status() == "online"
    });
    assert_eq!(env.describe("slow")["channel"], json!("open"));
}

#[test]
fn one_that_says_nothing_counts_as_online_in_the_end_and_start_says_so() {
    let env = TestEnv::new();
    env.write("mute.js", "setInterval(() => {}, 1000);");
    let app =
        json!({ "name": "mute", "script": "mute.js", "wait_ready": true, "listen_timeout": 300 });
    env.ecosystem("dev", &json!([app]));
    env.eco(&["start", "dev"])
        .ok()
        .tells(&["did not say that it is ready within 300 ms"]);
    assert_eq!(env.list().one("mute").status(), "online");
}

#[test]
fn a_ready_that_is_said_while_there_is_no_agent_is_heard_by_the_next_one() {
    let env = TestEnv::new();
    // It says it once, and lives: nothing but the one word makes it online.
    let script = "const fs = require('fs'); let said = false; setInterval(() => {
        if (said || !fs.existsSync('GO')) return; said = true;
        process.send('ready', () => fs.writeFileSync('SAID', '')); }, 5);";
    let script = script.replace("GO", &env.path("go"));
    env.write("slow.js", &script.replace("SAID", &env.path("said")));
    let app = json!({ "name": "slow", "script": "slow.js", "wait_ready": true, "listen_timeout": 600_000 });
    env.ecosystem("dev", &json!([app]));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("it lives", || {
        env.list().one("slow").field("pid").is_number()
    });
    env.slay(env.daemons().agent);
    env.write("go", "");
    wait_until("it was said", || env.project().join("said").exists());
    wait_until("it is online", || {
        env.list().one("slow").status() == "online"
    });
}

#[test]
fn no_ready_is_lost_to_agents_that_are_killed_while_apps_say_it() {
    let env = TestEnv::new();
    // Each says it once, some ms after the others.
    let script =
        "const fs = require('fs'); const own = 7 * Number(process.argv[2]); let said = false;
        setInterval(() => { if (said || !fs.existsSync('GO')) return; said = true;
        setTimeout(() => process.send('ready'), own); }, 5);";
    env.write("slow.js", &script.replace("GO", &env.path("go")));
    let apps: Vec<Value> = (0..20)
        .map(|n| {
            json!({ "name": format!("slow-{n}"), "script": "slow.js", "args": [n.to_string()],
                "wait_ready": true, "listen_timeout": 600_000 })
        })
        .collect();
    env.ecosystem("dev", &json!(apps));
    drop(env.eco(&["start", "dev", "--no-wait"]).ok());
    wait_until("all live", || env.list().pids().len() == apps.len());
    env.write("go", "");
    for _ in 0..4 {
        env.slay(env.daemons().agent);
        drop(env.eco(&["list"]).ok());
    }
    wait_until("all are online", || env.list().are_all("online"));
}

#[test]
fn an_app_that_is_ended_by_words_gets_them_and_no_signal() {
    for script in ["talker.js", "talker.ts"] {
        let mut app = talker(&json!({ "script": script, "shutdown_with_message": true }));
        if script.ends_with("ts") {
            app["interpreter"] = json!(tsx());
        }
        let env = started(&json!([app]));
        says(&env, "talker", "up");
        drop(env.eco(&["stop", "talker"]).ok());
        assert_eq!(
            lines(&env, "talker"),
            ["up", "told to shut down"],
            "{script}"
        );
        let described = env.describe("talker");
        assert_eq!(described["exits"][0]["code"], json!(0), "{described}");
        let cause = described["cause"].as_str().unwrap_or_default();
        assert!(
            cause.starts_with("stopped by ") && !cause.contains(';'),
            "{cause}"
        );
    }
}

#[test]
fn one_that_lost_its_channel_with_its_keeper_lives_and_is_ended_by_its_signal() {
    let plain = talker(&json!({ "shutdown_with_message": true }));
    let typed = talker(
        &json!({ "name": "typed", "script": "talker.ts", "interpreter": tsx(),
        "shutdown_with_message": true }),
    );
    let env = started(&json!([plain, typed]));
    for name in ["talker", "typed"] {
        says(&env, name, "up");
    }
    let pids = env.list().pids();
    env.slay(env.daemons().keeper);
    says(&env, "talker", "disconnected");
    for name in ["talker", "typed"] {
        wait_until("the next keeper is there", || {
            env.describe(name)["channel"] == json!("none")
        });
    }
    assert_eq!(env.list().pids(), pids);
    drop(env.eco(&["stop", "all"]).ok());
    for name in ["talker", "typed"] {
        assert_eq!(lines(&env, name).last().map(String::as_str), Some("SIGINT"));
        let described = env.describe(name);
        let cause = described["cause"].as_str().unwrap_or_default();
        let remark = "; by SIGINT, since it has no channel to be told over";
        assert!(cause.ends_with(remark), "{cause}");
    }
}

#[test]
fn actions_are_triggered_and_answered_in_node_and_in_tsx() {
    let typed = json!({ "name": "typed", "script": "talker.ts", "interpreter": tsx() });
    let reader = json!({ "name": "reader", "script": "reader.py" });
    let env = started(&json!([talker(&json!({})), typed, reader]));
    for name in ["talker", "typed"] {
        wait_until("its actions are known", || {
            env.describe(name)["custom_actions"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
        });
        let answer = env.eco(&["trigger", name, "gc", "--json"]).ok().json();
        assert_eq!(answer[0]["answer"], json!({ "freed": 7 }), "{name}");
        let text = env.eco(&["trigger", name, "gc", "the heap"]).ok();
        assert_eq!(text.stdout, format!("dev/{name}#0: gc of the heap\n"));
    }
    let metrics = env.describe("talker")["custom_metrics"].clone();
    assert_eq!(
        metrics,
        json!([{ "name": "sold", "value": "3", "unit": "items", "kind": null }])
    );
    env.eco(&["trigger", "talker", "nope"])
        .fails(1, &["no action nope", "gc, silent"]);
    env.eco(&["trigger", "talker", "silent", "--timeout", "1"])
        .fails(1, &["did not answer within 1 s"]);
    env.eco(&["trigger", "reader", "gc"])
        .fails(1, &["it has no channel"]);
}

#[test]
fn an_action_can_be_triggered_that_was_announced_to_an_earlier_agent() {
    let env = started(&json!([talker(&json!({}))]));
    says(&env, "talker", "up");
    env.slay(env.daemons().agent);
    let answer = env.eco(&["trigger", "talker", "gc", "--json"]).ok().json();
    assert_eq!(answer[0]["answer"], json!({ "freed": 7 }));
}

#[test]
fn a_python_app_and_a_shell_have_nothing_of_a_channel() {
    let reader = json!({ "name": "reader", "script": "reader.py" });
    let shell = json!({ "name": "shell", "script": "[ -e /proc/$$/fd/3 ] && echo has; echo looked; sleep 600" });
    let env = started(&json!([reader, shell]));
    says(&env, "reader", "False False False");
    says(&env, "shell", "looked");
    assert_eq!(lines(&env, "shell"), ["looked"]);
    env.eco(&["trigger", "reader", "gc"])
        .fails(1, &["dev/reader#0: it has no channel", "Hint:"]);
}

#[test]
fn a_child_of_a_node_app_has_nothing_of_its_channel() {
    let env = TestEnv::new();
    env.write(
        "parent.js",
        "require('child_process').spawn('sh', ['-c', '[ -e /proc/$$/fd/3 ] && echo has; env | grep -c NODE_CHANNEL'],
           { stdio: 'inherit' }); setInterval(() => {}, 1000);",
    );
    env.ecosystem("dev", &json!([{ "name": "parent", "script": "parent.js" }]));
    drop(env.eco(&["start", "dev"]).ok());
    says(&env, "parent", "0");
    assert_eq!(lines(&env, "parent"), ["0"]);
}

#[test]
fn a_line_reaches_the_standard_input_of_every_kind_of_app() {
    let reader = json!({ "name": "reader", "script": "reader.py" });
    let env = started(&json!([talker(&json!({})), reader]));
    says(&env, "talker", "up");
    drop(env.eco(&["send", "all", "good morning"]).ok());
    for name in ["talker", "reader"] {
        says(&env, name, "heard good morning");
    }
    drop(env.eco(&["stop", "reader"]).ok());
    env.eco(&["send", "all", "once more"]).fails(
        1,
        &["dev/reader#0: it is not running", "eco start dev/reader"],
    );
    says(&env, "talker", "heard once more");
}

#[test]
fn an_app_that_reads_nothing_is_told_with_what_went_in() {
    let env = TestEnv::new();
    env.ecosystem(
        "dev",
        &json!([{ "name": "deaf", "script": "exec sleep 600" }]),
    );
    drop(env.eco(&["start", "dev"]).ok());
    let long = "x".repeat(100_000);
    env.eco(&["send", "deaf", &long, "--timeout", "1"])
        .fails(1, &["does not read its standard input"]);
}

#[test]
fn what_is_piped_to_an_attachment_goes_in_and_its_answer_comes_out() {
    let env = started(&json!([talker(&json!({}))]));
    says(&env, "talker", "up");
    let mut command = env.command(env.project(), &["attach", "talker", "--settle", "3"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("eco runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(b"one\n").expect("it is taken");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "heard one\n");
    assert_eq!(env.list().one("talker").status(), "online");
    env.eco(&["attach", "nobody"]).fails(1, &["no app matches"]);
}

#[test]
fn a_question_without_a_newline_is_shown_before_it_is_answered() {
    let env = TestEnv::new();
    env.write(
        "repl.py",
        "while True:\n    name = input('name? ')\n    print('hello', name, flush=True)\n",
    );
    env.ecosystem("dev", &json!([{ "name": "repl", "script": "repl.py" }]));
    drop(env.eco(&["start", "dev"]).ok());
    let mut command = env.command(env.project(), &["attach", "repl"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("eco runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let mut stdout = child.stdout.take().expect("it is piped");
    let (tell, shown) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok(count @ 1..) = stdout.read(&mut bytes) {
            tell.send(bytes[..count].to_vec())
                .expect("the test listens");
        }
    });
    let mut seen = Vec::new();
    let mut is_shown = |words: &str| {
        wait_until("the words are shown", || {
            seen.extend(shown.try_iter().flatten());
            String::from_utf8_lossy(&seen) == words
        });
    };
    is_shown("name? ");
    stdin.write_all(b"ann\n").expect("it is taken");
    is_shown("name? hello ann\nname? ");
    env.slay(env.daemons().logd);
    stdin.write_all(b"bob\n").expect("it is taken");
    is_shown("name? hello ann\nname? hello bob\nname? ");
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_person_at_a_terminal_types_to_an_app_and_leaves_it_by_a_key() {
    let env = started(&json!([talker(&json!({}))]));
    says(&env, "talker", "up");
    let pair = openpty(None, None).expect("a terminal");
    let before = tcgetattr(&pair.slave).expect("its settings");
    let terminal = pair.slave.try_clone().expect("a copy");
    let mut attached = env.follow_from(terminal.into(), &["attach", "talker"]);
    let mut keys = std::fs::File::from(pair.master);
    keys.write_all(b"good mroning\x7f\x7f\x7f\x7f\x7f\x7forning\n")
        .expect("typed");
    attached.wait_for_end("heard good morning");
    assert_eq!(attached.code(), None, "it stays");
    // Half a line, given up.
    keys.write_all(b"half\x1d").expect("typed");
    wait_until("it detaches", || attached.code() == Some(0));
    wait_until("it says so", || {
        attached.told().contains("Detached from dev/talker#0")
    });
    assert_eq!(attached.text(), "heard good morning");
    let after = tcgetattr(&pair.slave).expect("its settings");
    assert_eq!(after.control_chars, before.control_chars);
    assert_eq!(env.list().one("talker").status(), "online");
    assert_eq!(lines(&env, "talker"), ["up", "heard good morning"]);
}

#[test]
fn one_instance_is_attached_to_and_no_more() {
    let env = TestEnv::new();
    let app =
        json!({ "name": "two", "script": "exec sleep 600", "instances": 2, "exec_mode": "fork" });
    env.ecosystem("dev", &json!([app]));
    drop(env.eco(&["start", "dev"]).ok());
    env.eco(&["attach", "two"])
        .fails(1, &["several instances", "dev/two#1"]);
    drop(env.eco(&["stop", "two"]).ok());
    env.eco(&["attach", "0"]).fails(1, &["it is not running"]);
}

#[test]
fn a_signal_reaches_the_app_and_is_no_stop() {
    let env = started(&json!([talker(&json!({}))]));
    says(&env, "talker", "up");
    drop(env.eco(&["signal", "usr2", "talker"]).ok());
    says(&env, "talker", "SIGUSR2");
    let before = env.list().one("talker").pid();
    drop(env.eco(&["sendSignal", "SIGKILL", "talker"]).ok());
    wait_until("it is restarted", || {
        let list = env.list();
        let one = list.one("talker");
        one.status() == "online" && one.pid() != before
    });
    env.eco(&["signal", "USR3", "talker"])
        .fails(2, &["did you mean"]);
}

#[test]
fn an_app_that_says_that_it_stops_is_shown_as_stopping_until_another_run_begins() {
    let env = TestEnv::new();
    let go = env.path("go");
    let actions = [
        "notify:READY=1",
        &format!("file:{go}"),
        "notify:STOPPING=1",
        "wait",
    ];
    let mut own = app("api", &actions);
    own["readiness"] = json!({ "notify": true });
    env.ecosystem("dev", &json!([own]));
    drop(env.eco(&["start", "dev"]).ok());
    let pid = env.list().one("api").pid();
    env.write("go", "");
    wait_until("it is stopping", || {
        env.list().one("api").status() == "stopping"
    });
    let described = env.describe("api");
    assert_eq!(described["cause"], "it says that it is stopping");
    assert_eq!(described["pid"], pid);
    std::fs::remove_file(&go).expect("it is there");
    drop(env.eco(&["restart", "api"]).ok());
    assert_eq!(env.list().one("api").status(), "online");
}

#[test]
fn what_an_app_notifies_of_itself_is_shown() {
    let env = TestEnv::new();
    env.write(
        "notice.py",
        "import os, socket, time\n\
         socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1\\nSTATUS=Serving', os.environ['NOTIFY_SOCKET'])\n\
         time.sleep(600)\n",
    );
    let app = json!({ "name": "notice", "script": "notice.py", "readiness": { "notify": true } });
    env.ecosystem("dev", &json!([app]));
    drop(env.eco(&["start", "dev"]).ok());
    let described = env.describe("notice");
    assert_eq!(described["status"], json!("online"), "{described}");
    wait_until("its status is shown", || {
        env.describe("notice")["status_text"] == json!("Serving")
    });
}
