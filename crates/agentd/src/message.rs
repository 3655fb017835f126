//! What an app says over its channel: PM2's protocol of JSON values, and what is left of them. Pure.
//!
//! ```text
//!   "ready"                              it is up
//!   {type: "axm:action", data}           it can be asked to do something: action_name, action_type, arity, opts
//!   {type: "axm:monitor", data}          numbers of its own: {NAME: {value, unit, type}}
//!   {type: "axm:reply", data}            what came of something it was asked to do: action_name, return
//!   {type: T, data}                      an event: process:exception, human:event, axm:option:configuration …
//!   {cmd: "NODE_…"}                      Node's own
//!   anything else                        the app's own
//! ```
//!
//! An app says what it likes, as much as it likes: names and values have bounds here, and what is beyond them is left out.

use serde_json::{Map, Value};

/// The longest name of a metric or an action, bytes.
const LONGEST_NAME: usize = 256;
/// The longest value of a metric, or option of an action, bytes.
const LONGEST_VALUE: usize = 1024;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The app is up.
    Ready,
    /// It can be asked to do this.
    Action(Action),
    /// Its numbers, those that it tells of now.
    Metrics(Vec<Metric>),
    /// What came of something that it was asked to do.
    Reply(Answer),
    /// An event, the app's own, or a word of Node's: nobody here acts upon it.
    Other,
    /// No JSON.
    Malformed,
}

/// A number, or a text, of an app's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// As it is shown.
    pub value: String,
    /// What it counts.
    pub unit: Option<String>,
    /// What it is, in the app's words: `internal/v8/heap`, `counter` …
    pub kind: Option<String>,
}

/// Something that an app can be asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name.
    pub name: String,
    /// `custom`, `internal`.
    pub kind: Option<String>,
    /// How many parameters it takes, where the app says so.
    pub arity: Option<u32>,
    /// What else is said of it, as JSON.
    pub options: Option<String>,
}

/// What came of something that an app was asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What it was asked.
    pub action: String,
    /// What it says; `null` where it says nothing.
    pub value: Value,
}

impl Message {
    /// Understands one line of a channel.
    #[must_use]
    pub fn parse(line: &[u8]) -> Self {
        match serde_json::from_slice(line) {
            Ok(Value::String(text)) if text == "ready" => Self::Ready,
            Ok(Value::Object(fields)) => of_object(&fields),
            Ok(_) => Self::Other,
            Err(_) => Self::Malformed,
        }
    }
}

fn of_object(fields: &Map<String, Value>) -> Message {
    let is_nodes = |cmd: &str| cmd.starts_with("NODE_");
    if fields
        .get("cmd")
        .and_then(Value::as_str)
        .is_some_and(is_nodes)
    {
        return Message::Other;
    }
    let kind = fields.get("type").and_then(Value::as_str);
    let data = fields.get("data").unwrap_or(&Value::Null);
    let understood = match kind {
        Some("axm:action") => action(data).map(Message::Action),
        Some("axm:monitor") => data.as_object().map(metrics).map(Message::Metrics),
        Some("axm:reply") => answer(data).map(Message::Reply),
        Some(_) | None => None,
    };
    understood.unwrap_or(Message::Other)
}

fn action(data: &Value) -> Option<Action> {
    Some(Action {
        name: data.get("action_name").and_then(name)?,
        kind: data.get("action_type").and_then(name),
        arity: data
            .get("arity")
            .and_then(Value::as_u64)
            .and_then(|arity| u32::try_from(arity).ok()),
        options: data.get("opts").and_then(shown),
    })
}

fn metrics(data: &Map<String, Value>) -> Vec<Metric> {
    let of_entry = |(label, told): (&String, &Value)| {
        if !is_name(label) {
            return None;
        }
        let field = |field: &str| told.get(field);
        // A bare number is as good as one with a unit.
        let value = if told.is_object() {
            field("value")?
        } else {
            told
        };
        Some(Metric {
            name: label.clone(),
            value: shown(value)?,
            unit: field("unit").and_then(name),
            kind: field("type").and_then(name),
        })
    };
    data.iter().filter_map(of_entry).collect()
}

