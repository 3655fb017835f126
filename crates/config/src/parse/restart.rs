//! What follows an end that nobody asked for.

use std::time::Duration;

use serde_json::Value;

use crate::raw::Written;
use crate::spec::{Kind, RestartDelay, RestartPolicy, RestartWhen};

use super::fields::Fields;
use super::value::{Reading, count, duration, flag, shown, size, split, whole};

const MIN_UPTIME: Duration = Duration::from_secs(1);
const MAX_RESTARTS: u32 = 16;

/// Whether the app is meant to end.
pub(super) fn kind(fields: &mut Fields<'_>) -> Kind {
    match fields.take("oneshot", flag) {
        Some(true) => Kind::Oneshot,
        Some(false) | None => Kind::Service,
    }
}

pub(super) fn policy(fields: &mut Fields<'_>, kind: Kind) -> RestartPolicy {
    let growing = fields.take("exp_backoff_restart_delay", duration);
    let fixed = fields.take("restart_delay", duration);
    RestartPolicy {
        when: when_for(fields, kind),
        min_uptime: fields.take("min_uptime", duration).unwrap_or(MIN_UPTIME),
        max_unstable: fields.take("max_restarts", count).unwrap_or(MAX_RESTARTS),
        delay: match (growing.filter(|delay| !delay.is_zero()), fixed) {
            (Some(base), _) => RestartDelay::Growing(base),
            (None, Some(delay)) => RestartDelay::Fixed(delay),
            (None, None) => RestartDelay::Default,
        },
        stop_exit_codes: fields.take("stop_exit_codes", codes).unwrap_or_default(),
    }
}

/// A service is up again after each end, and what is meant to end is not.
fn when_for(fields: &mut Fields<'_>, kind: Kind) -> RestartWhen {
    let given = fields.take("autorestart", when);
    match (kind, given) {
        (Kind::Service, None) => RestartWhen::Always,
        (Kind::Oneshot, None) => RestartWhen::Never,
        (Kind::Oneshot, Some(RestartWhen::Always)) => {
            refuse_for_ever(fields);
            RestartWhen::Never
        }
        (Kind::Service | Kind::Oneshot, Some(when)) => when,
    }
}

fn refuse_for_ever(fields: &mut Fields<'_>) {
    if let Some(Written { key, value }) = fields.get("autorestart") {
        let hint = Some("a oneshot app is meant to end".to_owned());
        fields.mismatch(key, None, shown(value), "false or \"on-failure\"", hint);
    }
}

fn when(value: &Value) -> Reading<RestartWhen> {
    match value {
        Value::Bool(true) => Ok(RestartWhen::Always),
        Value::Bool(false) => Ok(RestartWhen::Never),
        Value::String(text) => match text.as_str() {
            "always" | "unless-stopped" => Ok(RestartWhen::Always),
            "on-failure" | "on_failure" => Ok(RestartWhen::OnFailure),
            "never" | "no" => Ok(RestartWhen::Never),
            "true" | "false" => Err(Some(format!("write {text} without quotes"))),
            _ => Err(None),
        },
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(None),
    }
}

fn codes(value: &Value) -> Reading<Vec<i32>> {
    let one = |value: &Value| u8::try_from(whole(value)?).map(i32::from).map_err(|_| None);
    match value {
        Value::Array(list) => list.iter().map(one).collect(),
        Value::String(text) => split(text)
            .into_iter()
            .map(|word| one(&Value::String(word)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            one(value).map(|code| vec![code])
        }
    }
}

/// Bytes after which an instance is replaced; 0 is no limit, as with PM2.
pub(super) fn max_memory(fields: &mut Fields<'_>) -> Option<u64> {
    fields
        .take("max_memory_restart", size)
        .filter(|bytes| *bytes > 0)
}
