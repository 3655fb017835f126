//! ES modules: `import`, `export`, waiting, and which of them defines an app.

mod support;

use std::path::PathBuf;

use eco_config::{EvalFault, load};
use insta::assert_snapshot;
use support::{Folder, failure_of};

/// The names of the apps, and the files that define them.
fn places(folder: &Folder, name: &str) -> Vec<(String, PathBuf)> {
    let apps = folder
        .load(name)
        .unwrap_or_else(|error| panic!("{error}"))
        .apps;
    apps.into_iter()
        .map(|app| (app.name.to_string(), app.defined_at))
        .collect()
}

#[test]
fn every_way_to_export_is_understood() {
    for text in [
        "export default { apps: [{ script: 'a.js' }] }",
        "export const apps = [{ script: 'a.js' }]",
        "const apps = [{ script: 'a.js' }]; export { apps }",
        "export default [{ script: 'a.js' }]",
        "export default { script: 'a.js' }",
        "export const script = 'a.js'",
        "export default () => ({ apps: [{ script: 'a.js' }] })",
        "export default async () => ({ apps: [{ script: 'a.js' }] })",
        "export default Promise.resolve({ apps: [{ script: 'a.js' }] })",
        "const script = await Promise.resolve('a.js'); export const apps = [{ script }]",
        "import { basename } from 'node:path'; export default { script: basename('/x/a.js') }",
        "\u{feff}#!/usr/bin/env node\nexport default [{ script: 'a.js' }] // the end",
    ] {
        for name in ["ecosystem.config.mjs", "ecosystem.config.js"] {
            let folder = Folder::new(&[(name, text)]);
            let apps = folder
                .load(name)
                .unwrap_or_else(|error| panic!("{text}: {error}"))
                .apps;
            assert_eq!(apps[0].name.as_str(), "a", "{text}");
        }
    }
}

#[test]
fn a_script_in_a_package_of_modules_is_what_its_text_shows() {
    let folder = Folder::new(&[
        ("package.json", "{ \"type\": \"module\" }"),
        ("a.config.js", "export default { script: 'a.js' }"),
        ("b.config.js", "module.exports = { script: 'b.js' }"),
    ]);
    assert_eq!(places(&folder, "a.config.js")[0].0, "a");
    assert_eq!(places(&folder, "b.config.js")[0].0, "b");
}

#[test]
fn each_app_knows_the_file_that_defines_it_through_imports_too() {
    let folder = Folder::new(&[
        (
            "ecosystem.config.mjs",
            "import { apps as a } from './a/ecosystem.config.mjs';
             import b from './b/ecosystem.config.mjs';
             import c from './c/ecosystem.config.cjs';
             import d, { apps } from './d/ecosystem.config.json' with { type: 'json' };
             import e from './e.yaml';
             import * as f from './f/index.mjs';
             import g from './g/g.mjs';
             export default { apps: [
               ...a, ...b.apps.map((app) => ({ ...app, env: { X: 1 } })), ...c.apps, ...d.apps.slice(0, 1), ...e.apps,
               Object.assign({}, f.api, { name: 'f' }), ...(await g).apps, { name: 'own', script: 'own.js' },
             ] };
             export const same = apps === d.apps;",
        ),
        ("a/ecosystem.config.mjs", "export const apps = [{ name: 'a', script: 'a.js' }];"),
        ("b/ecosystem.config.mjs", "export default Object.freeze({ apps: [{ name: 'b', script: 'b.js' }] });"),
        ("c/ecosystem.config.cjs", "exports.apps = [{ name: 'c', script: 'c.js' }]"),
        ("d/ecosystem.config.json", "{ \"apps\": [{ \"name\": \"d\", \"script\": \"d.js\" }] }"),
        ("e.yaml", "apps: [{ name: e, script: e.js }]"),
        ("f/index.mjs", "export { api } from './deep/api.mjs';"),
        ("f/deep/api.mjs", "export const api = { script: 'f.js' };"),
        ("g/g.mjs", "export default Promise.resolve({ apps: [{ name: 'g', script: 'g.js' }] });"),
    ]);
    let expected = [
        ("a", "a/ecosystem.config.mjs"),
        ("b", "b/ecosystem.config.mjs"),
        ("c", "c/ecosystem.config.cjs"),
        ("d", "d/ecosystem.config.json"),
        ("e", "e.yaml"),
        ("f", "f/deep/api.mjs"),
        ("g", "g/g.mjs"),
        ("own", "ecosystem.config.mjs"),
    ]
    .map(|(name, file)| (name.to_owned(), folder.path(file)));
    assert_eq!(places(&folder, "ecosystem.config.mjs"), expected);
}

