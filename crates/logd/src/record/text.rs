//! The level of a line of text, by where it stands.
//!
//! ```text
//!  [31m2026-11-26 07:00:01,123[0m - app.db - ERROR - no error found
//!       └──────── head: what loggers write before the level ────────┘ └ message: never looked at
//! ```
//!
//! The line is read word by word from its beginning, without colours, [`HEAD`] bytes of it at most. Before the level may
//! stand
//! - words with a digit, such as dates, times and process ids;
//! - words in brackets, punctuation, names of days, months and time zones;
//! - a name between two separators (` - app.db - `), and pairs (`time=… app=…`).
//!
//! The first word that is none of these ends the search: the message has begun. A level is
//! - a name in capitals, alone or with punctuation behind it: `INFO`, `WARNING:root:`, `ERROR/Worker]`, `INFO|`;
//! - a name in any case that is marked as one: `[error]`, `[info     ]`, `[core:error]`, `warn:`, or between tabs;
//! - the value of the pair `level`, `lvl`, `severity` or `loglevel`;
//! - at the very beginning, a syslog priority (`<3>`), glog's letter (`E0523 12:00:00`), or how runtimes begin to tell of what
//!   nobody caught: `Traceback (most recent call last):`, `TypeError: …`, `Exception in thread …`, `panic: …`, `thread '…' panicked at …`, and the line
//!   by which Node.js says where (`/app/index.js:3`). These are errors.

use super::Level;

/// Bytes that are looked at.
const HEAD: usize = 200;
/// Words that are looked at.
const WORDS: usize = 16;

/// The level that a line says at its beginning.
pub(super) fn level(line: &[u8]) -> Option<Level> {
    let head = line.get(..HEAD).unwrap_or(line);
    if memchr::memchr(0x1b, head).is_none() {
        return at_the_beginning(head).or_else(|| of_head(head));
    }
    let mut plain = [0; HEAD];
    let length = uncolour(head, &mut plain);
    of_head(plain.get(..length)?)
}

/// Copies `text` without its colours, and returns how many bytes are left. Where the colour changes within a word, two begin.
fn uncolour(text: &[u8], into: &mut [u8]) -> usize {
    let mut rest = text;
    let mut length = 0;
    let mut put = |byte: u8| {
        if let Some(place) = into.get_mut(length) {
            *place = byte;
            length += 1;
        }
    };
    let mut last = b' ';
    let mut is_changed = false;
    while let Some((byte, after)) = rest.split_first() {
        if let Some(sequence) = rest.strip_prefix(b"\x1b[") {
            let parameters = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b';' | b':');
            let count = sequence.iter().take_while(parameters).count();
            rest = sequence.get(count + 1..).unwrap_or_default();
            is_changed = true;
            continue;
        }
        if is_changed && last.is_ascii_alphanumeric() && byte.is_ascii_alphanumeric() {
            put(b' ');
        }
        put(*byte);
        is_changed = false;
        last = *byte;
        rest = after;
    }
    length
}

fn of_head(head: &[u8]) -> Option<Level> {
    uncaught(head)
        .then_some(Level::Error)
        .or_else(|| Words::of(head).level())
}

fn at_the_beginning(head: &[u8]) -> Option<Level> {
    match head.first()? {
        b'<' => priority(head),
        b'I' | b'W' | b'E' | b'F' if is_glog(head) => match head.first()? {
            b'I' => Some(Level::Info),
            b'W' => Some(Level::Warn),
            b'E' => Some(Level::Error),
            _ => Some(Level::Fatal),
        },
        _ => super::grouping::is_excerpt(head).then_some(Level::Error),
    }
}

/// `<3>` and what follows; the facility above the level's three bits does not matter.
fn priority(head: &[u8]) -> Option<Level> {
    let rest = head.strip_prefix(b"<")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=3).contains(&digits) || rest.get(digits) != Some(&b'>') {
        return None;
    }
    let number = std::str::from_utf8(rest.get(..digits)?).ok()?;
    Level::numbered(number.parse::<u64>().ok()? & 7)
}

