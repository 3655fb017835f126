//! What one rule matches: a line of a .gitignore or a regular expression, as PM2's users write them. Pure.

use std::path::Path;

use eco_config::spec::Ignored;
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use regex::Regex;

use super::scope::Scope;
use crate::os::inotify::Kind;
use crate::resolve;

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

/// What a rule matches.
#[derive(Debug)]
pub(super) enum Matcher {
    /// Matched from the watched folder and from the working directory.
    Below(Gitignore),
    /// Matched from the root of the file system.
    Absolute(Gitignore),
    Expression(Regex),
}

impl Matcher {
    /// Whether it lets in what others leave out.
    pub(super) fn lets_in(&self) -> bool {
        match self {
            Self::Below(line) | Self::Absolute(line) => line.num_whitelists() > 0,
            Self::Expression(_) => false,
        }
    }

    /// What it makes of an entry; `None`: it does not match.
    pub(super) fn effect(&self, entry: Entry<'_>) -> Option<Effect> {
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

/// Reads a rule; `None`: an empty text, which matches nothing. Fails with why it means nothing.
pub(super) fn matcher(what: &Ignored, scope: &Scope) -> Result<Option<Matcher>, String> {
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
