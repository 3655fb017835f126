//! Which lines belong together: a line, and what its program wrote under it.
//!
//! A line belongs to the one before it if it came [`NEAR`] it, the record has not become too long by it ([`MOST_LINES`],
//! [`MOST_BYTES`]), and
//! - it begins with a blank, or with a bracket that closes and nothing but punctuation behind it, or with `...`;
//! - it says what caused what was told before: `Caused by:`, and what Python writes between two tracebacks;
//! - **Python**: it is `Traceback (most recent call last):` under a line that is a warning or worse, as loggers write it (under
//!   others it begins a record of its own), or the exception with which a traceback ends. Of a message of several lines only
//!   the first is known to belong to it;
//! - **Java**: it is a qualified name that ends with `Exception` or `Error`, under a line that is a warning or worse;
//! - **Node.js**: it is the excerpt under the place where something was thrown, the error under the `^` that points into it, what
//!   required a module that is not there, a blank line around these, or the version after them;
//! - **Go**: it is part of the traces of goroutines after `panic:` or `fatal error:`, blank lines and `exit status` included;
//! - **Rust**: it is the message under `thread '…' panicked at …:`, the backtrace, or the note that ends it.
//!
//! Whatever else begins in the first column begins a record. That can be told from two lines alone ([`is_first`]), so that
//! whoever searches need not read from the beginning: it says of some first lines that they are none, and never of another line
//! that it is a first one.

use super::Level;

/// The longest time between two lines of a record.
pub const NEAR: u64 = 1_000_000_000;
/// The most lines of a record.
pub const MOST_LINES: usize = 500;
/// The most bytes of a record of more than one line.
pub const MOST_BYTES: usize = 256 << 10;

/// How Python begins to tell of an exception.
pub(super) const TRACEBACK: &[u8] = b"Traceback (most recent call last):";

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Blank,
    Indented,
    /// Indented, and it points at something above it.
    Pointer,
    /// It closes brackets, or goes on with `...`.
    Closer,
    /// It says what caused what was told before.
    Cause,
    Traceback,
    /// A name, and perhaps what is to be said about it.
    Exception,
    /// The same with a qualified name, as Java's are.
    Throwable,
    /// Where Node.js says that an excerpt is from.
    Excerpt,
    /// Who required a module that is not there.
    Requirer,
    NodeVersion,
    RustPanic,
    RustNote,
    GoPanic,
    /// What comes between a panic of Go and its traces, or after them.
    GoAside,
    Goroutine,
    /// The call of a function.
    Call,
    Other,
}

/// What the lines so far make of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Plain,
    /// In a traceback, before its exception.
    Python,
    /// After the exception.
    PythonDone,
    /// After what says that another traceback follows.
    PythonCause,
    /// Under the place of an excerpt.
    Excerpt,
    /// Under the `^` of an excerpt, before and after the blank line.
    Thrown,
    ThrownBlank,
    /// After the error of an excerpt, before and after the blank line.
    NodeError,
    NodeEnd,
    RustPanic,
    Rust,
    Go,
}

/// Groups the lines of one stream.
#[derive(Clone, Debug)]
pub struct Grouping {
    state: State,
    lines: usize,
    bytes: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Self {
            state: State::Plain,
            lines: 0,
            bytes: 0,
        }
    }
}

impl Grouping {
    /// Takes in the next line and returns whether it belongs to the record of those before it, which begins with `first`.
    /// `is_near` tells when asked whether it came soon after the line before it.
    pub fn joins<E>(
        &mut self,
        line: &[u8],
        first: &[u8],
        is_near: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        let shape = Shape::of(line);
        let next = (self.lines > 0)
            .then(|| self.after(shape, first))
            .flatten()
            .filter(|_| self.lines < MOST_LINES && self.bytes + line.len() < MOST_BYTES);
        if let Some(state) = next
            && is_near()?
        {
            self.state = state;
            self.lines += 1;
            self.bytes += line.len() + 1;
            return Ok(true);
        }
        *self = Self {
            state: shape.begins(),
            lines: 1,
            bytes: line.len() + 1,
        };
        Ok(false)
    }

