//! Records that are JSON, as people read them: `ERROR  request failed status=500 path=/x`.
//!
//! Only what says how grave it is or has a message is taken for a record: other JSON is an app's data, and stays as it is.
//! The time is left out, since it stands in front of the line; so is what pino and bunyan say of the process in every line.

use eco_proto::log::v1::Level;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::style::{dim, of_level, paint};
use crate::view::line::level_name;

const MESSAGES: [&str; 4] = ["msg", "message", "event", "short_message"];
const LEVELS: [&str; 6] = ["level", "severity", "lvl", "levelname", "log.level", "@l"];
const TIMES: [&str; 6] = ["time", "timestamp", "ts", "@timestamp", "asctime", "@t"];
/// What pino and bunyan say of the process.
const PROCESS: [&str; 3] = ["pid", "hostname", "v"];
/// Where loggers put what was thrown.
const STACKS: [&str; 5] = [
    "stack",
    "stack_trace",
    "stacktrace",
    "exception",
    "exc_info",
];

/// A record to show.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pretty {
    /// Its line.
    pub(crate) head: String,
    /// Lines that belong under it: the rest of its message, a stack trace.
    pub(crate) more: Vec<String>,
}

/// The keys of an object in their order.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Makes a record of a line that is one; `level` is what was recognised.
pub(crate) fn pretty(line: &str, level: Option<Level>) -> Option<Pretty> {
    if !line.starts_with('{') {
        return None;
    }
    let Fields(fields) = serde_json::from_str(line).ok()?;
    let has = |keys: &[&str]| fields.iter().any(|(key, _)| keys.contains(&key.as_str()));
    let tells_process = PROCESS.iter().all(|key| *key == "v" || has(&[key]));
    if level.is_none() && !has(&MESSAGES) && !has(&LEVELS) {
        return None;
    }
    let mut told = Told::default();
    for (key, value) in fields {
        let name = key.as_str();
        if LEVELS.contains(&name) {
            told.level.get_or_insert(value);
        } else if MESSAGES.contains(&name) && told.message.is_none() && value.is_string() {
            told.message = Some(word(&value));
        } else if TIMES.contains(&name) || (tells_process && PROCESS.contains(&name)) {
            // It stands in front of the line, or in every line.
        } else {
            told.field(&key, value);
        }
    }
    Some(told.shown(level))
}

#[derive(Default)]
struct Told {
    level: Option<Value>,
    message: Option<String>,
    fields: Vec<String>,
    more: Vec<String>,
}

impl Told {
    fn field(&mut self, key: &str, value: Value) {
        let mut value = value;
        let stack = match &mut value {
            Value::Object(map) => STACKS.iter().find_map(|key| map.remove(*key)),
            Value::String(text) if STACKS.contains(&key) && text.contains('\n') => {
                Some(std::mem::take(&mut value))
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => None,
        };
        match &stack {
            Some(Value::String(text)) => self.more.extend(text.lines().map(str::to_owned)),
            Some(other) => self.fields.push(shown(&format!("{key}.stack"), other)),
            None => {}
        }
        if stack.is_none() || !is_empty(&value) {
            self.fields.push(shown(key, &value));
        }
    }

    fn shown(self, level: Option<Level>) -> Pretty {
        let level = match level.and_then(|level| Some((level, level_name(level)?))) {
            Some((level, name)) => Some(paint(
                of_level(level),
                &format!("{:<5}", name.to_ascii_uppercase()),
            )),
            None => self.level.map(|value| format!("{:<5}", word(&value))),
        };
        let message = self.message.unwrap_or_default();
        let mut lines = message.lines();
        let first = lines.next().map(str::to_owned);
        let head = level
            .into_iter()
            .chain(first.filter(|line| !line.is_empty()))
            .chain(self.fields);
        Pretty {
            head: head.collect::<Vec<_>>().join(" "),
            more: lines.map(str::to_owned).chain(self.more).collect(),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
        Value::String(text) => text.is_empty(),
    }
}

fn shown(key: &str, value: &Value) -> String {
    let bare = |sign: char| !sign.is_whitespace() && !sign.is_control() && !"\"=".contains(sign);
    let text = match value.as_str() {
        Some(text) if !text.is_empty() && text.chars().all(bare) => text.to_owned(),
        Some(_) | None => value.to_string(),
    };
    format!("{}{text}", dim(&format!("{key}=")))
}

fn word(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str, level: Option<Level>) -> String {
        let Some(pretty) = pretty(line, level) else {
            return "untouched".to_owned();
        };
        let all: Vec<String> = std::iter::once(pretty.head).chain(pretty.more).collect();
        anstream::adapter::strip_str(&all.join("\n")).to_string()
    }

    #[test]
    fn pino_is_shown_without_its_time_and_process_and_with_its_stack_below() {
        let line = r#"{"level":50,"time":1700000000000,"pid":7,"hostname":"box","req":{"id":3},"err":{"type":"Error","stack":"Error: x\n    at a.js:1"},"msg":"request failed","status":500,"path":"/a b"}"#;
        insta::assert_snapshot!(shown(line, Some(Level::Error)), @r#"
        ERROR request failed req={"id":3} err={"type":"Error"} status=500 path="/a b"
        Error: x
            at a.js:1
        "#);
    }

    #[test]
    fn a_level_that_nobody_recognised_is_shown_as_it_is_said() {
        assert_eq!(
            shown(r#"{"level":"loud","message":"a\nb","z":1,"a":null}"#, None),
            "loud  a z=1 a=null\nb"
        );
    }

    #[test]
    fn structlog_says_event_and_a_second_message_is_a_field() {
        assert_eq!(
            shown(
                r#"{"event":"login","level":"info","message":"m","user":"ann"}"#,
                Some(Level::Info)
            ),
            "INFO  login message=m user=ann"
        );
    }

    #[test]
    fn what_is_no_record_is_left_untouched() {
        for line in [r#"{"a":1}"#, "[1]", "{", "text", r#"{"level":1} x"#, ""] {
            assert_eq!(shown(line, None), "untouched", "{line}");
        }
    }

    #[test]
    fn a_pid_of_something_else_is_a_field() {
        assert_eq!(shown(r#"{"msg":"forked","pid":9}"#, None), "forked pid=9");
    }
}
