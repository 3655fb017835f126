//! Why an instance is as it is, in words.

use std::fmt;
use std::time::Duration;

use eco_config::spec::{Kind, RestartWhen};
use nix::libc;
use nix::sys::signal::Signal;

use super::Exit;
use crate::limits;
use crate::machine::{Ended, Ending, Machine, Policy, State, Tick, Want};

/// How a run ended, with all that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
    /// It ended so after the kernel had ended a process of it, itself or another, for want of memory.
    OutOfMemory {
        /// How its first process ended.
        how: Box<How>,
        /// Bytes that the run might hold; `None`: the whole host was short.
        limit: Option<u64>,
    },
    /// Nobody could be told.
    Unknown,
    /// It never began, for this reason.
    NotSpawned(String),
}

impl How {
    /// What the machine is told.
    #[must_use]
    pub fn ended(&self) -> Ended {
        match self {
            Self::Code(code) => Ended::Code(*code),
            Self::Signal(signal) => Ended::Signal(*signal),
            Self::OutOfMemory { how, .. } => how.ended(),
            Self::Unknown => Ended::Unknown,
            Self::NotSpawned(_) => Ended::NotSpawned,
        }
    }
}

impl How {
    /// The exit code, if it exited with one.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        match self.ended() {
            Ended::Code(code) => Some(code),
            Ended::Signal(_)
            | Ended::Unknown
            | Ended::NotSpawned
            | Ended::NotReady
            | Ended::Ill => None,
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
            Self::OutOfMemory { how, limit } => out_of_memory(f, how, *limit),
            Self::Unknown => write!(f, "ended, nobody knows how"),
            Self::NotSpawned(why) => write!(f, "failed to {why}"),
        }
    }
}

fn out_of_memory(f: &mut fmt::Formatter<'_>, how: &How, limit: Option<u64>) -> fmt::Result {
    let short = limit.map_or_else(
        || "the host was out of memory".to_owned(),
        |limit| format!("out of memory: limit {}", limits::size(limit)),
    );
    // Anything else is what its first process made of another one's end.
    if *how == How::Signal(libc::SIGKILL) {
        write!(f, "{how} ({short})")
    } else {
        write!(f, "{how}, after a process of it was killed ({short})")
    }
}

/// What stands between an end and the wait for the next attempt.
const WAITS: &str = "; next attempt after ";

/// Tells what followed an end: compares the machine before and after. What a command did was said when it was given.
pub(super) fn of_end(
    exit: &Exit,
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
        exit.how.to_string()
    };
    match after.state() {
        State::Spawning { .. } => format!("{how}; restarted at once"),
        State::Waiting { until } => {
            format!("{how}{WAITS}{}", span(until.saturating_sub(now)))
        }
        State::Errored => match after.strikes() {
            0 => format!("failed ({how} after {})", span(exit.lived)),
            1 => format!("{how}; given up after 1 short life"),
            strikes => format!("{how}; given up after {strikes} short lives in a row"),
        },
        State::Stopped => over(exit, after.policy(), &how),
        State::Ending { .. } if was_to_end => how,
        State::Launching { .. } | State::Online { .. } | State::Ending { .. } => {
            format!("{how}; ending what it left")
        }
    }
}

/// Says why nothing follows an end.
fn over(exit: &Exit, policy: &Policy, how: &str) -> String {
    let is_named = |code| policy.restart.stop_exit_codes.contains(code);
    match (exit.how.code(), policy.kind, policy.restart.when) {
        (Some(0), Kind::Oneshot, _) => format!("completed ({how} after {})", span(exit.lived)),
        (Some(code), _, _) if is_named(&code) => format!("{how}; that is an end"),
        (_, _, RestartWhen::Never) => format!("{how}; autorestart is off"),
        (_, _, RestartWhen::Always | RestartWhen::OnFailure) => format!("{how}; that is an end"),
    }
}

/// Whether a run ended that nobody had told to.
pub(super) fn is_its_own(before: &Machine) -> bool {
    !is_asked(before) && !is_found_wanting(before)
}

/// Whether an end means that the work is done: nobody had told it to end, it says that all is well, and nothing follows.
pub(super) fn is_completion(how: &How, before: &Machine, after: &Machine) -> bool {
    let is_over = after.state() == State::Stopped && after.want() == Want::Down;
    is_over && is_its_own(before) && how.code() == Some(0)
}

/// Whether a run that ended was to end, so that whoever asked for it is the cause.
fn is_asked(before: &Machine) -> bool {
    let was_told = match before.state() {
        State::Ending { ending, .. } => matches!(ending, Ending::Asked(_)),
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
            Ending::Asked(_) => false,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn want_of_memory_is_a_cause_and_what_the_app_made_of_it_another() {
        let ended = |how, limit| How::OutOfMemory {
            how: Box::new(how),
            limit,
        };
        let killed = ended(How::Signal(9), Some(512 << 20));
        assert_eq!(
            killed.to_string(),
            "killed by SIGKILL (out of memory: limit 512M)"
        );
        let child = ended(How::Code(1), None);
        assert_eq!(
            child.to_string(),
            "exited with code 1, after a process of it was killed (the host was out of memory)"
        );
    }
}
