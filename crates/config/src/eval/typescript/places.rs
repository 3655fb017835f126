//! From a place in code that was made to the place in the text it was made from. Pure.

use crate::locate::Position;

/// A place of the code, and the place of the text it stands for; lines from 0, columns from 0 in UTF-16 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    pub(super) code: (u32, u32),
    pub(super) text: (u32, u32),
}

/// Where everything in some code comes from.
#[derive(Debug)]
pub(in crate::eval) struct Places(Vec<Mapping>);

impl Places {
    /// Of mappings in the order of the code.
    #[cfg_attr(
        not(feature = "typescript"),
        expect(dead_code, reason = "nothing makes code without TypeScript")
    )]
    pub(super) fn new(mappings: Vec<Mapping>) -> Self {
        Self(mappings)
    }

    /// The place in `text` that a place in `code` comes from: of the nearest mapping before it in its line, or else of the
    /// first one in it.
    pub(in crate::eval) fn original(
        &self,
        code: &str,
        text: &str,
        at: Position,
    ) -> Option<Position> {
        let line = at.line.checked_sub(1)?;
        let column = units(code, line, at.column.checked_sub(1)?);
        let in_line = || self.0.iter().filter(|mapping| mapping.code.0 == line);
        let mapping = in_line()
            .rev()
            .find(|mapping| mapping.code.1 <= column)
            .or_else(|| in_line().next())?;
        let (line, column) = mapping.text;
        Some(Position {
            line: line.saturating_add(1),
            column: characters(text, line, column).saturating_add(1),
        })
    }
}

/// Characters of a line as UTF-16 units.
fn units(text: &str, line: u32, characters: u32) -> u32 {
    let line = nth(text, line);
    line.chars()
        .take(usize::try_from(characters).unwrap_or(usize::MAX))
        .map(|c| u32::try_from(c.len_utf16()).unwrap_or(1))
        .sum()
}

/// UTF-16 units of a line as characters.
fn characters(text: &str, line: u32, units: u32) -> u32 {
    let mut left = units;
    let mut characters = 0;
    for c in nth(text, line).chars() {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(u32::try_from(c.len_utf16()).unwrap_or(1));
        characters += 1;
    }
    characters
}

fn nth(text: &str, line: u32) -> &str {
    text.split('\n')
        .nth(usize::try_from(line).unwrap_or(usize::MAX))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    #[test]
    fn a_place_is_that_of_the_mapping_before_it_in_its_line() {
        let places = Places(vec![
            Mapping {
                code: (0, 4),
                text: (2, 0),
            },
            Mapping {
                code: (0, 8),
                text: (2, 6),
            },
            Mapping {
                code: (1, 0),
                text: (7, 1),
            },
        ]);
        let (code, text) = ("0123456789\nabc", "\n\n012345678\n");
        let original = |line, column| places.original(code, text, at(line, column));
        assert_eq!(original(1, 1), Some(at(3, 1)));
        assert_eq!(original(1, 6), Some(at(3, 1)));
        assert_eq!(original(1, 10), Some(at(3, 7)));
        assert_eq!(original(2, 3), Some(at(8, 1)));
        assert_eq!(original(3, 1), None);
        assert_eq!(original(0, 1), None);
    }

    #[test]
    fn columns_count_characters_and_not_their_halves() {
        let places = Places(vec![
            Mapping {
                code: (0, 0),
                text: (0, 0),
            },
            Mapping {
                code: (0, 4),
                text: (0, 5),
            },
        ]);
        let original = places.original("'🦀'x", "a'🦀'x", at(1, 4));
        assert_eq!(original, Some(at(1, 5)));
    }
}
