//! Bytes in, lines out: the only place that knows what a line is.
//!
//! ```text
//! chunk  chunk   chunk                      Cut      Cut         Cut
//! ──────┬─────┬───────────┬──   ─────▶      "a" 0..2 "b…" 2..9   (a tail, by finish)
//! a\nb…   …\n   a tail
//! ```
//!
//! Invariants
//! - The cuts do not depend on how the bytes were chunked.
//! - Cuts are adjacent: one begins where the one before it ends, and together they are the input.
//! - No cut holds more than [`LONGEST`] bytes of text, so that an app without newlines cannot fill our memory; a line
//!   that is longer comes in pieces, all but the last of which are marked.

use std::io::BufRead as _;

/// The longest text passed on at once.
pub const LONGEST: usize = 256 << 10;

/// A line, or a piece of one that is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where it begins in its stream.
    pub offset: u64,
    /// Where the next one begins.
    pub end: u64,
    /// Its bytes without the newline.
    pub text: Vec<u8>,
    /// Whether the line goes on in the next cut.
    pub continues: bool,
}

/// Cuts the bytes of one stream, given in order, into lines.
#[derive(Debug)]
pub struct Splitter {
    offset: u64,
    pending: Vec<u8>,
}

impl Splitter {
    /// Begins at `offset` of the stream.
    #[must_use]
    pub const fn new(offset: u64) -> Self {
        Self {
            offset,
            pending: Vec::new(),
        }
    }

    /// Cuts the next line off the front of `chunk`. `None`: all of it was taken in and the line is not complete.
    pub fn cut(&mut self, chunk: &mut &[u8]) -> Option<Cut> {
        let room = LONGEST.saturating_sub(self.pending.len());
        // One byte more than a piece holds tells whether the line ends with it.
        let window = chunk.get(..=room).unwrap_or(chunk);
        let mut rest = window;
        // Reads from memory, which cannot fail; the standard library searches with memchr here.
        let used = rest.skip_until(b'\n').unwrap_or(window.len());
        let (taken, after) = chunk.split_at(used);
        if let Some(text) = taken.strip_suffix(b"\n") {
            *chunk = after;
            return Some(self.take(text, 1));
        }
        if used > room {
            let (piece, after) = chunk.split_at(room);
            *chunk = after;
            let mut cut = self.take(piece, 0);
            cut.continues = true;
            return Some(cut);
        }
        self.pending.extend_from_slice(taken);
        *chunk = after;
        None
    }

    /// Takes what is left as a line: no newline will come.
    pub fn finish(&mut self) -> Option<Cut> {
        (!self.pending.is_empty()).then(|| self.take(&[], 0))
    }

    /// What is there of a line that is not complete, and where it begins.
    #[must_use]
    pub fn begun(&self) -> Option<(u64, &[u8])> {
        self.is_pending().then_some((self.offset, &self.pending))
    }

    /// Returns whether a line has begun and is not complete.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    fn take(&mut self, text: &[u8], newline: u64) -> Cut {
        let text = if self.pending.is_empty() {
            text.to_vec()
        } else {
            self.pending.extend_from_slice(text);
            std::mem::take(&mut self.pending)
        };
        let offset = self.offset;
        self.offset = offset + text.len() as u64 + newline;
        Cut {
            offset,
            end: self.offset,
            text,
            continues: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn split(offset: u64, chunks: &[&[u8]]) -> Vec<Cut> {
        let mut splitter = Splitter::new(offset);
        let mut cuts = Vec::new();
        for &chunk in chunks {
            let mut rest = chunk;
            while let Some(cut) = splitter.cut(&mut rest) {
                cuts.push(cut);
            }
            assert!(rest.is_empty());
        }
        cuts.extend(splitter.finish());
        cuts
    }

    /// Bytes where newlines are frequent.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200)
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_lines(input in text(), borders in vec(0_usize..200, 0..20)) {
            let mut borders: Vec<_> = borders.into_iter().map(|at| at.min(input.len())).collect();
            borders.extend([0, input.len()]);
            borders.sort_unstable();
            let chunks: Vec<_> = borders.windows(2).map(|pair| &input[pair[0]..pair[1]]).collect();
            prop_assert_eq!(split(7, &chunks), split(7, &[&input]));
        }

        #[test]
        fn lines_and_newlines_joined_are_the_input(input in text()) {
            let mut joined = Vec::new();
            for cut in split(0, &[&input]) {
                prop_assert_eq!(cut.offset, joined.len() as u64);
                joined.extend_from_slice(&cut.text);
                if cut.end > joined.len() as u64 {
                    joined.push(b'\n');
                }
                prop_assert_eq!(cut.end, joined.len() as u64);
            }
            prop_assert_eq!(joined, input);
        }
    }

    #[test]
    fn a_line_of_the_longest_length_is_whole_and_one_byte_more_makes_two_pieces() {
        let mut input = vec![b'x'; LONGEST];
        input.push(b'\n');
        let cuts = split(0, &[&input]);
        assert_eq!(cuts.len(), 1);
        assert!(!cuts[0].continues);

        input.insert(0, b'x');
        for step in [1000, LONGEST, input.len()] {
            let chunks: Vec<_> = input.chunks(step).collect();
            let cuts = split(0, &chunks);
            let lengths: Vec<_> = cuts
                .iter()
                .map(|cut| (cut.text.len(), cut.continues))
                .collect();
            assert_eq!(lengths, [(LONGEST, true), (1, false)]);
            assert_eq!(cuts[1].end, input.len() as u64);
        }
    }

    #[test]
    fn a_tail_is_held_until_it_is_asked_for() {
        let mut splitter = Splitter::new(0);
        let mut chunk: &[u8] = b"a\nb";
        assert_eq!(
            splitter.cut(&mut chunk).map(|cut| cut.text),
            Some(b"a".to_vec())
        );
        assert_eq!(splitter.cut(&mut chunk), None);
        assert!(splitter.is_pending());
        assert_eq!(splitter.begun(), Some((2, &b"b"[..])));
        assert_eq!(
            splitter.finish().map(|cut| (cut.offset, cut.end)),
            Some((2, 3))
        );
        assert_eq!(splitter.finish(), None);
    }
}
