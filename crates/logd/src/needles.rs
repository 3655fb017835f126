//! Texts that must stand in whatever a pattern is found in: pure.
//!
//! ```text
//!   timeout (after|in) \d+ms      ─▶    all of:  any of "timeout after ", "timeout in "
//!   (?i)error|fatal               ─▶    all of:  any of "error", "fatal"
//!   \d{3}|warn                    ─▶    nothing: it may be found where none of its texts stands
//! ```
//!
//! Whoever keeps lines in blocks need not read those that lack what is demanded. But the lines of a record may lie in two blocks
//! that are neighbours, if a block holds as much as a record may, and each demand may be met by another line of it. So
//! - a block is wanted if all demands are met in it together with the one before it, or together with the one behind it;
//! - both neighbours of a block that is wanted are read with it: there its records may begin and end. What is left of a record
//!   at the edge of what was passed over meets no demand, or the edge would be further out;
//! - blocks end where lines do. Of a line that fills more than one, all or nothing is passed over.
//!
//! Invariants
//! - Sound: no record that a query finds lacks one of its needles. What cannot be said so is left out.
//! - Needles are compared with the text in lower case (ASCII), are themselves so, and have [`SHORTEST`] bytes at least. None
//!   holds a newline.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// The fewest bytes of a needle.
pub const SHORTEST: usize = 3;
/// The most alternatives of one demand, and of what is still being put together.
const MOST: usize = 64;
/// The most bytes of one.
const LONGEST: usize = 64;
/// The most members of a class that is spelled out.
const MOST_MEMBERS: u32 = 16;

/// What must be there: all of these demands, each by any of its alternatives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needles(Vec<Vec<Vec<u8>>>);

impl Needles {
    /// The demands.
    pub fn wanted(&self) -> impl Iterator<Item = &[Vec<u8>]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// Returns whether nothing is demanded.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a text, which is in lower case, meets them all.
    #[must_use]
    pub fn are_in(&self, lower: &[u8]) -> bool {
        let is_met = |any: &[Vec<u8>]| {
            any.iter()
                .any(|needle| memchr::memmem::find(lower, needle).is_some())
        };
        self.wanted().all(is_met)
    }

    /// Demands what a pattern does, too.
    pub fn add(&mut self, pattern: &Hir) {
        let mut found = of(pattern);
        found.settle();
        self.0.extend(found.demands);
    }

    /// Demands one of these texts, too, if all of them are long enough.
    pub fn add_any<'a>(&mut self, texts: impl IntoIterator<Item = &'a [u8]>) {
        let texts: Vec<_> = texts.into_iter().map(<[u8]>::to_ascii_lowercase).collect();
        self.0.extend(demand(texts));
    }
}

/// Makes a demand of alternatives; `None`: it would not be one, or not be worth it.
fn demand(mut texts: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    texts.sort_unstable();
    texts.dedup();
    let is_one = |text: &Vec<u8>| text.len() >= SHORTEST && !text.contains(&b'\n');
    (!texts.is_empty() && texts.len() <= MOST && texts.iter().all(is_one)).then_some(texts)
}

/// What is known of the texts that a part of a pattern is found in.
struct Found {
    /// Each of them ends with one of these, in lower case; and is nothing more, if `is_whole`.
    ends: Vec<Vec<u8>>,
    is_whole: bool,
    demands: Vec<Vec<Vec<u8>>>,
}

impl Found {
    /// Any text.
    fn anything() -> Self {
        Self {
            ends: vec![Vec::new()],
            is_whole: false,
            demands: Vec::new(),
        }
    }

    /// One of these texts.
    const fn whole(texts: Vec<Vec<u8>>) -> Self {
        Self {
            ends: texts,
            is_whole: true,
            demands: Vec::new(),
        }
    }

    /// Makes a demand of the ends, and forgets them.
    fn settle(&mut self) {
        let ends = std::mem::replace(&mut self.ends, vec![Vec::new()]);
        self.demands.extend(demand(ends));
        self.is_whole = false;
    }

    /// Goes on with `next`.
    fn then(&mut self, mut next: Self) {
        self.demands.append(&mut next.demands);
        if !next.is_whole {
            self.settle();
            self.ends = next.ends;
            return;
        }
        let count = self.ends.len().saturating_mul(next.ends.len());
        let longest = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).max().unwrap_or(0);
        if count > MOST || longest(&self.ends) + longest(&next.ends) > LONGEST {
            self.settle();
            self.ends = next.ends;
            return;
        }
        let joined = self.ends.iter().flat_map(|left| {
            next.ends
                .iter()
                .map(move |right| [left.as_slice(), right].concat())
        });
        self.ends = joined.collect();
        self.ends.sort_unstable();
        self.ends.dedup();
    }

    /// The demand that says most: the fewest alternatives, and among these the longest.
    fn best(mut self) -> Option<Vec<Vec<u8>>> {
        self.settle();
        self.demands.into_iter().max_by_key(|texts| {
            let shortest = texts.iter().map(Vec::len).min().unwrap_or(0);
            (std::cmp::Reverse(texts.len()), shortest)
        })
    }
}

