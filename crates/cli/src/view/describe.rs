//! All that is known of an instance.

use std::collections::BTreeMap;

use eco_proto::agent::v1::exit::How;
use eco_proto::agent::v1::restart_policy::Delay;
use eco_proto::agent::v1::{AppSpec, Description, Exit, KeptLimit, Resolved};
use serde::Serialize;
use serde_json::{Map, Value};

use super::line::time;
use super::list::Row;
use super::some;
use super::spec::{liveness, readiness};
use super::speech::{Speech, speech};
use crate::redaction;

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
    pub(crate) resolved: Option<Paths>,
    pub(crate) spec: Option<Spec>,
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

/// What the app is, as its file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Spec {
    pub(crate) defined_at: Option<String>,
    pub(crate) script: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) cwd: Option<String>,
    pub(crate) interpreter: Option<String>,
    pub(crate) interpreter_arguments: Vec<String>,
    pub(crate) instances: u32,
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) autostart: bool,
    pub(crate) autorestart: Option<bool>,
    pub(crate) min_uptime_ms: Option<u64>,
    pub(crate) max_unstable: Option<u32>,
    pub(crate) restart_delay: &'static str,
    pub(crate) restart_delay_ms: Option<u64>,
    pub(crate) stop_signal: Option<i32>,
    pub(crate) kill_timeout_ms: Option<u64>,
    pub(crate) wait_ready: Option<bool>,
    pub(crate) listen_timeout_ms: Option<u64>,
    /// The probes, as the fields of a file.
    pub(crate) readiness: Option<Map<String, Value>>,
    pub(crate) liveness: Option<Map<String, Value>>,
    pub(crate) watch_paths: Option<Vec<String>>,
    pub(crate) max_memory_bytes: Option<u64>,
    pub(crate) cron_restart: Option<String>,
    pub(crate) cron_timezone: Option<String>,
    pub(crate) pid_file: Option<String>,
    pub(crate) env_file: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
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
            resolved: description.resolved.map(paths),
            spec: description.spec.map(spec),
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

fn spec(spec: AppSpec) -> Spec {
    let restart = spec.restart.as_ref();
    let (restart_delay, restart_delay_ms) = match restart.and_then(|policy| policy.delay) {
        Some(Delay::FixedMs(ms)) => ("fixed", Some(ms)),
        Some(Delay::GrowingFromMs(ms)) => ("growing", Some(ms)),
        None => ("default", None),
    };
    Spec {
        autorestart: restart.map(|policy| policy.automatic),
        min_uptime_ms: restart.map(|policy| policy.min_uptime_ms),
        max_unstable: restart.map(|policy| policy.max_unstable),
        restart_delay,
        restart_delay_ms,
        stop_signal: spec.stop.as_ref().map(|policy| policy.signal),
        kill_timeout_ms: spec.stop.as_ref().map(|policy| policy.kill_timeout_ms),
        wait_ready: spec.ready.as_ref().map(|policy| policy.wait_ready),
        listen_timeout_ms: spec.ready.as_ref().map(|policy| policy.listen_timeout_ms),
        readiness: spec.ready.as_ref().and_then(readiness),
        liveness: liveness(&spec),
        watch_paths: spec.watch.map(|policy| policy.paths),
        env: spec
            .env
            .into_iter()
            .map(|(name, value)| {
                let shown = redaction::shown(&name, &value);
                (name, shown)
            })
            .collect(),
        defined_at: some(spec.defined_at),
        script: spec.script,
        arguments: spec.arguments,
        cwd: spec.cwd,
        interpreter: spec.interpreter,
        interpreter_arguments: spec.interpreter_arguments,
        instances: spec.instances,
        user: spec.user,
        group: spec.group,
        autostart: spec.autostart,
        max_memory_bytes: spec.max_memory_bytes,
        cron_restart: spec.schedule.as_ref().map(|it| it.pattern.clone()),
        cron_timezone: spec.schedule.and_then(|schedule| schedule.zone),
        pid_file: spec.pid_file,
        env_file: spec.env_files,
    }
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
    let (code, signal, spawn_failed) = match exit.how {
        Some(How::Code(code)) => (Some(code), None, None),
        Some(How::Signal(signal)) => (None, Some(signal), None),
        Some(How::SpawnFailed(why)) => (None, None, Some(why)),
        Some(How::Unknown(_)) | None => (None, None, None),
    };
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
