//! What a file says of dependencies, probes, limits, the clock and an app's kind.

#![expect(
    clippy::unwrap_used,
    reason = "this is a part of tests, though not all in one"
)]

mod support;

use std::time::Duration;

use eco_config::spec::{
    AppSpec, Check, Condition, Dependency, ExecMode, IllAction, Kind, Limits, Probe, RestartWhen,
};
use insta::assert_snapshot;
use support::{Folder, of};

/// The only app of a file that holds `fields` and a script.
fn app(fields: &str) -> AppSpec {
    let text = format!("module.exports = [{{ script: 'app.js', {fields} }}]");
    let mut ecosystem = of(&text).unwrap();
    assert_eq!(ecosystem.warnings, [], "{fields}");
    ecosystem.apps.remove(0)
}

/// What is said of an app of these fields, without what every line begins with.
fn said_of(fields: &str) -> String {
    let text = format!("module.exports = [{{ script: 'app.js', {fields} }}]");
    Folder::new(&[("ecosystem.config.js", &text)])
        .said_of("ecosystem.config.js")
        .replace("ecosystem.config.js:1:39: [0].", "")
}

fn readiness(fields: &str) -> Check {
    let app = app(&format!("readiness: {{ {fields} }}"));
    app.ready.probe.unwrap().probe.check
}

fn liveness(fields: &str) -> Probe {
    app(&format!("liveness: {{ {fields} }}"))
        .liveness
        .unwrap()
        .probe
}

#[test]
fn an_app_waits_for_others_by_name_and_for_places_by_url() {
    let ready = |name: &str| format!("{name}:Ready");
    let on = |fields: &str| {
        let said = |dependency: &Dependency| match dependency {
            Dependency::App { name, condition } => format!("{name}:{condition:?}"),
            Dependency::Tcp(address) => format!("tcp {address}"),
            Dependency::Http(url) => format!("http {url}"),
        };
        app(&format!("depends_on: {fields}"))
            .depends_on
            .iter()
            .map(said)
            .collect::<Vec<_>>()
    };
    assert_eq!(on("'db'"), [ready("db")]);
    assert_eq!(
        on("['db', 'db', 'tcp://127.0.0.1:5432', 'http://127.0.0.1:9000/health']"),
        [
            ready("db"),
            "tcp 127.0.0.1:5432".to_owned(),
            "http http://127.0.0.1:9000/health".to_owned()
        ]
    );
    assert_eq!(
        on(
            "{ a: 'started', b: { condition: 'service_healthy' }, c: {}, d: 'service_completed_successfully' }"
        ),
        [
            format!("a:{:?}", Condition::Started),
            ready("b"),
            ready("c"),
            "d:Completed".to_owned()
        ]
    );
    assert!(on("[]").is_empty());
}

