//! All that is known of an instance.

use eco_proto::agent::v1::{AppSpec, Description, Exit, KeptLimit, Resolved};
use serde::Serialize;
use serde_json::{Map, Value};

use super::line::time;
use super::list::Row;
use super::spec::fields;
use super::speech::{Speech, speech};
use super::{how_ended, some};
use crate::redaction::Secrets;

/// One instance and its app.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Described {
    #[serde(flatten)]
    pub(crate) instance: Row,
    pub(crate) run_dir: Option<String>,
    /// When its schedule means it next.
    pub(crate) next_scheduled_at: Option<String>,
    pub(crate) watch_problems: Vec<String>,
    pub(crate) pid_file: Option<String>,
    pub(crate) pid_file_problem: Option<String>,
    pub(crate) log_files: Vec<String>,
    pub(crate) log_file_problems: Vec<String>,
    pub(crate) resolved: Option<Paths>,
    pub(crate) defined_at: Option<String>,
    /// The app, as the fields of a file.
    pub(crate) spec: Option<Map<String, Value>>,
    pub(crate) limits: Vec<Limit>,
    #[serde(flatten)]
    pub(crate) speech: Speech,
    pub(crate) exits: Vec<Ended>,
}

/// A limit, and what keeps it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Limit {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) how: String,
    pub(crate) is_kept: bool,
}

/// Where the agent found things.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Paths {
    pub(crate) script: String,
    pub(crate) cwd: String,
    pub(crate) interpreter: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ended {
    pub(crate) run: u64,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) spawn_failed: Option<String>,
    pub(crate) out_of_memory: bool,
    pub(crate) at: Option<String>,
    pub(crate) lived_ms: u64,
    pub(crate) cause: Option<String>,
}

/// Makes a view of descriptions, secrets hidden, in the order of their names.
pub(crate) fn described(host: &str, descriptions: Vec<Description>) -> Vec<Described> {
    let mut all: Vec<Described> = descriptions
        .into_iter()
        .map(|description| Described {
            instance: Row::new(host, &description.instance.unwrap_or_default()),
            run_dir: some(description.run_dir),
            next_scheduled_at: description.next_scheduled_ns.and_then(time),
            watch_problems: description.watch_problems,
            pid_file: description.pid_file,
            pid_file_problem: description.pid_file_problem,
            log_files: description.log_files,
            log_file_problems: description.log_file_problems,
            resolved: description.resolved.map(paths),
            defined_at: defined_at(description.spec.as_ref()),
            spec: description.spec.map(|spec| fields(&spec, Secrets::Hidden)),
            limits: description.limits.into_iter().map(limit).collect(),
            speech: speech(description.speech.unwrap_or_default()),
            exits: description.exits.into_iter().map(ended).collect(),
        })
        .collect();
    all.sort_by(|left, right| {
        let key = |one: &Described| {
            (
                one.instance.env.clone(),
                one.instance.name.clone(),
                one.instance.instance,
            )
        };
        key(left).cmp(&key(right))
    });
    all
}

fn paths(resolved: Resolved) -> Paths {
    Paths {
        script: resolved.script,
        cwd: resolved.cwd,
        interpreter: some(resolved.interpreter),
    }
}

fn defined_at(spec: Option<&AppSpec>) -> Option<String> {
    some(spec?.defined_at.clone())
}

fn limit(limit: KeptLimit) -> Limit {
    let KeptLimit {
        name,
        value,
        how,
        is_kept,
    } = limit;
    Limit {
        name,
        value,
        how,
        is_kept,
    }
}

fn ended(exit: Exit) -> Ended {
    let (code, signal, spawn_failed) = how_ended(exit.how);
    Ended {
        run: exit.run,
        out_of_memory: exit.out_of_memory.is_some(),
        code,
        signal,
        spawn_failed,
        at: time(exit.at_ns),
        lived_ms: exit.lived_ms,
        cause: some(exit.cause),
    }
}
