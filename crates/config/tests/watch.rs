//! What `watch`, `ignore_watch` and `watch_options` mean.

#![expect(
    clippy::unwrap_used,
    reason = "this is a part of tests, though not all in one"
)]

mod support;

use std::time::Duration;

use eco_config::spec::{IgnoreField, IgnoreRule, Ignored, Links, WatchPolicy};
use insta::assert_snapshot;
use support::{Folder, of};

fn watch(fields: &str) -> WatchPolicy {
    let mut ecosystem = of(&format!(
        "module.exports = [{{ script: 'a.js', watch: true, {fields} }}]"
    ))
    .unwrap();
    assert_eq!(ecosystem.warnings, []);
    ecosystem.apps.remove(0).watch.unwrap()
}

fn pattern(text: &str, field: IgnoreField) -> IgnoreRule {
    let what = Ignored::Pattern(text.to_owned());
    IgnoreRule { what, field }
}

fn expression(text: &str, field: IgnoreField) -> IgnoreRule {
    let what = Ignored::Expression(text.to_owned());
    IgnoreRule { what, field }
}

#[test]
fn patterns_and_regular_expressions_are_kept_in_their_order() {
    use IgnoreField::{IgnoreWatch, WatchOptions};
    let policy = watch(
        r"ignore_watch: ['logs/', /[\/\\]\./, '!keep'],
          watch_options: { ignored: /\.TMP$/gi, followSymlinks: false }",
    );
    let rules = [
        pattern("logs/", IgnoreWatch),
        expression(r"[\/\\]\.", IgnoreWatch),
        pattern("!keep", IgnoreWatch),
        expression(r"(?i)\.TMP$", WatchOptions),
    ];
    assert_eq!(policy.ignore.as_deref(), Some(&rules[..]));
    assert_eq!(policy.links, Links::Plain);
}

#[test]
fn an_empty_list_says_that_nothing_is_ignored_and_none_says_nothing() {
    assert_eq!(watch("ignore_watch: []").ignore, Some(vec![]));
    assert_eq!(watch("").ignore, None);
    assert_eq!(watch("watch_options: { depth: 2 }").ignore, None);
}

#[test]
fn options_that_say_which_changes_count_are_taken_over() {
    let policy = watch(
        "watch_delay: 100, watch_options: { usePolling: true, interval: 500, depth: 3, persistent: true,
         awaitWriteFinish: { stabilityThreshold: 700 } }",
    );
    assert_eq!(policy.polling, Some(Duration::from_millis(500)));
    assert_eq!(policy.depth, Some(3));
    assert_eq!(policy.delay, Duration::from_millis(700));
    assert_eq!(watch("watch_options: { interval: 500 }").polling, None);
}

fn said_of(fields: &str) -> String {
    let text =
        format!("module.exports = {{ apps: [{{ script: 'a.js', watch: true,\n{fields} }}] }};");
    Folder::new(&[("ecosystem.config.js", &text)]).said_of("ecosystem.config.js")
}

#[test]
fn options_that_nobody_acts_on_are_told() {
    let said = said_of("watchOptions: { disableGlobbing: true, cwd: '/x', atomic: true }");
    assert_snapshot!(said, @"warning: ecosystem.config.js:2:1: apps[0].watchOptions: cwd, disableGlobbing are read, but not acted on by this version");
}

#[test]
fn what_is_no_pattern_is_told() {
    let said =
        said_of("ignore_watch: ['a', () => true],\nwatch_options: { depth: 'deep', ignored: 3 }");
    assert_snapshot!(said, @r#"
    problem: ecosystem.config.js:2:1: apps[0].ignore_watch: found a function in a list, expected patterns such as "logs/" or "*.tmp", or regular expressions
    problem: ecosystem.config.js:3:1: apps[0].watch_options.ignored: found 3, expected patterns such as "logs/" or "*.tmp", or regular expressions
    problem: ecosystem.config.js:3:1: apps[0].watch_options.depth: found "deep", expected a number from 0
    "#);
}