    /// What a line of that shape leads to if it belongs to the record; `None`: it does not.
    fn after(&self, shape: Shape, first: &[u8]) -> Option<State> {
        use Shape as S;
        use State as T;
        Some(match (self.state, shape) {
            (T::RustPanic, _) => T::Rust,
            (
                T::Go,
                S::Blank
                | S::Indented
                | S::Pointer
                | S::Closer
                | S::GoAside
                | S::Goroutine
                | S::Call,
            ) => T::Go,
            (T::Rust, S::RustNote | S::Indented | S::Pointer | S::Blank | S::Closer) => T::Rust,
            (T::Python, S::Indented | S::Pointer) => T::Python,
            (T::Python, S::Exception | S::Throwable) => T::PythonDone,
            (T::PythonDone, S::Blank) => T::PythonDone,
            (T::PythonDone, S::Cause) => T::PythonCause,
            (T::PythonCause, S::Blank) => T::PythonCause,
            (T::PythonCause, S::Traceback) => T::Python,
            (
                T::Excerpt,
                S::Other | S::Call | S::Exception | S::Throwable | S::Closer | S::Indented,
            ) => T::Plain,
            (T::Thrown, S::Blank) => T::ThrownBlank,
            (T::Thrown | T::ThrownBlank, S::Exception | S::Throwable) => T::NodeError,
            (T::NodeError, S::Blank) => T::NodeEnd,
            (T::NodeError, S::Indented | S::Pointer | S::Closer | S::Requirer) => T::NodeError,
            (T::NodeEnd, S::NodeVersion) => T::Plain,
            (_, S::Pointer) => T::Thrown,
            (_, S::Indented | S::Closer | S::Cause) => T::Plain,
            (_, S::Traceback) if self.is_under_grave(first) => T::Python,
            (_, S::Throwable) if self.is_under_grave(first) => T::Plain,
            (_, _) => return None,
        })
    }

    /// Whether the next line stands under one that is a warning or worse.
    fn is_under_grave(&self, first: &[u8]) -> bool {
        self.lines == 1 && super::level(first) >= Some(Level::Warn)
    }
}

/// Returns whether `line`, which stands under `before` in its stream, begins a record whatever else came before: false where
/// only those who read from a beginning can tell.
#[must_use]
pub fn is_first(before: &[u8], line: &[u8]) -> bool {
    use Shape as S;
    if is_panic(before) || is_excerpt(before) {
        return false;
    }
    match Shape::of(line) {
        S::Blank
        | S::Indented
        | S::Pointer
        | S::Closer
        | S::Cause
        | S::Traceback
        | S::Throwable
        | S::Requirer
        | S::NodeVersion
        | S::RustNote
        | S::GoAside
        | S::Goroutine => false,
        S::Exception => !matches!(
            Shape::of(before),
            S::Blank | S::Indented | S::Pointer | S::Traceback
        ),
        S::Call => !matches!(
            Shape::of(before),
            S::Blank
                | S::Indented
                | S::Pointer
                | S::Closer
                | S::GoAside
                | S::Goroutine
                | S::Call
                | S::GoPanic
        ),
        S::Excerpt | S::RustPanic | S::GoPanic | S::Other => true,
    }
}

