//! TypeScript: types are taken away, and everything is told where it is in the file.

#![cfg(feature = "typescript")]

mod support;

use std::path::PathBuf;

use eco_config::{ConfigError, EvalFault, load};
use insta::assert_snapshot;
use support::{Folder, failure_of};

fn places(folder: &Folder, name: &str) -> Vec<(String, PathBuf)> {
    let apps = folder
        .load(name)
        .unwrap_or_else(|error| panic!("{error}"))
        .apps;
    apps.into_iter()
        .map(|app| (app.name.to_string(), app.defined_at))
        .collect()
}

/// Files with one app that is called a.
const KINDS: &[(&str, &str)] = &[
    (
        "a.config.cts",
        "import type { X } from 'x';\nconst x: X = { script: 'a.js' };\nexport = [x];",
    ),
    (
        "a.config.ts",
        "import type { X } from 'x';\nconst x: X = { script: 'a.js' };\nmodule.exports = [x];",
    ),
    (
        "a.config.mts",
        "import { X } from 'x';\nconst x: X = { script: 'a.js' };\nexport { x as default }\nexport {};",
    ),
    (
        "a.config.ts",
        "import type { StartOptions } from 'pm2';\nconst apps: StartOptions[] = [{ script: 'a.js' }];\nexport default { apps };",
    ),
    (
        "a.config.ts",
        "import { StartOptions } from 'pm2';\nexport const apps: StartOptions[] = [{ script: 'a.js' }];",
    ),
    (
        "a.config.ts",
        "interface App { script: string }\nconst app = { script: 'a.js' } satisfies App;\nexport = { apps: [app as App] };",
    ),
    (
        "a.config.ts",
        "module.exports = { apps: [<any>{ script: 'a.js' }] };",
    ),
    (
        "a.config.ts",
        "import path = require('path');\nexport = [{ script: path.basename('/x/a.js')! }];",
    ),
    (
        "a.config.cts",
        "const { basename } = require('node:path') as typeof import('node:path');\nmodule.exports = [{ script: basename('/x/a.js') }];",
    ),
    (
        "a.config.mts",
        "enum Script { A = 'a.js' }\nexport default [{ script: Script.A as string }];",
    ),
    (
        "a.config.mts",
        "namespace N { export const script = 'a.js' }\nexport default [{ script: N.script }];",
    ),
    (
        "a.config.mts",
        "class App { constructor(public script: string, private readonly x?: number) {} }\nexport default [{ ...new App('a.js') }].map(({ script }) => ({ script }));",
    ),
    (
        "a.config.mts",
        "function f<T extends { script: string }>(this: void, app: T): asserts app is T {}\nabstract class B { declare x: string; abstract y(): void }\nexport default async (): Promise<unknown> => [{ script: 'a.js' }];",
    ),
    (
        "a.config.ts",
        "#!/usr/bin/env tsx\nconst a: string = await Promise.resolve('a.js');\nexport default [{ script: a }];",
    ),
];

#[test]
fn every_kind_of_typescript_is_understood() {
    for (name, text) in KINDS {
        let folder = Folder::new(&[(name, text)]);
        let apps = folder
            .load(name)
            .unwrap_or_else(|error| panic!("{text}: {error}"))
            .apps;
        assert_eq!(apps[0].name.as_str(), "a", "{text}");
    }
}

#[test]
fn each_app_knows_the_file_that_defines_it_through_types_too() {
    let folder = Folder::new(&[
        (
            "ecosystem.config.ts",
            "import { apps as a, type App } from './a/ecosystem.config.ts';
             import b from './b/ecosystem.config';
             import { c } from './c/c.js';
             import d from './d/d.cts';
             const own: App = { name: 'own', script: 'own.js' };
             export default { apps: [...a, ...b.apps.map((app: App) => ({ ...app, env: { X: 1 } })), c, own, ...d] };",
        ),
        ("a/ecosystem.config.ts", "export type App = { name: string; script: string };\nexport const apps: App[] = [{ name: 'a', script: 'a.js' }];"),
        ("b/ecosystem.config.mts", "export default { apps: [{ name: 'b', script: 'b.js' } as const] };"),
        ("c/c.ts", "export const c = { name: 'c', script: 'c.js' as string };"),
        ("d/d.cts", "export = [{ name: 'd', script: 'd.js' }] as const;"),
    ]);
    let expected = [
        ("a", "a/ecosystem.config.ts"),
        ("b", "b/ecosystem.config.mts"),
        ("c", "c/c.ts"),
        ("own", "ecosystem.config.ts"),
        ("d", "d/d.cts"),
    ]
    .map(|(name, file)| (name.to_owned(), folder.path(file)));
    assert_eq!(places(&folder, "ecosystem.config.ts"), expected);
}

