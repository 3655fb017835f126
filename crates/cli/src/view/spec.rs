//! A specification as the fields of a file: PM2's names, durations in milliseconds, sizes in bytes.

use eco_config::spec::signal_name;
use eco_proto::agent::v1::dependency::On;
use eco_proto::agent::v1::probe::Check;
use eco_proto::agent::v1::restart_policy::Delay;
use eco_proto::agent::v1::{
    AppSpec, DependencyCondition, ExecMode, IllAction, Limits, Logs, Probe, ReadyPolicy,
    RestartPolicy, StopPolicy, WatchPolicy,
};
use serde_json::{Map, Value, json};

use crate::redaction::Secrets;

/// The fields of `spec`. What is not set and has no default is left out.
pub(crate) fn fields(spec: &AppSpec, secrets: Secrets) -> Map<String, Value> {
    let mut all = Map::new();
    let mut set = |values: Value| {
        if let Value::Object(values) = values {
            all.extend(said(values));
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
    set(spec.logs.as_ref().map_or(Value::Null, logs));
    secrets.of_fields(&mut all);
    all
}

fn program(spec: &AppSpec, secrets: Secrets) -> Value {
    let env: Map<_, _> = spec
        .env
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(secrets.of(name, value))))
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
        "kill_signal": signal_name(policy.signal).map_or_else(|| json!(policy.signal), |name| json!(name)),
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
fn readiness(policy: &ReadyPolicy) -> Option<Map<String, Value>> {
    let readiness = policy.probe.as_ref()?;
    let mut fields = readiness.probe.as_ref().map(probe).unwrap_or_default();
    // They are not about readiness, which time alone decides.
    fields.retain(|name, _| name != "failures" && name != "start_period");
    fields.insert("within".to_owned(), json!(readiness.within_ms.unwrap_or(0)));
    Some(fields)
}

/// How it is known that it is still well, as the fields of `liveness`.
fn liveness(spec: &AppSpec) -> Option<Map<String, Value>> {
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

fn logs(logs: &Logs) -> Value {
    let rotation = match logs.rotation {
        None => json!(false),
        Some(rotation) => json!({
            "size": rotation.size_bytes,
            "every": rotation.every_ms,
            "keep": rotation.keep,
            "compress": rotation.compress,
        }),
    };
    json!({
        "out_file": logs.out_file,
        "error_file": logs.error_file,
        "log_file": logs.log_file,
        "merge_logs": logs.merge.then_some(true),
        "log_type": logs.json.then_some("json"),
        "log_date_format": logs.date_format,
        "log_rotate": rotation,
        "disable_logs": logs.discard.then_some(true),
        "log_overflow": logs.drop_refused.then_some("drop"),
        "max_log_size": logs.max_bytes,
        "max_log_age": logs.max_age_ms,
    })
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

/// The fields that say something, in objects as well.
fn said(values: Map<String, Value>) -> impl Iterator<Item = (String, Value)> {
    values
        .into_iter()
        .map(|(name, value)| match value {
            Value::Object(inner) => (name, said(inner).collect::<Map<_, _>>().into()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => (name, value),
        })
        .filter(|(_, value)| !is_nothing(value))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use eco_config::fields::{APP, Shape, Standing, Table};
    use eco_config::spec::EnvironmentName;
    use eco_config::{EnvBlock, Request, Runtime};

    use super::*;

    /// An app that says everything there is to say.
    const FULL: &str = "module.exports = { apps: [{
      script: 'a.js', name: 'a', namespace: 'n', args: ['x'], cwd: '.', interpreter: 'node', interpreter_args: ['--x'],
      uid: 'me', gid: 'us', pid_file: 'a.pid', instances: 2, exec_mode: 'fork', instance_var: 'I', increment_var: 'PORT',
      env: { PORT: 1 }, env_file: '.env', autostart: false, depends_on: { db: 'started', 'tcp://h:1': 'ready' },
      oneshot: true, readiness: { http: { url: 'http://h/', status: 200 }, within: 0 }, wait_ready: true,
      listen_timeout: 1, liveness: { tcp: 1, action: 'mark' }, autorestart: 'on-failure', stop_exit_codes: [3],
      min_uptime: 1, max_restarts: 1, restart_delay: 1, max_memory_restart: 1, cron_restart: '0 0 * * *',
      cron_timezone: 'Europe/Berlin', kill_signal: 'SIGTERM', kill_timeout: 1, shutdown_with_message: true,
      treekill: false, limits: { memory: 1, cpu: 1, tasks: 1, open_files: 1 }, watch: true, ignore_watch: ['x'],
      watch_delay: 1, watch_options: { ignored: 'y', followSymlinks: false, usePolling: true, depth: 1 },
      out_file: 'o', error_file: 'e', log_file: 'l', merge_logs: true, log_type: 'json', log_date_format: 'YYYY',
      log_rotate: { size: 1, every: 1, keep: 1, compress: false }, disable_logs: true, log_overflow: 'drop', max_log_size: 1, max_log_age: 1,
    }] }";

    /// Fields that others are made of: what came of them is told.
    const FOLDED: [&str; 8] = [
        "time",
        "name_prefix",
        "append_env_to_name",
        "source_map_support",
        "disable_source_map_support",
        "execute_command",
        "port",
        "filter_env",
    ];

    /// The fields of the only app of a file.
    fn told(text: &str) -> Map<String, Value> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ecosystem.config.js");
        std::fs::write(&file, text).expect("written");
        let request = Request {
            file,
            text: None,
            environment: EnvironmentName::new("dev").expect("a name"),
            env_block: EnvBlock::ByEnvironment,
            variables: std::collections::BTreeMap::new(),
            invoked_in: folder.path().to_owned(),
            runtime: Runtime::Auto,
        };
        let ecosystem = eco_config::load(&request).expect("a sound file");
        let app = ecosystem.apps.first().expect("an app");
        fields(&AppSpec::from(app), Secrets::Hidden)
    }

    fn strangers(table: Table, object: &Map<String, Value>, strange: &mut Vec<String>) {
        for (key, value) in object {
            match (
                table.field(key).map(eco_config::fields::Field::shape),
                value,
            ) {
                (None, _) => strange.push(key.clone()),
                (Some(Shape::Object(table)), Value::Object(inner)) => {
                    strangers(table, inner, strange);
                }
                (Some(_), _) => {}
            }
        }
    }

    #[test]
    fn a_field_is_told_by_the_name_that_the_table_has_for_it() {
        let mut strange = Vec::new();
        strangers(APP, &told(FULL), &mut strange);
        assert_eq!(strange, [""; 0]);
    }

    #[test]
    fn every_field_that_is_acted_on_is_told() {
        let told = told(FULL);
        let growing = "module.exports = [{ script: 'a', exp_backoff_restart_delay: 100 }]";
        let told: BTreeSet<_> = told
            .keys()
            .cloned()
            .chain(self::told(growing).into_iter().map(|(key, _)| key))
            .collect();
        let untold: Vec<_> = APP
            .fields()
            .filter(|field| field.standing() == Standing::ActedOn)
            .map(eco_config::fields::Field::name)
            .filter(|name| !told.contains(*name) && !FOLDED.contains(name))
            .collect();
        assert_eq!(untold, [""; 0]);
    }
}
