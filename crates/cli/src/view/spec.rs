//! A specification as the fields of a file: PM2's names, durations in milliseconds, sizes in bytes.

use eco_proto::agent::v1::dependency::On;
use eco_proto::agent::v1::probe::Check;
use eco_proto::agent::v1::restart_policy::Delay;
use eco_proto::agent::v1::{
    AppSpec, DependencyCondition, ExecMode, IllAction, Limits, Probe, ReadyPolicy, RestartPolicy,
    StopPolicy, WatchPolicy,
};
use serde_json::{Map, Value, json};

use crate::redaction;

/// Whether values that look secret may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// They are hidden.
    Hidden,
    /// They are shown.
    Shown,
}

/// The fields of `spec`. What is not set and has no default is left out.
pub(crate) fn fields(spec: &AppSpec, secrets: Secrets) -> Map<String, Value> {
    let mut all = Map::new();
    let mut set = |values: Value| {
        if let Value::Object(values) = values {
            all.extend(values.into_iter().filter(|(_, value)| !is_nothing(value)));
        }
    };
    set(program(spec, secrets));
    set(spec.restart.as_ref().map_or(Value::Null, restart));
    set(spec.stop.as_ref().map_or(Value::Null, stop));
    set(spec.ready.as_ref().map_or(Value::Null, ready));
    set(spec.watch.as_ref().map_or(Value::Null, watch));
    set(json!({
        "depends_on": spec.depends_on.iter().filter_map(|one| one.on.as_ref()).map(dependency).collect::<Map<_, _>>(),
        "liveness": liveness(spec),
        "cron_restart": spec.schedule.as_ref().map(|schedule| &schedule.pattern),
        "cron_timezone": spec.schedule.as_ref().and_then(|schedule| schedule.zone.as_ref()),
        "limits": spec.limits.as_ref().map(limits),
        "max_memory_restart": spec.max_memory_bytes,
        "pid_file": spec.pid_file,
    }));
    all
}

fn program(spec: &AppSpec, secrets: Secrets) -> Value {
    let env: Map<_, _> = spec
        .env
        .iter()
        .map(|(name, value)| {
            let shown = match secrets {
                Secrets::Hidden => redaction::shown(name, value),
                Secrets::Shown => value.clone(),
            };
            (name.clone(), Value::String(shown))
        })
        .collect();
    let exec_mode = match spec.exec_mode() {
        ExecMode::Fork | ExecMode::Unspecified => "fork",
        ExecMode::Cluster => "cluster",
    };
    json!({
        "name": spec.name,
        "namespace": spec.namespace,
        "script": spec.script,
        "args": spec.arguments,
        "cwd": spec.cwd,
        "interpreter": spec.interpreter,
        "interpreter_args": spec.interpreter_arguments,
        "exec_mode": exec_mode,
        "instances": spec.instances,
        "instance_var": spec.instance_var,
        "increment_var": spec.increment_var,
        "env": env,
        "env_file": spec.env_files,
        "uid": spec.user,
        "gid": spec.group,
        "autostart": spec.autostart,
        "oneshot": spec.oneshot.then_some(true),
    })
}

fn restart(policy: &RestartPolicy) -> Value {
    let autorestart = match (policy.automatic, policy.on_failure_only) {
        (false, _) => json!(false),
        (true, true) => json!("on-failure"),
        (true, false) => json!(true),
    };
    let (fixed, growing) = match policy.delay {
        None => (None, None),
        Some(Delay::FixedMs(ms)) => (Some(ms), None),
        Some(Delay::GrowingFromMs(ms)) => (None, Some(ms)),
    };
    json!({
        "autorestart": autorestart,
        "min_uptime": policy.min_uptime_ms,
        "max_restarts": policy.max_unstable,
        "restart_delay": fixed,
        "exp_backoff_restart_delay": growing,
        "stop_exit_codes": policy.stop_exit_codes,
    })
}

fn stop(policy: &StopPolicy) -> Value {
    json!({
        "stop_signal": policy.signal,
        "kill_timeout": policy.kill_timeout_ms,
        "treekill": policy.tree,
        "shutdown_with_message": policy.message,
    })
}

fn ready(policy: &ReadyPolicy) -> Value {
    json!({
        "wait_ready": policy.wait_ready,
        "listen_timeout": policy.listen_timeout_ms,
        "readiness": readiness(policy),
    })
}

