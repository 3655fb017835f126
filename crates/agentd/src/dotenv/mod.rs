//! Files of variables, as `docker compose` reads them: pure.
//!
//! ```text
//! # a comment                        NAME=value # a comment needs a blank before it
//! export NAME=value                  NAME="a\tb $OTHER ${OTHER:-else}
//! NAME='as it $stands'                     over several lines"
//! ```
//!
//! - Blanks around a name and around a value without quotes do not count. `\r\n` is `\n`, and a byte order mark is none.
//! - In double quotes `\n`, `\r`, `\t`, `\\`, `\"` and `\$` are escapes, in single quotes only `\'`; any other backslash
//!   stands for itself.
//! - `$NAME`, `${NAME}` and `${NAME:-else}` stand for variables, but not in single quotes: see `expand.rs`. `$$` is one `$`.
//! - A name alone says that the shell's variable is wanted, which every app has anyway.
//!
//! What is wrong is told by line and name and never by value: these files hold secrets.

mod cursor;
mod expand;

use std::collections::BTreeMap;

use cursor::Cursor;
use expand::Expansion;

/// Bytes: more than any file of variables holds, and more than its values come to; what is larger is another file by
/// mistake.
pub const LARGEST: usize = 1 << 20;
/// What is said of a line that is something else.
const NO_VARIABLE: &str = "this is no NAME=value";

/// What a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Later lines win.
    pub variables: BTreeMap<String, String>,
    /// Names that stand for nothing, and the lines where they are used.
    pub unset: Vec<(usize, String)>,
}

/// Why a text is no file of variables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Fault {
    /// From 1; where a value that goes wrong begins.
    pub line: usize,
    /// What is wrong, and with which name.
    pub what: String,
}

/// What a name stands for.
pub type Known<'a> = &'a (dyn Fn(&str) -> Option<&'a str> + 'a);

/// Reads a file. `outer` tells variables that are set before it; the file's own win.
pub fn parse(text: &str, outer: Known<'_>) -> Result<Parsed, Fault> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    if let Some((before, _)) = text.split_once('\0') {
        let line = before.split('\n').count();
        let what = "there is a NUL byte in it".to_owned();
        return Err(Fault { line, what });
    }
    let mut cursor = Cursor::new(&text);
    let mut parsed = Parsed::default();
    let mut room = LARGEST;
    while !cursor.is_at_end() {
        entry(&mut cursor, &mut parsed, &mut room, outer)?;
    }
    Ok(parsed)
}

/// Reads what comes next. `room` is what values may still take: those that a later line replaces count, too.
fn entry(
    cursor: &mut Cursor<'_>,
    parsed: &mut Parsed,
    room: &mut usize,
    outer: Known<'_>,
) -> Result<(), Fault> {
    cursor.skip_blanks();
    if cursor.take('\n') {
        return Ok(());
    }
    if cursor.peek() == Some('#') || cursor.is_at_end() {
        cursor.rest_of_line();
        return Ok(());
    }
    let line = cursor.line();
    let fault = |what: String| Fault { line, what };
    let name = name(cursor).ok_or_else(|| fault(NO_VARIABLE.to_owned()))?;
    cursor.skip_blanks();
    if !cursor.take('=') {
        return alone(cursor).map_err(fault);
    }
    let found = {
        let known: Known<'_> = &|other| {
            let own = parsed.variables.get(other).map(String::as_str);
            own.or_else(|| outer(other))
        };
        value(cursor, known, *room)
    };
    let Expansion {
        text,
        unset,
        room: left,
    } = found.map_err(|what| fault(format!("{name}: {what}")))?;
    *room = left;
    parsed.unset.extend(unset.into_iter().map(|it| (line, it)));
    parsed.variables.insert(name, text);
    Ok(())
}

/// The name of a variable, `export` before it passed over.
fn name(cursor: &mut Cursor<'_>) -> Option<String> {
    let is_of_name = |at: char| at.is_ascii_alphanumeric() || matches!(at, '_' | '.' | '-');
    let mut word = cursor.take_while(is_of_name);
    if word == "export" && cursor.peek().is_some_and(|at| at == ' ' || at == '\t') {
        cursor.skip_blanks();
        let next = cursor.take_while(is_of_name);
        if !next.is_empty() {
            word = next;
        }
    }
    let begins = |at: char| at.is_ascii_alphabetic() || at == '_';
    word.starts_with(begins).then(|| word.to_owned())
}

/// A name without a value: nothing but a comment may follow. What is wrong here may be part of a value.
fn alone(cursor: &mut Cursor<'_>) -> Result<(), String> {
    match cursor.peek() {
        None | Some('\n' | '#') => {
            cursor.rest_of_line();
            Ok(())
        }
        Some(_) => Err(NO_VARIABLE.to_owned()),
    }
}

fn value(cursor: &mut Cursor<'_>, known: Known<'_>, room: usize) -> Result<Expansion, String> {
    let has_blank = cursor.skip_blanks();
    match cursor.peek() {
        Some('\'') => {
            let text = quoted(cursor, '\'', single_escape)?;
            let mut expansion = Expansion::within(room);
            expansion.add(&text)?;
            Ok(expansion)
        }
        Some('"') => {
            let text = quoted(cursor, '"', |at| (at == '"').then_some("\""))?;
            expand::double(&text, known, room)
        }
        Some('#') if has_blank => {
            cursor.rest_of_line();
            Ok(Expansion::within(room))
        }
        Some(_) | None => expand::plain(bare(cursor.rest_of_line()), known, room),
    }
}

fn single_escape(at: char) -> Option<&'static str> {
    (at == '\'').then_some("'")
}

/// What stands between two quotes. `escape` says what a backslash and a character mean together where that is not both.
fn quoted(
    cursor: &mut Cursor<'_>,
    quote: char,
    escape: impl Fn(char) -> Option<&'static str>,
) -> Result<String, String> {
    cursor.take(quote);
    let mut text = String::new();
    loop {
        match cursor.next() {
            None => return Err("its quote is not closed".to_owned()),
            Some('\\') => match cursor.next() {
                Some(at) => match escape(at) {
                    // A quote that does not end the value; what else is escaped in double quotes is seen to later.
                    Some(meant) => text.push_str(meant),
                    None => text.extend(['\\', at]),
                },
                None => return Err("its quote is not closed".to_owned()),
            },
            Some(at) if at == quote => break,
            Some(at) => text.push(at),
        }
    }
    let behind = cursor.rest_of_line().trim_matches([' ', '\t']);
    if behind.is_empty() || behind.starts_with('#') {
        Ok(text)
    } else {
        Err("there is more behind its closing quote".to_owned())
    }
}

/// A value without quotes: its comment and the blanks around it taken away.
fn bare(line: &str) -> &str {
    let comment = line
        .char_indices()
        .zip(line.chars().skip(1))
        .find(|((_, blank), next)| matches!(blank, ' ' | '\t') && *next == '#')
        .map(|((at, _), _)| at);
    let kept = comment.and_then(|at| line.get(..at)).unwrap_or(line);
    kept.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests;