#[test]
fn a_script_may_require_a_module_and_a_module_a_script() {
    let folder = Folder::new(&[
        (
            "ecosystem.config.cjs",
            "const { apps } = require('./a/a.mjs'); module.exports = { apps };",
        ),
        (
            "a/a.mjs",
            "import { createRequire } from 'node:module';
             const require = createRequire(import.meta.url);
             export const apps = [{ name: 'a', script: 'a.js' }, ...require('../b/b')];",
        ),
        ("b/b.js", "module.exports = [{ name: 'b', script: 'b.js' }]"),
        ("late.config.js", "module.exports = import('./a/a.mjs')"),
    ]);
    let expected = [("a", "a/a.mjs"), ("b", "b/b.js")]
        .map(|(name, file)| (name.to_owned(), folder.path(file)));
    assert_eq!(places(&folder, "ecosystem.config.cjs"), expected);
    assert_eq!(places(&folder, "late.config.js"), expected);
}

#[test]
fn a_module_knows_where_it_is_and_may_read() {
    let folder = Folder::new(&[
        (
            "sub/ecosystem.config.mjs",
            "import { readFileSync } from 'node:fs';
             import fs from 'fs';
             import { readFile } from 'fs/promises';
             import { dirname, join } from 'path';
             import { fileURLToPath } from 'node:url';
             import process from 'node:process';
             const here = dirname(fileURLToPath(import.meta.url));
             export default { script: 'a.js', env: {
               SAME: here === import.meta.dirname && import.meta.filename === join(here, 'ecosystem.config.mjs'),
               FOLDER: new URL('.', import.meta.url).pathname,
               BESIDE: new URL('../x y.txt', import.meta.url).href,
               TEXTS: readFileSync(new URL('./x.txt', import.meta.url), 'utf8') + fs.readFileSync(join(here, 'x.txt'), 'utf8')
                 + await readFile(join(here, 'x.txt'), 'utf8'),
               HOME: process.env.HOME,
             } };",
        ),
        ("sub/x.txt", "x"),
    ]);
    let env = folder.load("sub/ecosystem.config.mjs").unwrap().apps[0]
        .env
        .clone();
    assert_eq!(env["SAME"], "true");
    assert_eq!(env["FOLDER"], format!("{}/", folder.path("sub").display()));
    assert_eq!(
        env["BESIDE"],
        format!("file://{}x%20y.txt", folder.path("").display())
    );
    assert_eq!(env["TEXTS"], "xxx");
    assert_eq!(env["HOME"], "/home/me");
}

#[test]
fn a_package_gives_a_module_what_its_exports_say() {
    let folder = Folder::new(&[
        (
            "ecosystem.config.mjs",
            "import base from '@us/base'; import { one } from '@us/base/parts/one'; import old from 'old';
             export default { script: `${base}-${one}-${old}` };",
        ),
        (
            "node_modules/@us/base/package.json",
            "{ \"exports\": { \".\": { \"require\": \"./no.cjs\", \"import\": \"./yes.mjs\" }, \"./parts/*\": \"./lib/*.mjs\" } }",
        ),
        ("node_modules/@us/base/yes.mjs", "export default 'base'"),
        ("node_modules/@us/base/lib/one.mjs", "export const one = 'one'"),
        ("node_modules/old/package.json", "{ \"main\": \"lib/old.js\" }"),
        ("node_modules/old/lib/old.js", "module.exports = 'old'"),
    ]);
    assert_eq!(places(&folder, "ecosystem.config.mjs")[0].0, "base-one-old");
}

#[test]
fn modules_that_import_each_other_see_what_is_there_so_far() {
    let folder = Folder::new(&[
        (
            "a.mjs",
            "import { script } from './b.mjs'; export const name = () => 'a'; export default { name: name(), script: script() }",
        ),
        (
            "b.mjs",
            "import { name } from './a.mjs'; export const script = () => `${name()}.js`;",
        ),
        (
            "c.mjs",
            "import { d } from './d.mjs'; export const c = 1; export default { script: d }",
        ),
        (
            "d.mjs",
            "import { c } from './c.mjs';\nexport const d = `${c}.js`;",
        ),
        (
            "self.mjs",
            "import { script as own } from './self.mjs'; export const script = 'a.js'; export default { script: own }",
        ),
    ]);
    assert_eq!(places(&folder, "a.mjs")[0].0, "a");
    assert_eq!(places(&folder, "self.mjs")[0].0, "a");
    let error = folder.failure("c.mjs");
    assert_snapshot!(folder.bare(&error.to_string()), @"d.mjs:2:21: ReferenceError: c is not initialized");
}

