//! How many instances there are, and how they share work.

use serde_json::Value;

use crate::raw::closest;
use crate::spec::{ExecMode, Interpreter, MOST_INSTANCES};

use super::fields::Fields;
use super::identity::extension;
use super::value::{Reading, flag, whole};

const MODES: [&str; 4] = ["fork", "cluster", "fork_mode", "cluster_mode"];

/// How many; 0 and "max" are one per processor, negative numbers leave as many processors free.
pub(super) fn instances(fields: &mut Fields<'_>, parallelism: u32) -> Option<u32> {
    fields.take("instances", |value| number(value, parallelism))
}

fn number(value: &Value, parallelism: u32) -> Reading<u32> {
    let wanted = if value.as_str().map(str::trim) == Some("max") {
        0
    } else {
        whole(value)?
    };
    let all = i64::from(parallelism);
    let count = match wanted {
        0 => all,
        negative if negative < 0 => all.saturating_add(negative),
        positive => positive,
    };
    match u32::try_from(count.max(1)) {
        Ok(count) if count <= MOST_INSTANCES => Ok(count),
        Ok(_) | Err(_) => Err(Some(format!("{MOST_INSTANCES} are the most"))),
    }
}

/// Cluster where it is asked for, and, as with PM2, where several instances of a node program are. One instance without a
/// word about the mode stays a plain process: it gains nothing from a cluster.
pub(super) fn exec_mode(
    fields: &mut Fields<'_>,
    instances: u32,
    interpreter: &Interpreter,
    script: Option<&str>,
) -> ExecMode {
    let asked = fields.take("exec_mode", |value| match value.as_str() {
        Some("fork" | "fork_mode") => Ok(ExecMode::Fork),
        Some("cluster" | "cluster_mode") => Ok(ExecMode::Cluster),
        Some(other) => {
            let like = closest(other, MODES.into_iter());
            Err(like.map(|like| format!("did you mean {like:?}?")))
        }
        None => Err(None),
    });
    let executes = fields.take("execute_command", flag) == Some(true);
    match asked {
        Some(mode) => mode,
        None if executes => ExecMode::Fork,
        None if instances > 1 && is_node(interpreter, script) => ExecMode::Cluster,
        None => ExecMode::Fork,
    }
}

fn is_node(interpreter: &Interpreter, script: Option<&str>) -> bool {
    match interpreter {
        Interpreter::None => false,
        Interpreter::Named(name) => {
            let base = name.rsplit('/').next().unwrap_or(name);
            matches!(base.split('@').next(), Some("node" | "nodejs" | "bun"))
        }
        Interpreter::ByExtension => matches!(
            extension(script),
            Some("js" | "cjs" | "mjs" | "ts" | "cts" | "mts" | "tsx" | "jsx")
        ),
    }
}
