//! Single values: what a field may hold, read from the loose value. Pure.

use std::time::Duration;

use serde_json::{Map, Value};

/// A value, or a hint about why it is none.
pub(super) type Reading<T> = Result<T, Option<String>>;

/// Longer than any wait that is meant, and small enough to reckon with.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// The key under which the prelude hands over what JSON cannot say.
const ODD: &str = "\u{0}eco";

/// A text that the system takes, too.
pub(super) fn text(value: &Value) -> Reading<String> {
    match value {
        Value::String(text) if text.contains('\0') => Err(Some(
            "a NUL character cannot be handed to a process".to_owned(),
        )),
        Value::String(text) => Ok(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(None)
        }
    }
}

/// A text that is not empty.
pub(super) fn some_text(value: &Value) -> Reading<String> {
    text(value).and_then(|text| {
        if text.trim().is_empty() {
            Err(None)
        } else {
            Ok(text)
        }
    })
}

/// True or false.
pub(super) fn flag(value: &Value) -> Reading<bool> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" || text == "false" => {
            Err(Some(format!("write {text} without quotes")))
        }
        Value::Null | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(None)
        }
    }
}

/// A whole number, or a text of one.
pub(super) fn whole(value: &Value) -> Reading<i64> {
    match value {
        Value::Number(number) => number.as_i64().ok_or(None),
        Value::String(text) => text.trim().parse().map_err(|_| None),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(None),
    }
}

/// A whole number from 0.
pub(super) fn count(value: &Value) -> Reading<u32> {
    u32::try_from(whole(value)?).map_err(|_| None)
}

/// A port; 0 lets the system choose.
pub(super) fn port(value: &Value) -> Reading<u16> {
    u16::try_from(whole(value)?).map_err(|_| None)
}

/// A whole number from 1.
pub(super) fn positive(value: &Value) -> Reading<u32> {
    count(value).and_then(|count| if count == 0 { Err(None) } else { Ok(count) })
}

/// A number from 0, or a text of one.
pub(super) fn number(value: &Value) -> Reading<f64> {
    amount(value, &[])
}

/// A name or a number, as a text.
pub(super) fn id(value: &Value) -> Reading<String> {
    if value.is_number() {
        count(value).map(|id| id.to_string())
    } else {
        some_text(value)
    }
}

/// Milliseconds as a number, or a text such as `10s`.
pub(super) fn duration(value: &Value) -> Reading<Duration> {
    let units = [
        ("ms", 1.0),
        ("s", 1e3),
        ("m", 6e4),
        ("h", 3.6e6),
        ("d", 8.64e7),
    ];
    let ms = amount(value, &units)?;
    let duration = Duration::try_from_secs_f64(ms / 1000.0).map_err(|_| None)?;
    if duration > LONGEST {
        return Err(Some("a year is the longest".to_owned()));
    }
    // What is counted in milliseconds everywhere else is, here too.
    Ok(Duration::from_millis(
        u64::try_from((duration + Duration::from_micros(500)).as_millis()).unwrap_or(u64::MAX),
    ))
}

/// A time that is not none.
pub(super) fn some_duration(value: &Value) -> Reading<Duration> {
    let duration = duration(value)?;
    if duration.is_zero() {
        return Err(Some("it must be longer than that".to_owned()));
    }
    Ok(duration)
}

/// Bytes as a number, or a text such as `200M`; units count by 1024.
pub(super) fn size(value: &Value) -> Reading<u64> {
    let (k, m, g) = (1024.0, 1024.0 * 1024.0, 1024.0 * 1024.0 * 1024.0);
    let units = [
        ("b", 1.0),
        ("k", k),
        ("kb", k),
        ("m", m),
        ("mb", m),
        ("g", g),
        ("gb", g),
    ];
    let bytes = amount(value, &units)?;
    // Up to here every whole number of bytes is one that a float can say.
    if bytes > 9e15 {
        return Err(None);
    }
    format!("{:.0}", bytes.round()).parse().map_err(|_| None)
}

