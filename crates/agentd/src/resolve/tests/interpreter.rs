use super::*;

fn of(project: &Project, script: &str, text: &str) -> Option<String> {
    project.file(&format!("apps/public-api/{script}"), text);
    project.interpreter(&project.beside(script))
}

#[test]
fn the_extension_says_what_runs_a_file() {
    let project = Project::new();
    let node = Some("~/bin/node".to_owned());
    for name in ["a.js", "a.cjs", "a.mjs"] {
        assert_eq!(of(&project, name, ""), node);
    }
    assert_eq!(of(&project, "a.py", ""), Some("~/bin/python3".to_owned()));
    assert_eq!(of(&project, "a.sh", ""), Some("~/bin/bash".to_owned()));
}

#[test]
fn the_second_choice_runs_where_the_first_is_missing() {
    let project = Project::new();
    fs::remove_file(project.root.join("bin/python3")).expect("removed");
    project.program("bin/python", "");
    assert_eq!(of(&project, "a.py", ""), Some("~/bin/python".to_owned()));
}

#[test]
fn an_executable_without_a_known_extension_runs_itself() {
    let project = Project::new();
    project.program("apps/public-api/serve", "#!/usr/bin/python3\n");
    assert_eq!(project.interpreter(&project.beside("serve")), None);
}

#[test]
fn a_first_line_says_what_runs_a_file_that_may_not_be_executed() {
    let project = Project::new();
    let node = Some("~/bin/node".to_owned());
    assert_eq!(of(&project, "one", "#!/usr/bin/env node\n"), node);
    assert_eq!(
        of(&project, "two", "#! /usr/bin/env -S node --flag\n"),
        node
    );
    let direct = format!("#!{}/node", project.path());
    assert_eq!(of(&project, "three", &direct), node);
}

#[test]
fn where_nothing_says_what_runs_a_file_both_ways_out_are_told() {
    let project = Project::new();
    project.file("apps/public-api/serve", "no first line");
    assert_eq!(
        project.problems(&project.beside("./serve")),
        "interpreter: nothing says what runs ~/apps/public-api/serve (set `interpreter`, or make the file executable)"
    );
}

#[test]
fn node_modules_from_the_script_upwards_come_before_the_path() {
    let project = Project::new();
    let far = project.program("node_modules/.bin/node", "");
    let app = project.beside("src/server.js");
    assert_eq!(resolve(&app).expect("found").interpreter, Some(far));
    let near = project.program("apps/public-api/node_modules/.bin/node", "");
    assert_eq!(resolve(&app).expect("found").interpreter, Some(near));
}

#[test]
fn a_missing_tsx_is_told_with_the_way_to_get_it() {
    let project = Project::new();
    project.file("apps/public-api/src/server.ts", "");
    assert_eq!(
        project.problems(&project.beside("src/server.ts")),
        "interpreter: the interpreter tsx was not found: neither in node_modules/.bin from ~/apps/public-api/src \
         upwards nor on PATH (npm i -D tsx)"
    );
    let other = named(project.beside("src/server.ts"), "deno");
    assert!(project.problems(&other).contains("(install deno, or set"));
}

#[test]
fn a_named_one_with_a_slash_is_a_path_that_counts_as_the_scripts_does() {
    let project = Project::new();
    project.program("apps/public-api/tools/run", "");
    let app = named(project.beside("src/server.js"), "./tools/run");
    assert_eq!(
        project.interpreter(&app),
        Some("~/apps/public-api/tools/run".to_owned())
    );
    let none = named(project.beside("src/server.js"), "./tools/none");
    assert!(project.problems(&none).starts_with("interpreter: "));
}

#[test]
fn a_script_that_is_to_run_itself_must_be_executable() {
    let project = Project::new();
    let app = AppSpec {
        interpreter: Interpreter::None,
        ..project.beside("src/server.js")
    };
    assert_eq!(
        project.problems(&app),
        "script: ~/apps/public-api/src/server.js may not be executed (chmod +x ~/apps/public-api/src/server.js)"
    );
    project.program("apps/public-api/src/server.js", "");
    assert_eq!(project.interpreter(&app), None);
}

#[test]
fn a_program_that_may_not_be_executed_is_passed_over() {
    let project = Project::new();
    project.file("node_modules/.bin/node", "");
    assert_eq!(
        project.interpreter(&project.beside("src/server.js")),
        Some("~/bin/node".to_owned())
    );
}
