//! What an app is called, and what it runs.

use std::path::Path;

use crate::error::Fault;
use crate::load::EnvBlock;
use crate::spec::{AppName, Interpreter, LONGEST, NameError};

use super::Asked;
use super::fields::Fields;
use super::value::{flag, some_text, text, words};

/// Makes node map what it reports to the sources a program was made from.
const SOURCE_MAPS: &str = "--enable-source-maps";

pub(super) fn script(fields: &mut Fields<'_>) -> Option<String> {
    if fields.get("script").is_none() {
        let expected = fields.expected("script");
        let mut problem = fields.problem(None, Fault::Missing { expected });
        problem.path = if problem.path.is_empty() {
            "script".to_owned()
        } else {
            format!("{}.script", problem.path)
        };
        fields.problems.push(problem);
        return None;
    }
    fields.take("script", some_text)
}

/// The name; without one, the script's without its last extension, or a command line as it is.
pub(super) fn name(
    fields: &mut Fields<'_>,
    script: Option<&str>,
    asked: &Asked,
) -> Option<AppName> {
    let given = match fields.get("name") {
        Some(_) => Some(fields.take("name", some_text)?),
        None => None,
    };
    let append = fields.take("append_env_to_name", flag);
    let prefix = fields.take("name_prefix", text).unwrap_or_default();
    let base = given.or_else(|| script.map(name_of))?;
    let base = format!("{prefix}{base}");
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
        return name_of_line(script);
    }
    let stem = Path::new(script).file_stem();
    stem.map_or_else(
        || script.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// As much of a command line as a name may be long, without what no screen can hold.
fn name_of_line(line: &str) -> String {
    let mut name = String::new();
    for one in line.chars() {
        let one = if one.is_control() { ' ' } else { one };
        if name.len() + one.len_utf8() > LONGEST {
            break;
        }
        name.push(one);
    }
    name.trim_end().to_owned()
}

pub(super) fn interpreter(fields: &mut Fields<'_>) -> Interpreter {
    let named = fields.take("interpreter", some_text);
    match named.as_deref() {
        None => Interpreter::ByExtension,
        Some("none") => Interpreter::None,
        Some(name) => Interpreter::Named(name.to_owned()),
    }
}

/// What the interpreter is given: as written, and what the source maps of a node program need.
pub(super) fn interpreter_arguments(
    fields: &mut Fields<'_>,
    interpreter: &Interpreter,
    script: Option<&str>,
) -> Vec<String> {
    let mut arguments = list(fields, "interpreter_args");
    let wanted = fields.take("source_map_support", flag);
    let refused = fields.take("disable_source_map_support", flag);
    let asked = wanted == Some(true) && refused != Some(true);
    if asked && runs_in_node(interpreter, script) && !arguments.iter().any(|one| one == SOURCE_MAPS)
    {
        arguments.insert(0, SOURCE_MAPS.to_owned());
    }
    arguments
}

/// Whether it is node itself that runs the script: the others that run JavaScript know source maps by themselves.
fn runs_in_node(interpreter: &Interpreter, script: Option<&str>) -> bool {
    match interpreter {
        Interpreter::None => false,
        Interpreter::Named(name) => {
            let base = name.rsplit('/').next().unwrap_or(name);
            matches!(base.split('@').next(), Some("node" | "nodejs"))
        }
        Interpreter::ByExtension => {
            matches!(extension(script), Some("js" | "cjs" | "mjs"))
        }
    }
}

/// The extension of a script that is no command line.
pub(super) fn extension(script: Option<&str>) -> Option<&str> {
    let script = script.filter(|script| !script.trim().contains(char::is_whitespace))?;
    Path::new(script).extension()?.to_str()
}

/// A field that is a list of texts or one text to split.
pub(super) fn list(fields: &mut Fields<'_>, name: &str) -> Vec<String> {
    fields.take(name, words).unwrap_or_default()
}
