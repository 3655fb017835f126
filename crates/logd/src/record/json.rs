//! Fields of a JSON object, found without taking it apart: a walk over the outermost keys that passes over what they hold.
//!
//! The walk checks nothing that it does not need. What is not JSON after all has no fields from where it goes wrong.

use std::borrow::Cow;

use super::Level;

/// Keys that loggers tell the level by.
fn is_about_level(key: &[u8]) -> bool {
    matches!(
        key,
        b"level"
            | b"lvl"
            | b"severity"
            | b"levelname"
            | b"log_level"
            | b"loglevel"
            | b"logLevel"
            | b"log.level"
            | b"@level"
            | b"Level"
            | b"LEVEL"
    )
}

/// The level that a line says, which begins as an object does.
pub(super) fn level(line: &[u8]) -> Option<Level> {
    Fields::of(line)?.find_map(|(key, value)| {
        if is_about_level(key) {
            level_of(value)
        } else {
            None
        }
    })
}

fn level_of(value: &[u8]) -> Option<Level> {
    if let Some(name) = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
    {
        return Level::named(uncoloured(name));
    }
    match value {
        [digit @ b'0'..=b'9'] => Level::numbered(u64::from(digit - b'0')),
        [tens @ b'1'..=b'9', units @ b'0'..=b'9'] => {
            Level::numbered(u64::from(tens - b'0') * 10 + u64::from(units - b'0'))
        }
        _ => None,
    }
}

/// A name without the colours that are written around it, as JSON escapes them.
fn uncoloured(name: &[u8]) -> &[u8] {
    const ESCAPE: &[u8] = b"\\u001b[";
    let Some(rest) = name.strip_prefix(ESCAPE) else {
        return name;
    };
    let begin = memchr::memchr(b'm', rest).map_or(0, |at| at + 1);
    let rest = rest.get(begin..).unwrap_or_default();
    let end = memchr::memmem::find(rest, ESCAPE).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// Finds what `path` leads to, as it is written. A key may hold dots: what `["a", "b"]` leads to may be called `a.b`.
pub(super) fn find<'a>(object: &'a [u8], path: &[Key]) -> Option<&'a [u8]> {
    for (count, joined) in path.first()?.joined.iter().enumerate() {
        let found = Fields::of(object)?.find(|(key, _)| key == joined);
        let Some((_, value)) = found else {
            continue;
        };
        let rest = path.get(count + 1..).unwrap_or_default();
        if rest.is_empty() {
            return Some(value);
        }
        if let Some(value) = find(value, rest) {
            return Some(value);
        }
    }
    None
}

/// A key of a path.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// It, it and the next one, and so on, as JSON writes them.
    joined: Vec<Vec<u8>>,
}

impl Key {
    /// Those of a path.
    pub(super) fn path(path: &[String]) -> Vec<Self> {
        let joined = |from: usize| {
            (from + 1..=path.len()).map(move |to| {
                let key = path.get(from..to).unwrap_or_default().join(".");
                escaped(&key).into_bytes()
            })
        };
        (0..path.len())
            .map(|from| Self {
                joined: joined(from).collect(),
            })
            .collect()
    }
}

/// A text as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(String::new, str::to_owned)
}

/// How the last key of a path ends in an object, also where it has dots: with its quote.
pub(super) fn ending(key: &str) -> Vec<u8> {
    (escaped(key) + "\"").into_bytes()
}

/// What a value says as text: a string's characters, and all else as it is written.
pub(super) fn text_of(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
    else {
        return Cow::Borrowed(value);
    };
    if memchr::memchr(b'\\', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_slice::<String>(value) {
        Ok(text) => Cow::Owned(text.into_bytes()),
        // Not JSON after all: as it is written.
        Err(_) => Cow::Borrowed(inner),
    }
}

/// The keys of an object, as they are written between their quotes, and what they hold.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// `None`: it is no object.
    fn of(text: &'a [u8]) -> Option<Self> {
        let rest = text.trim_ascii_start().strip_prefix(b"{")?;
        Some(Self { rest })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_ascii_start();
        let rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let (quoted, rest) = rest.split_at_checked(string(rest)?)?;
        let key = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let rest = rest.trim_ascii_start().strip_prefix(b":")?;
        let rest = rest.trim_ascii_start();
        let (value, rest) = rest.split_at_checked(value(rest)?)?;
        self.rest = rest;
        Some((key, value))
    }
}

