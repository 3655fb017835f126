use super::*;

fn launch_of(app: &AppSpec, resolved: &Resolved, instance: u32, run: u64) -> Launch {
    let resolved = Resolved {
        filled: Box::new(app.clone()),
        ..resolved.clone()
    };
    launch(&resolved, instance, run)
}

fn resolved(script: Script, interpreter: Option<&str>) -> Resolved {
    Resolved {
        filled: Box::new(spec("dev", "api")),
        notes: Vec::new(),
        script,
        cwd: "/srv".into(),
        interpreter: interpreter.map(PathBuf::from),
        account: None,
    }
}

fn file() -> Script {
    Script::File("/srv/app.js".into())
}

fn with_arguments() -> AppSpec {
    AppSpec {
        arguments: vec!["--port".to_owned(), "a b".to_owned()],
        interpreter_arguments: vec!["--inspect".to_owned()],
        ..spec("dev", "api")
    }
}

fn arguments(resolved: &Resolved) -> Vec<String> {
    launch_of(&with_arguments(), resolved, 0, 1).arguments
}

fn variable(launch: &Launch, name: &str) -> Option<String> {
    let found: Vec<_> = launch
        .environment
        .iter()
        .filter_map(|one| one.split_once('='))
        .filter(|(key, _)| *key == name)
        .collect();
    assert!(found.len() < 2, "{name} twice");
    found.first().map(|(_, value)| (*value).to_owned())
}

#[test]
fn an_interpreter_gets_its_own_arguments_the_script_and_the_scripts_arguments() {
    let found = resolved(file(), Some("/bin/node"));
    assert_eq!(
        arguments(&found),
        ["/bin/node", "--inspect", "/srv/app.js", "--port", "a b"]
    );
    let launch = launch_of(&with_arguments(), &found, 0, 1);
    assert_eq!(launch.program, Path::new("/bin/node"));
    assert_eq!(launch.cwd, Path::new("/srv"));
}

#[test]
fn a_script_that_runs_itself_gets_only_its_arguments() {
    let found = resolved(file(), None);
    assert_eq!(arguments(&found), ["/srv/app.js", "--port", "a b"]);
}

#[test]
fn a_command_line_is_given_to_the_shell_with_the_arguments_after_its_own_name() {
    let line = Script::CommandLine("npm run \"$1\"".to_owned());
    let found = resolved(line, Some("/bin/bash"));
    assert_eq!(
        arguments(&found),
        ["/bin/bash", "-c", "npm run \"$1\"", "api", "--port", "a b"]
    );
}

#[test]
fn each_instance_gets_its_own_number_port_and_run() {
    let mut app = spec("dev", "api");
    app.increment_var = Some("PORT".to_owned());
    app.env.insert("PORT".to_owned(), "3000".to_owned());
    let launch = launch_of(&app, &resolved(file(), None), 2, 9);
    assert_eq!(variable(&launch, "NODE_APP_INSTANCE").as_deref(), Some("2"));
    assert_eq!(variable(&launch, "PORT").as_deref(), Some("3002"));
    assert_eq!(variable(&launch, "ECO_RUN").as_deref(), Some("9"));
}

#[test]
fn the_variable_that_numbers_the_instances_has_the_name_that_was_asked_for() {
    let mut app = spec("dev", "api");
    app.instance_var = "INSTANCE_ID".to_owned();
    let launch = launch_of(&app, &resolved(file(), None), 1, 1);
    assert_eq!(variable(&launch, "INSTANCE_ID").as_deref(), Some("1"));
    assert_eq!(variable(&launch, "NODE_APP_INSTANCE"), None);
}

#[test]
fn an_account_brings_its_home_over_the_shells_but_not_over_the_apps_own() {
    let mut app = spec("dev", "api");
    app.inherited_env
        .insert("HOME".to_owned(), "/root".to_owned());
    app.inherited_env
        .insert("USER".to_owned(), "root".to_owned());
    app.env.insert("USER".to_owned(), "given".to_owned());
    let found = Resolved {
        account: Some(Account {
            uid: 33,
            gid: 33,
            name: Some("www".to_owned()),
            home: Some("/var/www".to_owned()),
        }),
        ..resolved(file(), None)
    };
    let launch = launch_of(&app, &found, 0, 1);
    assert_eq!(variable(&launch, "HOME").as_deref(), Some("/var/www"));
    assert_eq!(variable(&launch, "USER").as_deref(), Some("given"));
    assert_eq!(variable(&launch, "LOGNAME").as_deref(), Some("www"));
    assert_eq!(launch.account, found.account);
}
