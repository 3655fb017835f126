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

/// What is said of values that are larger together than a file may be.
const TOO_MUCH: &str = "the values come to more than 1 MiB";
/// Variables within variables, one in the other.
const DEEPEST: u32 = 20;

/// A value with its variables put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expansion {
    pub(super) text: String,
    /// Names that stand for nothing.
    pub(super) unset: Vec<String>,
    /// Bytes that values may still take, this one and those behind it together.
    pub(super) room: usize,
}

impl Expansion {
    /// An empty value.
    pub(super) const fn within(room: usize) -> Self {
        Self {
            text: String::new(),
            unset: Vec::new(),
            room,
        }
    }

    /// Adds text as it is. A few lines of variables within variables are enough for a value that no memory holds: so it
    /// is asked for room before it is put together.
    pub(super) fn add(&mut self, text: &str) -> Result<(), String> {
        let room = self.room.checked_sub(text.len());
        self.room = room.ok_or_else(|| TOO_MUCH.to_owned())?;
        self.text.push_str(text);
        Ok(())
    }

    fn push(&mut self, at: char) -> Result<(), String> {
        self.add(at.encode_utf8(&mut [0; 4]))
    }
}

/// A value without quotes.
pub(super) fn plain(text: &str, known: Known<'_>, room: usize) -> Result<Expansion, String> {
    let only_dollar = |at| (at == '$').then_some('$');
    let mut expansion = Expansion::within(room);
    expand(
        &mut Cursor::new(text),
        End::OfText,
        (known, &only_dollar, 0),
        &mut expansion,
    )?;
    Ok(expansion)
}

/// A value in double quotes.
pub(super) fn double(text: &str, known: Known<'_>, room: usize) -> Result<Expansion, String> {
    let escapes = |at| match at {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '\\' | '$' => Some(at),
        _ => None,
    };
    let mut expansion = Expansion::within(room);
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
type Rules<'k, 'e> = (Known<'k>, &'e dyn Fn(char) -> Option<char>, u32);

fn expand(
    cursor: &mut Cursor<'_>,
    end: End,
    rules: Rules<'_, '_>,
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
                    into.push(meant)?;
                }
                None => into.push('\\')?,
            },
            Some('$') => variable(cursor, rules, into)?,
            Some(at) => into.push(at)?,
        }
    }
}

/// Puts in what follows a `$`.
fn variable(
    cursor: &mut Cursor<'_>,
    rules: Rules<'_, '_>,
    into: &mut Expansion,
) -> Result<(), String> {
    if cursor.take('$') {
        return into.push('$');
    }
    let is_braced = cursor.take('{');
    let begins = |at: char| at.is_ascii_alphabetic() || at == '_';
    if !cursor.peek().is_some_and(begins) {
        if is_braced {
            return Err("there is no name in the braces of a variable".to_owned());
        }
        return into.push('$');
    }
    let name = cursor.take_while(|at| at.is_ascii_alphanumeric() || at == '_');
    let (known, ..) = rules;
    if is_braced {
        return braced(cursor, name, rules, into);
    }
    put(name, known(name), into)
}

fn put(name: &str, value: Option<&str>, into: &mut Expansion) -> Result<(), String> {
    if let Some(value) = value {
        return into.add(value);
    }
    into.unset.push(name.to_owned());
    Ok(())
}

/// Puts in a variable whose name was read, and what else stands in its braces.
fn braced(
    cursor: &mut Cursor<'_>,
    name: &str,
    (known, escape, depth): Rules<'_, '_>,
    into: &mut Expansion,
) -> Result<(), String> {
    let counts_empty = !cursor.take(':');
    let value = known(name).filter(|value| counts_empty || !value.is_empty());
    let operator = cursor.next();
    if operator == Some('}') && counts_empty {
        return put(name, value, into);
    }
    let mut word = Expansion::within(into.room);
    let inner = (known, escape, depth + 1);
    let mut read = || {
        let done = expand(cursor, End::AtBrace, inner, &mut word);
        into.room = word.room;
        done
    };
    match (operator, value) {
        (Some('-' | '?'), Some(value)) => {
            read()?;
            into.add(value)?;
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
