//! The fields as a JSON Schema (draft 2020-12), for editors and other programs.
//!
//! It is stricter than the parser where that helps whoever types: a key that nobody knows is refused, which the parser only
//! warns of, and so is a `null`, which is as good as nothing to the parser.

use serde_json::{Map, Value, json};

use crate::fields::{APP, Absent, BESIDE_APPS, Field, Shape, Standing, Table, camel};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// `env_NAME` for every name but `file` and `files`, which are fields; said without looking ahead, since not everybody's
/// regular expressions can.
const BLOCKS: &str = "^env_([^f].*|f([^i].*)?|fi([^l].*)?|fil([^e].*)?|file[^s].*|files.+)$";

/// The schema of an ecosystem file.
#[must_use]
pub fn schema() -> Value {
    let app = json!({ "$ref": "#/$defs/app" });
    let apps = json!({
        "description": "The apps.",
        "oneOf": [{ "type": "array", "items": app }, app],
    });
    let mut beside: Map<_, _> = BESIDE_APPS
        .iter()
        .map(|field| (field.name().to_owned(), described(field)))
        .collect();
    // For the editor of whoever writes a JSON file.
    beside.insert("$schema".to_owned(), json!({ "type": "string" }));
    let of = |key: &str| {
        let mut properties = beside.clone();
        properties.insert(key.to_owned(), apps.clone());
        json!({
            "type": "object",
            "properties": properties,
            "required": [key],
            "additionalProperties": false,
        })
    };
    json!({
        "$schema": DIALECT,
        "title": "Ecosystem file of eco",
        "anyOf": [of("apps"), of("pm2"), { "type": "array", "items": app }, app],
        "$defs": { "app": app_schema() },
    })
}

fn app_schema() -> Value {
    let Value::Object(mut app) = object(APP, "#/$defs/app") else {
        return Value::Null;
    };
    let scripts = APP.field("script").into_iter().flat_map(Field::names);
    let scripts: Vec<_> = scripts.map(|name| json!({ "required": [name] })).collect();
    let mut variables = of(Shape::Variables, "");
    if let Some(variables) = variables.as_object_mut() {
        let about = "Variables that are laid over `env` with `--env NAME`, or in the environment of this name.";
        variables.insert("description".to_owned(), json!(about));
    }
    app.insert("anyOf".to_owned(), json!(scripts));
    app.insert("patternProperties".to_owned(), json!({ BLOCKS: variables }));
    app.into()
}

/// An object with the fields of a table; `at` is where in the schema it stands, for other names to refer to.
fn object(table: Table, at: &str) -> Value {
    let mut properties = Map::new();
    for field in table.fields() {
        let name = field.name();
        let place = format!("{at}/properties/{name}");
        let mut about = described(field);
        if let (Value::Object(about), Value::Object(shape)) =
            (&mut about, of(field.shape(), &place))
        {
            about.extend(shape);
        }
        properties.insert(name.to_owned(), about);
        for other in field
            .names()
            .flat_map(|name| [name.to_owned(), camel(name)])
        {
            let another = json!({
                "description": format!("Another name of `{name}`."),
                "$ref": place,
            });
            properties.entry(other).or_insert(another);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// What there is to say of a field beside its shape.
fn described(field: &Field) -> Value {
    let mut about = Map::new();
    let text = match field.standing() {
        Standing::ActedOn => field.about().to_owned(),
        Standing::NotActedOn => format!("{} Not acted on by this version.", field.about()),
        Standing::NoEffect(why) => format!("Has no effect: {why}."),
    };
    about.insert("description".to_owned(), json!(text));
    if let Absent::Json(default) = field.absent() {
        let default = serde_json::from_str(default).unwrap_or_default();
        about.insert("default".to_owned(), default);
    }
    match field.standing() {
        Standing::ActedOn | Standing::NotActedOn => {}
        Standing::NoEffect(_) => {
            about.insert("deprecated".to_owned(), json!(true));
        }
    }
    Value::Object(about)
}

/// The schema of a shape that stands at `at`.
fn of(shape: Shape, at: &str) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string", "minLength": 1 }),
        Shape::AnyText => json!({ "type": "string" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole(least) => number_or_text(
            &json!({ "type": "integer", "minimum": least }),
            "^ *-?[0-9]+ *$",
        ),
        Shape::Number => json!({ "type": "number", "minimum": 0 }),
        Shape::Port => number_or_text(
            &json!({ "type": "integer", "minimum": 0, "maximum": 65535 }),
            "^ *[0-9]+ *$",
        ),
        Shape::Account => json!({
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "minLength": 1 }],
        }),
        Shape::Duration => number_or_text(
            &json!({ "type": "number", "minimum": 0 }),
            "^ *[0-9.]+ *([mM]?[sS]|[mMhHdD])? *$",
        ),
        Shape::Size => number_or_text(
            &json!({ "type": "number", "minimum": 0 }),
            "^ *[0-9.]+ *([kKmMgG]?[bB]|[kKmMgG])? *$",
        ),
        Shape::OneOf(texts) => json!({ "enum": texts }),
        Shape::Words => json!({
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": ["string", "number"] } },
            ],
        }),
        Shape::Variables => json!({ "type": "object", "propertyNames": { "pattern": "^[^=]+$" } }),
        Shape::List(item) => json!({ "type": "array", "items": of(*item, &format!("{at}/items")) }),
        Shape::Keyed(value) => json!({
            "type": "object",
            "additionalProperties": of(*value, &format!("{at}/additionalProperties")),
        }),
        Shape::Object(table) => object(table, at),
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes
                .iter()
                .enumerate()
                .map(|(index, shape)| of(*shape, &format!("{at}/anyOf/{index}")))
                .collect();
            json!({ "anyOf": shapes })
        }
        Shape::Anything => json!({}),
    }
}

fn number_or_text(number: &Value, text: &str) -> Value {
    json!({ "anyOf": [number, { "type": "string", "pattern": text }] })
}

#[cfg(feature = "eval")]
#[cfg(test)]
mod tests;
