//! Who may name what: the boundaries of docs/ARCHITECTURE.md, looked for in the text of the sources.
//!
//! Comments do not count; tests do where a rule says so. An exception stands in `rules` with its reason, or the check fails.

mod rules;

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use rules::{LONGEST, LONGEST_OF_TESTS, RULES, Rule, is_test};

/// Folders with sources of ours.
const SOURCES: [&str; 5] = ["crates", "tests", "xtask", "proto", "examples"];
/// Folders in them with what is not ours, or made.
const LEFT_OUT: [&str; 4] = ["node_modules", "dist", "snapshots", "target"];
/// What is a source.
const EXTENSIONS: [&str; 5] = ["rs", "js", "ts", "py", "proto"];

/// Every crossing below `root`, each a line for a person.
pub(crate) fn crossings(root: &Path) -> Result<Vec<String>, Failure> {
    let mut crossings = Vec::new();
    for folder in SOURCES {
        visit(&root.join(folder), &mut |path, text| {
            let shown = path
                .strip_prefix(root)
                .unwrap_or(path)
                .display()
                .to_string();
            crossings.extend(of_file(&shown, text));
        })?;
    }
    crossings.extend(idle_exceptions(root));
    crossings.sort();
    Ok(crossings)
}

fn visit(folder: &Path, look: &mut dyn FnMut(&Path, &str)) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).map_err(Failure::at("list", folder))?;
    for entry in entries {
        let entry = entry.map_err(Failure::at("list", folder))?;
        let path = entry.path();
        if path.is_dir() {
            if !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                visit(&path, look)?;
            }
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            let text = fs::read_to_string(&path).map_err(Failure::at("read", &path))?;
            look(&path, &text);
        }
    }
    Ok(())
}

/// The crossings of one file; `path` counts from the top of the workspace.
fn of_file(path: &str, text: &str) -> Vec<String> {
    let mut crossings = Vec::new();
    let length = text.lines().count();
    let most = if is_test(path) {
        LONGEST_OF_TESTS
    } else {
        LONGEST
    };
    if length > most {
        crossings.push(format!("{path}: {length} lines, {most} are the most"));
    }
    let rules = RULES.iter().filter(|rule| rule.is_about(path));
    for rule in rules {
        let found = text.lines().enumerate().find_map(|(at, line)| {
            let name = rule.names.iter().find(|name| holds(line, name))?;
            Some((at + 1, name))
        });
        if let Some((line, name)) = found {
            crossings.push(format!("{path}:{line}: {name}: {}", rule.says));
        }
    }
    crossings
}

/// Whether a line of code holds a name that does not begin inside of another.
fn holds(line: &str, name: &str) -> bool {
    if line.trim_start().starts_with("//") {
        return false;
    }
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

/// Exceptions for what is no longer there: they would hide the next crossing.
fn idle_exceptions(root: &Path) -> Vec<String> {
    let listed = RULES.iter().flat_map(|rule: &Rule| rule.but);
    listed
        .filter(|(path, _)| !root.join(path).exists())
        .map(|(path, _)| format!("{path}: listed as an exception, and not there"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_comment_or_inside_of_a_word_is_none() {
        assert!(holds("use sled::Db;", "sled::"));
        assert!(!holds("// sled::Db", "sled::"));
        assert!(!holds("    /// see sled::Db", "sled::"));
        assert!(!holds("use tobogganed_sled::Db;", "sled::"));
        assert!(!holds("ui.eprintln!()", "println!"));
    }

    #[test]
    fn a_crossing_is_told_with_its_line_and_an_exception_is_none() {
        let text = "//! Why.\nuse sled::Db;\n";
        let told = of_file("crates/agentd/src/fleet/mod.rs", text);
        assert!(
            told.iter()
                .any(|line| line.starts_with("crates/agentd/src/fleet/mod.rs:2: sled::")),
            "{told:?}"
        );
        assert!(of_file("crates/agentd/src/store/mod.rs", text).is_empty());
    }

    #[test]
    fn a_file_of_more_than_the_most_lines_is_told() {
        let told = of_file("crates/home/src/x.rs", &"\n".repeat(LONGEST + 1));
        assert_eq!(told.len(), 1);
    }
}
