//! A regex that is searched line by line, though in many lines at once.
//!
//! The pattern is changed before it is compiled, so that what it finds in a text of many lines is what it finds in each of them
//! alone: nothing in it matches a newline, and all its anchors are those of lines.

use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
    Repetition,
};
use regex_syntax::{ParserBuilder, ast, hir};

/// The most bytes that a pattern may take when it is compiled.
const LARGEST: usize = 4 << 20;
/// Bytes of what is remembered of one while it is searched, in each direction.
const CACHE: usize = 1 << 20;
/// The most bytes of a pattern.
const LONGEST: usize = 16 << 10;
/// How deep groups may be nested.
const DEEPEST: u32 = 100;

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// Something in it is not understood.
    #[error("read the pattern {pattern:?}: {cause}, at character {at}")]
    Syntax {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        cause: String,
        /// The first character that is, from 1.
        at: usize,
    },
    /// It needs more memory than a pattern may have.
    #[error("read the pattern {pattern:?}: it is too large; {} MiB is the most it may take", LARGEST >> 20)]
    TooLarge {
        /// Its beginning.
        pattern: String,
    },
}

/// A regex for lines.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    hir: Hir,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(pattern: &str) -> Result<Self, InvalidPattern> {
        if pattern.len() > LONGEST {
            return Err(too_large(pattern));
        }
        let parsed = ParserBuilder::new()
            .utf8(false)
            .multi_line(true)
            .nest_limit(DEEPEST)
            .build()
            .parse(pattern);
        let hir = within_lines(parsed.map_err(|error| syntax(pattern, &error))?);
        let config = Config::new()
            .nfa_size_limit(Some(LARGEST))
            .hybrid_cache_capacity(CACHE)
            .utf8_empty(false);
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(&hir)
            // It is well-formed, so that this is all that can be wrong.
            .map_err(|_| too_large(pattern))?;
        Ok(Self { regex, hir })
    }

    /// Returns whether it is found in any of these lines.
    #[must_use]
    pub fn is_in(&self, lines: &[u8]) -> bool {
        self.regex.is_match(lines)
    }

    /// Finds it in lines from `at` on, and returns where in its line it ends: the first line that has it is that one.
    #[must_use]
    pub fn find(&self, lines: &[u8], at: usize) -> Option<usize> {
        let input = Input::new(lines).range(at.min(lines.len())..);
        self.regex.search_half(&input).map(|found| found.offset())
    }

    /// What it is made of.
    #[must_use]
    pub const fn hir(&self) -> &Hir {
        &self.hir
    }
}

fn too_large(pattern: &str) -> InvalidPattern {
    InvalidPattern::TooLarge {
        pattern: pattern.chars().take(40).collect(),
    }
}

fn syntax(pattern: &str, error: &regex_syntax::Error) -> InvalidPattern {
    let (cause, span) = match error {
        regex_syntax::Error::Parse(error) => (parse_cause(error), *error.span()),
        regex_syntax::Error::Translate(error) => (translate_cause(error), *error.span()),
        // There are no others by now.
        other => (
            other.to_string().replace('\n', " "),
            ast::Span::splat(ast::Position::new(0, 1, 1)),
        ),
    };
    let before = pattern.get(..span.start.offset).unwrap_or(pattern);
    InvalidPattern::Syntax {
        pattern: pattern.to_owned(),
        cause,
        at: before.chars().count() + 1,
    }
}

fn parse_cause(error: &ast::Error) -> String {
    error.kind().to_string()
}

fn translate_cause(error: &hir::Error) -> String {
    error.kind().to_string()
}

