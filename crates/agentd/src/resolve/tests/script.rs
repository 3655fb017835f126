use super::*;

#[test]
fn one_path_means_one_file_from_the_apps_own_file_and_from_the_composed_one() {
    let project = Project::new();
    let path = "../../apps/public-api/src/server.js";
    for folder in ["process-manager/dev", "process-manager/dev/public-api"] {
        let app = project.app(folder, path);
        assert_eq!(project.script(&app), "~/apps/public-api/src/server.js");
    }
}

#[test]
fn the_working_directory_comes_first_then_the_defining_file_then_the_folders_above() {
    let project = Project::new();
    let mut app = project.app("process-manager/dev/public-api", "run.js");
    app.cwd = Some("../../../apps".into());
    let places = [
        "run.js",
        "process-manager/run.js",
        "process-manager/dev/run.js",
        "process-manager/dev/public-api/run.js",
        "apps/run.js",
    ];
    for place in places {
        project.file(place, "");
        assert_eq!(project.script(&app), format!("~/{place}"));
    }
}

#[test]
fn no_folder_above_the_project_is_looked_at() {
    let project = Project::new();
    project.file("run.js", "");
    project.file("deep/package.json", "{}");
    project.folder("deep/conf");
    let mut app = project.app("deep/conf", "run.js");
    app.invoked_in = project.folder("elsewhere");
    assert_eq!(
        project.problems(&app),
        "script: the script \"run.js\" was not found; looked for it at ~/deep/conf/run.js, ~/deep/run.js, \
         ~/elsewhere/run.js, PATH (correct `script`, or set `cwd` to the folder it counts from)"
    );
}

#[test]
fn where_the_command_was_typed_is_the_last_place() {
    let project = Project::new();
    let mut app = project.app("conf", "run.js");
    project.folder("conf");
    app.invoked_in = project.folder("typed");
    project.file("typed/run.js", "");
    assert_eq!(project.script(&app), "~/typed/run.js");
    project.file("conf/run.js", "");
    assert_eq!(project.script(&app), "~/conf/run.js");
}

#[test]
fn every_place_is_listed_once_and_a_folder_is_called_one() {
    let project = Project::new();
    project.folder("process-manager/server");
    let app = project.app("process-manager/dev", "./server");
    assert_eq!(
        project.problems(&app),
        "script: the script \"./server\" was not found; looked for it at ~/process-manager/dev/server, \
         ~/process-manager/server (a folder), ~/server (correct `script`, or set `cwd` to the folder it counts from)"
    );
}

#[test]
fn an_absolute_path_means_itself() {
    let project = Project::new();
    let path = project.root.join("apps/public-api/src/server.js");
    let app = project.beside(&path.display().to_string());
    assert_eq!(project.script(&app), "~/apps/public-api/src/server.js");
    let none = project.beside("/nowhere/at/all.js");
    assert!(
        project
            .problems(&none)
            .contains("looked for it at /nowhere/at/all.js (")
    );
}

#[test]
fn a_line_with_a_blank_is_for_the_shell_unless_a_file_has_that_name() {
    let project = Project::new();
    let app = project.beside("npm run start");
    assert_eq!(project.script(&app), "line: npm run start");
    assert_eq!(project.interpreter(&app), Some("~/bin/bash".to_owned()));
    project.file("apps/public-api/my server.js", "");
    let file = project.beside("my server.js");
    assert_eq!(project.script(&file), "~/apps/public-api/my server.js");
}

#[test]
fn a_bare_word_may_be_a_program_on_the_apps_path() {
    let project = Project::new();
    project.program("bin/serve", "");
    let app = project.beside("serve");
    assert_eq!(project.script(&app), "~/bin/serve");
    assert_eq!(project.interpreter(&app), None);
    project.program("apps/public-api/serve", "");
    assert_eq!(project.script(&app), "~/apps/public-api/serve");
}

#[test]
fn what_an_interpreter_is_to_run_is_no_program_and_nobody_is_told_that_it_was_looked_for() {
    let project = Project::new();
    project.program("bin/serve", "");
    let problems = project.problems(&named(project.beside("serve"), "node"));
    assert!(!problems.contains("PATH"), "{problems}");
}

#[test]
fn a_relative_folder_on_the_path_means_nothing() {
    let project = Project::new();
    let mut app = project.beside("Cargo.toml");
    let path = format!("{}:.:", project.path());
    app.env.insert("PATH".to_owned(), path);
    // It is in the folder of this process, which is not the app's.
    assert!(project.problems(&app).contains("was not found"));
}
