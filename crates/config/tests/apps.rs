//! What the fields of a file mean.

#![expect(
    clippy::unwrap_used,
    reason = "this is a part of tests, though not all in one"
)]

mod support;

use std::time::Duration;

use eco_config::spec::{
    AppSpec, EnvironmentName, ExecMode, Interpreter, Links, ReadyPolicy, RestartDelay,
    RestartPolicy, RestartWhen, StopPolicy, StopReach, StopWords, WatchPolicy,
};
use eco_config::{EnvBlock, Fault, Single, load, single};
use support::{Folder, of};

/// The only app of a file that holds `fields` and a script.
fn app(fields: &str) -> AppSpec {
    let mut ecosystem = of(&format!(
        "module.exports = [{{ script: 'a.js', {fields} }}]"
    ))
    .unwrap();
    assert_eq!(ecosystem.warnings, []);
    ecosystem.apps.remove(0)
}

fn processors() -> u32 {
    let all = std::thread::available_parallelism().unwrap();
    u32::try_from(all.get()).unwrap()
}

#[test]
fn what_a_file_does_not_say_is_pm2_s_default() {
    let app = app("");
    assert_eq!(app.namespace, "default");
    assert_eq!((app.instances, app.exec_mode), (1, ExecMode::Fork));
    assert_eq!(app.interpreter, Interpreter::ByExtension);
    assert_eq!(app.instance_var, "NODE_APP_INSTANCE");
    assert_eq!((app.cwd, app.watch, app.max_memory), (None, None, None));
    assert!(app.autostart);
    let restart = RestartPolicy {
        when: RestartWhen::Always,
        min_uptime: Duration::from_secs(1),
        max_unstable: 16,
        delay: RestartDelay::Default,
        stop_exit_codes: vec![],
    };
    assert_eq!(app.restart, restart);
    let stop = StopPolicy {
        words: StopWords::Signal,
        signal: 2,
        kill_timeout: Duration::from_millis(1600),
        reach: StopReach::Tree,
    };
    assert_eq!(app.stop, stop);
    let ready = ReadyPolicy {
        listen_timeout: Duration::from_secs(3),
        wait_ready: false,
        probe: None,
    };
    assert_eq!(app.ready, ready);
}

#[test]
fn fields_have_other_names_camel_case_and_numbers_as_texts() {
    let app = app(
        "nodeArgs: '--inspect  --x', args: ['a b', 1], maxMemoryRestart: '200M', killTimeout: '5000', minUptime: '10s',
         stop_signal: 'term', treekill: false, stop_exit_codes: '0 3', restartDelay: 100, cwd: './sub', uid: 1000,
         exec_interpreter: 'none', max_restarts: '3', waitReady: true, watch: true, autorestart: null",
    );
    assert_eq!(app.interpreter_arguments, ["--inspect", "--x"]);
    assert_eq!(app.arguments, ["a b", "1"]);
    assert_eq!(app.max_memory, Some(200 << 20));
    assert_eq!(app.stop.kill_timeout, Duration::from_secs(5));
    assert_eq!((app.stop.signal, app.stop.reach), (15, StopReach::Leader));
    assert_eq!(app.restart.min_uptime, Duration::from_secs(10));
    assert_eq!(app.restart.stop_exit_codes, [0, 3]);
    assert_eq!(
        app.restart.delay,
        RestartDelay::Fixed(Duration::from_millis(100))
    );
    assert_eq!(
        (app.restart.max_unstable, app.restart.when),
        (3, RestartWhen::Always)
    );
    assert_eq!(app.cwd.unwrap().to_str(), Some("./sub"));
    assert_eq!(app.user.as_deref(), Some("1000"));
    assert_eq!(app.interpreter, Interpreter::None);
    assert!(app.ready.wait_ready);
    let watch = WatchPolicy {
        paths: vec![],
        ignore: None,
        delay: Duration::ZERO,
        links: Links::Followed,
        polling: None,
        depth: None,
    };
    assert_eq!(app.watch, Some(watch));
}

#[test]
fn a_cluster_is_asked_for_or_several_of_a_node_program() {
    let mode = |fields: &str| {
        let app = app(fields);
        (app.instances, app.exec_mode)
    };
    assert_eq!(mode("instances: 1"), (1, ExecMode::Fork));
    assert_eq!(mode("instances: '2'"), (2, ExecMode::Cluster));
    assert_eq!(mode("instances: 2, exec_mode: 'fork'"), (2, ExecMode::Fork));
    assert_eq!(
        mode("instances: 1, exec_mode: 'cluster_mode'"),
        (1, ExecMode::Cluster)
    );
    assert_eq!(
        mode("instances: 2, interpreter: 'python3'"),
        (2, ExecMode::Fork)
    );
    assert_eq!(
        mode("instances: 2, interpreter: '/usr/bin/node'"),
        (2, ExecMode::Cluster)
    );
    assert_eq!(app("instances: 'max'").instances, processors());
    assert_eq!(app("instances: 0").instances, processors());
    assert_eq!(app("instances: -1").instances, (processors() - 1).max(1));
    assert_eq!(app("instances: -1000").instances, 1);
}

