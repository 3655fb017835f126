//! Which parts of a sealed segment are worth reading for a question: all that may match, and few others.

use std::ops::Range;

use super::filter::{Groups, join, meet};
use super::sealed::Sealed;

/// Texts to look for: of every clause at least one. Upper and lower case (ASCII) are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needles {
    clauses: Vec<Vec<Vec<u8>>>,
}

impl Needles {
    /// Adds a clause: one of `texts` must be there. A clause without a text can never hold.
    pub fn require(&mut self, texts: Vec<Vec<u8>>) {
        self.clauses.push(texts);
    }
}

/// What a block must have to be of interest.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Texts in its lines.
    pub needles: &'a Needles,
    /// One of these levels (a bit for each), of a record that begins in it.
    pub levels: u8,
    /// Bytes that did not come before this, unix ns.
    pub since: u64,
    /// Bytes that came before this.
    pub until: u64,
}

impl Sealed {
    /// The ranges of the stream that may hold what is `wanted`, ascending and not adjacent, all of them made of whole
    /// blocks. A range begins and ends where a line does, but for lines that cross the border of segments.
    #[must_use]
    pub fn candidates(&self, wanted: &Wanted<'_>) -> Vec<Range<u64>> {
        let mut may = vec![0xff; self.blocks().len().div_ceil(8)];
        let mut groups = Groups::new();
        for clause in &wanted.needles.clauses {
            if let Some(found) = self.clause(clause, &mut groups) {
                meet(&mut may, &found);
            }
        }
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for (index, block) in self.blocks().iter().enumerate() {
            let has_texts = may
                .get(index / 8)
                .is_some_and(|bits| bits >> (index % 8) & 1 == 1);
            let is_wanted = has_texts
                && block.levels & wanted.levels != 0
                && block.latest >= wanted.since
                && block.earliest < wanted.until;
            // Of a line in two blocks neither knows the whole.
            if !is_wanted && !block.border.begins_within && !block.border.ends_within {
                continue;
            }
            match ranges.last_mut().filter(|last| last.end == block.offset) {
                Some(last) => last.end = block.end(),
                None => ranges.push(block.offset..block.end()),
            }
        }
        ranges
    }

    /// The blocks that may hold one of `texts`; `None`: any may.
    fn clause(&self, texts: &[Vec<u8>], groups: &mut Groups) -> Option<Vec<u8>> {
        let mut found = vec![0; self.blocks().len().div_ceil(8)];
        for text in texts {
            join(&mut found, &self.find(text, groups)?);
        }
        Some(found)
    }
}
