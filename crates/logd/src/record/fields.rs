//! What a record says in its fields, compared.
//!
//! The fields are those of a record that is a JSON object, on one line or over several, or the pairs of a first line that is
//! written as `key=value key="value"`. A field that is not there fulfils no condition.

use std::cmp::Ordering;

use super::json::{self, Key};
use crate::sieve::Pattern;

/// The most keys of a path.
const DEEPEST: usize = 32;

/// How a field is compared.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Both sides are the same.
    Equal,
    /// They are not.
    NotEqual,
    /// The field is smaller.
    Less,
    /// The field is smaller, or the same.
    AtMost,
    /// The field is greater.
    Greater,
    /// The field is greater, or the same.
    AtLeast,
    /// It is found in the field.
    Found(Pattern),
    /// The field is there.
    Present,
}

/// Why a condition is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCondition {
    /// It names no field.
    #[error("compare a field without a name with {0:?}")]
    NoField(String),
    /// It names one that lies too deep.
    #[error("find a field below {DEEPEST} others: {0:?}")]
    TooDeep(String),
}

/// A field, and what is to hold for it.
#[derive(Clone, Debug)]
pub struct Condition {
    path: Vec<Key>,
    /// How the key that holds the value ends in an object, and the key of a pair: each with what stands behind it.
    ends: Vec<u8>,
    pair: Vec<u8>,
    comparison: Comparison,
    value: Value,
}

/// The right side.
#[derive(Clone, Debug)]
struct Value {
    text: Vec<u8>,
    number: Option<f64>,
}

impl Condition {
    /// Compares what `path` leads to with `value`.
    pub fn new(
        path: &[String],
        comparison: Comparison,
        value: &str,
    ) -> Result<Self, InvalidCondition> {
        let last = path.last().filter(|key| !key.is_empty());
        let Some(last) = last else {
            return Err(InvalidCondition::NoField(value.to_owned()));
        };
        if path.len() > DEEPEST {
            return Err(InvalidCondition::TooDeep(path.join(".")));
        }
        Ok(Self {
            path: Key::path(path),
            ends: json::ending(last),
            pair: format!("{}=", path.join(".")).into_bytes(),
            comparison,
            value: Value {
                text: value.as_bytes().to_vec(),
                number: number(value.as_bytes()),
            },
        })
    }

    /// Returns whether it holds for a record: its lines with the newlines between them.
    #[must_use]
    pub fn holds(&self, record: &[u8]) -> bool {
        if record.first() == Some(&b'{') {
            let found = json::find(record, &self.path);
            return found.is_some_and(|value| self.holds_for(&json::text_of(value)));
        }
        let first = record
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        pair(first, &self.pair).is_some_and(|value| self.holds_for(value))
    }

    fn holds_for(&self, field: &[u8]) -> bool {
        let order = || self.value.order(field);
        match &self.comparison {
            Comparison::Equal => order() == Ordering::Equal,
            Comparison::NotEqual => order() != Ordering::Equal,
            Comparison::Less => order() == Ordering::Less,
            Comparison::AtMost => order() != Ordering::Greater,
            Comparison::Greater => order() == Ordering::Greater,
            Comparison::AtLeast => order() != Ordering::Less,
            Comparison::Found(pattern) => pattern.is_in(field),
            Comparison::Present => true,
        }
    }

    /// Finds what a record has that it holds for.
    #[must_use]
    pub fn mention(&self) -> Option<Pattern> {
        let [ends, pair] = self.literals().map(|text| {
            let text = String::from_utf8_lossy(text);
            regex_syntax::escape(&text)
        });
        Pattern::new(&format!("{ends}|{pair}")).ok()
    }

    /// What stands in each record it holds for: one of these.
    #[must_use]
    pub fn literals(&self) -> [&[u8]; 2] {
        [&self.ends, &self.pair]
    }
}

impl Value {
    /// How a field stands to it: as numbers where both are.
    fn order(&self, field: &[u8]) -> Ordering {
        let numbers = self.number.zip(number(field));
        numbers
            .and_then(|(value, field)| field.partial_cmp(&value))
            .unwrap_or_else(|| field.cmp(&self.text))
    }
}

