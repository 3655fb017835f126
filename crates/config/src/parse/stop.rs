//! How an app is ended, and when it counts as up.

use std::time::Duration;

use serde_json::Value;

use crate::raw::closest;
use crate::spec::{ReadyPolicy, StopPolicy, StopReach, StopWords};

use super::fields::Fields;
use super::probe;
use super::value::{Reading, duration, flag, whole};

const KILL_TIMEOUT: Duration = Duration::from_millis(1600);
const LISTEN_TIMEOUT: Duration = Duration::from_secs(3);
const SIGINT: i32 = 2;

/// The signals of Linux that end a program or talk to it, by name. Those a process cannot be asked to leave by, such as
/// SIGSTOP, are not among them.
const SIGNALS: [(&str, i32); 13] = [
    ("SIGHUP", 1),
    ("SIGINT", SIGINT),
    ("SIGQUIT", 3),
    ("SIGABRT", 6),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGWINCH", 28),
];

pub(super) fn policy(fields: &mut Fields<'_>) -> StopPolicy {
    StopPolicy {
        words: match fields.take("shutdown_with_message", flag) {
            Some(true) => StopWords::Message,
            Some(false) | None => StopWords::Signal,
        },
        signal: fields.take("kill_signal", signal).unwrap_or(SIGINT),
        kill_timeout: fields
            .take("kill_timeout", duration)
            .unwrap_or(KILL_TIMEOUT),
        reach: match fields.take("treekill", flag) {
            Some(false) => StopReach::Leader,
            Some(true) | None => StopReach::Tree,
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
    let known = SIGNALS.iter().find(|(name, _)| *name == full);
    known.map(|(_, number)| *number).ok_or_else(|| {
        let like = closest(&full, SIGNALS.iter().map(|(name, _)| *name));
        like.map(|like| format!("did you mean {like:?}?"))
    })
}
