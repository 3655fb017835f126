//! Files that consist of files: modules, and which of them defines an app.

mod support;

use std::path::{Path, PathBuf};

use eco_config::{EvalFault, load};
use support::{Folder, of};

#[test]
fn each_app_knows_the_file_that_defines_it_through_copies_too() {
    let folder = Folder::new(&[
        (
            "ecosystem.config.js",
            "const b = require('./b/ecosystem.config');
             module.exports = { apps: [
               ...require('./a/ecosystem.config').apps,
               ...b.apps.map((app) => ({ ...app, env: { X: 1 } })),
               Object.assign({}, b.apps[0], { name: 'copy' }),
               ...require('./c.cjs'),
               { name: 'own', script: 'own.js' },
             ] };",
        ),
        (
            "a/ecosystem.config.js",
            "exports.apps = [{ name: 'a', script: 'a.js' }]",
        ),
        (
            "b/ecosystem.config.json",
            "{ \"apps\": [{ \"name\": \"b\", \"script\": \"b.js\" }] } // why not",
        ),
        (
            "c.cjs",
            "module.exports = Object.freeze([Object.freeze({ name: 'c', script: 'c.js' })])",
        ),
    ]);
    let apps = folder.load("ecosystem.config.js").unwrap().apps;
    let places: Vec<_> = apps
        .iter()
        .map(|app| {
            (
                app.name.as_str(),
                app.defined_at.as_path(),
                app.defined_in.as_path(),
            )
        })
        .collect();
    let path = |name: &str| folder.path(name);
    let (main, a, b, c) = (
        path("ecosystem.config.js"),
        path("a/ecosystem.config.js"),
        path("b/ecosystem.config.json"),
        path("c.cjs"),
    );
    let at = |file: &'static str, name: &PathBuf| {
        (file, name.clone(), name.parent().unwrap().to_owned())
    };
    let expected = [
        at("a", &a),
        at("b", &b),
        at("copy", &b),
        at("c", &c),
        at("own", &main),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, file, folder)| (*name, file.as_path(), folder.as_path()))
        .collect();
    assert_eq!(places, expected);
    assert_eq!(apps[1].env["X"], "1");
}

#[test]
fn modules_that_require_each_other_see_what_is_there_so_far() {
    let folder = Folder::new(&[
        ("ecosystem.config.js", "exports.first = 1; exports.apps = require('./other').apps;"),
        (
            "other.js",
            "const half = require('./ecosystem.config.js');
             exports.apps = [{ script: 'a.js', env: { FIRST: half.first, APPS: typeof half.apps } }];",
        ),
    ]);
    let apps = folder.load("ecosystem.config.js").unwrap().apps;
    assert_eq!(apps[0].env["FIRST"], "1");
    assert_eq!(apps[0].env["APPS"], "undefined");
}

#[test]
fn a_package_that_needs_nothing_of_node_works() {
    let folder = Folder::new(&[
        (
            "sub/ecosystem.config.js",
            "module.exports = require('base')('x')",
        ),
        ("node_modules/base/package.json", "{ \"main\": \"lib\" }"),
        (
            "node_modules/base/lib/index.js",
            "const { join } = require('node:path');
             module.exports = (name) => [{ name, script: join(__dirname, '..', 'a.js') }];",
        ),
    ]);
    let apps = folder.load("sub/ecosystem.config.js").unwrap().apps;
    assert_eq!(
        Path::new(&apps[0].script),
        folder.path("node_modules/base/a.js")
    );
}

#[test]
fn a_module_that_is_nowhere_is_named_with_its_place() {
    let folder = Folder::new(&[(
        "ecosystem.config.js",
        "const path = require('path');\nconst env = require('dotenv').config();\n",
    )]);
    let error = folder.failure("ecosystem.config.js");
    assert_eq!((error.fault, error.line), (EvalFault::Module, Some(2)));
    assert!(
        error
            .message
            .starts_with("cannot find the module \"dotenv\", tried "),
        "{error}"
    );
    assert!(error.hint.unwrap().contains("npm i dotenv"));
    let folder = Folder::new(&[
        ("ecosystem.config.js", "require('./sub')"),
        ("sub/index.js", "\n  require('../nope');"),
    ]);
    let error = folder.failure("ecosystem.config.js");
    assert_eq!(error.file, folder.path("sub/index.js"));
    assert_eq!((error.line, error.column.is_some()), (Some(2), true));
    assert!(error.message.contains("nope.js"), "{error}");
    assert_eq!(error.hint, None);
}