/// What an app is ready by, as the fields of `readiness`.
pub(crate) fn readiness(policy: &ReadyPolicy) -> Option<Map<String, Value>> {
    let readiness = policy.probe.as_ref()?;
    let mut fields = readiness.probe.as_ref().map(probe).unwrap_or_default();
    fields.insert("within".to_owned(), json!(readiness.within_ms.unwrap_or(0)));
    Some(fields)
}

/// How it is known that it is still well, as the fields of `liveness`.
pub(crate) fn liveness(spec: &AppSpec) -> Option<Map<String, Value>> {
    let liveness = spec.liveness.as_ref()?;
    Some(with_action(liveness.probe.as_ref(), liveness.action()))
}

fn watch(policy: &WatchPolicy) -> Value {
    let watched = if policy.paths.is_empty() {
        json!(true)
    } else {
        json!(policy.paths)
    };
    json!({
        "watch": watched,
        "ignore_watch": rules(policy, false),
        "watch_delay": policy.delay_ms,
        "watch_options": {
            "ignored": rules(policy, true),
            "followSymlinks": !policy.plain_links,
            "usePolling": policy.poll_ms.is_some(),
            "interval": policy.poll_ms,
            "depth": policy.depth,
        },
    })
}

/// What is ignored by `ignore_watch`, or by `watch_options.ignored`; `None`: nobody said.
fn rules(policy: &WatchPolicy, from_options: bool) -> Option<Vec<String>> {
    let rules = policy.rules.iter();
    let rules = rules.filter(|rule| rule.from_watch_options == from_options);
    let texts = rules.map(|rule| {
        if rule.is_expression {
            format!("/{}/", rule.text)
        } else {
            rule.text.clone()
        }
    });
    (!policy.no_rules_given).then(|| texts.collect())
}

fn dependency(on: &On) -> (String, Value) {
    match on {
        On::App(app) => {
            let condition = match app.condition() {
                DependencyCondition::Started => "started",
                DependencyCondition::Ready | DependencyCondition::Unspecified => "ready",
                DependencyCondition::Completed => "completed",
            };
            (app.name.clone(), json!(condition))
        }
        On::Tcp(address) => (format!("tcp://{address}"), json!("ready")),
        On::Http(url) => (url.clone(), json!("ready")),
    }
}

fn probe(probe: &Probe) -> Map<String, Value> {
    let (check, value) = match &probe.check {
        Some(Check::Exec(exec)) => ("exec", json!(exec.command)),
        Some(Check::Tcp(address)) => ("tcp", json!(address)),
        Some(Check::Http(http)) if http.statuses.is_empty() => ("http", json!(http.url)),
        Some(Check::Http(http)) => {
            let statuses = http.statuses.iter();
            let statuses: Vec<_> = statuses
                .map(|range| format!("{}-{}", range.first, range.last))
                .collect();
            ("http", json!({ "url": http.url, "status": statuses }))
        }
        Some(Check::Log(pattern)) => ("log", json!(pattern)),
        Some(Check::Notify(on)) => ("notify", json!(on)),
        Some(Check::Output(on)) => ("output", json!(on)),
        None => return Map::new(),
    };
    let fields = json!({
        check: value,
        "interval": probe.interval_ms,
        "timeout": probe.timeout_ms,
        "start_period": probe.start_period_ms,
        "successes": probe.successes,
        "failures": probe.failures,
    });
    match fields {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn with_action(asked: Option<&Probe>, action: IllAction) -> Map<String, Value> {
    let mut fields = asked.map(probe).unwrap_or_default();
    let action = match action {
        IllAction::Restart | IllAction::Unspecified => "restart",
        IllAction::Stop => "stop",
        IllAction::Mark => "mark",
    };
    fields.insert("action".to_owned(), json!(action));
    fields
}

fn limits(limits: &Limits) -> Value {
    let fields = [
        ("memory", limits.memory_bytes.map(|bytes| json!(bytes))),
        (
            "cpu",
            limits
                .cpu_millis
                .map(|millis| json!(f64::from(millis) / 1000.0)),
        ),
        ("tasks", limits.tasks.map(|tasks| json!(tasks))),
        ("open_files", limits.open_files.map(|files| json!(files))),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<Map<_, _>>()
        .into()
}

/// Whether a field says nothing: it would not stand in a file.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
