//! What an app is called, and what it runs.

use std::path::Path;

use crate::error::Fault;
use crate::load::EnvBlock;
use crate::spec::{AppName, Interpreter, NameError};

use super::Asked;
use super::fields::Fields;
use super::value::{flag, some_text, words};

const SCRIPT: &str = "a path or a command line";

pub(super) fn script(fields: &mut Fields<'_>) -> Option<String> {
    if fields.raw.get("script").is_none() {
        let mut problem = fields.problem(None, Fault::Missing { expected: SCRIPT });
        problem.path = if problem.path.is_empty() {
            "script".to_owned()
        } else {
            format!("{}.script", problem.path)
        };
        fields.problems.push(problem);
        return None;
    }
    fields.take("script", SCRIPT, some_text)
}

/// The name; without one, the script's without its last extension, or a command line as it is.
pub(super) fn name(
    fields: &mut Fields<'_>,
    script: Option<&str>,
    asked: &Asked,
) -> Option<AppName> {
    let given = match fields.raw.get("name") {
        Some(_) => Some(fields.take("name", "a name", some_text)?),
        None => None,
    };
    let append = fields.take("append_env_to_name", "true or false", flag);
    let base = given.or_else(|| script.map(name_of))?;
    let name = match &asked.env_block {
        EnvBlock::Asked(block) if append == Some(true) => format!("{base}-{block}"),
        EnvBlock::Asked(_) | EnvBlock::ByEnvironment => base,
    };
    AppName::new(&name)
        .map_err(|error| unnamed(fields, &name, error))
        .ok()
}

fn unnamed(fields: &mut Fields<'_>, name: &str, error: NameError) {
    let short: String = name.chars().take(40).collect();
    let key = fields
        .raw
        .get("name")
        .map_or("name", |written| written.key.as_str());
    fields.mismatch(
        key,
        None,
        format!("{short:?}"),
        "a name",
        Some(error.to_string()),
    );
}

fn name_of(script: &str) -> String {
    let script = script.trim();
    if script.contains(char::is_whitespace) {
        return script.to_owned();
    }
    let stem = Path::new(script).file_stem();
    stem.map_or_else(
        || script.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

pub(super) fn interpreter(fields: &mut Fields<'_>) -> Interpreter {
    let named = fields.take(
        "interpreter",
        "a program's name or path, or \"none\"",
        some_text,
    );
    match named.as_deref() {
        None => Interpreter::ByExtension,
        Some("none") => Interpreter::None,
        Some(name) => Interpreter::Named(name.to_owned()),
    }
}

/// A field that is a list of texts or one text to split.
pub(super) fn list(fields: &mut Fields<'_>, name: &str) -> Vec<String> {
    fields
        .take(name, "a list of texts, or one text", words)
        .unwrap_or_default()
}
