//! Why an instance is as it is, in words.

use std::fmt;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::machine::{Ended, Ending, Machine, State, Tick, Want};

/// How a run ended, with all that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
    /// Nobody could be told.
    Unknown,
    /// It never began, for this reason.
    NotSpawned(String),
}

impl How {
    /// What the machine is told.
    #[must_use]
    pub const fn ended(&self) -> Ended {
        match self {
            Self::Code(code) => Ended::Code(*code),
            Self::Signal(signal) => Ended::Signal(*signal),
            Self::Unknown => Ended::Unknown,
            Self::NotSpawned(_) => Ended::NotSpawned,
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {number}"),
            },
            Self::Unknown => write!(f, "ended, nobody knows how"),
            Self::NotSpawned(why) => write!(f, "failed to {why}"),
        }
    }
}

/// What stands between an end and the wait for the next attempt.
const WAITS: &str = "; next attempt after ";

/// Tells what followed an end: compares the machine before and after. What a command did was said when it was given.
pub(super) fn of_end(
    how: &How,
    before: &Machine,
    after: &Machine,
    said: &str,
    now: Tick,
) -> String {
    if is_asked(before) {
        return said.to_owned();
    }
    // One that did not do as it should was told to end: that is why it ended, and its exit only tells how.
    let was_to_end = is_found_wanting(before);
    let how = if was_to_end {
        said.to_owned()
    } else {
        how.to_string()
    };
    match after.state() {
        State::Spawning { .. } => format!("{how}; restarted at once"),
        State::Waiting { until } => {
            format!("{how}{WAITS}{}", span(until.saturating_sub(now)))
        }
        State::Errored => match after.strikes() {
            1 => format!("{how}; given up after 1 short life"),
            strikes => format!("{how}; given up after {strikes} short lives in a row"),
        },
        State::Stopped => format!("{how}; that is an end"),
        State::Ending { .. } if was_to_end => how,
        State::Launching { .. } | State::Online { .. } | State::Ending { .. } => {
            format!("{how}; ending what it left")
        }
    }
}

/// Whether a run ended that nobody had told to.
pub(super) fn is_its_own(before: &Machine) -> bool {
    !is_asked(before) && !is_found_wanting(before)
}

/// Whether a run that ended was to end, so that whoever asked for it is the cause.
fn is_asked(before: &Machine) -> bool {
    let was_told = match before.state() {
        State::Ending { ending, .. } => ending == Ending::Asked,
        State::Stopped
        | State::Spawning { .. }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Waiting { .. }
        | State::Errored => false,
    };
    was_told || before.want() != Want::Up
}

/// Whether a run that ended was to end because it was not ready in time, or ill.
fn is_found_wanting(before: &Machine) -> bool {
    match before.state() {
        State::Ending { ending, .. } => match ending {
            Ending::Asked => false,
            Ending::ByItself { how, .. } => match how {
                Ended::NotReady | Ended::Ill => true,
                Ended::Code(_) | Ended::Signal(_) | Ended::Unknown | Ended::NotSpawned => false,
            },
        },
        State::Stopped
        | State::Spawning { .. }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Waiting { .. }
        | State::Errored => false,
    }
}

/// What `cause` becomes when the next attempt is made; `None`: it announces none.
pub(super) fn once_up(cause: &str) -> Option<String> {
    let (how, wait) = cause.rsplit_once(WAITS)?;
    Some(format!("{how}; restarted after {wait}"))
}

/// What a cause becomes when an app was to be ended by words and could only be sent its signal.
pub(super) fn without_words(said: &str, signal: i32) -> String {
    let signal =
        Signal::try_from(signal).map_or_else(|_| format!("signal {signal}"), |one| one.to_string());
    let remark = format!("; by {signal}, since it has no channel to be told over");
    if said.ends_with(&remark) {
        said.to_owned()
    } else {
        format!("{said}{remark}")
    }
}

/// A span of time as people read it.
pub(crate) fn span(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else if time.subsec_millis() == 0 {
        format!("{} s", time.as_secs())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