#[test]
fn a_missing_module_may_be_done_without() {
    let text = "let extra = []; try { extra = require('./local'); } catch (e) { if (e.code !== 'MODULE_NOT_FOUND') throw e; }
                module.exports = [{ script: 'a.js' }, ...extra];";
    assert_eq!(of(text).unwrap().apps.len(), 1);
}

#[test]
fn every_shape_that_pm2_takes_is_taken() {
    for text in [
        "module.exports = { apps: [{ script: 'a.js' }] }",
        "module.exports = { apps: { script: 'a.js' } }",
        "module.exports = { pm2: [{ exec: 'a.js' }] }",
        "module.exports = [{ cmd: 'a.js' }]",
        "module.exports = { script: 'a.js' }",
        "module.exports = () => ({ apps: [{ script: 'a.js' }] })",
        "exports.__esModule = true; exports.default = [{ script: 'a.js' }]",
        "\u{feff}#!/usr/bin/env node\nmodule.exports = [{ script: 'a.js' }]",
    ] {
        let apps = of(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .apps;
        assert_eq!(apps[0].name.as_str(), "a", "{text}");
    }
}

#[test]
fn a_file_sees_the_command_s_environment_and_place() {
    let folder = Folder::new(&[
        (
            "sub/ecosystem.config.js",
            "console.log('here', { a: 1 });
             const fs = require('fs'); const os = require('node:os'); const path = require('path');
             module.exports = [{ script: 'a.js', env: {
               HOME: process.env.HOME, OS: os.homedir(), CWD: process.cwd(), DIR: __dirname, FILE: path.basename(__filename),
               TEXT: fs.readFileSync(path.join(__dirname, 'x.txt'), 'utf8').trim(),
               JSON: JSON.parse(fs.readFileSync(__dirname + '/y.json')).y,
               NONE: fs.existsSync('nope'), LIST: fs.readdirSync(__dirname).length,
               PATHS: [path.join('a', '..', 'b/'), path.resolve('/a', '../b'), path.relative('/a/b', '/a/c'),
                       path.extname('a.b.c'), path.dirname('/a'), path.basename('/a/b.js', '.js')].join(' '),
               GONE: undefined, NULL: null, ON: true, LIKE: { a: [1] },
             } }];",
        ),
        ("sub/x.txt", "text\n"),
        ("sub/y.json", "{\"y\": 1.5}"),
    ]);
    let ecosystem = folder.load("sub/ecosystem.config.js").unwrap();
    assert_eq!(ecosystem.said, ["here {\"a\":1}"]);
    let env = &ecosystem.apps[0].env;
    let sub = folder.path("sub");
    let cwd = folder.path("");
    let expected = [
        ("CWD", cwd.to_str().unwrap().trim_end_matches('/')),
        ("DIR", sub.to_str().unwrap()),
        ("FILE", "ecosystem.config.js"),
        ("HOME", "/home/me"),
        ("JSON", "1.5"),
        ("LIKE", "{\"a\":[1]}"),
        ("LIST", "3"),
        ("NONE", "false"),
        ("ON", "true"),
        ("OS", "/home/me"),
        ("PATHS", "b/ /b ../c .c / b"),
        ("TEXT", "text"),
    ];
    let seen: Vec<_> = env
        .iter()
        .map(|(name, value)| {
            (
                name.as_str(),
                value.trim_end_matches(|c| name == "CWD" && c == '/'),
            )
        })
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn the_seed_tree_loads() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/process-manager");
    for environment in ["dev", "production"] {
        let folder = tree.join(environment).canonicalize().unwrap();
        let mut request = Folder::new(&[]).request("");
        request.file = folder.join("ecosystem.config.js");
        let ecosystem = load(&request).unwrap();
        assert_eq!(ecosystem.warnings, []);
        assert_eq!(ecosystem.apps.len(), 6);
        for app in &ecosystem.apps {
            assert_eq!(
                app.defined_in.parent(),
                Some(folder.as_path()),
                "{}",
                app.name
            );
        }
    }
}
