//! What does not count as a change: lines of a .gitignore and regular expressions, the last that matches decides. Pure.
//!
//! A pattern counts from each watched folder and from the working directory, so that whoever watches `src` may write
//! `gen/` as well as `src/gen/`. What PM2's users have is understood too: `**/x/**` is the folder and all that is in it,
//! an absolute path is one, and `*.+(js|ts)` is `*.{js,ts}`.

use std::path::Path;

use eco_config::spec::{IgnoreField, IgnoreRule, Ignored};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use regex::Regex;

use super::scope::Scope;
use crate::os::inotify::Kind;
use crate::resolve;

/// Left out whatever the specification says, unless a rule of it lets them in again: what tools write there is no change of
/// the app, and there may be much of it.
const ALWAYS: [&str; 3] = [".git", "node_modules", "__pycache__"];
/// What PM2 leaves out where a file does not say.
const BY_DEFAULT: [&str; 1] = [".*"];

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It always holds.
    Always,
    /// It holds where the specification says nothing.
    Default,
    /// A path of `watch` that begins with `!`.
    Watch,
    /// A field of the specification.
    Field(IgnoreField),
}

impl Origin {
    /// The field that it was written in, as people know it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Default => "default",
            Self::Watch => "watch",
            Self::Field(IgnoreField::IgnoreWatch) => "ignore_watch",
            Self::Field(IgnoreField::WatchOptions) => "watch_options.ignored",
        }
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Where it comes from.
    pub origin: Origin,
    /// As it was written.
    pub text: String,
    matcher: Matcher,
}

#[derive(Debug)]
enum Matcher {
    /// Matched from the watched folder and from the working directory.
    Below(Gitignore),
    /// Matched from the root of the file system.
    Absolute(Gitignore),
    Expression(Regex),
}

/// A rule that means nothing, and is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule {
    /// Where it comes from.
    pub origin: Origin,
    /// As it was written.
    pub text: String,
    /// Why, a sentence without its full stop.
    pub why: String,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does not count.
    LeavesOut,
    /// It counts after all.
    LetsIn,
}

/// A file or folder by all its names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) absolute: &'a Path,
    pub(super) root: &'a Path,
    pub(super) base: &'a Path,
    pub(super) kind: Kind,
}

/// All rules of a scope, in their order.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Reads the rules of `scope`.
    #[must_use]
    pub fn new(scope: &Scope) -> (Self, Vec<BadRule>) {
        let pattern = |text: &str| Ignored::Pattern(text.to_owned());
        let always = ALWAYS.map(|text| (Origin::Always, pattern(text)));
        let by_default = BY_DEFAULT.map(|text| (Origin::Default, pattern(text)));
        let given = scope.ignore.iter().flatten();
        let given = given.map(|IgnoreRule { what, field }| (Origin::Field(*field), what.clone()));
        let left_out = scope.left_out.iter();
        let left_out = left_out.map(|text| (Origin::Watch, pattern(text)));
        let by_default = by_default.into_iter().filter(|_| scope.ignore.is_none());
        let mut rules = Vec::new();
        let mut bad = Vec::new();
        for (origin, what) in always
            .into_iter()
            .chain(by_default)
            .chain(left_out)
            .chain(given)
        {
            let text = what.text().to_owned();
            match matcher(&what, scope) {
                Ok(Some(matcher)) => rules.push(Rule {
                    origin,
                    text,
                    matcher,
                }),
                Ok(None) => {}
                Err(why) => bad.push(BadRule { origin, text, why }),
            }
        }
        (Self(rules), bad)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.0
    }

    /// The rule that decides about an entry, whatever they say of the folders above it.
    pub(super) fn deciding(&self, entry: Entry<'_>) -> Option<(&Rule, Effect)> {
        let mut rules = self.0.iter().rev();
        rules.find_map(|rule| Some((rule, rule.matcher.effect(entry)?)))
    }
}

impl Rule {
    /// Whether it lets in what others leave out.
    #[must_use]
    pub fn lets_in(&self) -> bool {
        match &self.matcher {
            Matcher::Below(lines) | Matcher::Absolute(lines) => lines.num_whitelists() > 0,
            Matcher::Expression(_) => false,
        }
    }
}

impl Matcher {
    fn effect(&self, entry: Entry<'_>) -> Option<Effect> {
        match self {
            Self::Below(line) => {
                let froms = [entry.root, entry.base];
                let mut paths = froms
                    .into_iter()
                    .filter_map(|from| below(entry.absolute, from));
                paths.find_map(|path| effect(line, path, entry.kind))
            }
            Self::Absolute(line) => {
                effect(line, below(entry.absolute, Path::new("/"))?, entry.kind)
            }
            Self::Expression(expression) => {
                is_found(expression, entry).then_some(Effect::LeavesOut)
            }
        }
    }
}

fn below<'a>(path: &'a Path, from: &Path) -> Option<&'a Path> {
    let path = path.strip_prefix(from).ok()?;
    (path != Path::new("")).then_some(path)
}

