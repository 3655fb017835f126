//! Where in a file a field is written: for data as its reader tells, for JavaScript and JSON by a tolerant look that is no
//! parser.
//!
//! The evaluation tells values, not places. To name the line of a wrong value, the object literal that has the app's name
//! is looked for in the text, and its key. Nothing depends on the answer but a message, so it is `None`
//! whenever there is a doubt, and no text whatever makes it fail.
//!
//! ```text
//! text ─▶ tokens (comments, strings, templates and regular expressions are one each) ─▶ literals with their keys
//! ```

use std::path::Path;

use crate::format::Format;
use crate::tokens::{self, Kind, Token};

/// A place in a text, from 1, counted in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// What stands between braces. Blocks of code look the same and have no keys to speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// Where its brace is.
    pub open: Position,
    /// Its keys, in order.
    pub keys: Vec<Key>,
}

/// A key of a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub at: Position,
    /// Its value, when that is a plain string.
    pub value: Option<String>,
}

impl Position {
    /// Of a byte of a text.
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let from_one = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
        Self {
            line: from_one(before.matches('\n').count()),
            column: from_one(line.chars().count()),
        }
    }
}

impl Literal {
    /// The key of that name; of several the last, which counts.
    pub(crate) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.name == name)
    }
}

/// All literals of a file's text, in the order of their ends.
pub(crate) fn literals(file: &Path, text: &str) -> Vec<Literal> {
    match Format::of_text(file, text) {
        Format::Data(data) => data.literals(text),
        Format::Json | Format::Program(..) => of_javascript(text),
    }
}

fn of_javascript(text: &str) -> Vec<Literal> {
    let tokens = tokens::scan(text);
    let mut open: Vec<Frame> = Vec::new();
    let mut found = Vec::new();
    let mut rest = tokens.as_slice();
    while let [token, after @ ..] = rest {
        rest = after;
        match token.kind {
            Kind::Open(bracket) => open.push(Frame::new(bracket, token.at)),
            Kind::Close(bracket) => close(bracket, &mut open, &mut found),
            Kind::Comma => {
                if let Some(frame) = open.last_mut() {
                    frame.key_next = true;
                }
            }
            Kind::Word | Kind::Text => {
                if let Some(frame) = open.last_mut() {
                    frame.take(token, after);
                }
            }
            Kind::Colon | Kind::Other => {
                if let Some(frame) = open.last_mut() {
                    frame.key_next = false;
                }
            }
        }
    }
    found
}

/// A bracket that is still open.
struct Frame {
    bracket: char,
    literal: Literal,
    key_next: bool,
}

impl Frame {
    fn new(bracket: char, open: Position) -> Self {
        Self {
            bracket,
            literal: Literal {
                open,
                keys: Vec::new(),
            },
            key_next: bracket == '{',
        }
    }

    /// Takes a word or string as a key where one is expected.
    fn take(&mut self, token: &Token, after: &[Token]) {
        if !std::mem::take(&mut self.key_next) || self.bracket != '{' {
            return;
        }
        let kinds = |at: usize| after.get(at).map(|token| token.kind);
        let value = match (kinds(0), kinds(1), kinds(2)) {
            (Some(Kind::Colon), Some(Kind::Text), Some(Kind::Comma | Kind::Close('{'))) => {
                after.get(1).map(|token| token.text.clone())
            }
            (Some(Kind::Colon), ..) => None,
            (Some(Kind::Comma | Kind::Close('{')), ..) if token.kind == Kind::Word => None,
            _ => return,
        };
        self.literal.keys.push(Key {
            name: token.text.clone(),
            at: token.at,
            value,
        });
    }
}

fn close(bracket: char, open: &mut Vec<Frame>, found: &mut Vec<Literal>) {
    // A bracket without its other half is somebody's typing error: skipped.
    let Some(depth) = open.iter().rposition(|frame| frame.bracket == bracket) else {
        return;
    };
    if let Some(frame) = open.drain(depth..).next()
        && frame.bracket == '{'
    {
        found.push(frame.literal);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str, name: &str, key: &str) -> Option<(u32, u32)> {
        let found = of_javascript(text);
        let literal = found.iter().find(|literal| {
            literal.key("name").and_then(|key| key.value.as_deref()) == Some(name)
        })?;
        literal.key(key).map(|key| (key.at.line, key.at.column))
    }

    #[test]
    fn a_key_is_found_behind_comments_templates_and_regular_expressions() {
        let text = "// { name: 'a', x: 1 }\nconst r = /[/{]'/g, t = `}${ {a: `'`} }{`;\nmodule.exports = {\n  \
                    apps: [{ name: \"a\", /* { */ 'x': y / 2, z }],\n};";
        assert_eq!(at(text, "a", "x"), Some((4, 31)));
        assert_eq!(at(text, "a", "z"), Some((4, 43)));
    }

    #[test]
    fn a_value_that_is_computed_is_no_plain_string() {
        assert_eq!(at("({ name: 'a' + b, x: 1 })", "a", "x"), None);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(at("({ name: 'größe', x: 1 })", "größe", "x"), Some((1, 19)));
    }

    #[test]
    fn the_keys_of_a_nested_object_are_not_its_parents() {
        assert_eq!(
            at("({ env: { x: 1 }, name: 'a', x: 2 })", "a", "x"),
            Some((1, 30))
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "[a-z{}\\[\\]()'\"`$/*,:\\\\\n. \u{e9}]{0,200}") {
            let lines = u32::try_from(text.matches('\n').count()).unwrap() + 1;
            for literal in of_javascript(&text) {
                prop_assert!(literal.open.line <= lines);
            }
        }

        #[test]
        fn any_text_at_all_will_do(text in any::<String>()) {
            of_javascript(&text);
        }
    }
}
