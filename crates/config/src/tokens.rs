//! The tokens of JavaScript, JSON and TypeScript that matter for finding keys and modules; everything else is `Other`.

use crate::locate::Position;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An opening bracket.
    Open(char),
    /// A closing bracket, named by its opening one.
    Close(char),
    Comma,
    Colon,
    /// A name or a number.
    Word,
    /// A plain string.
    Text,
    Other,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: Position,
    /// Of words and texts, and the character of what is other.
    pub(crate) text: String,
}

/// Cuts a text into tokens.
pub(crate) fn scan(text: &str) -> Vec<Token> {
    let mut cursor = Cursor {
        chars: text.chars().peekable(),
        at: Position { line: 1, column: 1 },
    };
    let mut tokens: Vec<Token> = Vec::new();
    while let Some(&next) = cursor.chars.peek() {
        let at = cursor.at;
        if next.is_whitespace() || next == '\u{feff}' {
            cursor.next();
            continue;
        }
        let (kind, text) = match next {
            '{' | '[' | '(' => {
                cursor.next();
                (Kind::Open(next), String::new())
            }
            '}' | ']' | ')' => {
                cursor.next();
                (Kind::Close(opening(next)), String::new())
            }
            ',' => {
                cursor.next();
                (Kind::Comma, String::new())
            }
            ':' => {
                cursor.next();
                (Kind::Colon, String::new())
            }
            '"' | '\'' => (Kind::Text, cursor.string()),
            '`' => {
                cursor.next();
                cursor.template();
                (Kind::Other, String::new())
            }
            '/' => match cursor.slash(divides(tokens.last())) {
                Slash::Comment => continue,
                Slash::Token => (Kind::Other, String::new()),
            },
            _ if is_word(next) => (Kind::Word, cursor.word()),
            _ => {
                cursor.next();
                (Kind::Other, next.to_string())
            }
        };
        tokens.push(Token { kind, at, text });
    }
    tokens
}

fn opening(closing: char) -> char {
    match closing {
        '}' => '{',
        ']' => '[',
        _ => '(',
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Whether a slash after this token divides; otherwise it begins a regular expression.
fn divides(before: Option<&Token>) -> bool {
    before.is_some_and(|token| match token.kind {
        Kind::Close(_) | Kind::Text => true,
        Kind::Word => !matches!(
            token.text.as_str(),
            "return" | "typeof" | "case" | "in" | "of"
        ),
        Kind::Open(_) | Kind::Comma | Kind::Colon | Kind::Other => false,
    })
}

enum Slash {
    Comment,
    Token,
}

struct Cursor<'a> {
    chars: std::iter::Peekable<std::str::Chars<'a>>,
    at: Position,
}

impl Cursor<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        if next == '\n' {
            self.at.line = self.at.line.saturating_add(1);
            self.at.column = 1;
        } else {
            self.at.column = self.at.column.saturating_add(1);
        }
        Some(next)
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.chars.next_if(|c| is_word(*c)) {
            self.at.column = self.at.column.saturating_add(1);
            word.push(c);
        }
        word
    }

    /// A string in quotes; at the end of its line it ends anyway.
    fn string(&mut self) -> String {
        let quote = self.next();
        let mut text = String::new();
        while let Some(&c) = self.chars.peek() {
            if c == '\n' {
                break;
            }
            self.next();
            if Some(c) == quote {
                break;
            }
            if c == '\\' {
                match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(other) => text.push(other),
                    None => break,
                }
            } else {
                text.push(c);
            }
        }
        text
    }

    /// The rest of a template, with all that is in its `${…}`. Nesting is counted, not recursed into.
    fn template(&mut self) {
        // Braces open in the code inside of each template.
        let mut code: Vec<Option<u32>> = vec![None];
        while let Some(c) = self.next() {
            match (code.last_mut(), c) {
                (None, _) => return,
                (Some(None), '\\') => {
                    self.next();
                }
                (Some(None), '`') => {
                    code.pop();
                    if code.is_empty() {
                        return;
                    }
                }
                (Some(inside @ None), '$') if self.chars.peek() == Some(&'{') => {
                    self.next();
                    *inside = Some(0);
                }
                (Some(Some(_)), '`') => code.push(None),
                (Some(Some(depth)), '{') => *depth = depth.saturating_add(1),
                (Some(inside @ Some(0)), '}') => *inside = None,
                (Some(Some(depth)), '}') => *depth = depth.saturating_sub(1),
                (Some(_), _) => {}
            }
        }
    }

    fn slash(&mut self, divides: bool) -> Slash {
        self.next();
        match self.chars.peek() {
            Some('/') => {
                while self.chars.peek().is_some_and(|c| *c != '\n') {
                    self.next();
                }
                Slash::Comment
            }
            Some('*') => {
                self.next();
                let mut star = false;
                while let Some(c) = self.next() {
                    if star && c == '/' {
                        break;
                    }
                    star = c == '*';
                }
                Slash::Comment
            }
            _ => {
                if !divides {
                    self.expression();
                }
                Slash::Token
            }
        }
    }

    /// The rest of a regular expression, which ends in its line.
    fn expression(&mut self) {
        let mut class = false;
        while let Some(&c) = self.chars.peek() {
            if c == '\n' {
                return;
            }
            self.next();
            match c {
                '\\' => {
                    self.next();
                }
                '[' => class = true,
                ']' => class = false,
                '/' if !class => return,
                _ => {}
            }
        }
    }
}