#[test]
fn a_wrong_token_is_told_where_it_is() {
    let said = failure_of("a.mjs", "export default {\n  apps: [}\n};\n");
    assert_snapshot!(said, @"a.mjs:2:10: SyntaxError: unexpected token in expression: '}'");
    let said = failure_of("a.mjs", "export default { apps: [");
    assert_snapshot!(said, @"a.mjs:1:25: SyntaxError: the file ends too early");
    let said = failure_of("a.js", "import x from './x'\nexport default x x;");
    assert_snapshot!(said, @"a.js:2:18: SyntaxError: expecting ';'");
}

#[test]
fn an_error_is_told_where_it_is() {
    let said = failure_of("a.mjs", "const x = undefined;\nexport default x.foo;");
    assert_snapshot!(said, @"a.mjs:2:16: TypeError: cannot read property 'foo' of undefined");
    let said = failure_of(
        "a.mjs",
        "import { sep } from 'node:path'; throw new Error(sep);",
    );
    assert_snapshot!(said, @"a.mjs:1:50: /");
    let said = failure_of(
        "a.mjs",
        "await null;\nawait Promise.reject(new Error('no database'));",
    );
    assert_snapshot!(said, @"a.mjs:2:26: no database");
}

#[test]
fn an_error_of_an_imported_file_is_told_in_that_file() {
    let folder = Folder::new(&[
        ("a.mjs", "import './b.mjs'; export default []"),
        ("b.mjs", "export const b = 1;\n\nexport default b.c.d;"),
        ("c.mjs", "import './d.cjs'; export default []"),
        ("d.cjs", "\nmodule.exports = d;"),
        ("e.mjs", "import './f.mjs'; export default []"),
        ("f.mjs", "\n  export default ];"),
    ]);
    let said = |name: &str| folder.bare(&folder.failure(name).to_string());
    assert_snapshot!(said("a.mjs"), @"b.mjs:3:16: TypeError: cannot read property 'd' of undefined");
    assert_snapshot!(said("c.mjs"), @"d.cjs:2:18: ReferenceError: d is not defined");
    assert_snapshot!(said("e.mjs"), @"f.mjs:2:18: SyntaxError: unexpected token in expression: ']'");
}