/// A number from 0, with one of the units or without.
fn amount(value: &Value, units: &[(&str, f64)]) -> Reading<f64> {
    let (number, unit) = match value {
        Value::Number(number) => (number.as_f64().ok_or(None)?, 1.0),
        Value::String(text) => {
            let text = text.trim();
            let digits = text
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(text.len());
            let (number, name) = text.split_at_checked(digits).ok_or(None)?;
            let name = name.trim_start().to_ascii_lowercase();
            let unit = match units.iter().find(|(unit, _)| *unit == name) {
                Some((_, factor)) => *factor,
                None if name.is_empty() => 1.0,
                None if units.is_empty() => return Err(None),
                None => {
                    let names: Vec<_> = units.iter().map(|(unit, _)| *unit).collect();
                    return Err(Some(format!("the units are {}", names.join(", "))));
                }
            };
            (number.parse().map_err(|_| None)?, unit)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(None),
    };
    if number.is_finite() && number >= 0.0 {
        Ok(number * unit)
    } else {
        Err(None)
    }
}

/// A list of texts, or one text that is split at blanks.
pub(super) fn words(value: &Value) -> Reading<Vec<String>> {
    match value {
        Value::String(_) => text(value).map(|text| split(&text)),
        Value::Array(items) => items
            .iter()
            .map(|item| {
                item.as_number()
                    .map_or_else(|| text(item), |number| Ok(number.to_string()))
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(None),
    }
}

/// Splits at blanks. Quotes hold blanks together: around a whole word they are taken off, inside of one (`a="x y"`) they
/// stay, as PM2 has it. A quote that is never closed is a character like others.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = word_end(rest);
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let bare = ['"', '\''].into_iter().find_map(|quote| {
            let inside = word.strip_prefix(quote)?.strip_suffix(quote)?;
            (!inside.contains(quote)).then_some(inside)
        });
        words.push(bare.unwrap_or(word).to_owned());
        rest = after.trim_start();
    }
    words
}

fn word_end(text: &str) -> usize {
    let mut chars = text.char_indices();
    let mut before = None;
    while let Some((at, c)) = chars.next() {
        if c.is_whitespace() {
            return at;
        }
        // The apostrophe in "it's" opens nothing.
        let opens = (c == '"' || c == '\'') && !before.is_some_and(char::is_alphanumeric);
        before = Some(c);
        if opens {
            let mut ahead = chars.clone();
            if ahead.any(|(_, other)| other == c) {
                chars = ahead;
            }
        }
    }
    text.len()
}

/// A value for a message: short, in one line.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    if let Some(Value::String(odd)) = value.get(ODD) {
        return odd.clone();
    }
    let odd_item = value
        .as_array()
        .and_then(|items| items.iter().find(|item| is_odd(item)));
    if let Some(item) = odd_item {
        return format!("{} in a list", shown(item));
    }
    let json = match value {
        Value::Object(object) if object.is_empty() => "an empty object".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value.to_string()
        }
    };
    if json.chars().count() > LONGEST {
        json.chars().take(LONGEST).chain(['…']).collect()
    } else {
        json
    }
}

/// A regular expression of JavaScript's, with its flags in its text; `None`: the value is no such thing.
pub(super) fn expression(value: &Value) -> Option<Reading<String>> {
    let source = value.get(ODD).and(value.get("expression"))?.as_str()?;
    let flags = value
        .get("flags")
        .and_then(Value::as_str)
        .unwrap_or_default();
    // The others say how matches are counted, or that the text is Unicode, which it is.
    let kept: String = flags.chars().filter(|flag| "ims".contains(*flag)).collect();
    let text = if kept.is_empty() {
        source.to_owned()
    } else {
        format!("(?{kept}){source}")
    };
    Some(if text.contains('\0') {
        Err(None)
    } else {
        Ok(text)
    })
}

/// An object with keys of a file's.
pub(super) fn object(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object().filter(|_| !is_odd(value))
}

/// Whether a value is one that JSON cannot say.
pub(super) fn is_odd(value: &Value) -> bool {
    value.get(ODD).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_are_milliseconds_or_have_a_unit() {
        let ms = |value| duration(&value).map(|duration| duration.as_millis()).ok();
        assert_eq!(ms(json!(1500)), Some(1500));
        assert_eq!(ms(json!("1500")), Some(1500));
        assert_eq!(ms(json!("1.5s")), Some(1500));
        assert_eq!(ms(json!("2 h")), Some(7_200_000));
        for wrong in [
            json!(-1),
            json!("soon"),
            json!("10x"),
            json!(true),
            json!("1e400d"),
            json!(""),
        ] {
            assert_eq!(ms(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_count_by_1024() {
        let bytes = |value| size(&value).ok();
        assert_eq!(bytes(json!("200M")), Some(200 << 20));
        assert_eq!(bytes(json!("1.5g")), Some(3 << 29));
        assert_eq!(bytes(json!("10 KB")), Some(10 << 10));
        assert_eq!(bytes(json!(4096)), Some(4096));
        assert_eq!(bytes(json!("200 apples")), None);
    }

    #[test]
    fn quotes_hold_blanks_together() {
        let words = split(r#" --a "p q" a="x y"  it's '' "#);
        assert_eq!(words, ["--a", "p q", r#"a="x y""#, "it's", ""]);
    }

    proptest! {
        #[test]
        fn whole_amounts_survive(count in 0_u32..10_000_000) {
            prop_assert_eq!(size(&json!(format!("{count}K"))), Ok(u64::from(count) << 10));
            prop_assert_eq!(size(&json!(count)), Ok(u64::from(count)));
            let expected = Duration::from_millis(u64::from(count));
            prop_assert_eq!(duration(&json!(count)), Ok(expected));
            prop_assert_eq!(duration(&json!(format!("{count}ms"))), Ok(expected));
        }

        #[test]
        fn no_text_makes_the_readers_fail(text in any::<String>(), number in any::<f64>()) {
            for value in [json!(text), json!(number)] {
                let _read = (size(&value), duration(&value), whole(&value), words(&value), shown(&value));
            }
        }

        #[test]
        fn words_without_quotes_are_cut_at_blanks(words in prop::collection::vec("[a-z=-]{1,8}", 0..6)) {
            prop_assert_eq!(split(&words.join("  ")), words);
        }
    }
}
