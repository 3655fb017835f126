//! Numbered lines of a hundred bytes: made as cheaply as can be, and counted again.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read, Write};

use crate::failure::Failure;
use crate::options::unknown;

/// Bytes of a line, with its newline.
pub(crate) const LINE: u64 = 100;
/// Bytes of one write of [`Form::Block`].
const BLOCK: usize = 64 << 10;
const DIGITS: usize = 12;

/// How lines are handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In writes of 64 KiB, as a program with a buffer does.
    Block,
    /// Each with a write of its own, as most services do.
    Line,
}

impl Form {
    pub(crate) fn read(word: &str) -> Result<Self, Failure> {
        match word {
            "block" => Ok(Self::Block),
            "line" => Ok(Self::Line),
            _ => Err(unknown(word)),
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Line => "line",
        }
    }
}

/// The lines of one writer.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    name: String,
    line: Vec<u8>,
}

impl Numbered {
    pub(crate) fn new(name: &str) -> Self {
        let rest = usize::try_from(LINE).unwrap_or(0) - 2 - DIGITS - name.len() - 1;
        let line = format!("{name} {:0DIGITS$} {}\n", 0, "x".repeat(rest));
        Self {
            name: name.to_owned(),
            line: line.into_bytes(),
        }
    }

    /// Makes the next line.
    fn advance(&mut self) -> &[u8] {
        let from = self.name.len() + 1;
        let digits = self.line.get_mut(from..from + DIGITS).unwrap_or_default();
        for digit in digits.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                break;
            }
        }
        &self.line
    }

    /// Writes the lines from 1 to `count`.
    pub(crate) fn write(&self, count: u64, form: Form, to: &mut impl Write) -> io::Result<()> {
        let mut lines = self.clone();
        if form == Form::Line {
            return (0..count).try_for_each(|_| to.write_all(lines.advance()));
        }
        let mut block = Vec::with_capacity(BLOCK + lines.line.len());
        for _ in 0..count {
            block.extend_from_slice(lines.advance());
            if let Some(full) = block.get(..BLOCK) {
                to.write_all(full)?;
                block.drain(..BLOCK);
            }
        }
        to.write_all(&block)
    }

    /// Reads what was stored; tells what is missing, and what is there more than once or was never written.
    pub(crate) fn count(&self, count: u64, stored: impl Read) -> io::Result<Found> {
        let mut expected = self.clone();
        let mut stored = BufReader::with_capacity(1 << 20, stored);
        let mut line = Vec::new();
        let (mut in_order, mut others) = (0, HashMap::<Vec<u8>, u64>::new());
        expected.advance();
        loop {
            line.clear();
            if stored.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            // All of them are this one, unless something is wrong.
            if in_order < count && line == expected.line {
                in_order += 1;
                expected.advance();
            } else {
                *others.entry(line.clone()).or_default() += 1;
            }
        }
        let mut found = Found {
            lost: 0,
            strange: others.values().sum(),
        };
        for _ in in_order..count {
            match others.get(&expected.line) {
                Some(_) => found.strange -= 1,
                None => found.lost += 1,
            }
            expected.advance();
        }
        Ok(found)
    }
}

/// What became of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Written and not stored.
    pub(crate) lost: u64,
    /// Stored twice, broken, or never written.
    pub(crate) strange: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(count: u64, form: Form) -> Vec<u8> {
        let mut bytes = Vec::new();
        let lines = Numbered::new("w0");
        lines.write(count, form, &mut bytes).expect("memory");
        bytes
    }

    #[test]
    fn both_forms_write_the_same_lines() {
        let bytes = written(2000, Form::Block);
        assert_eq!(bytes, written(2000, Form::Line));
        assert_eq!(bytes.len(), 200_000);
        let text = String::from_utf8(bytes).expect("text");
        assert!(
            text.lines()
                .nth(1233)
                .is_some_and(|line| line.starts_with("w0 000000001234 xx"))
        );
    }

    #[test]
    fn what_is_missing_or_there_twice_is_counted() {
        let whole = written(100, Form::Line);
        let lines: Vec<&[u8]> = whole.chunks(100).collect();
        let count = |stored: &[&[u8]]| {
            let stored = stored.concat();
            Numbered::new("w0")
                .count(100, stored.as_slice())
                .expect("memory")
        };
        let found = |lost, strange| Found { lost, strange };
        assert_eq!(count(&lines), found(0, 0));
        assert_eq!(count(&lines[..90]), found(10, 0));
        assert_eq!(count(&[&lines[..5], &lines[6..]].concat()), found(1, 0));
        assert_eq!(count(&[&lines[..5], &lines[4..]].concat()), found(0, 1));
        assert_eq!(count(&[&lines[1..], &lines[..1]].concat()), found(0, 0));
        assert_eq!(count(&[&lines[..], &[b"junk\n"]].concat()), found(0, 1));
    }
}
