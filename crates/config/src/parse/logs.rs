//! Log files.

use std::path::PathBuf;

use serde_json::Value;

use crate::error::Fault;
use crate::fields::LOG_ROTATE;
use crate::spec::{Keeping, LineKind, Logs, Overflow, Rotation, Sharing};

use super::fields::Fields;
use super::value::{self, Reading, flag, positive, size, some_duration, some_text};

/// PM2's `time: true`.
const TIME: &str = "YYYY-MM-DDTHH:mm:ss";
const NO_FILE: &str =
    "it names no file; what the app writes is kept anyway, and `eco logs` shows it";

pub(super) fn logs(fields: &mut Fields<'_>) -> Logs {
    let out_file = file(fields, "out_file");
    let error_file = file(fields, "error_file");
    let log_file = log_file(fields);
    let sharing = match fields.take("merge_logs", flag) {
        Some(true) => Sharing::Merged,
        Some(false) | None => Sharing::Each,
    };
    let format = fields.take("log_date_format", some_text);
    let time = fields.take("time", flag) == Some(true);
    let keeping = match fields.take("disable_logs", flag) {
        Some(true) => Keeping::Nothing,
        Some(false) | None => Keeping::All,
    };
    Logs {
        out_file,
        error_file,
        log_file,
        sharing,
        kind: fields.take("log_type", kind).unwrap_or_default(),
        date_format: format.or_else(|| time.then(|| TIME.to_owned())),
        rotation: rotation(fields),
        keeping,
        overflow: fields.take("log_overflow", overflow).unwrap_or_default(),
        max_size: fields.take("max_log_size", some_size),
        max_age: fields.take("max_log_age", some_duration),
    }
}

/// A path; PM2's ways to say none are none.
fn file(fields: &mut Fields<'_>, name: &str) -> Option<PathBuf> {
    let path = fields.take(name, some_text)?;
    let is_none = path == "/dev/null" || path.eq_ignore_ascii_case("null");
    (!is_none).then(|| PathBuf::from(path))
}

fn log_file(fields: &mut Fields<'_>) -> Option<PathBuf> {
    let written = fields.get("log_file")?;
    match written.value {
        Value::Bool(true) => {
            let problem = fields.problem(Some(&written.key), Fault::NoEffect { why: NO_FILE });
            fields.notes.push(problem);
            None
        }
        Value::Bool(false) => None,
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            file(fields, "log_file")
        }
    }
}

/// An empty text is PM2's default.
fn kind(value: &Value) -> Reading<LineKind> {
    match value::text(value)?.as_str() {
        "json" => Ok(LineKind::Json),
        "raw" | "" => Ok(LineKind::Raw),
        _ => Err(None),
    }
}

fn overflow(value: &Value) -> Reading<Overflow> {
    match value::text(value)?.as_str() {
        "wait" => Ok(Overflow::Wait),
        "drop" => Ok(Overflow::Drop),
        _ => Err(None),
    }
}

fn rotation(fields: &mut Fields<'_>) -> Option<Rotation> {
    let usual = Rotation::default();
    match fields.get("log_rotate").map(|written| &written.value) {
        None | Some(Value::Bool(true)) => Some(usual),
        Some(Value::Bool(false)) => None,
        Some(
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
        ) => {
            let read = fields.inside("log_rotate", LOG_ROTATE, |fields| Rotation {
                size: fields.take("size", some_size).unwrap_or(usual.size),
                every: fields.take("every", some_duration),
                keep: fields.take("keep", positive).unwrap_or(usual.keep),
                compress: fields.take("compress", flag).unwrap_or(usual.compress),
            });
            Some(read.unwrap_or(usual))
        }
    }
}

fn some_size(value: &Value) -> Reading<u64> {
    let size = size(value)?;
    (size > 0).then_some(size).ok_or(None)
}
