//! A text that comes from stdin: what it is called, and what it is written in. Pure.

use std::fmt;
use std::path::Path;

use crate::data::Data;
use crate::format::{Format, Language, Modules};

/// The name of the file that a text from stdin is taken for, in the folder the command was typed in.
pub const STDIN: &str = "<stdin>";

/// Whether a path stands for stdin.
#[must_use]
pub fn is_stdin(file: &Path) -> bool {
    file.file_name() == Some(STDIN.as_ref())
}

/// A file as people are told of it.
#[must_use]
pub fn shown(file: &Path) -> impl fmt::Display {
    if is_stdin(file) {
        Path::new(STDIN).display()
    } else {
        file.display()
    }
}

/// What a text is written in, by its first line that says anything.
///
/// JSON and expressions begin with a bracket, YAML and TOML with a key or a header; all else is a program.
pub(crate) fn format(text: &str) -> Format {
    let Some(line) = first_line(text) else {
        return Format::Program(Language::JavaScript, Modules::ByText);
    };
    if line.starts_with("#!") {
        Format::Program(Language::JavaScript, Modules::ByText)
    } else if is_header(line) {
        Format::Data(Data::Toml)
    } else if line.starts_with(['{', '[']) || (line.starts_with('(') && !text.contains("exports")) {
        Format::Json
    } else if is_yaml(line) {
        Format::Data(Data::Yaml)
    } else if is_assignment(line) {
        Format::Data(Data::Toml)
    } else {
        Format::Program(Language::JavaScript, Modules::ByText)
    }
}

/// The first line that is no comment of any of the languages.
fn first_line(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let is_comment =
            rest.starts_with("//") || (rest.starts_with('#') && !rest.starts_with("#!"));
        let (_, behind) = if is_comment {
            rest.split_once('\n')?
        } else if rest.starts_with("/*") {
            rest.split_once("*/")?
        } else {
            return rest.lines().next().map(str::trim_end);
        };
        rest = behind.trim_start();
    }
}

/// `[apps.env]` or `[[apps]]`.
fn is_header(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim_end();
    let inside = line
        .strip_prefix("[[")
        .and_then(|rest| rest.strip_suffix("]]"))
        .or_else(|| line.strip_prefix('[')?.strip_suffix(']'));
    inside.is_some_and(|name| !name.trim().is_empty() && name.trim().chars().all(is_bare))
}

/// `---`, `- item` or `key: value`.
fn is_yaml(line: &str) -> bool {
    let is_document = line == "---" || line.starts_with("--- ") || line.starts_with('%');
    let is_item = line == "-" || line.starts_with("- ");
    let has_key = key(line).is_some_and(|(_, rest)| {
        rest.strip_prefix(':')
            .is_some_and(|value| value.is_empty() || value.starts_with(char::is_whitespace))
    });
    is_document || is_item || has_key
}

/// `key = value`, but not what a program does with its module.
fn is_assignment(line: &str) -> bool {
    key(line).is_some_and(|(key, rest)| {
        let of_program = ["module", "exports", "process", "globalThis"];
        let first = key.split('.').next().unwrap_or_default();
        !of_program.contains(&first)
            && rest
                .strip_prefix('=')
                .is_some_and(|value| !value.starts_with(['=', '>']))
    })
}

/// A bare or quoted key at the beginning of a line, and what follows it.
fn key(line: &str) -> Option<(&str, &str)> {
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        let (inside, rest) = line.strip_prefix(quote)?.split_once(quote)?;
        Some((inside, rest.trim_start()))
    });
    quoted.or_else(|| {
        let end = line.find(|c| !is_bare(c)).unwrap_or(line.len());
        let (key, rest) = line.split_at_checked(end)?;
        (!key.is_empty()).then(|| (key, rest.trim_start()))
    })
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_line_that_says_anything_tells_the_language() {
        let program = Format::Program(Language::JavaScript, Modules::ByText);
        for (text, expected) in [
            ("{ \"apps\": [] }", Format::Json),
            ("// apps\n/* of\nmine */ [{ script: 'a.js' }]", Format::Json),
            ("({ apps: [] })", Format::Json),
            ("[\n  { \"script\": \"a\" }\n]", Format::Json),
            ("apps:\n  - script: a", Format::Data(Data::Yaml)),
            ("# mine\n---\napps: []", Format::Data(Data::Yaml)),
            ("- script: a", Format::Data(Data::Yaml)),
            ("\"apps\": []", Format::Data(Data::Yaml)),
            ("x-base: &base", Format::Data(Data::Yaml)),
            ("[[apps]] # first\nname = 'a'", Format::Data(Data::Toml)),
            ("[apps.env]", Format::Data(Data::Toml)),
            ("# mine\nscript = 'a.js'", Format::Data(Data::Toml)),
            ("apps = [{ script = 'a' }]", Format::Data(Data::Toml)),
            ("module.exports = { apps: [] }", program),
            ("exports.apps = []", program),
            ("const apps = []; module.exports = apps", program),
            ("#!/usr/bin/env node\nmodule.exports = []", program),
            ("'use strict';\nmodule.exports = []", program),
            ("export default []", program),
            ("(() => { module.exports = [] })()", program),
            ("apps => apps", program),
            ("\u{feff}{}", Format::Json),
            ("", program),
            ("// nothing", program),
        ] {
            assert_eq!(format(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_will_do(text in any::<String>()) {
            let _format = format(&text);
        }
    }
}
