//! One slot of an app: its machine, and what is known about its runs.

use std::collections::VecDeque;
use std::time::Duration;

use super::How;
use crate::machine::{Machine, Run, State, Tick};

/// Ends that are remembered per slot.
const REMEMBERED: usize = 20;

/// One slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its number among all slots of this host.
    pub id: u32,
    /// Decides.
    pub machine: Machine,
    /// The process of the current run, once it was reported.
    pub identity: Option<Identity>,
    /// Whether it stays.
    pub fate: Fate,
    /// Why it is as it is: a fragment such as "stopped by a person".
    pub cause: String,
    /// The latest first.
    pub exits: VecDeque<Exit>,
    /// The end of the current run's first process, held until nothing of the run is left to drain.
    pub(super) ended: Option<HeldEnd>,
}

/// An end that is not acted upon yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldEnd {
    pub(super) how: How,
    /// When, since boot.
    pub(super) at: Tick,
    /// When, since 1970.
    pub(super) at_unix: Duration,
}

/// Since when an end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It was told for the first time.
    Now,
    /// It was told before.
    Already,
}

/// Whether a slot stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does.
    Stays,
    /// It is removed when nothing of it runs any more.
    Leaves,
}

/// Which process a run is; true only while all of it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its first process.
    pub pid: i32,
    /// Field 22 of its /proc/PID/stat.
    pub start_ticks: u64,
    /// The boot it belongs to.
    pub boot_id: String,
    /// When it was spawned, since boot.
    pub since: Tick,
    /// When it was spawned, since 1970.
    pub since_unix: Duration,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Which.
    pub run: Run,
    /// How.
    pub how: How,
    /// When, since 1970; zero where nobody knows.
    pub at_unix: Duration,
    /// How long it had lived.
    pub lived: Duration,
    /// Why, and what followed.
    pub cause: String,
}

impl Slot {
    /// A slot that never ran.
    #[must_use]
    pub fn new(id: u32, machine: Machine) -> Self {
        Self {
            id,
            machine,
            identity: None,
            fate: Fate::Stays,
            cause: "registered".to_owned(),
            exits: VecDeque::new(),
            ended: None,
        }
    }

    /// A slot as it was written.
    #[must_use]
    pub const fn restore(
        id: u32,
        machine: Machine,
        identity: Option<Identity>,
        fate: Fate,
        cause: String,
        exits: VecDeque<Exit>,
    ) -> Self {
        Self {
            id,
            machine,
            identity,
            fate,
            cause,
            exits,
            ended: None,
        }
    }

    /// Whether no run is there, and none was asked for.
    pub(super) const fn is_at_rest(&self) -> bool {
        match self.machine.state() {
            State::Stopped | State::Waiting { .. } | State::Errored => true,
            State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Ending { .. } => false,
        }
    }

    /// Remembers an end. What was said of it first counts: a greeting may tell it again, and know less.
    pub(super) fn remember(&mut self, exit: Exit) -> Known {
        if self.exits.front().is_some_and(|last| last.run == exit.run) {
            return Known::Already;
        }
        self.exits.push_front(exit);
        self.exits.truncate(REMEMBERED);
        Known::Now
    }
}