/// A letter, month and day, and a time.
fn is_glog(head: &[u8]) -> bool {
    const SHAPE: &[u8] = b"Edddd dd:dd";
    let fits = |(shape, byte): (&u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'E' => true,
        other => other == byte,
    };
    head.len() >= SHAPE.len() && SHAPE.iter().zip(head).all(fits)
}

/// Whether a runtime begins to tell of what nobody caught.
fn uncaught(head: &[u8]) -> bool {
    head.starts_with(super::grouping::TRACEBACK)
        || head.starts_with(b"panic: ")
        || head.starts_with(b"fatal error: ")
        || super::grouping::is_panic(head)
        || head.starts_with(b"Exception in thread ")
        || super::grouping::exception(head).is_some_and(super::grouping::is_throwable)
}

/// What a word is, as far as this matters.
enum Word {
    Level(Level),
    /// A level may still come.
    Head,
    /// A name: part of the head if separators stand around it.
    Name,
    /// The message has begun.
    Message,
}

struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    const fn of(head: &'a [u8]) -> Self {
        Self { rest: head }
    }

    fn level(mut self) -> Option<Level> {
        let mut after_separator = false;
        for _ in 0..WORDS {
            let blank = self.rest.iter().take_while(|byte| is_blank(**byte)).count();
            let (before, rest) = self.rest.split_at_checked(blank)?;
            let is_after_tab = before.last() == Some(&b'\t');
            let length = rest.iter().take_while(|byte| !is_blank(**byte)).count();
            let (word, rest) = rest.split_at_checked(length)?;
            if word.is_empty() {
                return None;
            }
            let between_tabs = is_after_tab && rest.first() == Some(&b'\t');
            self.rest = rest;
            match self.word(word, between_tabs) {
                Word::Level(level) => return Some(level),
                Word::Head => {}
                Word::Name if after_separator && self.separator_follows() => {}
                Word::Name | Word::Message => return None,
            }
            after_separator = is_separator(word);
        }
        None
    }

    fn separator_follows(&self) -> bool {
        let mut words = self.rest.split(|byte| is_blank(*byte));
        words
            .find(|word| !word.is_empty())
            .is_some_and(is_separator)
    }

    /// Looks at a word; what belongs to it behind it is taken, too.
    fn word(&mut self, word: &[u8], between_tabs: bool) -> Word {
        let opening = |byte: &&u8| matches!(byte, b'[' | b'(' | b'<' | b'{' | b'|');
        let opened = word.iter().take_while(opening).count();
        let inner = word.get(opened..).unwrap_or_default();
        let letters = inner
            .iter()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let (name, behind) = inner.split_at_checked(letters).unwrap_or((inner, &[]));
        if let Some(level) = named(name) {
            let is_marked = match behind.first() {
                Some(b':' | b'|' | b']' | b')' | b'>' | b'}') => true,
                Some(b'/' | b',') => false,
                Some(_) => return self.other(word, inner, opened),
                None => between_tabs || (opened > 0 && self.closes()),
            };
            if is_marked || name.iter().all(u8::is_ascii_uppercase) {
                return Word::Level(level);
            }
            return Word::Message;
        }
        self.other(word, inner, opened)
    }

    /// Looks at a word that does not begin with a level.
    fn other(&mut self, word: &[u8], inner: &[u8], opened: usize) -> Word {
        if let Some(at) = memchr::memchr(b'=', word)
            && word.first().is_some_and(u8::is_ascii_alphabetic)
        {
            return self.pair(
                word.get(..at).unwrap_or_default(),
                word.get(at + 1..).unwrap_or_default(),
            );
        }
        if opened > 0 {
            return match inner
                .strip_suffix(b"]")
                .and_then(|inner| inner.rsplit(|byte| *byte == b':').next())
                .and_then(named)
            {
                Some(level) => Word::Level(level),
                None => bracketed(inner),
            };
        }
        let is_head = word.iter().any(u8::is_ascii_digit)
            || word.iter().all(u8::is_ascii_punctuation)
            || is_calendar(word.trim_ascii_end())
            // Ruby's logger begins with the level's letter and a comma, and names it later.
            || (word.len() == 2 && word.ends_with(b","));
        if is_head && word.len() <= 64 {
            Word::Head
        } else if word.first() == Some(&b'"') {
            Word::Message
        } else {
            Word::Name
        }
    }

    /// Whether what follows is the bracket that closes a padded word.
    fn closes(&self) -> bool {
        let rest = self.rest.trim_ascii_start();
        matches!(rest.first(), Some(b']' | b')' | b'>' | b'}' | b'|'))
    }

    fn pair(&mut self, key: &[u8], value: &[u8]) -> Word {
        if matches!(key, b"level" | b"lvl" | b"severity" | b"loglevel") {
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let value = value.strip_suffix(b"\"").unwrap_or(value);
            return Level::named(value).map_or(Word::Message, Word::Level);
        }
        let Some(open) = value.strip_prefix(b"\"") else {
            return Word::Head;
        };
        if open.contains(&b'"') {
            return Word::Head;
        }
        match memchr::memchr(b'"', self.rest) {
            Some(at) => {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                Word::Head
            }
            None => Word::Message,
        }
    }
}