fn answer(data: &Value) -> Option<Answer> {
    Some(Answer {
        action: data.get("action_name").and_then(name)?,
        value: data.get("return").cloned().unwrap_or(Value::Null),
    })
}

fn name(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    is_name(text).then(|| text.to_owned())
}

/// Names are for people to see and to type.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_NAME && !text.contains(char::is_control)
}

/// A value as people see it, on one line: a text as it is, anything else as JSON.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.replace(char::is_control, " "),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    (text.len() <= LONGEST_VALUE).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Message {
        Message::parse(value.to_string().as_bytes())
    }

    #[test]
    fn only_the_bare_word_says_that_an_app_is_ready() {
        assert_eq!(Message::parse(b"\"ready\""), Message::Ready);
        assert_eq!(parse(&json!("Ready")), Message::Other);
        assert_eq!(parse(&json!({"ready": true})), Message::Other);
    }

    #[test]
    fn what_node_says_is_no_word_of_the_app() {
        let told = |cmd: &str| {
            let data = json!({"action_name": "gc"});
            parse(&json!({"cmd": cmd, "type": "axm:action", "data": data}))
        };
        assert_eq!(told("NODE_HANDLE"), Message::Other);
        assert!(matches!(told("start"), Message::Action(_)));
    }

    #[test]
    fn an_action_is_told_with_all_that_is_known_of_it() {
        let told = json!({"type": "axm:action", "data":
            {"action_name": "gc", "action_type": "custom", "arity": 1, "opts": {"comment": "now"}}});
        let action = Action {
            name: "gc".to_owned(),
            kind: Some("custom".to_owned()),
            arity: Some(1),
            options: Some(r#"{"comment":"now"}"#.to_owned()),
        };
        assert_eq!(parse(&told), Message::Action(action));
        let bare = json!({"type": "axm:action", "data": {"action_name": "gc", "opts": null}});
        assert!(matches!(
            parse(&bare),
            Message::Action(Action { options: None, .. })
        ));
    }

    #[test]
    fn metrics_are_numbers_or_texts_with_or_without_a_unit() {
        let told = json!({"type": "axm:monitor", "data": {
            "a": {"value": "12.5", "unit": "ms", "type": "internal", "historic": true}, "b": {"value": 3}, "c": 4,
            "nothing": {"unit": "ms"}, "": {"value": 1}, "\u{1b}[31m": {"value": 1}, "d": "\u{1b}[31mred"
        }});
        let Message::Metrics(metrics) = parse(&told) else {
            panic!("no metrics");
        };
        let shown: Vec<_> = metrics
            .iter()
            .map(|one| (one.name.as_str(), one.value.as_str(), one.unit.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("a", "12.5", Some("ms")),
                ("b", "3", None),
                ("c", "4", None),
                ("d", " [31mred", None)
            ]
        );
    }

    #[test]
    fn an_answer_says_what_it_is_an_answer_to() {
        let told =
            json!({"type": "axm:reply", "data": {"action_name": "gc", "return": {"freed": 7}}});
        let answer = Answer {
            action: "gc".to_owned(),
            value: json!({"freed": 7}),
        };
        assert_eq!(parse(&told), Message::Reply(answer));
    }

    #[test]
    fn an_event_and_what_is_no_action_though_it_says_so_are_acted_upon_by_nobody() {
        let told = json!({"type": "human:event", "data": {"name": "sold"}});
        assert_eq!(parse(&told), Message::Other);
        let nameless = json!({"type": "axm:action", "data": 1});
        assert_eq!(parse(&nameless), Message::Other);
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        let long = "x".repeat(LONGEST_VALUE + 1);
        let told = json!({"type": "axm:monitor", "data": {"a": {"value": long}, long.clone(): {"value": 1}}});
        assert_eq!(parse(&told), Message::Metrics(Vec::new()));
    }

    proptest! {
        #[test]
        fn junk_is_no_panic(junk: Vec<u8>) {
            drop(Message::parse(&junk));
        }
    }
}
