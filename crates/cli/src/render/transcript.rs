//! What an app writes, as it would stand on a terminal of its own: without labels, and each byte as soon as it is there.
//!
//! ```text
//!   Begun  4 "name? "            name? █
//!   Line   4 "name? hello"       name? hello         what was shown of the line is not shown again
//! ```

use std::collections::BTreeMap;

use crate::view::line::{LogBegun, LogLine, Origin};

/// How much of each source was shown, and where the cursor is.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    sources: BTreeMap<Origin, Shown>,
    /// Whose line the cursor stands in.
    within: Option<Origin>,
}

/// How much of one source was shown.
#[derive(Debug, Default)]
struct Shown {
    /// Up to which offset.
    end: u64,
    /// What comes next: a character that is there in part.
    held: Vec<u8>,
}

impl Transcript {
    /// The text to show of what is there of a line.
    pub(crate) fn begun(&mut self, begun: &LogBegun) -> String {
        let source = self.sources.entry(begun.origin.clone()).or_default();
        let text = source.take(begun.offset, &begun.text);
        if text.is_empty() {
            return text;
        }
        self.stand(&begun.origin, text, Stands::Within)
    }

    /// The text to show of a line, or of a piece of one.
    pub(crate) fn line(&mut self, line: &LogLine) -> String {
        let source = self
            .sources
            .entry(line.origin.as_ref().clone())
            .or_default();
        let new = Shown::beyond(source.end, line.offset, &line.text);
        let mut text = String::from_utf8_lossy(new).into_owned();
        *source = Shown {
            end: offset_after(line.offset, line.text.len()),
            held: Vec::new(),
        };
        let stands = if line.continues {
            Stands::Within
        } else {
            text.push('\n');
            Stands::After
        };
        self.stand(&line.origin, text, stands)
    }

    /// Whether the last text ended within a line.
    pub(crate) const fn is_within_a_line(&self) -> bool {
        self.within.is_some()
    }

    /// Another source's text begins on a line of its own.
    fn stand(&mut self, origin: &Origin, text: String, stands: Stands) -> String {
        let breaks = self.within.as_ref().is_some_and(|within| within != origin);
        self.within = match stands {
            Stands::Within => Some(origin.clone()),
            Stands::After => None,
        };
        if breaks { format!("\n{text}") } else { text }
    }
}

impl Shown {
    /// Takes bytes from `offset` on, and returns what can be shown by now.
    fn take(&mut self, offset: u64, text: &[u8]) -> String {
        let there = offset_after(self.end, self.held.len());
        if offset > there {
            *self = Self {
                end: offset,
                held: Vec::new(),
            };
        }
        let new = Self::beyond(there, offset, text);
        self.held.extend_from_slice(new);
        let rest = self.held.split_off(whole_characters(&self.held));
        let whole = std::mem::replace(&mut self.held, rest);
        self.end = offset_after(self.end, whole.len());
        String::from_utf8_lossy(&whole).into_owned()
    }

    /// What of `text`, which begins at `offset`, comes at `end` or after it.
    fn beyond(end: u64, offset: u64, text: &[u8]) -> &[u8] {
        let known = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        text.get(known..).unwrap_or_default()
    }
}

/// Where the cursor stands after a text.
#[derive(Clone, Copy)]
enum Stands {
    /// In a line that goes on.
    Within,
    /// At the beginning of the next one.
    After,
}

fn offset_after(offset: u64, length: usize) -> u64 {
    offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX))
}

/// How many bytes there are before a character at the end that is there in part.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.utf8_chunks().last();
    let broken = last.map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(broken) {
        Err(error) if error.error_len().is_none() => bytes.len() - broken.len(),
        // Nothing is missing, or it is no text and will not become one.
        Ok(_) | Err(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(stream: i32) -> Origin {
        Origin {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: "repl".to_owned(),
            instance: 0,
            run: 1,
            stream,
        }
    }

    fn begun(offset: u64, text: &[u8]) -> LogBegun {
        LogBegun {
            origin: origin(1),
            offset,
            text: text.to_vec(),
        }
    }

    fn line(stream: i32, offset: u64, text: &str) -> LogLine {
        LogLine {
            origin: origin(stream).into(),
            offset,
            time_ns: 1,
            text: text.as_bytes().to_vec(),
            continues: false,
            level: None,
            joined: false,
        }
    }

    #[test]
    fn what_was_shown_of_a_line_is_not_shown_again() {
        let mut transcript = Transcript::default();
        assert_eq!(transcript.line(&line(1, 0, "hi")), "hi\n");
        assert_eq!(transcript.begun(&begun(3, b"na")), "na");
        assert_eq!(transcript.begun(&begun(5, b"me? ")), "me? ");
        assert!(transcript.is_within_a_line());
        assert_eq!(transcript.line(&line(1, 3, "name? hello")), "hello\n");
        assert!(!transcript.is_within_a_line());
        assert_eq!(transcript.line(&line(1, 15, "next")), "next\n");
    }

    #[test]
    fn a_daemon_that_comes_anew_and_tells_all_of_it_again_shows_nothing_twice() {
        let mut transcript = Transcript::default();
        assert_eq!(transcript.begun(&begun(0, b"name? ")), "name? ");
        assert_eq!(transcript.begun(&begun(0, b"name? ")), "");
        assert_eq!(transcript.begun(&begun(0, b"name? yo")), "yo");
    }

    #[test]
    fn a_character_that_is_there_in_part_waits_for_the_rest() {
        let mut transcript = Transcript::default();
        assert_eq!(transcript.begun(&begun(0, b"caf\xc3")), "caf");
        assert_eq!(transcript.begun(&begun(4, b"\xa9 ")), "é ");
        assert_eq!(transcript.begun(&begun(6, b"\xc3")), "");
        assert_eq!(transcript.line(&line(1, 0, "café é")), "é\n");
        assert_eq!(transcript.begun(&begun(9, b"\xff")), "\u{fffd}");
    }

    #[test]
    fn another_source_begins_on_a_line_of_its_own() {
        let mut transcript = Transcript::default();
        assert_eq!(transcript.begun(&begun(0, b"name? ")), "name? ");
        assert_eq!(transcript.line(&line(2, 0, "warning")), "\nwarning\n");
        assert_eq!(transcript.line(&line(1, 0, "name? hello")), "hello\n");
    }
}
