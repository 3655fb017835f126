//! YAML, read by `serde-saphyr`: anchors and merge keys within a budget.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::budget::Budget;
use serde_saphyr::options::NonFiniteFloatPolicy;
use serde_saphyr::{
    Error, Location, MessageFormatter as _, Options, Spanned, UserMessageFormatter,
};

use crate::locate::{Key, Literal, Position};

use super::Malformed;

/// Values, with those that aliases repeat: more than any list of apps has, and quickly read.
const NODES: usize = 50_000;

pub(super) fn value(text: &str) -> Result<Value, Malformed> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| malformed(&error))
}

pub(super) fn literals(text: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let read = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| {
        Places { found: &mut found }.deserialize(yaml)
    });
    match read {
        Ok(_) => found,
        Err(_) => Vec::new(),
    }
}

fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_nodes = NODES;
    budget.max_events = 4 * NODES;
    budget.max_documents = 2;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    // `no` is a country and `0755` a mode: what YAML 1.1 made of them surprises everybody.
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options
}

fn malformed(error: &Error) -> Malformed {
    let at = error.location().and_then(position);
    let mut root = error;
    while let Error::AliasError { error, .. } = root {
        root = error;
    }
    let message = if matches!(root, Error::Budget { .. }) {
        format!("it is too large, or aliases repeat too much: {NODES} values are the most")
    } else if matches!(root, Error::MultipleDocuments { .. }) {
        "a second document begins here: a file is one".to_owned()
    } else {
        let message = UserMessageFormatter.format_message(root);
        message.lines().collect::<Vec<_>>().join(" ")
    };
    Malformed { message, at }
}

fn position(location: Location) -> Option<Position> {
    let number = |number: u64| u32::try_from(number).ok().filter(|number| *number > 0);
    Some(Position {
        line: number(location.line())?,
        column: number(location.column())?,
    })
}

/// Walks through a document and notes its mappings; what it gives is a scalar's text.
struct Places<'a> {
    found: &'a mut Vec<Literal>,
}

impl<'de> DeserializeSeed<'de> for Places<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Places<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items
            .next_element_seed(Places { found: self.found })?
            .is_some()
        {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = fields.next_key::<Spanned<String>>()? {
            let value = fields.next_value_seed(Places { found: self.found })?;
            // Where it is written, not where an alias repeats it.
            if let Some(at) = position(key.defined) {
                keys.push(Key {
                    name: key.value,
                    at,
                    value,
                });
            }
        }
        // A mapping of YAML has no brace: it begins with its first key.
        if let Some(open) = keys.first().map(|key| key.at) {
            self.found.push(Literal { open, keys });
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TEXT: &str = "\
base: &base
  watch: true
  env: &env { A: 1, B: no, C: 0755, 8080: .nan }
apps:
  - <<: *base
    name: a
    script: a.js
  - name: b
    script: |
      sleep 5
    watch: false
    env: *env
";

    #[test]
    fn anchors_and_merges_are_followed() {
        let env = json!({ "A": 1, "B": "no", "C": "0755", "8080": ".nan" });
        let expected = json!([
            { "watch": true, "env": env, "name": "a", "script": "a.js" },
            { "watch": false, "env": env, "name": "b", "script": "sleep 5\n" },
        ]);
        assert_eq!(value(TEXT).unwrap()["apps"], expected);
    }

    #[test]
    fn every_key_is_found_where_it_is_written() {
        let found = literals(TEXT);
        let of = |name: &str, key: &str| {
            let literal = found.iter().find(|literal| {
                literal.key("name").and_then(|key| key.value.as_deref()) == Some(name)
            })?;
            let at = literal.key(key)?.at;
            Some((at.line, at.column))
        };
        assert_eq!(of("a", "script"), Some((7, 5)));
        assert_eq!(of("a", "watch"), Some((2, 3)));
        assert_eq!(of("b", "watch"), Some((11, 5)));
        assert_eq!(of("b", "env"), Some((12, 5)));
    }

    #[test]
    fn a_mistake_is_told_in_one_line_with_its_place() {
        for (text, line, column) in [
            ("a: 1\na: 2\n", 2, 1),
            ("a: [1, 2\n", 1, 4),
            ("a: 1\n\tb: 2\n", 1, 4),
            ("a: *nowhere\n", 1, 4),
            ("a: 1\n---\nb: 2\n", 3, 1),
        ] {
            let error = value(text).unwrap_err();
            assert!(!error.message.contains('\n'), "{error:?}");
            assert_eq!(error.at, Some(Position { line, column }), "{text}{error:?}");
        }
    }

    #[test]
    fn a_bomb_of_aliases_is_refused() {
        let levels = (1..10).map(|level| {
            let below = format!("*a{}, ", level - 1).repeat(9);
            format!("a{level}: &a{level} [{below}]\n")
        });
        let first = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        let text: String = std::iter::once(first).chain(levels).collect();
        let error = value(&text).unwrap_err();
        assert!(error.message.contains("aliases repeat"), "{error:?}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "[a-z:\\[\\]{}\"'&*!|>.,#\n -é]{0,80}") {
            if value(&text).is_err() {
                prop_assert_eq!(literals(&text), []);
            }
        }
    }
}