/// How long the string is that `text` begins with, quotes included.
fn string(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        match text.get(at)? {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// How long the value is that `text` begins with.
fn value(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => string(text),
        b'{' | b'[' => nested(text),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            let length = text.iter().position(ends)?;
            (length > 0).then_some(length)
        }
    }
}

/// How long the object or array is that `text` begins with. Which bracket closes which is not looked at.
fn nested(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => {
                at += string(text.get(at..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_level_is_that_of_the_outermost_object() {
        for (line, expected) in [
            (r#"{"level":30,"time":1,"msg":"pino"}"#, Some(Level::Info)),
            (r#"{"name":"bunyan","level":50,"v":0}"#, Some(Level::Error)),
            (r#"{"level":"warn","message":"winston"}"#, Some(Level::Warn)),
            (
                r#"{"message":"winston","level":"\u001b[31merror\u001b[39m"}"#,
                Some(Level::Error),
            ),
            (
                r#"{"event": "structlog", "log_level": "Debug"}"#,
                Some(Level::Debug),
            ),
            (r#"{"severity":"CRITICAL"}"#, Some(Level::Fatal)),
            (
                r#"{"levelname": "WARNING", "x": [1, {"level": "info"}]}"#,
                Some(Level::Warn),
            ),
            (
                r#"{"req":{"level":"error"},"msg":"\"level\":\"fatal\""}"#,
                None,
            ),
            (
                r#"{"req":{"level":"error"},"lvl":"dbg"}"#,
                Some(Level::Debug),
            ),
            (
                r#"{"level":{"value":3},"severity":"notice"}"#,
                Some(Level::Info),
            ),
            (r#"{"log.level":"fatal"}"#, Some(Level::Fatal)),
            (r#"{"level":900}"#, None),
            (r#"{"level":3.5}"#, None),
            (r#"{"level":"loud"}"#, None),
            (r#"{"level":"err"#, None),
            ("{", None),
        ] {
            assert_eq!(level(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn a_field_is_found_by_its_path_and_keys_may_hold_dots() {
        let line = br#"{"a":{"b":1,"b.c":2,"d":{"e":"x"}},"a.b.f":3,"g":[{"a":9}]}"#;
        let found = |path: &[&str]| {
            let path: Vec<_> = path.iter().map(|key| (*key).to_owned()).collect();
            find(line, &Key::path(&path)).map(|value| String::from_utf8_lossy(value).into_owned())
        };
        assert_eq!(found(&["a", "b"]).as_deref(), Some("1"));
        assert_eq!(found(&["a", "b", "c"]).as_deref(), Some("2"));
        assert_eq!(found(&["a", "d", "e"]).as_deref(), Some("\"x\""));
        assert_eq!(found(&["a", "b", "f"]).as_deref(), Some("3"));
        assert_eq!(found(&["a.b.f"]).as_deref(), Some("3"));
        assert_eq!(found(&["g"]).as_deref(), Some(r#"[{"a":9}]"#));
        assert_eq!(found(&["g", "a"]), None);
        assert_eq!(found(&[]), None);
    }

    fn value_of_any_shape() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~é\\n\"\\\\]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c\"]{1,2}", inner, 0..4)
                    .prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        #[test]
        fn all_that_a_parser_finds_is_found(values in proptest::collection::btree_map("[a-c.\"]{1,3}", value_of_any_shape(), 0..5), is_pretty in any::<bool>()) {
            let object = json!(values);
            let text = if is_pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) };
            let text = text.expect("JSON");
            for (key, value) in &values {
                let found = find(text.as_bytes(), &Key::path(std::slice::from_ref(key))).expect("there");
                let parsed: Value = serde_json::from_slice(found).expect("JSON");
                prop_assert_eq!(&parsed, value);
                if let Value::String(text) = value {
                    prop_assert_eq!(&*text_of(found), text.as_bytes());
                }
            }
            prop_assert_eq!(Fields::of(text.as_bytes()).expect("an object").count(), values.len());
        }
    }
}