#[test]
fn a_script_may_require_typescript() {
    let folder = Folder::new(&[
        ("a.config.js", "module.exports = require('./b').default"),
        (
            "b.ts",
            "const apps: object[] = [{ name: 'b', script: 'b.js' }];\nexport default { apps };",
        ),
    ]);
    assert_eq!(
        places(&folder, "a.config.js"),
        [("b".to_owned(), folder.path("b.ts"))]
    );
}

#[test]
fn mistakes_are_told_where_they_are_in_the_file() {
    assert_snapshot!(failure_of("a.ts", "interface A {\n  x: string;\n}\nexport default [ ;\n"), @"a.ts:4:18: SyntaxError: Unexpected token");
    assert_snapshot!(failure_of("a.ts", "const x: = 1;\n"), @"a.ts:1:10: SyntaxError: Unexpected token");
    assert_snapshot!(failure_of("a.ts", "export default {\n  apps: [\n"), @"a.ts:3:1: SyntaxError: Expected `]` but found `EOF`");
    assert_snapshot!(failure_of("a.ts", "let x: number = 1;\nlet x: number = 2;\n"), @"a.ts:1:5: SyntaxError: Identifier `x` has already been declared");
    assert_snapshot!(
        failure_of(
            "a.ts",
            "interface A {\n  x: string;\n}\n\ntype B = A;\nconst größe = '🦀', b: B = undefined as any as B; const c = b.x;\nexport default [];\n"
        ),
        @"a.ts:6:60: TypeError: cannot read property 'x' of undefined"
    );
    assert_snapshot!(
        failure_of(
            "a.ts",
            "type Env = { ports?: { first: number } };\n\nfunction port(env: Env): number {\n  // deep\n  return env.ports!.first;\n}\n\nexport default [{ script: 'a.js', env: { PORT: port({}) } }];\n"
        ),
        @"a.ts:5:10: TypeError: cannot read property 'first' of undefined"
    );
    assert_snapshot!(failure_of("a.ts", "type X = 1;\n\nif (!process.env.TOKEN) {\n  throw new Error('set TOKEN first');\n}\nexport default [];"), @"a.ts:4:13: set TOKEN first");
}

#[test]
fn a_missing_module_is_told_where_it_is_imported() {
    let folder = Folder::new(&[(
        "a.ts",
        "type A = 1;\n\nimport { x } from './nope';\nexport default x;",
    )]);
    let error = folder.failure("a.ts");
    assert_eq!(
        (error.fault, error.line, error.column),
        (EvalFault::Module, Some(3), Some(19))
    );
}

#[test]
fn problems_of_fields_are_told_where_they_are() {
    let folder = Folder::new(&[(
        "a.ts",
        "interface App { name: string; script: string; instances: unknown }\nconst apps: App[] = [\n  { name: 'a', script: 'a.js',\n    instances: 'lots' as const },\n];\nexport default { apps } satisfies { apps: App[] };\n",
    )]);
    assert_snapshot!(folder.said_of("a.ts"), @r#"problem: a.ts:4:5: apps[0].instances: found "lots", expected a number or "max""#);
}

#[test]
fn syntax_that_the_engine_does_not_know_is_for_node() {
    let folder = Folder::new(&[(
        "a.mjs",
        "const change = () => {};\n@change class A {}\nexport default [{ script: 'a.js' }];",
    )]);
    let error = folder.failure("a.mjs");
    assert_eq!(error.fault, EvalFault::Node);
    assert_snapshot!(folder.bare(&error.to_string()), @"a.mjs:2:1: eco does not know this syntax, and node may (SyntaxError: unexpected token in expression: '@')");
}

#[test]
fn node_takes_it_where_tsx_is_installed() {
    // In the place of tsx, which is too large to be here: it takes the types of one file away.
    let register = "exports.register = () => {
        const { readFileSync } = require('fs');
        const compile = (module, file) => module._compile(readFileSync(file, 'utf8').replaceAll(': string', ''), file);
        require('module')._extensions['.cts'] = compile;
      };";
    let folder = Folder::new(&[
        (
            "a.cts",
            "const name: string = require('child_process').execSync('echo a').toString().trim();\nmodule.exports = [{ name, script: 'a.js' }];",
        ),
        (
            "node_modules/tsx/package.json",
            "{ \"exports\": { \"./cjs/api\": \"./cjs.js\", \"./esm/api\": \"./esm.js\" } }",
        ),
        ("node_modules/tsx/cjs.js", register),
        ("node_modules/tsx/esm.js", "exports.register = () => {};"),
    ]);
    let mut request = folder.request("a.cts");
    let path = std::env::var("PATH").expect("the tests have a PATH");
    request.variables.insert("PATH".to_owned(), path);
    let ecosystem = load(&request).unwrap_or_else(|error: ConfigError| panic!("{error}"));
    assert_eq!(ecosystem.apps[0].name.as_str(), "a");
    assert_eq!(ecosystem.apps[0].defined_at, folder.path("a.cts"));
    assert!(ecosystem.by_node.is_some());
}
