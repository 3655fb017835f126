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
fn es_modules_start() {
    let script = fake_app();
    for (name, kind) in [
        ("ecosystem.config.mjs", "commonjs"),
        ("ecosystem.config.js", "module"),
    ] {
        let env = TestEnv::new();
        env.write("package.json", &format!("{{ \"type\": \"{kind}\" }}"));
        env.write(
            name,
            "import { args } from './parts/args.mjs';
             import base from './parts/base.cjs';
             const apps = await Promise.resolve([{ ...base, args, env: { WHO: 'file' } }]);
             export default { apps };",
        );
        env.write("parts/args.mjs", "export const args = ['env:WHO', 'wait'];");
        env.write(
            "parts/base.cjs",
            &format!("module.exports = {{ name: 'told', script: '{script}' }};"),
        );
        starts(&env);
    }
}

#[test]
fn typescript_starts() {
    let script = fake_app();
    for (name, export) in [
        ("ecosystem.config.ts", "export default { apps };"),
        ("ecosystem.config.mts", "export { apps };"),
        ("ecosystem.config.cts", "export = { apps };"),
    ] {
        let env = TestEnv::new();
        env.write(
            name,
            &format!(
                "import type {{ StartOptions }} from 'pm2';\n\ninterface App extends StartOptions {{ name: string }}\n\n\
                 const apps: App[] = [{{\n  name: 'told', script: '{script}', args: ['env:WHO', 'wait'], env: {{ WHO: 'file' }},\n}}];\n{export}\n"
            ),
        );
        starts(&env);
    }
}

#[test]
fn what_is_wrong_with_typescript_is_told_where_it_is_in_the_file() {
    let env = TestEnv::new();
    env.write(
        "a.config.ts",
        "interface A {\n  x: string;\n}\n\nexport default null! as A).x;\n",
    );
    env.eco(&["start", "a.config.ts"])
        .fails(1, &["a.config.ts:5:"]);
    env.write("b.config.ts", "interface A {\n  x: string;\n}\n\nconst a = undefined as unknown as A;\nexport default a.x;\n");
    env.eco(&["start", "b.config.ts"])
        .fails(1, &["b.config.ts:6:16", "cannot read property 'x'"]);
}

#[test]
fn a_module_that_never_ends_or_never_answers_is_told() {
    let env = TestEnv::new();
    env.write(
        "a.config.mjs",
        "export const apps = [];\nfor (;;) await null;",
    );
    env.eco(&["start", "a.config.mjs"])
        .fails(1, &["it ran for more than 2 s"]);
    env.write("b.config.mjs", "await new Promise(() => {});");
    env.eco(&["start", "b.config.mjs"])
        .fails(1, &["waits for something that never comes"]);
    env.write("c.config.mjs", "\nimport './nowhere.mjs';");
    env.eco(&["start", "c.config.mjs"])
        .fails(1, &["c.config.mjs:2:8", "nowhere.mjs"]);
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

/// An environment whose file asks a package, as `dotenv` is asked, and the package starts a process.
fn asking_a_child() -> TestEnv {
    let env = TestEnv::new();
    let script = fake_app();
    env.write(
        "node_modules/secrets/package.json",
        "{ \"main\": \"lib/index.js\" }",
    );
    env.write(
        "node_modules/secrets/lib/index.js",
        "const { execFileSync } = require('child_process');
         exports.config = () => {
           console.log('reading secrets');
           process.env.WHO = execFileSync('echo', ['file'], { encoding: 'utf8' }).trim();
         };",
    );
    env.write(
        "ecosystem.config.js",
        &format!(
            "require('secrets').config();
             module.exports = {{ apps: [{{
               name: 'told', script: '{script}', args: ['env:WHO', 'wait'], env: {{ WHO: process.env.WHO }},
             }}] }};"
        ),
    );
    env
}

#[test]
fn a_file_that_needs_node_is_evaluated_by_it_and_that_is_said() {
    let env = asking_a_child();
    let output = env.eco(&["start", "."]).ok();
    output.tells(&[
        "ecosystem.config.js: evaluated by node v",
        "index.js:4:",
        "child_process.execFileSync is only there in node",
        "ecosystem.config.js: reading secrets",
    ]);
    assert_eq!(env.list().one("told").status(), "online");
    let quiet = env.eco(&["restart", "ecosystem.config.js", "--quiet"]).ok();
    assert!(!quiet.stderr.contains("evaluated by"), "{quiet}");
    let lines: Vec<String> = env
        .logs("told")
        .into_iter()
        .map(|record| record.line)
        .collect();
    assert_eq!(lines, ["WHO=file", "WHO=file"]);
}

#[test]
fn without_node_the_file_and_what_it_needs_are_named() {
    let env = asking_a_child();
    let mut start = env.command(env.project(), &["start", "."]);
    start.env("PATH", "/nowhere");
    env.run(start).fails(
        1,
        &[
            "node_modules/secrets/lib/index.js:4:",
            "child_process.execFileSync is only there in node",
            "Hint: node is not on PATH: install it",
        ],
    );
    assert!(env.list().names().is_empty());
}

#[test]
fn a_person_may_choose_what_evaluates() {
    let env = asking_a_child();
    let with = |runtime: &str| {
        let mut start = env.command(env.project(), &["start", "."]);
        start.env("ECO_CONFIG_RUNTIME", runtime);
        env.run(start)
    };
    with("quickjs").fails(
        1,
        &["execFileSync is only there in node", "ECO_CONFIG_RUNTIME"],
    );
    with("deno").fails(1, &["ECO_CONFIG_RUNTIME", "expected auto, quickjs or node"]);
    with("node").ok().tells(&["evaluated by node v"]);
}

#[test]
fn a_file_may_come_from_stdin_for_every_verb() {
    let env = TestEnv::new();
    env.write("sub/say.sh", "echo \"$WHO in $PWD\"\nexec sleep 1000\n");
    let json =
        r#"{ "apps": [{ "name": "told", "script": "./say.sh", "env": { "WHO": "json" } }] }"#;
    let yaml = "apps:\n  - name: told\n    script: ./say.sh\n    env: { WHO: yaml }\n";
    let started = env.eco_given("sub", &["start", "-"], json).ok();
    started.tells(&["Environment default: <stdin>"]);
    drop(env.eco_given("sub", &["validate", "-"], json).ok());
    drop(env.eco_given("sub", &["restart", "-"], yaml).ok());
    let folder = env.path("sub");
    let lines: Vec<String> = env
        .logs("told")
        .into_iter()
        .map(|record| record.line)
        .collect();
    assert_eq!(
        lines,
        [format!("json in {folder}"), format!("yaml in {folder}")]
    );
    drop(env.eco_given("sub", &["stop", "-"], json).ok());
    assert_eq!(env.list().one("told").status(), "stopped");
    drop(env.eco_given("sub", &["delete", "-"], json).ok());
    assert!(env.list().names().is_empty());
}

#[test]
fn what_is_wrong_on_stdin_is_told() {
    let env = TestEnv::new();
    let start = |text: &str| env.eco_given(".", &["start", "-"], text);
    start("").fails(1, &["failed to load <stdin>", "<stdin>: it is empty"]);
    start("module.exports = {\n  apps: [").fails(1, &["<stdin>:2:10", "ends too early"]);
    start("\u{7f}ELF\u{1}\0").fails(1, &["<stdin>", "not UTF-8 text"]);
    start("name = 'a'").fails(1, &["<stdin>"]);
}
