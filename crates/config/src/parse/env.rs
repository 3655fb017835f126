//! An app's own variables, and which of the shell's it inherits.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::load::EnvBlock;
use crate::raw::Written;

use super::Asked;
use super::fields::Fields;
use super::value::{is_odd, port, shown, some_text, words};

/// What shells keep for themselves, and what belongs to the command and not to the app.
const NOISE: [&str; 4] = ["_", "SHLVL", "PWD", "OLDPWD"];
/// Variables that steer eco itself.
const OWN: &str = "ECO_";

/// `env`, with the block that applies laid over it.
pub(super) fn own(fields: &mut Fields<'_>, asked: &Asked) -> BTreeMap<String, String> {
    let raw = fields.raw;
    let mut env = BTreeMap::new();
    if let Some(port) = fields.take("port", port) {
        env.insert("PORT".to_owned(), port.to_string());
    }
    if let Some(written) = raw.get("env") {
        env.extend(block(fields, written));
    }
    // All blocks are checked: a mistake in production's should be seen in development.
    for (name, written) in &raw.blocks {
        let variables = block(fields, written);
        if *name == block_name(asked) {
            env.extend(variables);
        }
    }
    env
}

/// Files with variables that `env` overrules: one, or several of which later ones win.
pub(super) fn files(fields: &mut Fields<'_>) -> Vec<PathBuf> {
    let path = |value: &Value| some_text(value).map(PathBuf::from);
    fields
        .take("env_file", |value| match value {
            Value::Bool(false) => Ok(Vec::new()),
            Value::Array(list) => list.iter().map(path).collect(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => path(value).map(|path| vec![path]),
        })
        .unwrap_or_default()
}

/// The block that applies.
pub(super) fn block_name(asked: &Asked) -> &str {
    match &asked.env_block {
        EnvBlock::Asked(name) => name,
        EnvBlock::ByEnvironment => asked.environment.as_str(),
    }
}

fn block(fields: &mut Fields<'_>, written: &Written) -> BTreeMap<String, String> {
    let Value::Object(object) = &written.value else {
        fields.mismatch(
            &written.key,
            None,
            shown(&written.value),
            "an object of variables",
            None,
        );
        return BTreeMap::new();
    };
    let mut variables = BTreeMap::new();
    for (name, value) in object {
        let inside = format!(".{name}");
        if is_odd(value) {
            fields.mismatch(
                &written.key,
                Some(&inside),
                shown(value),
                "a text or a number",
                None,
            );
            continue;
        }
        if name.is_empty() || name.contains(['=', '\0']) {
            let found = format!("{name:?}");
            fields.mismatch(
                &written.key,
                None,
                found,
                "names of variables without \"=\"",
                None,
            );
            continue;
        }
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                value.to_string()
            }
        };
        if text.contains('\0') {
            fields.mismatch(
                &written.key,
                Some(&inside),
                shown(value),
                "a text without NUL",
                None,
            );
            continue;
        }
        variables.insert(name.clone(), text);
    }
    variables
}

/// What is left of the shell's variables.
enum Filter {
    Nothing,
    Without(String),
    WithoutLike(Vec<String>),
}

/// The variables of the shell that the app inherits.
pub(super) fn inherited(fields: &mut Fields<'_>, asked: &Asked) -> BTreeMap<String, String> {
    let filter = fields.take("filter_env", |value| match value {
        Value::Bool(true) => Ok(Filter::Nothing),
        Value::Bool(false) => Ok(Filter::WithoutLike(Vec::new())),
        Value::String(name) => Ok(Filter::Without(name.clone())),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            words(value).map(Filter::WithoutLike)
        }
    });
    let stays = |name: &str| {
        let left = match &filter {
            None => true,
            Some(Filter::Nothing) => false,
            Some(Filter::Without(one)) => name != one,
            Some(Filter::WithoutLike(parts)) => !parts
                .iter()
                .any(|part| !part.is_empty() && name.contains(part.as_str())),
        };
        left && !NOISE.contains(&name) && !name.starts_with(OWN)
    };
    asked
        .variables
        .iter()
        .filter(|(name, _)| stays(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
