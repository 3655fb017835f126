//! The fields of apps, with units a person reads.
//!
//! ```text
//! dev/api
//!     script        src/server.js
//!     env
//!         PORT      3000
//!     kill_timeout  1.6s
//! ```

use eco_config::fields::{APP, Field, Shape, Table};
use serde_json::{Map, Value};

use super::quantity;
use super::style::{bold, dim};
use crate::view::config::Config;

/// Two levels and the longest name fit before the values.
const COLUMN: usize = 32;
const STEP: usize = 4;

/// Makes the text of a file, one block for each app.
pub(crate) fn file(config: &Config) -> String {
    let blocks: Vec<_> = config
        .apps
        .iter()
        .map(|app| block(&config.environment, app))
        .collect();
    blocks.join("\n")
}

fn block(environment: &str, app: &Map<String, Value>) -> String {
    let name = app.get("name").and_then(Value::as_str).unwrap_or_default();
    let heading = bold(&format!("{environment}/{name}"));
    format!("{heading}\n{}", lines(app, STEP))
}

/// Makes a line of each field but the name.
pub(crate) fn lines(app: &Map<String, Value>, indent: usize) -> String {
    let mut text = String::new();
    for field in APP.fields().filter(|field| field.name() != "name") {
        if let Some(value) = app.get(field.name()) {
            line(&mut text, indent, field.name(), value, Some(field.shape()));
        }
    }
    text
}

fn line(text: &mut String, indent: usize, key: &str, value: &Value, shape: Option<Shape>) {
    let start = format!("{:indent$}{}", "", dim(key));
    let gap = COLUMN.saturating_sub(indent + key.chars().count()).max(1);
    match value {
        Value::Object(object) => {
            text.extend([&start, "\n"]);
            let table = shape.and_then(table);
            for (key, value) in object {
                let shape = table.and_then(|table| table.field(key)).map(Field::shape);
                line(text, indent + STEP, key, value, shape);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            text.extend([&start, &" ".repeat(gap), &scalar(value, shape), "\n"]);
        }
    }
}

/// The fields of an object that may stand there.
fn table(shape: Shape) -> Option<Table> {
    match shape {
        Shape::Object(table) => Some(table),
        Shape::Either(shapes) => shapes.iter().find_map(|shape| table(*shape)),
        Shape::Text
        | Shape::AnyText
        | Shape::Flag
        | Shape::Whole(_)
        | Shape::Number
        | Shape::Port
        | Shape::Account
        | Shape::Duration
        | Shape::Size
        | Shape::OneOf(_)
        | Shape::Words
        | Shape::Variables
        | Shape::List(_)
        | Shape::Keyed(_)
        | Shape::Anything => None,
    }
}

fn scalar(value: &Value, shape: Option<Shape>) -> String {
    match (shape, value) {
        (Some(Shape::Duration), Value::Number(ms)) => ms
            .as_u64()
            .map_or_else(|| ms.to_string(), quantity::duration),
        (Some(Shape::Size), Value::Number(size)) => size
            .as_u64()
            .map_or_else(|| size.to_string(), quantity::bytes),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) => {
            let items: Vec<_> = items.iter().map(word).collect();
            items.join(" ")
        }
        (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            value.to_string()
        }
    }
}

/// One of several, quoted where it would be taken for more or fewer.
fn word(item: &Value) -> String {
    match item {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_whitespace) => {
            text.clone()
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => item.to_string(),
    }
}
