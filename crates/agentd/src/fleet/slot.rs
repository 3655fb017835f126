//! One slot of an app: its machine, and what is known about its runs.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Begun, By, How, Lull, cause};
use crate::machine::{Machine, Run, State, Tick, Want};

/// Ends that are remembered per slot: enough for the short lives of an app that was given up (16 by default), and few
/// enough to be written with every change of the slot.
const REMEMBERED: usize = 20;

/// One slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its number among all slots of this host.
    pub id: u32,
    /// Decides.
    pub machine: Machine,
    /// The port of its own that the current run was told to listen on.
    pub port: Option<u16>,
    /// The process of the current run, once it was reported.
    pub identity: Option<Identity>,
    /// Whether it stays.
    pub fate: Fate,
    /// Why it is as it is: a fragment such as "stopped by ann".
    pub cause: String,
    /// Whose doing that is.
    pub by: By,
    /// What else is to be known of it while it is down.
    pub lull: Lull,
    /// Why the current run began; `None`: there is none, or an earlier version did not write it down.
    pub began: Option<Begun>,
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

/// What is told of a slot and its runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// See [`Slot::cause`].
    pub cause: String,
    /// See [`Slot::by`].
    pub by: By,
    /// See [`Slot::lull`].
    pub lull: Lull,
    /// See [`Slot::began`].
    pub began: Option<Begun>,
    /// See [`Slot::exits`].
    pub exits: VecDeque<Exit>,
}

/// A run that is over.
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
    /// Who ended it.
    pub by: By,
    /// Why it had begun; `None`: an earlier version did not write it down.
    pub began: Option<Begun>,
    /// Whether its work counts as done: it ended by itself with code 0, nothing was to follow, and nobody has asked for it
    /// again since.
    pub is_completion: bool,
}

impl Slot {
    /// A slot that never ran.
    #[must_use]
    pub fn new(id: u32, machine: Machine) -> Self {
        Self {
            id,
            machine,
            port: None,
            identity: None,
            fate: Fate::Stays,
            cause: "registered".to_owned(),
            by: By::Unknown,
            lull: Lull::None,
            began: None,
            exits: VecDeque::new(),
            ended: None,
        }
    }

    /// A slot as it was written.
    #[must_use]
    pub fn restore(
        id: u32,
        machine: Machine,
        identity: Option<Identity>,
        fate: Fate,
        history: History,
    ) -> Self {
        let History {
            cause,
            by,
            lull,
            began,
            exits,
        } = history;
        Self {
            id,
            machine,
            port: None,
            identity,
            fate,
            cause,
            by,
            lull,
            began,
            exits,
            ended: None,
        }
    }

    /// Notes why a run begins: for the reason that the slot is as it is.
    pub(super) fn begin(&mut self) {
        self.began = Some(Begun {
            cause: cause::once_up(&self.cause).unwrap_or_else(|| self.cause.clone()),
            by: self.by.clone(),
            at_unix: Duration::ZERO,
        });
    }

    /// Whether its last run ended by itself for good, and nobody has stopped it since.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let is_over = self.machine.state() == State::Stopped && self.machine.want() == Want::Down;
        let last = self.exits.front();
        is_over && self.by == By::Itself && last.is_some_and(|exit| exit.run == self.machine.run())
    }

    /// The first process of the living run; of one that is ending it may be gone.
    #[must_use]
    pub const fn pid(&self) -> Option<i32> {
        match self.machine.state() {
            State::Launching { pid, .. }
            | State::Online { pid, .. }
            | State::Ending { pid, .. } => Some(pid),
            State::Stopped | State::Spawning { .. } | State::Waiting { .. } | State::Errored => {
                None
            }
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

    /// It is asked for again: what it did before does not count any more.
    pub(super) fn begin_anew(&mut self) {
        if let Some(last) = self.exits.front_mut() {
            last.is_completion = false;
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