#[test]
fn a_module_that_is_nowhere_is_told_where_it_is_imported() {
    let folder = Folder::new(&[
        (
            "a.mjs",
            "import path from 'path';\nimport x from './nope.mjs';\nexport default x;",
        ),
        ("b.mjs", "import './c.mjs';"),
        ("c.mjs", "\nimport 'nope';"),
        (
            "d.mjs",
            "import { nope } from './e.mjs';\nexport default nope;",
        ),
        ("e.mjs", "export const yes = 1;"),
        ("late.mjs", "export default await import('./nope.mjs');"),
    ]);
    let said = |name: &str| {
        let error = folder.failure(name);
        let said = folder.bare(&error.to_string());
        said.split(", tried").next().unwrap_or_default().to_owned()
    };
    assert_snapshot!(said("a.mjs"), @r#"a.mjs:2:15: cannot find the module "./nope.mjs""#);
    assert_snapshot!(said("b.mjs"), @r#"c.mjs:2:8: cannot find the module "nope""#);
    assert_snapshot!(said("d.mjs"), @"d.mjs:1:22: SyntaxError: Could not find export 'nope' in module 'e.mjs'");
    assert_snapshot!(said("late.mjs"), @r#"late.mjs:1:29: cannot find the module "./nope.mjs""#);
    assert_eq!(folder.failure("a.mjs").fault, EvalFault::Module);
}

#[test]
fn what_a_module_has_not_is_told_with_what_it_has_instead() {
    let said = failure_of("a.mjs", "export default require('./x');");
    assert_snapshot!(said, @"a.mjs:1:16: ReferenceError: require is not defined (a file that imports or exports is an ES module: use import, or createRequire of node:module)");
    let said = failure_of("a.mjs", "export const dir = __dirname;");
    assert_snapshot!(said, @"a.mjs:1:20: ReferenceError: __dirname is not defined (a file that imports or exports is an ES module: use import.meta.dirname)");
}

#[test]
fn the_limits_hold_for_modules_too() {
    for (text, fault) in [
        ("for (;;) {}", EvalFault::Time),
        ("export default []; for (;;) await null;", EvalFault::Time),
        (
            "const all = []; for (;;) all.push('x'.repeat(1e5) + all.length)",
            EvalFault::Memory,
        ),
        (
            "const f = () => f() + 1; export default f()",
            EvalFault::Depth,
        ),
        ("export default new Promise(() => {})", EvalFault::Result),
        (
            "await new Promise(() => {}); export default []",
            EvalFault::Result,
        ),
        ("const f = () => f; export default f", EvalFault::Result),
    ] {
        let folder = Folder::new(&[("a.mjs", text)]);
        let error = folder.failure("a.mjs");
        assert_eq!(error.fault, fault, "{text}: {error}");
    }
}

#[test]
fn what_only_node_has_is_named_with_its_place() {
    let folder = Folder::new(&[
        (
            "a.mjs",
            "import { execSync } from 'node:child_process';\nexport default [{ script: String(execSync('true')) }];",
        ),
        (
            "b.cjs",
            "const { execSync } = require('child_process');\nmodule.exports = [{ script: String(execSync('true')) }];",
        ),
        (
            "c.mjs",
            "export default [{ script: 'a.js',\n env: { X: Buffer.from('x').toString('hex') } }];",
        ),
        (
            "d.cjs",
            "\nconst path = require('path');\nmodule.exports = [{ script: path.matchesGlob('a', 'b') }];",
        ),
        ("e.cjs", "\nrequire('fs').writeFileSync('x', '');"),
        (
            "f.cjs",
            "module.exports = [{ script: new URL('http://x/y').host }]",
        ),
        ("g.cjs", "module.exports = require('./x.node')"),
        ("x.node", "\u{7f}ELF"),
        (
            "h.cjs",
            "class A extends require('events') {}\nmodule.exports = new A();",
        ),
        ("i.cjs", "module.exports = require('inside')"),
        (
            "node_modules/inside/package.json",
            "{ \"exports\": { \"./a\": \"./a.js\" } }",
        ),
    ]);
    let said = |name: &str| {
        let error = folder.failure(name);
        assert_eq!(error.fault, EvalFault::Node, "{name}: {error}");
        folder.bare(&error.to_string())
    };
    assert_snapshot!(said("a.mjs"), @"a.mjs:1:26: a part of node:child_process that is imported is only there in node");
    assert_snapshot!(said("b.cjs"), @"b.cjs:2:36: child_process.execSync is only there in node");
    assert_snapshot!(said("c.mjs"), @"c.mjs:2:12: Buffer is only there in node");
    assert_snapshot!(said("d.cjs"), @"d.cjs:3:34: path.matchesGlob is only there in node");
    assert_snapshot!(said("e.cjs"), @"e.cjs:2:15: fs.writeFileSync is only there in node");
    assert_snapshot!(said("f.cjs"), @r#"f.cjs:1:33: new URL("http://x/y") is only there in node"#);
    assert_snapshot!(said("g.cjs"), @"g.cjs:1:17: x.node is only there in node");
    assert_snapshot!(said("h.cjs"), @"h.cjs:1:1: events is only there in node");
    assert_snapshot!(said("i.cjs"), @"i.cjs:1:17: inside is only there in node");
}

#[test]
fn what_is_only_asked_for_and_not_used_does_no_harm() {
    let folder = Folder::new(&[
        (
            "a.cjs",
            "const crypto = require('crypto'); const { execSync } = require('child_process');
             const { globSync, readFileSync } = require('fs'); const color = process.noColor ? 1 : 0;
             module.exports = [{ script: color ? execSync('x') + globSync('x') : 'a.js' }]",
        ),
        ("b.mjs", "import crypto from 'crypto'; export default [{ script: 'b.js' }]"),
    ]);
    assert_eq!(places(&folder, "a.cjs")[0].0, "a");
    assert_eq!(places(&folder, "b.mjs")[0].0, "b");
}

#[test]
fn what_the_prelude_adds_is_in_nobody_s_way() {
    let folder = Folder::new(&[(
        "a.mjs",
        "export default { script: 'a.js', env: {
           KEYS: Object.keys(globalThis).filter((key) => key.startsWith('eco')).length, THIS: typeof this, META: typeof import.meta.dirname,
         } }",
    )]);
    let request = folder.request("a.mjs");
    let env = load(&request).unwrap().apps[0].env.clone();
    assert_eq!(
        (
            env["KEYS"].as_str(),
            env["THIS"].as_str(),
            env["META"].as_str()
        ),
        ("0", "undefined", "string")
    );
}