/// A word that begins with a bracket is part of the head, with all up to where the bracket closes, but levels in it count.
fn bracketed(inner: &[u8]) -> Word {
    let is_closed = inner
        .iter()
        .any(|byte| matches!(byte, b']' | b')' | b'>' | b'}' | b'|'));
    if is_closed || inner.iter().any(u8::is_ascii_digit) || is_calendar(inner) || inner.is_empty() {
        Word::Head
    } else {
        Word::Message
    }
}

/// The level of a name; `LOG` is one for those who write it in capitals.
fn named(name: &[u8]) -> Option<Level> {
    if name == b"LOG" {
        Some(Level::Info)
    } else {
        Level::named(name)
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_separator(word: &[u8]) -> bool {
    matches!(word, b"-" | b"|" | b"--" | b"---" | b"::" | b":")
}

/// Whether it names a day, a month, a half of the day or a time zone.
fn is_calendar(word: &[u8]) -> bool {
    let word = word.strip_suffix(b",").unwrap_or(word);
    let word = word.strip_suffix(b"]").unwrap_or(word);
    matches!(
        word,
        b"Mon"
            | b"Tue"
            | b"Wed"
            | b"Thu"
            | b"Fri"
            | b"Sat"
            | b"Sun"
            | b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"May"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
            | b"AM"
            | b"PM"
            | b"UTC"
            | b"GMT"
            | b"CET"
            | b"CEST"
            | b"EST"
            | b"EDT"
            | b"CST"
            | b"CDT"
            | b"MST"
            | b"MDT"
            | b"PST"
            | b"PDT"
            | b"BST"
            | b"IST"
            | b"JST"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Debug, Error, Fatal, Info, Trace, Warn};

    fn of(line: &str) -> Option<Level> {
        super::super::level(line.as_bytes())
    }

    const FORMS: &[(&str, Level)] = &[
        ("2026-11-26 07:00:01 INFO started", Info),
        ("2026-11-26T07:00:01.123Z ERROR boom", Error),
        ("[INFO] started", Info),
        ("[info     ] started", Info),
        ("INFO: started", Info),
        ("INFO:     127.0.0.1:5000 - \"GET / HTTP/1.1\" 200 OK", Info),
        ("WARNING:root:disk is nearly full", Warn),
        ("ERROR cannot listen", Error),
        ("error: cannot listen", Error),
        ("warn: slow", Warn),
        ("fail: Microsoft.Hosting[14]", Error),
        ("time=2026-11-26T07:00:01Z level=warn msg=\"slow\"", Warn),
        (
            "time=\"2026-11-26 07:00:01\" app=api level=\"error\" msg=x",
            Error,
        ),
        ("level=debug", Debug),
        ("2026/11/26 07:00:01 [error] 123#0: *1 open() failed", Error),
        ("2026/11/26 07:00:01 [warn] 7#7: x", Warn),
        ("E0523 12:00:00.123456 99 main.cc:12] x", Error),
        ("I0523 12:00:00.123456 99 main.cc:12] x", Info),
        ("2026-11-26 07:00:01,123 - app.db - WARNING - slow", Warn),
        ("2026-11-26 07:00:01,123 INFO app.db slow", Info),
        (
            "2026-11-26 07:00:01.123 | ERROR    | app:main:3 - boom",
            Error,
        ),
        ("<3>cannot mount", Error),
        ("<30>Nov 26 07:00:01 host app: x", Info),
        ("\u{1b}[32mINFO\u{1b}[0m: started", Info),
        (
            "\u{1b}[2m2026-11-26T07:00:01Z\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m \u{1b}[2mapp\u{1b}[0m: x",
            Warn,
        ),
        (
            "2026-11-26T07:00:01.123Z  INFO 12345 --- [main] c.e.App : x",
            Info,
        ),
        ("07:00:01.123 [main] DEBUG com.example - x", Debug),
        ("I, [2026-11-26T07:00:01.123 #123]  INFO -- : x", Info),
        ("[2026-11-26T07:00:01Z WARN  app::db] x", Warn),
        (
            "[2026-11-26 07:00:01 +0000] [123] [CRITICAL] WORKER TIMEOUT",
            Fatal,
        ),
        ("[2026-11-26 07:00:01,123: ERROR/MainProcess] x", Error),
        (
            "[Thu Nov 26 07:00:01.123 2026] [core:error] [pid 1] x",
            Error,
        ),
        ("2026-11-26 07:00:01.000 UTC [123] LOG:  listening", Info),
        ("2026-11-26T07:00:01.000Z 0 [Warning] [MY-010] x", Warn),
        ("[Nest] 123  - 11/26/2026, 7:00:01 AM     LOG [Ctx] x", Info),
        ("2026-11-26T07:00:01Z\tinfo\tmain.go:3\tstarted", Info),
        ("7:00AM WRN slow", Warn),
        ("07:00:01.123 [error] GenServer", Error),
        ("TRACE x", Trace),
        ("panic: runtime error: index out of range", Error),
        ("thread 'main' panicked at src/main.rs:2:5:", Error),
        ("thread 'main' (4711) panicked at src/main.rs:2:5:", Error),
        ("Traceback (most recent call last):", Error),
        ("TypeError: x is not a function", Error),
        ("TypeError [ERR_X]: x", Error),
        ("java.lang.IllegalStateException: x", Error),
        ("/app/index.js:3", Error),
        ("node:internal/modules/cjs/loader:1080", Error),
    ];

    #[test]
    fn the_usual_forms_are_known() {
        for (line, expected) in FORMS {
            assert_eq!(of(line), Some(*expected), "{line}");
        }
    }

    #[test]
    fn an_ordinary_word_is_no_level() {
        for line in [
            "",
            "no error found",
            "error while reading",
            "Error reading the file",
            "Warning signs were seen",
            "Fatal attraction is a film",
            "found 3 errors",
            "404 error page",
            "[error handling] is next",
            "127.0.0.1 - - [26/Nov/2026:07:00:01 +0000] \"GET /ERROR HTTP/1.1\" 200",
            "GET /error ERROR",
            "the level=warn is set",
            "Information about INFO",
            "2026-11-26 07:00:01 the INFO message",
            "2026-11-26 07:00:01 error while reading",
            "msg=\"level=error\" x=1",
            "msg=\"a\" rest ERROR",
            "warnings: 3",
            "Errors: none",
            "ERRORS",
            "INFORMED",
            "trace-id 12",
            "debug-mode on",
            "E05 is a number",
            "<3 hearts>",
            "<1234>x",
            "Server listening at http://127.0.0.1:3000",
            "/app/index.js is loaded",
            "    INFORMATIVE",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn only_the_beginning_is_looked_at() {
        let late = format!("{} ERROR x", "1 ".repeat(WORDS));
        assert_eq!(of(&late), None);
        let long = format!("{} ERROR x", "1".repeat(HEAD));
        assert_eq!(of(&long), None);
    }
}
