//! The instances of a list.

use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::health::Verdict;
use eco_proto::agent::v1::{ExecMode, Instance, Status};
use serde::Serialize;

use super::line::time;
use super::some;

/// What of an instance's processes is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metrics {
    /// What costs next to nothing.
    Cheap,
    /// What costs a look at each process, too.
    All,
}

/// One instance. The names of the fields are the contract of `eco list --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) id: u32,
    pub(crate) host: String,
    pub(crate) env: String,
    pub(crate) name: String,
    pub(crate) instance: u32,
    pub(crate) namespace: String,
    pub(crate) pid: Option<i32>,
    pub(crate) run: Option<u64>,
    pub(crate) status: &'static str,
    pub(crate) restarts: u32,
    pub(crate) unstable_restarts: u32,
    pub(crate) uptime_ms: Option<u64>,
    pub(crate) started_at: Option<String>,
    pub(crate) restart_in_ms: Option<u64>,
    pub(crate) cpu_percent: Option<f64>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) pss_bytes: Option<u64>,
    pub(crate) fds: Option<u64>,
    pub(crate) threads: Option<u64>,
    pub(crate) exec_mode: Option<&'static str>,
    pub(crate) watch: bool,
    pub(crate) cause: Option<String>,
    /// `null`: the living run is not asked for it.
    pub(crate) health: Option<Health>,
}

/// What a probe says of the living run: of readiness while it launches, of liveness while it is online.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Health {
    /// `healthy`, `unhealthy`, or `unknown` as long as not enough was answered.
    pub(crate) verdict: &'static str,
    /// What is asked for: a URL, an address, a command, …
    pub(crate) asks: Option<String>,
    /// The last answer; `null`: there was none yet.
    pub(crate) answer: Option<String>,
    /// When it came.
    pub(crate) answered_at: Option<String>,
    /// Failures in a row that count.
    pub(crate) failures: u32,
}

impl Health {
    fn new(health: &pb::Health) -> Self {
        Self {
            verdict: verdict_name(health.verdict()),
            asks: some(health.asks.clone()),
            answer: some(health.answer.clone()),
            answered_at: time(health.answered_ns),
            failures: health.failures,
        }
    }

    /// Whether all is as it should be.
    pub(crate) fn is_healthy(&self) -> bool {
        self.verdict == verdict_name(Verdict::Healthy)
    }
}

impl Row {
    /// Makes one of an instance on `host`.
    pub(crate) fn new(host: &str, instance: &Instance) -> Self {
        Self {
            id: instance.id,
            host: host.to_owned(),
            env: instance.environment.clone(),
            name: instance.name.clone(),
            instance: instance.instance,
            namespace: instance.namespace.clone(),
            pid: instance.pid,
            run: Some(instance.run).filter(|run| *run > 0),
            status: status_name(instance.status()),
            restarts: instance.restarts,
            unstable_restarts: instance.unstable_restarts,
            uptime_ms: instance.uptime_ms,
            started_at: instance.started_ns.and_then(time),
            restart_in_ms: instance.restart_in_ms,
            cpu_percent: instance.cpu_percent,
            memory_bytes: instance.memory_bytes,
            pss_bytes: instance.pss_bytes,
            fds: instance.fds,
            threads: instance.threads,
            exec_mode: exec_mode_name(instance.exec_mode()),
            watch: instance.watch,
            cause: some(instance.cause.clone()),
            health: instance.health.as_ref().map(Health::new),
        }
    }
}

/// Makes rows of instances, in the order of their names.
pub(crate) fn rows(host: &str, instances: &[Instance]) -> Vec<Row> {
    let mut rows: Vec<Row> = instances
        .iter()
        .map(|instance| Row::new(host, instance))
        .collect();
    rows.sort_by(|left, right| {
        (&left.env, &left.name, left.instance).cmp(&(&right.env, &right.name, right.instance))
    });
    rows
}

const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "healthy",
        Verdict::Unhealthy => "unhealthy",
        Verdict::Unknown | Verdict::Unspecified => "unknown",
    }
}

/// What people call a status.
pub(crate) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Online => "online",
        Status::Launching => "launching",
        Status::Stopping => "stopping",
        Status::Stopped => "stopped",
        Status::Errored => "errored",
        Status::WaitingRestart => "waiting restart",
        Status::Unspecified => "unknown",
    }
}

/// What people call a mode.
pub(crate) const fn exec_mode_name(mode: ExecMode) -> Option<&'static str> {
    match mode {
        ExecMode::Fork => Some("fork"),
        ExecMode::Cluster => Some("cluster"),
        ExecMode::Unspecified => None,
    }
}
