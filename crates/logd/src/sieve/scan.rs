//! What some line of each record that passes must have: searched in many lines at once.

use memchr::memchr;

use super::pattern::Pattern;
use crate::record::{self, Level};

/// What is searched for.
#[derive(Clone, Debug)]
pub enum Scan {
    /// A pattern.
    Pattern(Pattern),
    /// That level at least. Recognising it is faster than to search for all the words it may be told by.
    Level(Level),
}

impl Scan {
    /// Finds it in lines from the one on that begins at `at`, and returns a place in the first line that has it.
    #[must_use]
    pub fn find(&self, lines: &[u8], at: usize) -> Option<usize> {
        match self {
            Self::Pattern(pattern) => pattern.find(lines, at),
            Self::Level(least) => {
                let mut start = at;
                loop {
                    let rest = lines.get(start..).filter(|rest| !rest.is_empty())?;
                    let length = memchr(b'\n', rest).unwrap_or(rest.len());
                    if record::level(rest.get(..length)?) >= Some(*least) {
                        return Some(start);
                    }
                    start += length + 1;
                }
            }
        }
    }
}
