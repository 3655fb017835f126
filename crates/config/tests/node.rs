//! Files that need more of node than eco has. These tests run the `node` that is on PATH.

mod support;

use std::path::PathBuf;

use eco_config::{ConfigError, Ecosystem, EvalError, EvalFault, Request, Runtime, load};
use insta::assert_snapshot;
use support::Folder;

/// A request by somebody who has node.
fn request(folder: &Folder, name: &str) -> Request {
    let mut request = folder.request(name);
    let path = std::env::var("PATH").expect("the tests have a PATH");
    request.variables.insert("PATH".to_owned(), path);
    request
}

fn loaded(folder: &Folder, name: &str) -> Ecosystem {
    load(&request(folder, name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn failure(request: &Request) -> EvalError {
    match load(request) {
        Err(ConfigError::Evaluate(error)) => error,
        other => panic!("expected a failure of the program, got {other:?}"),
    }
}

/// The failure as a line, with the folder and the version of node taken off.
fn said(folder: &Folder, name: &str) -> String {
    let said = folder.bare(&failure(&request(folder, name)).to_string());
    let Some((before, behind)) = said.split_once("(in node v") else {
        return said;
    };
    let (_, behind) = behind.split_once(')').unwrap_or(("", behind));
    format!("{before}(in node){behind}")
}

#[test]
fn what_the_engine_has_not_is_evaluated_by_node_and_said() {
    let folder = Folder::new(&[(
        "a.config.js",
        "const { execSync } = require('child_process');
         console.log('asking');
         execSync('echo a child was here', { stdio: 'inherit' });
         const name = execSync('echo told').toString().trim();
         module.exports = { apps: [{ name, script: 'a.js' }] };",
    )]);
    let ecosystem = loaded(&folder, "a.config.js");
    assert_eq!(ecosystem.apps[0].name.as_str(), "told");
    assert_eq!(ecosystem.said, ["asking", "a child was here"]);
    let by = ecosystem.by_node.unwrap();
    assert!(by.program.ends_with("node"), "{by}");
    assert!(by.version.starts_with('v'), "{by}");
    let because = by.because.unwrap();
    assert_snapshot!(folder.bare(&because.to_string()), @"a.config.js:3:10: child_process.execSync is only there in node");
}

#[test]
fn what_the_engine_could_only_make_up_is_asked_of_node() {
    for (name, call) in [
        (
            "os.networkInterfaces",
            "Object.keys(os.networkInterfaces())",
        ),
        ("os.loadavg", "os.loadavg()"),
        ("fs.lstatSync", "fs.lstatSync(__filename).isSymbolicLink()"),
        (
            "fs.Dirent.isSymbolicLink",
            "fs.readdirSync(__dirname, { withFileTypes: true }).map((one) => one.isSymbolicLink())",
        ),
    ] {
        let text = format!(
            "const os = require('os'), fs = require('fs');
             module.exports = [{{ name: 'a', script: 'a.js', env: {{ ASKED: JSON.stringify({call}) }} }}]"
        );
        let folder = Folder::new(&[("a.config.js", &text)]);
        let ecosystem = loaded(&folder, "a.config.js");
        let because = ecosystem.by_node.expect("node was asked").because;
        let because = because.expect("there is a reason").to_string();
        assert!(
            because.contains(&format!("{name} is only there in node")),
            "{because}"
        );
    }
}

#[test]
fn a_file_that_would_do_without_says_the_same_as_in_node() {
    let folder = Folder::new(&[(
        "a.config.js",
        "let name; try { name = require('child_process').execSync('echo told').toString().trim() } catch { name = 'unknown' }
         module.exports = [{ name, script: 'a.js' }]",
    )]);
    let ecosystem = loaded(&folder, "a.config.js");
    assert_eq!(ecosystem.apps[0].name.as_str(), "told");
    assert!(ecosystem.by_node.is_some());
}

#[test]
fn what_the_engine_has_is_not_given_to_node() {
    let folder = Folder::new(&[("a.config.js", "module.exports = [{ script: 'a.js' }]")]);
    assert_eq!(loaded(&folder, "a.config.js").by_node, None);
}

#[test]
fn each_app_knows_the_file_that_defines_it_in_node_too() {
    let files = [
        (
            "ecosystem.config.mjs",
            "import { execSync } from 'node:child_process';
             import { apps as a } from './a/a.mjs';
             import b from './b/b.cjs';
             import c from './c/c.json' with { type: 'json' };
             const own = execSync('echo own').toString().trim();
             export default { apps: [
               ...a, ...b.apps.map((app) => ({ ...app, env: { X: 1 } })), ...c.apps, { name: own, script: 'own.js' },
             ] };",
        ),
        ("a/a.mjs", "import d from './d/d.mjs';\nexport const apps = [{ name: 'a', script: 'a.js' }, d] // last"),
        ("a/d/d.mjs", "export default Object.freeze({ name: 'd', script: 'd.js' });"),
        ("b/b.cjs", "module.exports = require('./deep')"),
        ("b/deep.js", "exports.apps = [{ name: 'b', script: 'b.js' }]"),
        ("c/c.json", "{ \"apps\": [{ \"name\": \"c\", \"script\": \"c.js\" }] }"),
        (
            "ecosystem.config.cjs",
            "require('child_process').execSync('true'); module.exports = { apps: [...require('./b/b.cjs').apps, require('./c/c').apps[0]] }",
        ),
    ];
    let folder = Folder::new(&files);
    let places = |name: &str| -> Vec<(String, PathBuf)> {
        let ecosystem = loaded(&folder, name);
        assert!(ecosystem.by_node.is_some());
        let apps = ecosystem.apps.into_iter();
        apps.map(|app| (app.name.to_string(), app.defined_at))
            .collect()
    };
    let at = |places: &[(&str, &str)]| -> Vec<(String, PathBuf)> {
        let places = places.iter();
        places
            .map(|(name, file)| ((*name).to_owned(), folder.path(file)))
            .collect()
    };
    let expected = at(&[
        ("a", "a/a.mjs"),
        ("d", "a/d/d.mjs"),
        ("b", "b/deep.js"),
        ("c", "c/c.json"),
        ("own", "ecosystem.config.mjs"),
    ]);
    assert_eq!(places("ecosystem.config.mjs"), expected);
    let expected = at(&[("b", "b/deep.js"), ("c", "c/c.json")]);
    assert_eq!(places("ecosystem.config.cjs"), expected);
}

#[test]
fn what_a_file_makes_of_its_variables_its_apps_are_given_by_the_engine_and_by_node() {
    let changes = "process.env.ADDED = 7; process.env.CHANGED = 'new'; delete process.env.GONE;
        module.exports = [{ name: 'a', script: 'a.js' }]";
    let asks_node = format!("require('child_process').execSync('true'); {changes}");
    let folder = Folder::new(&[("own.config.js", changes), ("node.config.js", &asks_node)]);
    for file in ["own.config.js", "node.config.js"] {
        let mut request = folder.request(file);
        let path = std::env::var("PATH").expect("the tests have a PATH");
        for (name, value) in [
            ("PATH", &*path),
            ("CHANGED", "old"),
            ("GONE", "x"),
            ("KEPT", "k"),
        ] {
            request.variables.insert(name.to_owned(), value.to_owned());
        }
        let apps = eco_config::load(&request).expect("a sound file").apps;
        let given = &apps[0].inherited_env;
        let value = |name: &str| given.get(name).map(String::as_str);
        assert_eq!(
            ["ADDED", "CHANGED", "GONE", "KEPT"].map(value),
            [Some("7"), Some("new"), None, Some("k")],
            "{file}"
        );
    }
}

#[test]
fn a_package_that_touches_what_is_missing_works_with_node_and_without_when_it_only_looks() {
    let dotenv = "
        const fs = require('fs'); const path = require('path'); const os = require('os'); const crypto = require('crypto');
        exports.config = () => {
          for (const line of fs.readFileSync(path.resolve(process.cwd(), '.env'), { encoding: 'utf8' }).split('\\n')) {
            const [name, value] = line.split('=');
            if (value) process.env[name] ??= value;
          }
        };
        exports.decrypt = () => crypto.createHash('md5').update('x').digest('hex');";
    let folder = Folder::new(&[
        (".env", "NAME=dotted\n"),
        (
            "node_modules/dotenv/package.json",
            "{ \"main\": \"lib/main.js\" }",
        ),
        ("node_modules/dotenv/lib/main.js", dotenv),
        (
            "plain.config.js",
            "require('dotenv').config(); module.exports = [{ name: process.env.NAME, script: 'a.js' }]",
        ),
        (
            "secret.config.js",
            "module.exports = [{ name: require('dotenv').decrypt(), script: 'a.js' }]",
        ),
    ]);
    let plain = loaded(&folder, "plain.config.js");
    assert_eq!(
        (plain.apps[0].name.as_str(), plain.by_node),
        ("dotted", None)
    );
    let secret = loaded(&folder, "secret.config.js");
    assert_eq!(
        secret.apps[0].name.as_str(),
        "9dd4e461268c8034f5c8564e155c67a6"
    );
    assert!(secret.by_node.is_some());
}

#[test]
fn a_failure_in_node_is_told_where_it_was() {
    let folder = Folder::new(&[
        (
            "a.cjs",
            "const { execSync } = require('child_process');\n\nexecSync('exit 3');",
        ),
        (
            "b.mjs",
            "import { execSync } from 'child_process';\nexecSync('true');\nthrow new TypeError('no');",
        ),
        (
            "c.cjs",
            "setTimeout(() => {\n  throw new Error('late');\n}, 1);\nmodule.exports = new Promise(() => {});",
        ),
        (
            "d.cjs",
            "setTimeout(() => {}, 1); module.exports = new Promise(() => {});",
        ),
        ("e.cjs", "Buffer.from('x');\nprocess.exit(0);"),
        ("f.cjs", "Buffer.from('x'); throw 'thrown'"),
        (
            "g.cjs",
            "Buffer.from('x'); const x = { x: null }; x.x = x; module.exports = [{ script: 'a', env: { x } }]",
        ),
        (
            "h.mjs",
            "import './i.mjs'; import { spawn } from 'child_process'; spawn('true');",
        ),
        ("i.mjs", "import { nothing } from 'node:crypto';"),
        (
            "j.cjs",
            "require('child_process').execSync('kill -9 $PPID')",
        ),
    ]);
    let said = |name: &str| said(&folder, name);
    assert_snapshot!(said("a.cjs"), @"a.cjs:3:1: Command failed: exit 3 (in node)");
    assert_snapshot!(said("b.mjs"), @"b.mjs:3:7: TypeError: no (in node)");
    assert_snapshot!(said("c.cjs"), @"c.cjs:2:9: late (in node)");
    assert_snapshot!(said("d.cjs"), @"d.cjs: it waits for something that never comes");
    assert_snapshot!(said("e.cjs"), @"e.cjs:2:9: the file calls process.exit (in node)");
    assert_snapshot!(said("f.cjs"), @r#"f.cjs: it throws "thrown" (in node)"#);
    assert_snapshot!(said("g.cjs"), @"g.cjs: the apps cannot be written as data: Converting circular structure to JSON --> starting at object with constructor 'Object' --- property 'x' closes the circle (in node)");
    assert_snapshot!(said("h.mjs"), @"i.mjs:1:10: SyntaxError: The requested module 'node:crypto' does not provide an export named 'nothing' (in node)");
    assert_snapshot!(said("j.cjs"), @"j.cjs: node ended before it gave an answer");
}

#[test]
fn problems_of_what_node_gives_have_their_places() {
    let folder = Folder::new(&[(
        "a.cjs",
        "const name = Buffer.from('a').toString();
         module.exports = { apps: [
           { name: 'a', script: 'a.js', instances: () => 1, env: { X: /x/, Y: NaN },
             instancs: 2 },
         ] };",
    )]);
    let Err(ConfigError::Invalid(problems)) = load(&request(&folder, "a.cjs")) else {
        panic!("taken");
    };
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_snapshot!(folder.bare(&lines.join("\n")), @r#"
    a.cjs:3:41: apps[0].instances: found a function, expected a number or "max"
    a.cjs:3:61: apps[0].env.X: found /x/, expected a text or a number
    a.cjs:3:61: apps[0].env.Y: found NaN, expected a text or a number
    a.cjs:4:14: apps[0].instancs: no known field, ignored
    "#);
}

#[test]
fn without_node_the_error_names_what_is_missing_and_where() {
    let folder = Folder::new(&[("a.cjs", "\nrequire('net').connect(1);")]);
    let with = |path: Option<&str>| {
        let mut request = folder.request("a.cjs");
        request
            .variables
            .extend(path.map(|path| ("PATH".to_owned(), path.to_owned())));
        failure(&request)
    };
    let error = with(None);
    assert_snapshot!(folder.bare(&error.to_string()), @"a.cjs:2:16: net.connect is only there in node");
    assert!(
        error
            .hint
            .as_ref()
            .unwrap()
            .starts_with("node is not on PATH: install it")
    );
    assert_eq!(with(Some("")), error);
    assert_eq!(with(Some("/nowhere:/etc")), error);
}

#[test]
fn a_person_may_choose_what_evaluates() {
    let folder = Folder::new(&[
        (
            "a.cjs",
            "module.exports = [{ script: 'a.js', env: { NODE: process.version } }]",
        ),
        (
            "b.cjs",
            "module.exports = [{ script: Buffer.from('b').toString() }]",
        ),
        ("c.yaml", "apps: [{ script: c.js }]"),
    ]);
    let with = |name: &str, runtime: &str| Request {
        runtime: runtime.parse().unwrap(),
        ..request(&folder, name)
    };
    let by_node = load(&with("a.cjs", "node")).unwrap();
    assert_eq!(by_node.by_node.unwrap().because, None);
    let by_us = load(&with("a.cjs", "auto")).unwrap();
    assert_eq!(by_us.by_node, None);
    assert_ne!(by_us.apps[0].env, by_node.apps[0].env);
    let error = failure(&with("b.cjs", "quickjs"));
    assert_eq!(error.fault, EvalFault::Node);
    assert!(error.hint.unwrap().contains("ECO_CONFIG_RUNTIME"));
    assert_eq!(load(&with("c.yaml", "node")).unwrap().by_node, None);
    assert!("deno".parse::<Runtime>().is_err());
}

#[test]
fn much_output_is_read_up_to_a_limit_and_no_further() {
    let folder = Folder::new(&[
        (
            "a.cjs",
            "Buffer.from('x'); for (let i = 0; i < 5000; i += 1) console.log('line', i);
             module.exports = [{ script: 'a.js', env: { LONG: 'x'.repeat(3e6) } }]",
        ),
        (
            "b.cjs",
            "const { writeSync } = require('fs'); const chunk = 'x'.repeat(1e6); for (;;) try { writeSync(1, chunk); } catch {}",
        ),
    ]);
    let ecosystem = loaded(&folder, "a.cjs");
    assert_eq!(ecosystem.said.len(), eco_config::SAID_LIMIT);
    assert_eq!(ecosystem.apps[0].env["LONG"].len(), 3_000_000);
    let error = failure(&request(&folder, "b.cjs"));
    assert_eq!(error.message, "it writes more than 8 MiB in node");
}
