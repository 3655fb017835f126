//! TOML, read by the `toml` crate.

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::locate::{Key, Literal, Position};

use super::Malformed;

pub(super) fn value(text: &str) -> Result<Value, Malformed> {
    let table = DeTable::parse(text).map_err(|error| Malformed {
        message: one_line(error.message()),
        at: error.span().map(|span| Position::of(text, span.start)),
    })?;
    of_table(text, table.get_ref())
}

pub(super) fn literals(text: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        note(text, table.span().start, table.get_ref(), &mut found);
    }
    // Tables are sorted by their keys; among apps of one name the order in the file tells which is which.
    found.sort_by_key(|literal| (literal.open.line, literal.open.column));
    found
}

fn of_table(text: &str, table: &DeTable<'_>) -> Result<Value, Malformed> {
    let fields = table.iter().map(|(key, value)| {
        let value = of_value(text, value)?;
        Ok((key.get_ref().to_string(), value))
    });
    Ok(Value::Object(fields.collect::<Result<Map<_, _>, _>>()?))
}

fn of_value(text: &str, value: &Spanned<DeValue<'_>>) -> Result<Value, Malformed> {
    let too_large = |written: &dyn std::fmt::Display| Malformed {
        message: format!("the number {written} is too large"),
        at: Some(Position::of(text, value.span().start)),
    };
    Ok(match value.get_ref() {
        DeValue::String(string) => string.to_string().into(),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| too_large(integer))?
            .into(),
        DeValue::Float(float) => float
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            // `inf` and `nan` are no JSON; as text they are told for what they are.
            .map_or_else(|| float.as_str().into(), Value::Number),
        DeValue::Boolean(boolean) => (*boolean).into(),
        DeValue::Datetime(datetime) => datetime.to_string().into(),
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| of_value(text, item))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(table) => of_table(text, table)?,
    })
}

fn note(text: &str, open: usize, table: &DeTable<'_>, found: &mut Vec<Literal>) {
    let keys = table.iter().map(|(key, value)| {
        inside(text, value, found);
        Key {
            name: key.get_ref().to_string(),
            at: Position::of(text, key.span().start),
            value: value.get_ref().as_str().map(str::to_owned),
        }
    });
    let keys = keys.collect();
    found.push(Literal {
        open: Position::of(text, open),
        keys,
    });
}

fn inside(text: &str, value: &Spanned<DeValue<'_>>, found: &mut Vec<Literal>) {
    match value.get_ref() {
        DeValue::Table(table) => note(text, value.span().start, table, found),
        DeValue::Array(items) => {
            for item in items {
                inside(text, item, found);
            }
        }
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => {}
    }
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TEXT: &str = "# apps\n[[apps]]\nname = \"a\"\nscript = \"a.js\"\n\n[apps.env]\nPORT = 0x1F\n\n[[apps]]\n\
                        name = \"b\"\nwatch = [\"src\", 1.5, true, 1979-05-27]\n";

    #[test]
    fn every_type_has_its_like() {
        let expected = json!({ "apps": [
            { "name": "a", "script": "a.js", "env": { "PORT": 31 } },
            { "name": "b", "watch": ["src", 1.5, true, "1979-05-27"] },
        ] });
        assert_eq!(value(TEXT), Ok(expected));
        assert_eq!(value("x = nan"), Ok(json!({ "x": "nan" })));
    }

    #[test]
    fn every_key_is_found() {
        let found = literals(TEXT);
        let of = |name: &str, key: &str| {
            let literal = found.iter().find(|literal| {
                literal.key("name").and_then(|key| key.value.as_deref()) == Some(name)
            })?;
            let at = literal.key(key)?.at;
            Some((literal.open.line, at.line, at.column))
        };
        assert_eq!(of("a", "script"), Some((2, 4, 1)));
        assert_eq!(of("a", "env"), Some((2, 6, 7)));
        assert_eq!(of("b", "watch"), Some((9, 11, 1)));
    }

    #[test]
    fn a_mistake_is_told_in_one_line_with_its_place() {
        for (text, line, column) in [
            ("a = 1\na = 2\n", 2, 1),
            ("a = ", 1, 5),
            ("x = 99999999999999999999", 1, 5),
        ] {
            let error = value(text).unwrap_err();
            assert_eq!(error.at, Some(Position { line, column }), "{error:?}");
            assert!(!error.message.contains('\n'));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "[a-z=\\[\\]{}\"'.,#\n 0-9é]{0,80}") {
            if value(&text).is_err() {
                prop_assert_eq!(literals(&text), []);
            }
        }
    }
}
