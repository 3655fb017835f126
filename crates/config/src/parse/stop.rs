//! How an app is ended, and when it counts as up.

use std::time::Duration;

use serde_json::Value;

use crate::raw::closest;
use crate::spec::{ReadyPolicy, StopPolicy, StopReach, StopWords, signal_names, signal_number};

use super::fields::Fields;
use super::probe;
use super::value::{Reading, duration, flag, whole};

const LISTEN_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn policy(fields: &mut Fields<'_>) -> StopPolicy {
    let usual = StopPolicy::default();
    StopPolicy {
        words: match fields.take("shutdown_with_message", flag) {
            Some(true) => StopWords::Message,
            Some(false) => StopWords::Signal,
            None => usual.words,
        },
        signal: fields.take("kill_signal", signal).unwrap_or(usual.signal),
        kill_timeout: fields
            .take("kill_timeout", duration)
            .unwrap_or(usual.kill_timeout),
        reach: match fields.take("treekill", flag) {
            Some(false) => StopReach::Leader,
            Some(true) => StopReach::Tree,
            None => usual.reach,
        },
    }
}

pub(super) fn ready(fields: &mut Fields<'_>) -> ReadyPolicy {
    ReadyPolicy {
        listen_timeout: fields
            .take("listen_timeout", duration)
            .unwrap_or(LISTEN_TIMEOUT),
        wait_ready: fields.take("wait_ready", flag).unwrap_or(false),
        probe: probe::readiness(fields),
    }
}

fn signal(value: &Value) -> Reading<i32> {
    if let Ok(number) = whole(value) {
        let known = i32::try_from(number)
            .ok()
            .filter(|number| (1..=64).contains(number));
        return known.ok_or_else(|| Some("signals are numbered from 1 to 64".to_owned()));
    }
    let name = value.as_str().ok_or(None)?.trim().to_ascii_uppercase();
    let full = if name.starts_with("SIG") {
        name
    } else {
        format!("SIG{name}")
    };
    signal_number(&full).ok_or_else(|| {
        let like = closest(&full, signal_names());
        like.map(|like| format!("did you mean {like:?}?"))
    })
}
