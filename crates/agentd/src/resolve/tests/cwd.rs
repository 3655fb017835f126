use super::*;

fn of(project: &Project, app: &AppSpec) -> String {
    project.short(&resolve(app).expect("found").cwd.display().to_string())
}

#[test]
fn without_one_it_is_the_folder_of_the_file_that_defines_the_app() {
    let project = Project::new();
    assert_eq!(
        of(&project, &project.beside("src/server.js")),
        "~/apps/public-api"
    );
}

#[test]
fn a_relative_one_counts_from_the_defining_file_and_then_from_where_the_command_was_typed() {
    let project = Project::new();
    let mut app = project.app("process-manager/dev", "../../apps/public-api/src/server.js");
    app.cwd = Some("apps".into());
    assert_eq!(of(&project, &app), "~/apps");
    project.folder("process-manager/dev/apps");
    assert_eq!(of(&project, &app), "~/process-manager/dev/apps");
    app.cwd = Some("./../dev/.".into());
    assert_eq!(of(&project, &app), "~/process-manager/dev");
}

#[test]
fn a_tilde_is_the_home_of_the_agent_s_user() {
    let project = Project::new();
    let mut app = project.beside("src/server.js");
    app.cwd = Some("~".into());
    let home = std::env::var("HOME").expect("the tests have a home");
    let found = resolve(&app).expect("found").cwd;
    assert_eq!(found, std::path::Path::new(&home));
}

#[test]
fn one_that_is_not_there_is_told_as_it_was_found_and_as_it_was_written() {
    let project = Project::new();
    let mut app = project.beside("src/server.js");
    app.cwd = Some("../none".into());
    assert_eq!(
        project.problems(&app),
        "cwd: the working directory ~/apps/none does not exist (written as ../none) (make the folder, or correct `cwd`)"
    );
    app.cwd = Some("src/server.js".into());
    assert!(project.problems(&app).contains("is not a folder"));
}

#[test]
fn all_problems_are_told_at_once() {
    let project = Project::new();
    let mut app = project.beside("none.js");
    app.cwd = Some("none".into());
    app.user = Some("nobody-of-that-name".to_owned());
    let fields: Vec<_> = resolve(&app)
        .expect_err("problems")
        .iter()
        .map(|problem| problem.field)
        .collect();
    assert_eq!(fields, ["cwd", "uid", "script"]);
}