#[test]
fn what_cannot_be_waited_for_is_told() {
    assert_snapshot!(said_of("depends_on: ['', 5, 'https://h/', 'tcp://h', 'ftp://h', 'tcp://h:${PORT}']"), @r#"
    problem: depends_on[0]: found "", expected an app's name, or a URL such as "tcp://127.0.0.1:5432"
    problem: depends_on[1]: found 5, expected an app's name, or a URL such as "tcp://127.0.0.1:5432"
    problem: depends_on[2]: found "https://h/", expected an app's name, or a URL such as "tcp://127.0.0.1:5432" (https is not spoken: ask a port that speaks http, or use exec with a program such as curl)
    problem: depends_on[3]: found "tcp://h", expected an app's name, or a URL such as "tcp://127.0.0.1:5432" (the port is missing)
    problem: depends_on[4]: found "ftp://h", expected an app's name, or a URL such as "tcp://127.0.0.1:5432" (the URLs are tcp://host:port and http://…)
    problem: depends_on[5]: found "tcp://h:${PORT}", expected an app's name, or a URL such as "tcp://127.0.0.1:5432" (no variables of an instance can stand here: nothing is started yet)
    "#);
    assert_snapshot!(said_of("depends_on: { a: 'redy', b: { condition: 1, x: 1 }, 'tcp://h:1': 'started' }"), @r#"
    problem: depends_on.a: found "redy", expected "started", "ready" or "completed" (did you mean "ready"?)
    problem: depends_on.b.condition: found 1, expected "started", "ready" or "completed"
    problem: depends_on: found "tcp://h:1", expected an app's name, or a URL such as "tcp://127.0.0.1:5432" (a URL can only be ready)
    problem: depends_on.b.x: no known field, ignored
    "#);
}

#[test]
fn apps_that_wait_for_each_other_are_told_with_a_place() {
    let text = r"module.exports = [
  { name: 'a', script: 'a.js', depends_on: ['b'] },
  { name: 'b', script: 'a.js', depends_on: { c: 'started' } },
  { name: 'c', script: 'a.js',
    depends_on: ['elsewhere', 'b'] },
  { name: 'd', script: 'a.js', depends_on: ['d'] },
]";
    let said = Folder::new(&[("ecosystem.config.js", text)]).said_of("ecosystem.config.js");
    assert_snapshot!(said, @r"
    problem: ecosystem.config.js:3:32: [1].depends_on: these apps wait for each other: b -> c -> b
    problem: ecosystem.config.js:6:32: [3].depends_on: the app waits for itself
    ");
}

#[test]
fn a_sign_of_readiness_is_one_of_five() {
    let http = |url: &str, statuses: &[(u16, u16)]| Check::Http {
        url: url.to_owned(),
        statuses: statuses.to_vec(),
    };
    assert_eq!(readiness("http: 'http://h:1/x'"), http("http://h:1/x", &[]));
    assert_eq!(
        readiness("http: { port: 3000, status: 204 }"),
        http("http://127.0.0.1:3000/", &[(204, 204)])
    );
    assert_eq!(
        readiness("http: { port: '${PORT}', path: '/health', status: [200, '300-302'] }"),
        http("http://127.0.0.1:${PORT}/health", &[(200, 200), (300, 302)])
    );
    assert_eq!(
        readiness("http: { url: 'http://${HOST}:${PORT}/', status: '200-299' }"),
        http("http://${HOST}:${PORT}/", &[(200, 299)])
    );
    assert_eq!(readiness("tcp: 3000"), Check::Tcp("3000".to_owned()));
    assert_eq!(
        readiness("tcp: '${PORT}'"),
        Check::Tcp("${PORT}".to_owned())
    );
    assert_eq!(
        readiness("tcp: 'db:5432'"),
        Check::Tcp("db:5432".to_owned())
    );
    let exec = |words: &[&str]| Check::Exec(words.iter().map(ToString::to_string).collect());
    assert_eq!(
        readiness("exec: 'pg_isready -h \"a b\"'"),
        exec(&["pg_isready", "-h", "a b"])
    );
    assert_eq!(
        readiness("exec: ['./check', 'x y']"),
        exec(&["./check", "x y"])
    );
    assert_eq!(
        readiness("log: 'listening on \\\\d+'"),
        Check::Log(r"listening on \d+".to_owned())
    );
    assert_eq!(
        readiness("log: /^Ready\\/up/gi"),
        Check::Log(r"(?i)^Ready\/up".to_owned())
    );
    assert_eq!(readiness("notify: true, tcp: false"), Check::Notify);
}

#[test]
fn a_probe_says_how_often_how_long_and_what_counts() {
    let seconds = Duration::from_secs;
    let ready = app("readiness: { notify: true }").ready.probe.unwrap();
    let probe = Probe {
        check: Check::Notify,
        interval: seconds(1),
        timeout: seconds(3),
        start_period: seconds(0),
        successes: 1,
        failures: 3,
    };
    assert_eq!((ready.probe, ready.within), (probe, Some(seconds(60))));
    let ready = app("readiness: { tcp: 1, interval: 500, timeout: '2s', successes: 2, within: 0 }")
        .ready
        .probe
        .unwrap();
    let probe = Probe {
        check: Check::Tcp("1".to_owned()),
        interval: Duration::from_millis(500),
        timeout: seconds(2),
        start_period: seconds(0),
        successes: 2,
        failures: 3,
    };
    assert_eq!((ready.probe, ready.within), (probe, None));
    let live = liveness("tcp: 1, startPeriod: '10s', failures: '5'");
    assert_eq!((live.start_period, live.failures), (seconds(10), 5));
}

#[test]
fn a_sign_of_life_may_be_that_something_is_said() {
    let output = liveness("output: true, interval: '30s'");
    assert_eq!(
        (output.check, output.interval, output.failures),
        (Check::Output, Duration::from_secs(30), 3)
    );
    let silence = liveness("silence: '5m'");
    assert_eq!(
        (silence.check, silence.interval, silence.failures),
        (Check::Output, Duration::from_secs(300), 1)
    );
    let plain = liveness("exec: 'true'");
    assert_eq!(
        (plain.interval, plain.failures),
        (Duration::from_secs(10), 3)
    );
    let action = |fields: &str| {
        app(&format!("liveness: {{ tcp: 1, {fields} }}"))
            .liveness
            .unwrap()
            .action
    };
    assert_eq!(action(""), IllAction::Restart);
    assert_eq!(action("action: 'stop'"), IllAction::Stop);
    assert_eq!(action("action: 'mark'"), IllAction::Mark);
}

#[test]
fn what_is_no_probe_is_told() {
    assert_snapshot!(said_of("readiness: 'x'"), @r#"problem: readiness: found "x", expected an object such as { http: 'http://127.0.0.1:3000/health' }"#);
    assert_snapshot!(said_of("readiness: {}"), @"problem: readiness: found none, expected exactly one of http, tcp, exec, log and notify");
    assert_snapshot!(said_of("readiness: { http: 'http://h/', tcp: 1 }"), @"problem: readiness: found http and tcp, expected exactly one of http, tcp, exec, log and notify");
    assert_snapshot!(said_of("readiness: { http: 'https://h/', interval: 0, retries: 3 }"), @r#"
    problem: readiness.http: found "https://h/", expected a URL such as "http://127.0.0.1:3000/health" (https is not spoken: ask a port that speaks http, or use exec with a program such as curl)
    problem: readiness.interval: found 0, expected milliseconds, or a time such as "10s" (it must be longer than that)
    problem: readiness.retries: no known field, ignored
    "#);
    assert_snapshot!(said_of("readiness: { http: { path: '/x', status: 99 } }"), @r#"
    problem: readiness.http.status: found 99, expected a status such as 200, a range such as "200-299", or a list of them (statuses are numbered from 100 to 599)
    problem: readiness.http: found path alone, expected either url, or port with or without path
    "#);
    assert_snapshot!(said_of("readiness: { http: { url: 'http://h:${PORT/', status: '300-200' } }"), @r#"
    problem: readiness.http.status: found "300-200", expected a status such as 200, a range such as "200-299", or a list of them (300 is more than 200)
    problem: readiness.http.url: found "http://h:${PORT/", expected a URL such as "http://127.0.0.1:3000/health" (a ${ is never closed)
    "#);
    assert_snapshot!(said_of("readiness: { tcp: 70000, successes: 0 }"), @r#"
    problem: readiness.tcp: found 70000, expected a port, or a text such as "127.0.0.1:5432" ("70000" is no port from 1 to 65535)
    problem: readiness.successes: found 0, expected a number from 1
    "#);
    assert_snapshot!(said_of("readiness: { log: '(' }"), @r#"problem: readiness.log: found "(", expected a regular expression (unclosed group)"#);
    assert_snapshot!(said_of("readiness: { log: /a(?=b)/ }"), @r#"problem: readiness.log: found /a(?=b)/, expected a regular expression (look-around, including look-ahead and look-behind, is not supported)"#);
    assert_snapshot!(said_of("readiness: { exec: [] }"), @"problem: readiness.exec: found [], expected a program and its arguments (the program is missing)");
    assert_snapshot!(said_of("readiness: { output: true }"), @r"
    problem: readiness: found none, expected exactly one of http, tcp, exec, log and notify
    problem: readiness.output: no known field, ignored
    ");
    assert_snapshot!(said_of("liveness: { silence: 0, action: 'kill', log: 'x' }"), @r#"
    problem: liveness.silence: found 0, expected milliseconds, or a time such as "10s" (it must be longer than that)
    problem: liveness.action: found "kill", expected "restart", "stop" or "mark"
    problem: liveness.log: no known field, ignored
    "#);
}

#[test]
fn limits_have_units() {
    let limits = |fields: &str| app(&format!("limits: {{ {fields} }}")).limits;
    assert_eq!(
        limits("memory: '512M', cpu: 0.5, pids: 100, nofile: '4096'"),
        Limits {
            memory: Some(512 << 20),
            cpu_millis: Some(500),
            tasks: Some(100),
            open_files: Some(4096),
        }
    );
    assert_eq!(limits("cpu: '50%'").cpu_millis, Some(500));
    assert_eq!(
        limits("cpu: '2.5', tasks: 1, openFiles: 3").cpu_millis,
        Some(2500)
    );
    assert!(limits("").is_none());
    assert_snapshot!(said_of("limits: { memory: 0, cpu: 0, tasks: -1, open_files: 'many', disk: 1 }"), @r#"
    problem: limits.memory: found 0, expected a size such as "512M"
    problem: limits.cpu: found 0, expected a number of processors such as 0.5, or a share of one such as "50%" (a thousandth of a processor is the least)
    problem: limits.tasks: found -1, expected a number from 1
    problem: limits.open_files: found "many", expected a number from 1
    problem: limits.disk: no known field, ignored
    "#);
    assert_snapshot!(said_of("limits: '1G'"), @r#"problem: limits: found "1G", expected an object such as { memory: '512M', cpu: 0.5 }"#);
    assert_snapshot!(said_of("limits: { cpu: '50 %%' }"), @r#"problem: limits.cpu: found "50 %%", expected a number of processors such as 0.5, or a share of one such as "50%""#);
}

#[test]
fn what_is_meant_to_end_is_not_restarted_unless_it_fails() {
    let when = |fields: &str| {
        let app = app(fields);
        (app.kind, app.restart.when)
    };
    assert_eq!(when("oneshot: true"), (Kind::Oneshot, RestartWhen::Never));
    assert_eq!(
        when("oneshot: true, restart_policy: 'on-failure'"),
        (Kind::Oneshot, RestartWhen::OnFailure)
    );
    assert_eq!(
        when("oneshot: false, restart: 'no'"),
        (Kind::Service, RestartWhen::Never)
    );
    assert_eq!(
        when("restart: 'unless-stopped'"),
        (Kind::Service, RestartWhen::Always)
    );
    assert_snapshot!(said_of("oneshot: true, autorestart: true"), @r#"problem: ecosystem.config.js:1:54: [0].autorestart: found true, expected false or "on-failure" (a oneshot app is meant to end)"#);
}

#[test]
fn a_schedule_is_a_pattern_in_a_zone() {
    let schedule = |fields: &str| {
        let schedule = app(fields).schedule?;
        Some((
            schedule.pattern().to_owned(),
            schedule.zone().map(str::to_owned),
        ))
    };
    let of =
        |pattern: &str, zone: Option<&str>| Some((pattern.to_owned(), zone.map(str::to_owned)));
    assert_eq!(schedule("cron: '0 3 * * *'"), of("0 3 * * *", None));
    assert_eq!(
        schedule("cron_restart: '0 0 3 * * MON', timezone: 'Europe/Berlin'"),
        of("0 0 3 * * MON", Some("Europe/Berlin"))
    );
    for none in ["0", "'0'", "''", "false", "null"] {
        assert_eq!(schedule(&format!("cron_restart: {none}")), None, "{none}");
    }
    assert_snapshot!(said_of("cron_restart: '* * *'"), @r#"problem: cron_restart: found "* * *", expected a cron pattern such as "0 3 * * *" (five fields are needed, or six with seconds first)"#);
    assert_snapshot!(said_of("cron_restart: '61 * * * *', cron_timezone: 'Europe/Belin'"), @r#"
    problem: cron_restart: found "61 * * * *", expected a cron pattern such as "0 3 * * *" (number out of bounds)
    problem: ecosystem.config.js:1:67: [0].cron_timezone: found "Europe/Belin", expected the name of a time zone such as "Europe/Berlin" (there is no time zone named "Europe/Belin")
    "#);
    assert_snapshot!(said_of("cron_restart: '0 0 31 2 *'"), @r#"problem: cron_restart: found "0 0 31 2 *", expected a cron pattern such as "0 3 * * *" (there is no such time)"#);
    assert_snapshot!(said_of("cron_restart: 5"), @r#"problem: cron_restart: found 5, expected a cron pattern such as "0 3 * * *" (five fields are needed, or six with seconds first)"#);
}

#[test]
fn fields_that_are_another_way_to_say_something() {
    let app = app(
        "name_prefix: 'x-', env_file: '.env', pid_file: 'a.pid', stop_grace: '7s', stop_signal: 'TERM', username: 'me',
         source_map_support: true, node_args: '--inspect', instances: 4, execute_command: true",
    );
    assert_eq!(app.name.as_str(), "x-app");
    assert_eq!(app.env_files, [std::path::PathBuf::from(".env")]);
    assert_eq!(app.pid_file.unwrap().to_str(), Some("a.pid"));
    assert_eq!(
        (app.stop.kill_timeout, app.stop.signal),
        (Duration::from_secs(7), 15)
    );
    assert_eq!(app.user.as_deref(), Some("me"));
    assert_eq!(
        app.interpreter_arguments,
        ["--enable-source-maps", "--inspect"]
    );
    assert_eq!((app.instances, app.exec_mode), (4, ExecMode::Fork));
}

#[test]
fn source_maps_are_for_node_alone() {
    let arguments =
        |fields: &str| app(&format!("source_map_support: true, {fields}")).interpreter_arguments;
    assert_eq!(
        arguments("interpreter: '/opt/node'"),
        ["--enable-source-maps"]
    );
    assert!(arguments("interpreter: 'python3'").is_empty());
    assert!(arguments("disable_source_map_support: true").is_empty());
    assert_eq!(
        arguments("node_args: ['--enable-source-maps']"),
        ["--enable-source-maps"]
    );
}

#[test]
fn several_files_of_variables_are_a_list() {
    let files = |fields: &str| app(&format!("env_file: {fields}")).env_files;
    assert_eq!(
        files("['a b.env', '../c']"),
        [std::path::PathBuf::from("a b.env"), "../c".into()]
    );
    assert!(files("false").is_empty());
    assert_snapshot!(said_of("env_file: ['', 1]"), @r#"problem: env_file: found ["",1], expected a path or a list of paths"#);
}