/// Reads a number; names such as `inf` and `nan` are none.
fn number(text: &[u8]) -> Option<f64> {
    let begins = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.');
    if !text.first().is_some_and(begins) || text.len() > 64 {
        return None;
    }
    let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

/// The value of `key`, which ends with `=`, in a line of pairs.
fn pair<'a>(line: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut rest = line.trim_ascii_start();
    loop {
        let is_end = |byte: &u8| matches!(byte, b'=' | b' ' | b'"');
        let length = rest.iter().position(is_end)?;
        let (name, after) = rest.split_at_checked(length)?;
        let after = after.strip_prefix(b"=")?;
        let (value, after) = pair_value(after)?;
        if key.strip_suffix(b"=") == Some(name) {
            return Some(value);
        }
        rest = after.trim_ascii_start();
    }
}

/// A value and what follows it. Quotes within quotes are not taken away.
fn pair_value(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let length = text.iter().position(u8::is_ascii_whitespace);
        return text.split_at_checked(length.unwrap_or(text.len()));
    };
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', quoted.get(at..)?)?;
        if quoted.get(at) == Some(&b'"') {
            return Some((quoted.get(..at)?, quoted.get(at + 1..)?));
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(path: &[&str], comparison: Comparison, value: &str, record: &str) -> bool {
        let path: Vec<_> = path.iter().map(|key| (*key).to_owned()).collect();
        let condition = Condition::new(&path, comparison, value).expect("valid");
        let holds = condition.holds(record.as_bytes());
        let is_there = |literal: &[u8]| memchr::memmem::find(record.as_bytes(), literal).is_some();
        assert!(
            !holds || condition.literals().into_iter().any(is_there),
            "{record}"
        );
        holds
    }

    const REQUEST: &str =
        r#"{"req":{"status":503,"path":"/a b","id":"0042"},"ok":null,"ms":1.5,"on":true}"#;

    #[test]
    fn numbers_are_compared_as_numbers_and_all_else_as_text() {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
        for (path, comparison, value, expected) in [
            (&["req", "status"][..], AtLeast, "500", true),
            (&["req", "status"], Less, "1000", true),
            (&["req", "status"], Equal, "503.0", true),
            (&["req", "status"], NotEqual, "503", false),
            (&["req", "status"], Greater, "503", false),
            (&["req", "status"], AtMost, "503", true),
            (&["req", "id"], Equal, "42", true),
            (&["req", "path"], Equal, "/a b", true),
            (&["req", "path"], Greater, "/a a", true),
            (&["ms"], Less, "1.6", true),
            (&["ok"], Equal, "null", true),
            (&["on"], Equal, "true", true),
            (&["req", "status"], Equal, "five", false),
            (&["req", "status"], NotEqual, "five", true),
            (&["missing"], NotEqual, "x", false),
            (&["req", "missing"], Equal, "", false),
        ] {
            assert_eq!(
                holds(path, comparison.clone(), value, REQUEST),
                expected,
                "{path:?} {comparison:?} {value}"
            );
        }
    }

    #[test]
    fn a_field_is_there_or_has_a_pattern_in_it() {
        assert!(holds(&["ok"], Comparison::Present, "", REQUEST));
        assert!(!holds(&["nok"], Comparison::Present, "", REQUEST));
        let pattern = Pattern::new("^/a.b$").expect("a pattern");
        assert!(holds(
            &["req", "path"],
            Comparison::Found(pattern.clone()),
            "",
            REQUEST
        ));
        assert!(!holds(&["ms"], Comparison::Found(pattern), "", REQUEST));
    }

    #[test]
    fn an_object_over_several_lines_has_fields_too() {
        assert!(holds(
            &["a", "b"],
            Comparison::Equal,
            "x\ny",
            "{\n  \"a\": {\n    \"b\": \"x\\ny\"\n  }\n}"
        ));
    }

    #[test]
    fn pairs_are_fields() {
        let line = r#"time=2026 level=warn msg="a \"b\" c" req.status=503 tail"#;
        assert!(holds(&["level"], Comparison::Equal, "warn", line));
        assert!(holds(&["req", "status"], Comparison::AtLeast, "500", line));
        assert!(holds(&["msg"], Comparison::Equal, r#"a \"b\" c"#, line));
        assert!(!holds(&["tail"], Comparison::Present, "", line));
        assert!(!holds(
            &["x"],
            Comparison::Present,
            "",
            "the x=1 is no pair of a line of pairs"
        ));
    }

    #[test]
    fn a_condition_names_a_field_that_is_not_too_deep() {
        let many = vec!["a".to_owned(); DEEPEST + 1];
        assert!(matches!(
            Condition::new(&many, Comparison::Present, ""),
            Err(InvalidCondition::TooDeep(_))
        ));
        assert!(matches!(
            Condition::new(&[], Comparison::Present, ""),
            Err(InvalidCondition::NoField(_))
        ));
    }
}
