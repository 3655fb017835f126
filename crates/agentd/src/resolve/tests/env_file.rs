use std::collections::BTreeMap;

use super::*;

/// The app beside its script, with these files of variables.
fn with(project: &Project, files: &[&str]) -> AppSpec {
    let mut app = project.beside("src/server.js");
    app.env_files = files.iter().map(PathBuf::from).collect();
    app
}

/// The variables that a run is given.
fn given(app: &AppSpec) -> BTreeMap<String, String> {
    let resolved = resolve(app).expect("found");
    let launch = launch(&resolved, 1, 7);
    let pairs = launch.environment.iter().map(|pair| pair.split_once('='));
    pairs
        .map(|pair| pair.expect("NAME=VALUE"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn a_file_s_variables_win_over_the_shell_s_and_the_app_s_own_over_them() {
    let project = Project::new();
    project.file(
        "apps/public-api/.env",
        "A=file\nB=file\nC=file\nD=${SHELL_ONLY}!\n",
    );
    project.file("apps/public-api/.env.local", "C=local\nE=$B/$C\n");
    let mut app = with(&project, &[".env", ".env.local"]);
    app.env.insert("B".to_owned(), "own".to_owned());
    for name in ["A", "SHELL_ONLY"] {
        app.inherited_env
            .insert(name.to_owned(), "shell".to_owned());
    }
    let given = given(&app);
    let of = |name: &str| given.get(name).map(String::as_str);
    assert_eq!(of("A"), Some("file"));
    assert_eq!(of("B"), Some("own"));
    assert_eq!(of("C"), Some("local"));
    assert_eq!(of("D"), Some("shell!"));
    assert_eq!(of("E"), Some("file/local"));
    assert_eq!(of("ECO_RUN"), Some("7"));
}

#[test]
fn a_port_and_a_count_may_come_from_a_file() {
    let project = Project::new();
    project.file("apps/public-api/.env", "PORT=3000");
    let mut app = with(&project, &[".env"]);
    app.increment_var = Some("PORT".to_owned());
    let resolved = resolve(&app).expect("found");
    assert_eq!(resolved.port(1), Some(3001));
    assert_eq!(given(&app).get("PORT").map(String::as_str), Some("3001"));
}

#[test]
fn a_file_is_read_again_for_each_run() {
    let project = Project::new();
    let app = with(&project, &[".env"]);
    for value in ["old", "new"] {
        project.file("apps/public-api/.env", &format!("A={value}"));
        assert_eq!(given(&app).get("A").map(String::as_str), Some(value));
    }
}

#[test]
fn a_file_that_is_not_beside_the_app_s_may_be_in_its_working_directory() {
    let project = Project::new();
    project.file("apps/.env", "A=1");
    let mut app = with(&project, &[".env"]);
    app.cwd = Some("..".into());
    app.script = "public-api/src/server.js".to_owned();
    assert_eq!(given(&app).get("A").map(String::as_str), Some("1"));
}

#[test]
fn what_is_wrong_with_files_is_told_all_at_once_and_no_value_is() {
    let project = Project::new();
    project.file("apps/public-api/bad", "A=1\nsecret word\n");
    project.folder("apps/public-api/folder");
    let mut app = with(&project, &["bad", "gone", "folder"]);
    app.cwd = Some("src".into());
    app.script = "server.js".to_owned();
    insta::assert_snapshot!(project.problems(&app), @r#"
    env_file: the file of variables ~/apps/public-api/bad is not understood: line 2: this is no NAME=value (correct the file, or `env_file`)
    env_file: the file of variables "gone" was not found; looked for it at ~/apps/public-api/gone, ~/apps/public-api/src/gone (make the file, or correct `env_file`)
    env_file: the file of variables ~/apps/public-api/folder cannot be read: it is no file (correct the file, or `env_file`)
    "#);
}

#[test]
fn a_variable_that_is_not_set_is_a_note() {
    let project = Project::new();
    project.file("apps/public-api/.env", "A=1\nB=pa$word\n");
    let notes = resolve(&with(&project, &[".env"])).expect("found").notes;
    let [note] = notes.as_slice() else {
        panic!("one note: {notes:?}");
    };
    assert!(
        note.contains("/.env, line 2: the variable word is not set"),
        "{note}"
    );
}
