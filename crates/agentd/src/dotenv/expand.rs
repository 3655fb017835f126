//! Variables in values.
//!
//! | written | stands for |
//! | --- | --- |
//! | `$NAME`, `${NAME}` | the variable, or nothing |
//! | `${NAME:-else}`, `${NAME-else}` | the variable, or `else` where it is empty or unset, or only where it is unset |
//! | `${NAME:+then}`, `${NAME+then}` | `then` where the other form takes the variable, or nothing |
//! | `${NAME:?why}`, `${NAME?why}` | the variable; where the other form takes `else` the file is refused |
//! | `$$`, `\$` | one `$` |
//!
//! `else` and `then` may hold variables themselves. A `$` before anything else stands for itself.

use super::Known;
use super::cursor::Cursor;

/// Variables within variables, one in the other.
const DEEPEST: u32 = 20;

/// A value with its variables put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expansion {
    pub(super) text: String,
    /// Names that stand for nothing.
    pub(super) unset: Vec<String>,
}

impl Expansion {
    /// A value that holds no variables.
    pub(super) const fn of(text: String) -> Self {
        Self {
            text,
            unset: Vec::new(),
        }
    }
}

/// A value without quotes.
pub(super) fn plain(text: &str, known: Known<'_>) -> Result<Expansion, String> {
    let only_dollar = |at| (at == '$').then_some('$');
    let mut expansion = Expansion::default();
    expand(
        &mut Cursor::new(text),
        End::OfText,
        (known, &only_dollar, 0),
        &mut expansion,
    )?;
    Ok(expansion)
}

/// A value in double quotes.
pub(super) fn double(text: &str, known: Known<'_>) -> Result<Expansion, String> {
    let escapes = |at| match at {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '\\' | '$' => Some(at),
        _ => None,
    };
    let mut expansion = Expansion::default();
    expand(
        &mut Cursor::new(text),
        End::OfText,
        (known, &escapes, 0),
        &mut expansion,
    )?;
    Ok(expansion)
}

/// Where a text with variables ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    OfText,
    /// At the brace that closes the variable it is in.
    AtBrace,
}

/// How variables are looked up, what a backslash and a character mean, and how deep we are.
type Rules<'a> = (Known<'a>, &'a dyn Fn(char) -> Option<char>, u32);

fn expand(
    cursor: &mut Cursor<'_>,
    end: End,
    rules: Rules<'_>,
    into: &mut Expansion,
) -> Result<(), String> {
    let (_, escape, depth) = rules;
    if depth > DEEPEST {
        return Err("variables are nested too deep".to_owned());
    }
    loop {
        match cursor.next() {
            None if end == End::OfText => return Ok(()),
            None => return Err("the brace of a variable is not closed".to_owned()),
            Some('}') if end == End::AtBrace => return Ok(()),
            Some('\\') => match cursor.peek().and_then(escape) {
                Some(meant) => {
                    cursor.next();
                    into.text.push(meant);
                }
                None => into.text.push('\\'),
            },
            Some('$') => variable(cursor, rules, into)?,
            Some(at) => into.text.push(at),
        }
    }
}

/// Puts in what follows a `$`.
fn variable(cursor: &mut Cursor<'_>, rules: Rules<'_>, into: &mut Expansion) -> Result<(), String> {
    if cursor.take('$') {
        into.text.push('$');
        return Ok(());
    }
    let is_braced = cursor.take('{');
    let begins = |at: char| at.is_ascii_alphabetic() || at == '_';
    if !cursor.peek().is_some_and(begins) {
        if is_braced {
            return Err("there is no name in the braces of a variable".to_owned());
        }
        into.text.push('$');
        return Ok(());
    }
    let name = cursor.take_while(|at| at.is_ascii_alphanumeric() || at == '_');
    let (known, ..) = rules;
    if is_braced {
        return braced(cursor, name, rules, into);
    }
    put(name, known(name), into);
    Ok(())
}

fn put(name: &str, value: Option<String>, into: &mut Expansion) {
    match value {
        Some(value) => into.text.push_str(&value),
        None => into.unset.push(name.to_owned()),
    }
}

/// Puts in a variable whose name was read, and what else stands in its braces.
fn braced(
    cursor: &mut Cursor<'_>,
    name: &str,
    (known, escape, depth): Rules<'_>,
    into: &mut Expansion,
) -> Result<(), String> {
    let counts_empty = !cursor.take(':');
    let value = known(name).filter(|value| counts_empty || !value.is_empty());
    let operator = cursor.next();
    if operator == Some('}') && counts_empty {
        put(name, value, into);
        return Ok(());
    }
    let mut word = Expansion::default();
    let inner = (known, escape, depth + 1);
    let mut read = || expand(cursor, End::AtBrace, inner, &mut word);
    match (operator, value) {
        (Some('-' | '?'), Some(value)) => {
            read()?;
            into.text.push_str(&value);
        }
        (Some('-'), None) | (Some('+'), Some(_)) => {
            read()?;
            into.text.push_str(&word.text);
            into.unset.extend(word.unset);
        }
        (Some('+'), None) => read()?,
        (Some('?'), None) => {
            read()?;
            return Err(format!("it needs {name}: {}", word.text));
        }
        (Some(_) | None, _) => {
            return Err(format!(
                "what stands behind {name} in braces is not understood"
            ));
        }
    }
    Ok(())
}
