//! Why an instance is as it is, in words.

use std::fmt;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::machine::{Ended, Machine, State, Tick, Want};

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

/// Tells what followed an end: compares the machine before and after.
pub(super) fn of_end(how: &How, before: &Machine, after: &Machine, now: Tick) -> String {
    let asked = match before.state() {
        State::Ending { ending, .. } => ending == crate::machine::Ending::Asked,
        State::Stopped
        | State::Spawning { .. }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Waiting { .. }
        | State::Errored => false,
    };
    match (after.state(), after.want()) {
        (State::Spawning { .. }, _) if asked => "restarted".to_owned(),
        (State::Spawning { .. }, _) => format!("{how}; restarted at once"),
        (State::Waiting { until }, _) => {
            format!(
                "{how}; next attempt after {}",
                span(until.saturating_sub(now))
            )
        }
        (State::Errored, _) => {
            format!(
                "{how}; given up after {} short lives in a row",
                after.strikes()
            )
        }
        (State::Stopped, Want::Held) => "put to rest by kill".to_owned(),
        (State::Stopped, Want::Up | Want::Down) if asked || before.want() != Want::Up => {
            "stopped by a person".to_owned()
        }
        (State::Stopped, Want::Up | Want::Down) => format!("{how}; that is an end"),
        (State::Launching { .. } | State::Online { .. } | State::Ending { .. }, _) => {
            format!("{how}; ending what it left")
        }
    }
}

fn span(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