/// Makes it match within lines only.
fn within_lines(pattern: Hir) -> Hir {
    match pattern.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(mut class)) => {
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(mut class)) => {
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Look(Look::Start | Look::StartCRLF) => Hir::look(Look::StartLF),
        HirKind::Look(Look::End) => Hir::look(Look::EndLF),
        HirKind::Look(Look::EndCRLF) => Hir::concat(vec![
            Hir::repetition(Repetition {
                min: 0,
                max: Some(1),
                greedy: true,
                sub: Box::new(Hir::literal(*b"\r")),
            }),
            Hir::look(Look::EndLF),
        ]),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(within_lines(*repetition.sub)),
            ..repetition
        }),
        HirKind::Capture(capture) => within_lines(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(within_lines).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(within_lines).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::needles::Needles;

    #[test]
    fn what_is_wrong_with_a_pattern_is_said_in_one_line_with_its_place() {
        let said = |pattern: &str| Pattern::new(pattern).expect_err("broken").to_string();
        assert_eq!(
            said("é(a"),
            "read the pattern \"é(a\": unclosed group, at character 2"
        );
        assert!(
            said("a{2,1}")
                .starts_with("read the pattern \"a{2,1}\": invalid repetition count range")
        );
        assert!(said(r"\pX").contains("at character 1"));
        for pattern in [r"\w{1000}{10}", &"a".repeat(LONGEST + 1), &"(".repeat(200)] {
            let said = said(pattern);
            assert!(!said.contains('\n') && said.len() < 400, "{said}");
        }
        assert!(said(r"\w{1000}{10}").contains("too large"));
    }

    #[test]
    fn nothing_is_found_over_the_end_of_a_line() {
        let found = |pattern: &str, text: &str| {
            Pattern::new(pattern)
                .expect("a pattern")
                .is_in(text.as_bytes())
        };
        assert!(!found("a[^x]b", "a\nb"));
        assert!(!found(r"a\sb", "a\nb"));
        assert!(!found("a\nb", "a\nb"));
        assert!(!found("(?s)a.b", "a\nb"));
        assert!(found(r"\Ab\z", "a\nb\nc"));
        assert!(found("^b$", "a\nb\nc"));
        assert!(found("(?-m)^b$", "a\nb\nc"));
        assert!(found("(?R)b$", "a\nb\r\nc"));
    }

    fn pattern() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "[a-cA-Ck ]{1,5}",
            Just(".".to_owned()),
            Just("[a-c]".to_owned()),
            Just("[^a]".to_owned()),
            Just("(?i:k)".to_owned()),
            Just("\\b".to_owned()),
            Just("\\A".to_owned()),
            Just("$".to_owned()),
            Just("^".to_owned()),
            Just("\\s".to_owned()),
            Just("(?-u:\\xff)".to_owned()),
            Just("(?-u:[^b])".to_owned()),
            Just("(?s-u:.)".to_owned()),
            Just("é".to_owned()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
                proptest::collection::vec(inner.clone(), 1..4)
                    .prop_map(|parts| format!("(?:{})", parts.join("|"))),
                (
                    inner.clone(),
                    prop_oneof![
                        Just("*"),
                        Just("+"),
                        Just("?"),
                        Just("{2}"),
                        Just("{1,3}"),
                        Just("{0,2}"),
                        Just("+?")
                    ]
                )
                    .prop_map(|(part, times)| format!("(?:{part}){times}")),
                inner.prop_map(|part| format!("(?i:{part})")),
            ]
        })
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[a-cA-Ck ]{1,3}".prop_map(String::into_bytes),
            1 => Just(b"\n".to_vec()),
            1 => Just("é".as_bytes().to_vec()),
            1 => Just("\u{212a}".as_bytes().to_vec()),
            1 => Just(vec![0xff]),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn many_lines_at_once_are_each_alone_and_what_is_found_has_its_needles(pattern in pattern(), text in text()) {
            let plain = regex::bytes::RegexBuilder::new(&pattern).multi_line(true).build().expect("a regex");
            let whole = Pattern::new(&pattern).expect("a pattern");
            let mut needles = Needles::default();
            needles.add(whole.hir());
            let mut is_found = false;
            for line in text.split(|byte| *byte == b'\n') {
                let is_here = plain.is_match(line);
                prop_assert_eq!(whole.is_in(line), is_here);
                is_found |= is_here;
                if is_here {
                    prop_assert!(needles.are_in(&line.to_ascii_lowercase()), "{:?} {:?}", needles, line);
                }
            }
            prop_assert_eq!(whole.is_in(&text), is_found);
        }
    }
}