impl Shape {
    fn of(line: &[u8]) -> Self {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None => Self::Blank,
            Some(b' ' | b'\t') => Self::indented(line),
            Some(b'}' | b']' | b')') if line.iter().all(u8::is_ascii_punctuation) => Self::Closer,
            Some(b'.') if line.starts_with(b"...") => Self::Closer,
            Some(b'/' | b'f' | b'n') if is_excerpt(line) => Self::Excerpt,
            Some(b'[') if line.starts_with(b"[signal ") => Self::GoAside,
            Some(b'[') if line.get(1..).and_then(exception).is_some() => Self::Exception,
            Some(b'-') if line.starts_with(b"- /") => Self::Requirer,
            Some(first) if first.is_ascii_alphabetic() || matches!(first, b'_') => {
                Self::worded(line)
            }
            Some(_) => Self::Other,
        }
    }

    fn indented(line: &[u8]) -> Self {
        let rest = line.trim_ascii();
        if rest.iter().all(|byte| matches!(byte, b'^' | b'~' | b' ')) && rest.contains(&b'^') {
            Self::Pointer
        } else {
            Self::Indented
        }
    }

    /// Of a line that begins with a letter.
    fn worded(line: &[u8]) -> Self {
        const BETWEEN: [&[u8]; 2] = [
            b"During handling of the above exception, another exception occurred:",
            b"The above exception was the direct cause of the following exception:",
        ];
        let begins = |text: &[u8]| line.starts_with(text);
        match line.first() {
            Some(b'C' | b'c') if begins(b"Caused by:") || begins(b"caused by:") => Self::Cause,
            Some(b'D' | b'T') if BETWEEN.contains(&line) => Self::Cause,
            Some(b'T') if begins(TRACEBACK) => Self::Traceback,
            Some(b'R') if line == b"Require stack:" => Self::Requirer,
            Some(b'N') if begins(b"Node.js v") => Self::NodeVersion,
            Some(b't') if is_panic(line) => Self::RustPanic,
            Some(b's') if begins(b"stack backtrace:") => Self::RustNote,
            Some(b'n') if begins(b"note: run with ") || begins(b"note: Some details ") => {
                Self::RustNote
            }
            Some(b'p') if begins(b"panic: ") => Self::GoPanic,
            Some(b'f') if begins(b"fatal error: ") => Self::GoPanic,
            Some(b'g') if begins(b"goroutine ") && line.ends_with(b":") => Self::Goroutine,
            Some(b'c') if begins(b"created by ") => Self::Call,
            Some(b'e') if begins(b"exit status ") => Self::GoAside,
            _ if is_call(line) => Self::Call,
            _ => match exception(line) {
                Some(name) if name.contains(&b'.') && is_throwable(name) => Self::Throwable,
                Some(_) => Self::Exception,
                None => Self::Other,
            },
        }
    }

    /// What a record that begins with such a line goes on with.
    const fn begins(self) -> State {
        match self {
            Self::Traceback => State::Python,
            Self::RustPanic => State::RustPanic,
            Self::GoPanic | Self::Goroutine => State::Go,
            Self::Excerpt => State::Excerpt,
            Self::Blank
            | Self::Indented
            | Self::Pointer
            | Self::Closer
            | Self::Cause
            | Self::Exception
            | Self::Throwable
            | Self::Requirer
            | Self::NodeVersion
            | Self::RustNote
            | Self::GoAside
            | Self::Call
            | Self::Other => State::Plain,
        }
    }
}

/// Whether Rust begins to tell of a panic.
pub(super) fn is_panic(line: &[u8]) -> bool {
    line.starts_with(b"thread '") && memchr::memmem::find(line, b" panicked at ").is_some()
}

/// Whether it is the place of an excerpt of JavaScript: a file, and the number of a line.
pub(super) fn is_excerpt(line: &[u8]) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_inner = line.starts_with(b"node:");
    if !(is_inner || line.starts_with(b"/") || line.starts_with(b"file://")) {
        return false;
    }
    let digits = line
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let Some(path) = line
        .get(..line.len() - digits)
        .and_then(|rest| rest.strip_suffix(b":"))
    else {
        return false;
    };
    let is_script = || path.ends_with(b"js") || path.ends_with(b"ts") || path.ends_with(b"sx");
    digits > 0 && !path.contains(&b' ') && (is_inner || is_script())
}

