//! How a failing program is told: the file, the line and the column as the person sees them.

mod support;

use insta::assert_snapshot;
use support::failure_of;

#[test]
fn a_wrong_token_is_told_where_it_is() {
    let said = failure_of(
        "ecosystem.config.js",
        r"module.exports = {
  apps: [}
};
",
    );
    assert_snapshot!(said, @"ecosystem.config.js:2:10: SyntaxError: unexpected token in expression: '}'");
}

#[test]
fn the_first_line_is_not_moved_by_the_wrapper() {
    let said = failure_of("ecosystem.config.js", "module.exports = undefined.foo;");
    assert_snapshot!(said, @"ecosystem.config.js:1:18: TypeError: cannot read property 'foo' of undefined");
}

#[test]
fn a_file_that_ends_too_early_is_told_at_its_end() {
    let said = failure_of(
        "ecosystem.config.js",
        r"module.exports = {
  apps: [",
    );
    assert_snapshot!(said, @"ecosystem.config.js:2:10: SyntaxError: the file ends too early");
}

#[test]
fn a_mistake_in_json_is_told_where_it_is() {
    let said = failure_of(
        "ecosystem.config.json",
        r#"{
  // comments are fine
  "apps": [{ "script" "a.js" }]
}"#,
    );
    assert_snapshot!(said, @"ecosystem.config.json:3:23: SyntaxError: Unexpected string");
}

#[test]
fn an_error_in_a_function_is_told_where_it_is() {
    let said = failure_of(
        "ecosystem.config.js",
        r"#!/usr/bin/env node
function port(env) {
  return env.ports.first;
}
module.exports = { apps: [{ script: 'a.js', env: { PORT: port({}) } }] };
",
    );
    assert_snapshot!(said, @"ecosystem.config.js:3:10: TypeError: cannot read property 'first' of undefined");
}

#[test]
fn what_is_thrown_need_not_be_an_error() {
    let said = failure_of("ecosystem.config.js", "throw 'no database';");
    assert_snapshot!(said, @r#"ecosystem.config.js: it throws "no database""#);
}

#[test]
fn an_error_of_one_s_own_is_told_in_its_words() {
    let said = failure_of(
        "ecosystem.config.js",
        r"if (!process.env.TOKEN) {
  throw new Error('set TOKEN first');
}",
    );
    assert_snapshot!(said, @"ecosystem.config.js:2:13: set TOKEN first");
}

#[test]
fn a_name_that_only_node_has_is_for_node() {
    let said = failure_of(
        "ecosystem.config.js",
        "module.exports = { apps: [{ script: Buffer.from('a').toString() }] };",
    );
    assert_snapshot!(said, @"ecosystem.config.js:1:37: Buffer is only there in node (node is not on PATH: install it, or put its folder there, or write the file without)");
}

#[test]
fn a_promise_that_never_resolves_is_told() {
    let said = failure_of(
        "ecosystem.config.js",
        "module.exports = new Promise(() => {});",
    );
    assert_snapshot!(said, @"ecosystem.config.js: it waits for something that never comes");
}

#[test]
fn a_promise_that_is_rejected_is_told_where_it_was() {
    let said = failure_of(
        "ecosystem.config.js",
        "module.exports = async () => {
  await null;
  throw new Error('no database');
};",
    );
    assert_snapshot!(said, @"ecosystem.config.js:3:13: no database");
}

#[test]
fn await_in_a_script_is_explained() {
    let said = failure_of("ecosystem.config.cjs", "const x = await import('./x.mjs');");
    assert_snapshot!(said, @"ecosystem.config.cjs:1:17: SyntaxError: expecting ';' (await is for async functions and for ES modules: a file that imports or exports)");
}

#[test]
fn a_file_that_is_not_there_to_read_is_named_as_node_does() {
    let said = failure_of(
        "ecosystem.config.js",
        r"
require('fs').readFileSync('/nope/x.json');",
    );
    assert_snapshot!(said, @"ecosystem.config.js:2:15: ENOENT: no such file or directory, open '/nope/x.json'");
}

#[test]
fn writing_is_for_node() {
    let said = failure_of(
        "ecosystem.config.js",
        "require('fs').writeFileSync('x', '');",
    );
    assert_snapshot!(said, @"ecosystem.config.js:1:14: fs.writeFileSync is only there in node (node is not on PATH: install it, or put its folder there, or write the file without)");
}