fn of(pattern: &Hir) -> Found {
    match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => Found::whole(vec![Vec::new()]),
        HirKind::Literal(literal) if literal.0.len() > LONGEST => {
            let mut found = Found::anything();
            for part in literal.0.chunks(LONGEST) {
                found.then(Found::whole(vec![part.to_ascii_lowercase()]));
            }
            found
        }
        HirKind::Literal(literal) => Found::whole(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => members(class).map_or_else(Found::anything, Found::whole),
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Concat(parts) => {
            let mut found = Found::whole(vec![Vec::new()]);
            for part in parts {
                found.then(of(part));
            }
            found
        }
        HirKind::Alternation(parts) => either(parts.iter().map(of).collect()),
    }
}

/// The members of a small class, in lower case. Characters beyond ASCII stay as they are: so is the text they are looked for in.
fn members(class: &Class) -> Option<Vec<Vec<u8>>> {
    let mut texts: Vec<Vec<u8>> = match class {
        Class::Unicode(class) => {
            let sizes = class
                .iter()
                .map(|range| u32::from(range.end()) - u32::from(range.start()) + 1);
            if sizes.sum::<u32>() > MOST_MEMBERS {
                return None;
            }
            let all = class.iter().flat_map(|range| range.start()..=range.end());
            all.map(|member| member.to_string().into_bytes()).collect()
        }
        Class::Bytes(class) => {
            let sizes = class
                .iter()
                .map(|range| u32::from(range.end() - range.start()) + 1);
            if sizes.sum::<u32>() > MOST_MEMBERS {
                return None;
            }
            let all = class.iter().flat_map(|range| range.start()..=range.end());
            all.map(|member| vec![member]).collect()
        }
    };
    for text in &mut texts {
        text.make_ascii_lowercase();
    }
    texts.sort_unstable();
    texts.dedup();
    Some(texts)
}

fn repeated(repetition: &Repetition) -> Found {
    let mut found = of(&repetition.sub);
    match (repetition.min, repetition.max) {
        (1, Some(1)) => found,
        (0, Some(1)) if found.is_whole && found.ends.len() < MOST => {
            found.ends.push(Vec::new());
            Found::whole(found.ends)
        }
        (0, _) => Found::anything(),
        (1.., _) => {
            // At least once: what it demands is demanded, and the last time ends as one time does.
            found.demands.extend(demand(found.ends.clone()));
            found.is_whole = false;
            found
        }
    }
}

/// What is known where one of several is found.
fn either(parts: Vec<Found>) -> Found {
    let is_whole = parts.iter().all(|part| part.is_whole);
    let count: usize = parts.iter().map(|part| part.ends.len()).sum();
    if is_whole && count <= MOST && !parts.is_empty() {
        return Found::whole(parts.into_iter().flat_map(|part| part.ends).collect());
    }
    let mut found = Found::anything();
    let best: Option<Vec<_>> = parts.into_iter().map(Found::best).collect();
    if let Some(best) = best {
        found.demands.extend(demand(best.concat()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sieve::Pattern;

    fn needles(pattern: &str) -> Vec<Vec<String>> {
        let mut needles = Needles::default();
        needles.add(Pattern::new(pattern).expect("a pattern").hir());
        let text = |text: &Vec<u8>| String::from_utf8_lossy(text).into_owned();
        needles
            .wanted()
            .map(|any| any.iter().map(text).collect())
            .collect()
    }

    #[test]
    fn needles_are_what_cannot_be_missing() {
        for (pattern, expected) in [
            ("Timeout", &[&["timeout"][..]][..]),
            (
                "timeout (after|in) \\d+ms",
                &[&["timeout after ", "timeout in "]],
            ),
            ("(?i)error|fatal", &[&["error", "fatal"]]),
            ("(?i:ab)c", &[&["abc"]]),
            ("\\d{3}|warn", &[]),
            ("abc.*def", &[&["abc"], &["def"]]),
            ("(abc)+x", &[&["abc"], &["abcx"]]),
            ("(abc)*xyz", &[&["xyz"]]),
            ("colou?r", &[&["color", "colour"]]),
            ("ab", &[]),
            ("a[xy]c", &[&["axc", "ayc"]]),
            ("^start\\b", &[&["start"]]),
            ("(?:foo.*bar|quux\\d)!", &[&["bar", "quux"]]),
            ("(?i)k11", &[&["k11", "\u{212a}11"]]),
            ("", &[]),
        ] {
            assert_eq!(needles(pattern), expected, "{pattern}");
        }
    }
}
