//! Bytes of a channel, and the lines that are complete in them: pure.

/// The longest line that is passed on, bytes.
pub(super) const LONGEST: usize = 1 << 20;

/// Above this a buffer that was needed once is given back when it is empty.
const KEPT_CAPACITY: usize = 4 << 10;

/// Lines as they come in.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line that is not complete.
    begun: Vec<u8>,
    /// What becomes of the line that is not complete.
    fate: Fate,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    /// It is passed on when it is complete.
    #[default]
    Kept,
    /// It is too long already: the rest of it is passed over.
    LeftOut,
}

/// What came of some bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// Complete lines, without their ends.
    pub(super) lines: Vec<Vec<u8>>,
    /// Lines that turned out to be too long.
    pub(super) left_out: u32,
}

impl Lines {
    /// Adds what was read.
    pub(super) fn push(&mut self, bytes: &[u8], cut: &mut Cut) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (rest, is_whole) = match piece.split_last() {
                Some((b'\n', rest)) => (rest, true),
                Some(_) | None => (piece, false),
            };
            self.extend(rest, cut);
            if is_whole {
                self.end(cut);
            }
        }
    }

    fn extend(&mut self, bytes: &[u8], cut: &mut Cut) {
        if self.fate == Fate::LeftOut {
            return;
        }
        if self.begun.len() + bytes.len() > LONGEST {
            self.begun = Vec::new();
            self.fate = Fate::LeftOut;
            cut.left_out += 1;
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, cut: &mut Cut) {
        match std::mem::take(&mut self.fate) {
            Fate::Kept if self.begun.is_empty() => {}
            Fate::Kept => {
                cut.lines.push(self.begun.clone());
                self.begun.clear();
                self.begun.shrink_to(KEPT_CAPACITY);
            }
            Fate::LeftOut => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(pieces: &[&[u8]]) -> Cut {
        let (mut lines, mut cut) = (Lines::default(), Cut::default());
        for piece in pieces {
            lines.push(piece, &mut cut);
        }
        cut
    }

    #[test]
    fn a_line_is_passed_on_when_its_end_has_come() {
        let cut = cut(&[b"\"rea", b"dy\"", b"\n{}\nnot yet"]);
        assert_eq!(cut.lines, [b"\"ready\"".to_vec(), b"{}".to_vec()]);
        assert_eq!(cut.left_out, 0);
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_once_and_the_next_one_is_not() {
        let half = vec![b'x'; LONGEST / 2 + 1];
        let cut = cut(&[b"a\n", &half, &half, &half, b"\nb\n"]);
        assert_eq!(cut.lines, [b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(cut.left_out, 1);
    }

    #[test]
    fn the_longest_line_is_passed_on() {
        let longest = vec![b'x'; LONGEST];
        let cut = cut(&[&longest, b"\n"]);
        assert_eq!((cut.lines.len(), cut.left_out), (1, 0));
    }

    proptest! {
        #[test]
        fn lines_survive_any_cutting(
            texts in proptest::collection::vec("[a-z]{1,20}", 0..20), size in 1_usize..30
        ) {
            let mut bytes = texts.join("\n").into_bytes();
            bytes.push(b'\n');
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            let lines: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(cut(&pieces).lines, lines);
        }
    }
}