fn effect(line: &Gitignore, path: &Path, kind: Kind) -> Option<Effect> {
    match line.matched(path, kind == Kind::Folder) {
        Match::None => None,
        Match::Ignore(_) => Some(Effect::LeavesOut),
        Match::Whitelist(_) => Some(Effect::LetsIn),
    }
}

/// Chokidar looks for an expression in the whole path. A match that lies above what is watched says nothing about what is
/// in it: `/[\/\\]\./` would leave out everything below a home that is `/home/me/.apps`.
fn is_found(expression: &Regex, entry: Entry<'_>) -> bool {
    let Some(path) = entry.absolute.to_str() else {
        return false;
    };
    let above = entry.root.as_os_str().len();
    let reaches = |text: &str| expression.find_iter(text).any(|found| found.end() > above);
    let relative = below(entry.absolute, entry.root).and_then(Path::to_str);
    let is_in_relative = relative.is_some_and(|relative| expression.is_match(relative));
    is_in_relative || reaches(path) || (entry.kind == Kind::Folder && reaches(&format!("{path}/")))
}

/// `None`: an empty text, which matches nothing.
fn matcher(what: &Ignored, scope: &Scope) -> Result<Option<Matcher>, String> {
    let text = match what {
        Ignored::Expression(text) => {
            let expression = Regex::new(text).map_err(|error| why_not(&error))?;
            return Ok(Some(Matcher::Expression(expression)));
        }
        Ignored::Pattern(text) => text,
    };
    let (sign, rest) = match text.strip_prefix('!') {
        Some(rest) if !rest.starts_with('(') => ("!", rest),
        Some(_) | None => ("", text.as_str()),
    };
    if rest.trim().is_empty() {
        return Ok(None);
    }
    let plain = whole_folder(&alternatives(rest)?).to_owned();
    if let Some(path) = absolute(&plain, scope) {
        return line(&format!("{sign}{path}")).map(|line| Some(Matcher::Absolute(line)));
    }
    let anchored = plain.strip_prefix("./").map(|rest| format!("/{rest}"));
    let plain = anchored.unwrap_or(plain);
    // A comment would be one in a file only.
    let escape = if plain.starts_with(['#', '!']) {
        "\\"
    } else {
        ""
    };
    line(&format!("{sign}{escape}{plain}")).map(|line| Some(Matcher::Below(line)))
}

fn line(text: &str) -> Result<Gitignore, String> {
    let mut builder = GitignoreBuilder::new("");
    let built = builder
        .add_line(None, text)
        .and_then(|builder| builder.build());
    built.map_err(|error| error.to_string())
}

/// `x/**` and `x/**/*` are all that is in a folder: the folder itself is not worth watching then.
fn whole_folder(pattern: &str) -> &str {
    let mut left = pattern;
    while let Some(folder) = left
        .strip_suffix("/**")
        .or_else(|| left.strip_suffix("/**/*"))
    {
        left = folder;
    }
    if left.is_empty() || left == "**" {
        pattern
    } else {
        left
    }
}

/// A pattern that is a path of this host's: it begins with the way to something watched, or leads out of the working
/// directory.
fn absolute(pattern: &str, scope: &Scope) -> Option<String> {
    let leads_out = pattern.starts_with("../");
    if !leads_out && !pattern.starts_with('/') {
        return None;
    }
    let path = resolve::clean(&scope.base.join(pattern));
    let mut froms = std::iter::once(&scope.base).chain(scope.roots.iter().map(|root| &root.path));
    let is_one = leads_out || froms.any(|from| from.parent().is_some() && path.starts_with(from));
    // What was written at the end, for folders only, is no part of a path.
    let end = if pattern.ends_with('/') { "/" } else { "" };
    is_one.then(|| format!("{}{end}", path.display()))
}

/// Writes the alternatives of extended globs, `@(a|b)`, as `{a,b}`. `+(a|b)` is taken for one of them, which is what
/// people mean who write `*.+(js|ts)`.
fn alternatives(pattern: &str) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = pattern;
    while let Some(open) = rest.find('(') {
        let (before, after) = (rest.get(..open).unwrap_or_default(), rest.get(open + 1..));
        let inside = after.and_then(|after| after.split_once(')'));
        let sign = before
            .chars()
            .next_back()
            .filter(|sign| "@+?*!".contains(*sign));
        let (Some(sign), Some((inside, after))) = (sign, inside) else {
            break;
        };
        let kept = before.strip_suffix(sign).unwrap_or(before);
        let list = inside.replace('|', ",");
        let choice = match sign {
            _ if inside.contains('(') => None,
            '@' | '+' => Some(format!("{{{list}}}")),
            _ => None,
        };
        let choice =
            choice.ok_or("extended globs are understood as far as @(a|b) and +(a|b)".to_owned())?;
        written.push_str(kept);
        written.push_str(&choice);
        rest = after;
    }
    written.push_str(rest);
    Ok(written)
}

/// The last line of a message that shows the expression before it says what is wrong.
fn why_not(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().next_back().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use eco_config::spec::Links;

    use super::*;
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
}
