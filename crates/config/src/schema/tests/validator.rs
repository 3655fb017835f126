//! As much of a validator as eco's own schema needs. It knows no other keyword, so that none can be overlooked.

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::schema;

/// Says what of a value the schema of ecosystem files refuses.
pub(super) struct Validator {
    root: Value,
}

impl Validator {
    pub(super) fn new() -> Self {
        Self { root: schema() }
    }

    pub(super) fn takes(&self, file: &Value) -> bool {
        self.refuses(file).is_empty()
    }

    /// What is refused of a file.
    pub(super) fn refuses(&self, file: &Value) -> Vec<String> {
        self.against(&self.root, file, "")
    }

    /// What is refused of an app.
    pub(super) fn refuses_app(&self, app: &Value) -> Vec<String> {
        self.against(&json!({ "$ref": "#/$defs/app" }), app, "")
    }

    /// What `schema` refuses of `value`, each with the way to it.
    fn against(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        let schema = schema.as_object().expect("a schema is an object");
        let mut refused = self.properties(schema, value, at);
        for (keyword, said) in schema {
            if !self.meets(keyword, said, value, at) {
                refused.push(format!("{at}: {keyword}"));
            }
        }
        if let Some(place) = schema.get("$ref") {
            let place = text(place)
                .strip_prefix('#')
                .expect("the reference is into this schema");
            let target = self
                .root
                .pointer(place)
                .expect("the reference leads somewhere");
            refused.extend(self.against(target, value, at));
        }
        if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
            for (index, item) in items.iter().enumerate() {
                refused.extend(self.against(schema, item, &format!("{at}/{index}")));
            }
        }
        refused
    }

    fn meets(&self, keyword: &str, said: &Value, value: &Value, at: &str) -> bool {
        let keys = || value.as_object().into_iter().flat_map(Map::keys);
        match keyword {
            "$schema" | "$defs" | "title" | "description" | "default" | "deprecated" => true,
            "$ref" | "items" | "properties" | "additionalProperties" | "patternProperties" => true,
            "type" => said.as_array().map_or_else(
                || is_of(text(said), value),
                |types| types.iter().any(|one| is_of(text(one), value)),
            ),
            "enum" => list(said).contains(value),
            "anyOf" => self.how_many(said, value, at) > 0,
            "oneOf" => self.how_many(said, value, at) == 1,
            "required" => {
                !value.is_object() || list(said).iter().all(|key| value.get(text(key)).is_some())
            }
            "minimum" => value.as_f64().is_none_or(|value| value >= number(said)),
            "maximum" => value.as_f64().is_none_or(|value| value <= number(said)),
            "minLength" => value
                .as_str()
                .is_none_or(|value| !value.is_empty() || number(said) == 0.0),
            "pattern" => value
                .as_str()
                .is_none_or(|value| matches(text(said), value)),
            "propertyNames" => keys().all(|key| self.against(said, &json!(key), at).is_empty()),
            other => panic!("this validator does not know {other}"),
        }
    }

    fn how_many(&self, schemas: &Value, value: &Value, at: &str) -> usize {
        let schemas = list(schemas).iter();
        schemas
            .filter(|schema| self.against(schema, value, at).is_empty())
            .count()
    }

    fn properties(&self, schema: &Map<String, Value>, value: &Value, at: &str) -> Vec<String> {
        let mut refused = Vec::new();
        for (key, inside) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{key}");
            let own = schema.get("properties").and_then(|all| all.get(key));
            let patterns = schema.get("patternProperties").and_then(Value::as_object);
            let alike = patterns.into_iter().flatten();
            let alike = alike
                .filter(|(pattern, _)| matches(pattern, key))
                .map(|(_, schema)| schema);
            let known: Vec<_> = own.into_iter().chain(alike).collect();
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) if known.is_empty() => {
                    refused.push(format!("{at}: unknown"));
                }
                Some(other) if known.is_empty() => refused.extend(self.against(other, inside, &at)),
                Some(_) | None => {}
            }
            for schema in known {
                refused.extend(self.against(schema, inside, &at));
            }
        }
        refused
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("this validator does not know {other}"),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern)
        .expect("a regular expression")
        .is_match(text)
}
