//! Texts that come from stdin: in whatever language, as if a file of the working directory.

mod support;

use eco_config::{ConfigError, Ecosystem, EvalError, Request, Runtime, STDIN, load, read_stdin};
use insta::assert_snapshot;
use support::Folder;

fn request(folder: &Folder, text: &str) -> Request {
    Request {
        text: Some(text.to_owned()),
        ..folder.request(STDIN)
    }
}

fn loaded(folder: &Folder, text: &str) -> Ecosystem {
    load(&request(folder, text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn said(text: &str) -> String {
    match load(&request(&Folder::new(&[]), text)) {
        Err(ConfigError::Evaluate(error)) => error.to_string(),
        Err(ConfigError::Invalid(problems)) => {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
        other => panic!("taken: {other:?}"),
    }
}

#[test]
fn every_language_is_told_by_its_look() {
    let folder = Folder::new(&[]);
    for text in [
        "{ \"apps\": [{ \"name\": \"a\", \"script\": \"./a.js\" }] }",
        "// mine\n{ apps: [{ name: 'a', script: './a.js', }], }",
        "[{ name: 'a', script: './a' + '.js' }]",
        "({ apps: [{ name: 'a', script: './a.js' }] })",
        "apps:\n  - name: a\n    script: ./a.js\n",
        "- { name: a, script: ./a.js }",
        "[[apps]]\nname = 'a'\nscript = './a.js'\n",
        "name = 'a'\nscript = './a.js'\n",
        "module.exports = { apps: [{ name: 'a', script: './a.js' }] };",
        "const apps = [{ name: 'a', script: './a.js' }];\nmodule.exports = { apps };",
        "export default { apps: [{ name: 'a', script: './a.js' }] }",
        "import { join } from 'node:path';\nexport const apps = [{ name: 'a', script: './' + join('a.js') }];",
    ] {
        let apps = loaded(&folder, text).apps;
        assert_eq!(apps[0].name.as_str(), "a", "{text}");
        assert_eq!(apps[0].script, "./a.js", "{text}");
        assert_eq!(
            apps[0].defined_in,
            folder.path("").components().as_path(),
            "{text}"
        );
        assert!(apps[0].defined_at.ends_with(STDIN), "{text}");
    }
}

#[test]
fn files_are_found_from_the_working_directory() {
    let folder = Folder::new(&[
        (
            "sub/b.cjs",
            "module.exports = [{ name: 'b', script: 'b.js' }]",
        ),
        (
            "sub/c.mjs",
            "export default [{ name: 'c', script: 'c.js' }]",
        ),
    ]);
    for text in [
        "module.exports = [...require('./sub/b.cjs'), ...require('./sub/c.mjs').default]",
        "import b from './sub/b.cjs'; import c from './sub/c.mjs'; export default [...b, ...c]",
    ] {
        let apps = loaded(&folder, text).apps;
        let places: Vec<_> = apps.iter().map(|app| app.defined_at.clone()).collect();
        assert_eq!(
            places,
            [folder.path("sub/b.cjs"), folder.path("sub/c.mjs")],
            "{text}"
        );
    }
}

#[test]
fn it_is_called_stdin_in_messages() {
    assert_snapshot!(said("{ \"apps\": [{ \"script\" 1 }] }"), @"<stdin>:1:23: SyntaxError: Unexpected number");
    assert_snapshot!(said("module.exports = x;"), @"<stdin>:1:18: ReferenceError: x is not defined");
    assert_snapshot!(said("export default {"), @"<stdin>:1:17: SyntaxError: the file ends too early");
    assert_snapshot!(said("apps:\n  - name: a\n    name: b"), @"<stdin>:3:5: duplicate mapping key `name` is not allowed here");
    assert_snapshot!(said("apps:\n  - name: a\n    script: a.js\n    instances: lots"), @r#"<stdin>:4:5: apps[0].instances: found "lots", expected a number or "max""#);
    assert_snapshot!(said("[[apps]]\nname = 'a'\nname = 'b'"), @"<stdin>:3:1: duplicate key");
    assert_snapshot!(said("[[apps]]\nname = 'a'\nscript = 'a.js'\ninstances = 'lots'"), @r#"<stdin>:4:1: apps[0].instances: found "lots", expected a number or "max""#);
    assert_snapshot!(said("{ apps: [{ name: 'a', script: 'a.js', instances: 'lots' }] }"), @r#"<stdin>:1:39: apps[0].instances: found "lots", expected a number or "max""#);
    assert_snapshot!(said("just words"), @"<stdin>:1:6: SyntaxError: expecting ';'");
    assert_snapshot!(said("\n"), @"<stdin>: it is empty");
    assert_snapshot!(said("import './nowhere.mjs'").split(", tried").next().unwrap_or_default(), @r#"<stdin>:1:8: cannot find the module "./nowhere.mjs""#);
}

#[test]
fn what_is_no_text_or_too_much_is_refused() {
    let refused = |bytes: &[u8]| read_stdin(bytes).unwrap_err().to_string();
    assert_eq!(
        refused(b"a\xff"),
        "read <stdin>: it is not UTF-8 text (byte 1)"
    );
    assert_eq!(
        refused(b"\x7fELF\0"),
        "read <stdin>: it is not UTF-8 text (byte 4)"
    );
    let much = vec![b' '; 9 << 20];
    assert_eq!(
        refused(&much),
        "read <stdin>: it is larger than 8388608 bytes"
    );
}

#[test]
fn node_takes_it_too() {
    let folder = Folder::new(&[(
        "sub/b.mjs",
        "export const apps = [{ name: 'b', script: 'b.js' }]",
    )]);
    for text in [
        "const { execSync } = require('child_process');
         module.exports = import('./sub/b.mjs').then(({ apps }) => [...apps, { name: execSync('echo a').toString().trim(), script: 'a.js' }])",
        "import { apps } from './sub/b.mjs'; import { execSync } from 'child_process';
         export default [...apps, { name: execSync('echo a').toString().trim(), script: 'a.js' }]",
    ] {
        let mut request = request(&folder, text);
        let path = std::env::var("PATH").expect("the tests have a PATH");
        request.variables.insert("PATH".to_owned(), path);
        let ecosystem = load(&request).unwrap_or_else(|error| panic!("{text}: {error}"));
        let places: Vec<_> = ecosystem
            .apps
            .iter()
            .map(|app| (app.name.as_str(), app.defined_at.clone()))
            .collect();
        let expected = [("b", folder.path("sub/b.mjs")), ("a", folder.path(STDIN))];
        assert_eq!(places, expected, "{text}");
        request.runtime = Runtime::Quickjs;
        let Err(ConfigError::Evaluate(EvalError { file, .. })) = load(&request) else {
            panic!("taken");
        };
        assert_eq!(file, folder.path(STDIN));
    }
}