/// The name of the exception that a line tells of, which may have one: `a.b.Name`, then nothing, `: …` or ` [CODE]…`.
pub(super) fn exception(line: &[u8]) -> Option<&[u8]> {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    let length = line.iter().take_while(part).count();
    let (name, rest) = line.split_at_checked(length)?;
    let is_name = name
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    let ends =
        rest.is_empty() || rest == b":" || rest.starts_with(b": ") || rest.starts_with(b" [");
    (is_name && ends).then_some(name)
}

/// Whether it is what those are called as a rule that can be thrown.
pub(super) fn is_throwable(name: &[u8]) -> bool {
    name.ends_with(b"Error") || name.ends_with(b"Exception")
}

/// `a/b.(*C).d(0x1, …)`.
fn is_call(line: &[u8]) -> bool {
    let Some(open) = memchr::memchr(b'(', line) else {
        return false;
    };
    let is_named = line.get(..open).is_some_and(|name| {
        name.contains(&b'.') && !name.iter().any(|byte| matches!(byte, b' ' | b'"' | b'='))
    });
    line.ends_with(b")") && (is_named || line.starts_with(b"panic("))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Lines, and whether each joins the one before it.
    fn grouped(text: &str) -> Vec<(&str, bool)> {
        let mut grouping = Grouping::default();
        let mut first = "";
        text.lines()
            .map(|line| {
                let joins = grouping.joins(line.as_bytes(), first.as_bytes(), || {
                    Ok::<_, Infallible>(true)
                });
                let joins = joins.expect("infallible");
                if !joins {
                    first = line;
                }
                (line, joins)
            })
            .collect()
    }

    /// The first lines of the records.
    fn firsts(text: &str) -> Vec<&str> {
        let first = |(line, joins): (_, bool)| (!joins).then_some(line);
        grouped(text).into_iter().filter_map(first).collect()
    }

    #[test]
    fn what_node_tells_of_an_error_nobody_caught_is_one_record() {
        let trace = include_str!("traces/node_uncaught.txt");
        assert_eq!(firsts(trace), ["/tmp/app/index.js:1"]);
        let trace = include_str!("traces/node_module.txt");
        assert_eq!(firsts(trace), ["node:internal/modules/cjs/loader:1210"]);
        let twice = format!("before\n{trace}after\n{trace}");
        assert_eq!(
            firsts(&twice),
            [
                "before",
                "node:internal/modules/cjs/loader:1210",
                "after",
                "node:internal/modules/cjs/loader:1210"
            ]
        );
    }

    #[test]
    fn what_node_prints_over_several_lines_is_one_record_each() {
        assert_eq!(
            firsts(include_str!("traces/node_console.txt")),
            [
                "before",
                "Error: cannot load",
                "after",
                "{",
                "/tmp/app/index.js:6"
            ]
        );
    }

    #[test]
    fn tracebacks_of_python_belong_to_the_line_they_were_logged_with() {
        assert_eq!(
            firsts(include_str!("traces/python_logging.txt")),
            [
                "2026-11-26 06:37:11,012 INFO app before",
                "2026-11-26 06:37:11,012 ERROR app while loading",
                "2026-11-26 06:37:11,016 INFO app after",
                "2026-11-26 06:37:11,016 WARNING app nested",
                TRACEBACK_TEXT,
            ]
        );
        assert_eq!(
            firsts(include_str!("traces/python_syntax.txt")),
            ["  File \"/tmp/app/main.py\", line 1"]
        );
    }

    const TRACEBACK_TEXT: &str = "Traceback (most recent call last):";

    #[test]
    fn a_traceback_under_a_line_that_is_no_warning_stands_alone() {
        let text =
            "INFO: GET / 200\nTraceback (most recent call last):\n  File \"x\"\nKeyError: 1\nnext";
        assert_eq!(firsts(text), ["INFO: GET / 200", TRACEBACK_TEXT, "next"]);
    }

    #[test]
    fn a_panic_of_rust_is_one_record_with_its_backtrace() {
        let trace = include_str!("traces/rust_panic.txt").trim_start();
        let text = format!("before\n{trace}after");
        let first = trace.lines().next().expect("a line");
        assert_eq!(firsts(&text), ["before", first, "after"]);
    }

    #[test]
    fn a_panic_of_go_is_one_record_with_all_goroutines() {
        let text = "before\npanic: boom [recovered]\n\tpanic: again\n[signal SIGSEGV: segmentation violation]\n\n\
            goroutine 1 [running]:\npanic({0x4a, 0x5b})\n\t/usr/lib/go/panic.go:884 +0x213\nmain.(*T).Do(0x0)\n\t/app/main.go:5 +0x1d\n\
            created by main.main in goroutine 1\n\t/app/main.go:9 +0x2\n\ngoroutine 6 [select]:\n\
            net/http.(*conn).serve(0xc0)\n\t/x.go:1\nexit status 2\nafter";
        assert_eq!(firsts(text), ["before", "panic: boom [recovered]", "after"]);
    }

    #[test]
    fn a_trace_of_java_is_one_record_with_its_causes() {
        let text = "07:00 ERROR x\njava.lang.IllegalStateException: a\n\tat c.D.e(D.java:1)\n\t... 3 more\n\
            Caused by: java.io.IOException: b\n\tat f.G.h(G.java:2)\n... 12 more\nnext\n";
        assert_eq!(firsts(text), ["07:00 ERROR x", "next"]);
        let text = "07:00 INFO x\njava.io.IOException: b\n\tat f";
        assert_eq!(firsts(text), ["07:00 INFO x", "java.io.IOException: b"]);
    }

    #[test]
    fn ordinary_lines_stand_alone() {
        let text = "a\n\nb: c\nINFO: d\n- item\n[x] y\n(z)\nValueError: e\nfoo.bar(1)\n";
        assert_eq!(firsts(text).len(), text.lines().count());
    }

    #[test]
    fn a_record_ends_when_it_is_long_or_nothing_came_for_a_while() {
        let text = format!("a\n{}", " b\n".repeat(2 * MOST_LINES));
        assert_eq!(firsts(&text), ["a", " b", " b"]);
        let long = format!(" {}\n", "b".repeat(MOST_BYTES / 4));
        let text = format!("a\n{}", long.repeat(4));
        assert_eq!(firsts(&text).len(), 2);
        let mut grouping = Grouping::default();
        for expected in [false, false] {
            let joins = grouping.joins(b" x", b" x", || Ok::<_, Infallible>(false));
            assert_eq!(joins, Ok(expected));
        }
    }

    fn line() -> impl Strategy<Value = String> {
        let traces = [
            include_str!("traces/node_uncaught.txt"),
            include_str!("traces/node_module.txt"),
            include_str!("traces/node_console.txt"),
            include_str!("traces/python_logging.txt"),
            include_str!("traces/rust_panic.txt"),
            "panic: x\ngoroutine 1 [running]:\nmain.main()\ncreated by x\nexit status 2\n[signal x]\n",
            "Caused by: x\n... 3\n  ^\n}\n\nOther words\nName\nERROR\n",
        ];
        let lines: Vec<_> = traces
            .iter()
            .flat_map(|trace| trace.lines())
            .map(str::to_owned)
            .collect();
        proptest::sample::select(lines)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_line_that_two_lines_show_to_be_a_first_one_is_one(lines in proptest::collection::vec(line(), 1..12)) {
            let text = lines.join("\n");
            for pair in grouped(&text).windows(2) {
                if is_first(pair[0].0.as_bytes(), pair[1].0.as_bytes()) {
                    prop_assert!(!pair[1].1, "{:?}", pair);
                }
            }
        }
    }
}