#[test]
fn a_block_is_laid_over_env_by_the_environment_s_name_or_by_request() {
    let folder = Folder::new(&[(
        "ecosystem.config.js",
        "module.exports = [{ script: 'a.js', append_env_to_name: true, port: 80, env: { A: 1, B: 2 },
           env_dev: { B: 3 }, env_production: { A: 4 } }]",
    )]);
    let mut request = folder.request("ecosystem.config.js");
    let env = |ecosystem: &eco_config::Ecosystem| {
        let env = &ecosystem.apps[0].env;
        format!(
            "{} A={} B={} PORT={}",
            ecosystem.apps[0].name, env["A"], env["B"], env["PORT"]
        )
    };
    assert_eq!(env(&load(&request).unwrap()), "a A=1 B=3 PORT=80");
    request.env_block = EnvBlock::Asked("production".to_owned());
    assert_eq!(
        env(&load(&request).unwrap()),
        "a-production A=4 B=2 PORT=80"
    );
    request.env_block = EnvBlock::Asked("prodution".to_owned());
    let ecosystem = load(&request).unwrap();
    assert_eq!(env(&ecosystem), "a-prodution A=1 B=2 PORT=80");
    let [warning] = ecosystem.warnings.as_slice() else {
        panic!("{:?}", ecosystem.warnings)
    };
    assert_eq!(
        warning.fault,
        Fault::NoSuchBlock {
            block: "prodution".to_owned()
        }
    );
    assert_eq!(
        warning.hint.as_deref(),
        Some("did you mean \"production\"?")
    );
    request.env_block = EnvBlock::ByEnvironment;
    request.environment = EnvironmentName::new("test").unwrap();
    assert_eq!(load(&request).unwrap().warnings, []);
}

#[test]
fn filter_env_says_what_is_not_inherited() {
    let names = |fields: &str| app(fields).inherited_env.into_keys().collect::<Vec<_>>();
    assert_eq!(names(""), ["HOME", "SECRET_KEY"]);
    assert_eq!(names("filter_env: ['SECRET']"), ["HOME"]);
    assert_eq!(names("filter_env: 'SECRET'"), ["HOME", "SECRET_KEY"]);
    assert_eq!(names("filter_env: 'HOME'"), ["SECRET_KEY"]);
    assert_eq!(names("filter_env: false"), ["HOME", "SECRET_KEY"]);
    assert!(names("filter_env: true").is_empty());
}

#[test]
fn an_app_is_named_after_its_script() {
    let name = |script: &str| {
        let text = format!("module.exports = [{{ script: '{script}' }}]");
        of(&text).unwrap().apps[0].name.to_string()
    };
    assert_eq!(name("../x/a.b.js"), "a.b");
    assert_eq!(name("server"), "server");
    assert_eq!(name("python3 -m http.server"), "python3 -m http.server");
    assert_eq!(name("sleep 1\\n sleep 2"), "sleep 1  sleep 2");
    let long = format!("echo {}", "ü".repeat(100));
    assert_eq!(name(&long), format!("echo {}", "ü".repeat(37)));
}

#[test]
fn an_app_is_the_same_wherever_its_file_is_called_differently() {
    let named = |file: &str| {
        let folder = Folder::new(&[(file, "module.exports = [{ script: 'a.js' }]")]);
        let mut app = folder.load(file).unwrap().apps.remove(0);
        app.defined_in = "/p".into();
        app
    };
    assert!(named("ecosystem.config.js").is_same(&named("ecosystem.config.cjs")));
}

#[test]
fn a_command_without_a_file_has_the_same_defaults_and_checks() {
    let mut command = Single {
        script: "bin/app.js".to_owned(),
        name: None,
        arguments: vec!["a b".to_owned()],
        fields: serde_json::Map::new(),
        environment: EnvironmentName::new("default").unwrap(),
        variables: [("A".to_owned(), "1".to_owned())].into(),
        invoked_in: "/work".into(),
    };
    let app = single(&command).unwrap();
    assert_eq!(
        (app.name.as_str(), app.arguments.as_slice()),
        ("app", ["a b".to_owned()].as_slice())
    );
    assert_eq!(app.defined_in.to_str(), Some("/work"));
    assert_eq!((app.restart.max_unstable, app.inherited_env.len()), (16, 1));
    command.name = Some("x\u{7}".to_owned());
    command.fields.insert("instances".to_owned(), "lots".into());
    let said: Vec<_> = single(&command)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "name: found \"x\\u{7}\", expected a name",
            "instances: found \"lots\", expected a number or \"max\""
        ]
    );
}
