//! What the rules of a scope say of paths.

use std::path::{Path, PathBuf};

use eco_config::spec::Links;

use super::*;
use crate::os::inotify::Kind;
use crate::resolve::Root;

fn scope(root: &str, base: &str, ignore: Option<&[Ignored]>) -> Scope {
    Scope {
        roots: vec![Root {
            written: String::new(),
            path: root.into(),
            only: None,
        }],
        base: base.into(),
        ignore: ignore.map(|rules| {
            let rule = |what: &Ignored| IgnoreRule {
                what: what.clone(),
                field: IgnoreField::IgnoreWatch,
            };
            rules.iter().map(rule).collect()
        }),
        left_out: Vec::new(),
        links: Links::Followed,
        polling: None,
        depth: None,
        home: PathBuf::from("/home/me/.eco"),
    }
}

fn patterns(texts: &[&str]) -> Vec<Ignored> {
    let pattern = |text: &&str| Ignored::Pattern((*text).to_owned());
    texts.iter().map(pattern).collect()
}

/// What the rules say of `path`, below /app/src; a folder's ends with a slash.
fn effect_on(rules: &Rules, path: &str) -> Option<Effect> {
    let entry = Entry {
        absolute: Path::new(path),
        root: Path::new("/app/src"),
        base: Path::new("/app"),
        kind: if path.ends_with('/') {
            Kind::Folder
        } else {
            Kind::File
        },
    };
    rules.deciding(entry).map(|(_, effect)| effect)
}

#[track_caller]
fn check(given: &[&str], out: &[&str], counts: &[&str]) {
    let (rules, bad) = Rules::new(&scope("/app/src", "/app", Some(&patterns(given))));
    assert_eq!(bad, []);
    for path in out {
        assert_eq!(
            effect_on(&rules, path),
            Some(Effect::LeavesOut),
            "{given:?}: {path}"
        );
    }
    for path in counts {
        assert_ne!(
            effect_on(&rules, path),
            Some(Effect::LeavesOut),
            "{given:?}: {path}"
        );
    }
}

#[test]
fn a_name_is_meant_anywhere_and_one_with_a_slash_at_its_end_is_a_folder() {
    check(
        &["cache", "*.tmp"],
        &["/app/src/cache/", "/app/src/a/cache", "/app/src/a/b.tmp"],
        &["/app/src/caches"],
    );
    check(&["logs/"], &["/app/src/x/logs/"], &["/app/src/x/logs"]);
}

#[test]
fn a_slash_at_the_beginning_is_what_is_watched_or_the_working_directory() {
    check(&["/dist"], &["/app/src/dist/"], &["/app/src/a/dist/"]);
    check(
        &["src/gen", "./src/ign"],
        &["/app/src/gen/", "/app/src/ign/"],
        &["/app/src/a/gen/"],
    );
    check(&["./*.log"], &["/app/src/a.log"], &["/app/src/b/a.log"]);
}

#[test]
fn a_path_of_this_host_is_itself() {
    check(
        &["/app/src/gen", "/app/src/x/"],
        &["/app/src/gen", "/app/src/x/"],
        &["/app/src/a/gen", "/app/src/x"],
    );
    check(&["../app/src/gen"], &["/app/src/gen"], &["/app/src/a/gen"]);
    check(
        &["/app/src/**/*.log"],
        &["/app/src/a/b/c.log", "/app/src/c.log"],
        &["/app/src/c.js"],
    );
}

#[test]
fn a_folder_with_all_in_it_is_the_folder() {
    for pattern in ["**/gen/**", "gen/**", "**/gen", "gen/**/*"] {
        check(&[pattern], &["/app/src/gen/"], &["/app/src/general/"]);
    }
    check(&["**"], &["/app/src/a"], &[]);
}

#[test]
fn an_exclamation_mark_lets_in_again_and_the_last_rule_decides() {
    check(
        &["*.pyc", "!keep.pyc"],
        &["/app/src/a.pyc"],
        &["/app/src/keep.pyc"],
    );
    check(&["!keep.pyc", "*.pyc"], &["/app/src/keep.pyc"], &[]);
    check(
        &["!node_modules"],
        &["/app/src/.git/"],
        &["/app/src/node_modules/"],
    );
}

#[test]
fn what_is_left_out_always_and_what_only_where_nothing_is_said() {
    check(
        &[],
        &[
            "/app/src/node_modules/",
            "/app/src/.git/",
            "/app/src/a/__pycache__/",
        ],
        &["/app/src/.env"],
    );
    let (rules, _) = Rules::new(&scope("/app/src", "/app", None));
    assert_eq!(effect_on(&rules, "/app/src/.env"), Some(Effect::LeavesOut));
    assert_eq!(effect_on(&rules, "/app/src/a.b"), None);
}

#[test]
fn what_an_older_agent_wrote_down_means_what_it_meant() {
    check(
        &["**/node_modules", "**/.*"],
        &["/app/src/.env", "/app/src/a/node_modules/"],
        &["/app/src/a"],
    );
}

#[test]
fn alternatives_are_understood_in_both_forms() {
    for pattern in ["*.{log,tmp}", "*.+(log|tmp)", "*.@(log|tmp)"] {
        check(
            &[pattern],
            &["/app/src/a.log", "/app/src/a.tmp"],
            &["/app/src/a.js"],
        );
    }
    check(&["a (copy)"], &["/app/src/a (copy)"], &["/app/src/a"]);
}

#[test]
fn no_text_is_a_comment_or_a_rule_by_mistake() {
    check(&["#a#", "", " ", "!"], &["/app/src/#a#"], &["/app/src/a"]);
}

fn expression(text: &str) -> Rules {
    let given = [Ignored::Expression(text.to_owned())];
    Rules::new(&scope("/app/src", "/app", Some(&given))).0
}

#[test]
fn an_expression_is_looked_for_in_the_path_and_from_the_watched_folder() {
    let leaves_out = |text, path| effect_on(&expression(text), path).is_some();
    assert!(leaves_out(r"[\/\\]\.", "/app/src/.env"));
    assert!(leaves_out(r"^gen/", "/app/src/gen/a.js"));
    assert!(leaves_out(r"/gen/", "/app/src/gen/"));
    assert!(leaves_out(r"^/app/src/gen", "/app/src/gen"));
    assert!(!leaves_out(r"/app", "/app/src/a.js"));
    assert!(!leaves_out(r"src", "/app/src/a.js"));
}

#[test]
fn what_cannot_be_understood_is_told_and_the_others_hold() {
    let given = [
        Ignored::Expression("(?!a)b".to_owned()),
        Ignored::Pattern("!(keep)".to_owned()),
        Ignored::Pattern("{a".to_owned()),
        Ignored::Pattern("logs".to_owned()),
    ];
    let (rules, bad) = Rules::new(&scope("/app/src", "/app", Some(&given)));
    assert_eq!(effect_on(&rules, "/app/src/logs"), Some(Effect::LeavesOut));
    let why: Vec<_> = bad
        .iter()
        .map(|rule| (rule.text.as_str(), rule.why.as_str()))
        .collect();
    insta::assert_debug_snapshot!(why, @r#"
    [
        (
            "(?!a)b",
            "look-around, including look-ahead and look-behind, is not supported",
        ),
        (
            "!(keep)",
            "extended globs are understood as far as @(a|b) and +(a|b)",
        ),
        (
            "{a",
            "error parsing glob '{a': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)",
        ),
    ]
    "#);
}
