//! Ecosystem files in every language that is understood: the same apps, running.

use eco_tests::{TestEnv, fake_app};

/// Starts the project's root, which must hold one file, and checks that its app runs with what the file says.
#[track_caller]
fn starts(env: &TestEnv) {
    let output = env.eco(&["start", "."]).ok();
    let list = env.list();
    assert_eq!(list.names(), ["default/told"], "{output}");
    assert_eq!(list.one("told").status(), "online", "{output}");
    let lines: Vec<String> = env
        .logs("told")
        .into_iter()
        .map(|record| record.line)
        .collect();
    assert_eq!(lines, ["WHO=file"]);
}

#[test]
fn yaml_starts() {
    for name in [
        "ecosystem.config.yaml",
        "ecosystem.config.yml",
        "process.yml",
    ] {
        let env = TestEnv::new();
        let script = fake_app();
        env.write(
            name,
            &format!(
                "# a comment\nx-base: &base\n  script: {script}\n  env: {{ WHO: file }}\napps:\n  - <<: *base\n    name: told\n    \
                 args: [env:WHO, wait]\n"
            ),
        );
        starts(&env);
    }
}

#[test]
fn toml_starts() {
    let env = TestEnv::new();
    let script = fake_app();
    env.write(
        "ecosystem.config.toml",
        &format!("[[apps]]\nname = 'told'\nscript = '{script}'\nargs = ['env:WHO', 'wait']\n\n[apps.env]\nWHO = 'file'\n"),
    );
    starts(&env);
}

#[test]
fn json_with_comments_starts() {
    let env = TestEnv::new();
    let script = fake_app();
    env.write(
        "ecosystem.config.json",
        &format!(
            "// the apps\n{{\n  \"apps\": [{{ \"name\": \"told\", \"script\": \"{script}\", /* and */ \"args\": [\"env:WHO\", \"wait\"], \
             \"env\": {{ \"WHO\": \"file\", }}, }}],\n}}\n"
        ),
    );
    starts(&env);
}

#[test]
fn two_files_that_are_equally_good_are_both_named() {
    let env = TestEnv::new();
    env.write("process-manager/dev/ecosystem.config.yaml", "apps: []");
    env.write("process-manager/dev/ecosystem.config.json", "{}");
    let output = env.eco(&["start", "dev"]);
    output.fails(
        1,
        &["dev/ecosystem.config.json", "dev/ecosystem.config.yaml"],
    );
}

#[test]
fn a_problem_of_yaml_or_toml_is_told_with_its_place() {
    let env = TestEnv::new();
    env.write(
        "a.yaml",
        "apps:\n  - name: a\n    script: sleep 9\n    instances: lots\n",
    );
    env.eco(&["start", "a.yaml"])
        .fails(1, &["a.yaml:4:5", "apps[0].instances", "(app a)"]);
    env.write("b.toml", "[[apps]]\nname = 'b'\nname = 'c'\n");
    env.eco(&["start", "b.toml"])
        .fails(1, &["b.toml:3:1", "duplicate key"]);
}
