//! Everything is put to rest, and brought back as it was.
//!
//! ```text
//!                                              hold                        resurrect
//!  wanted up ────────────────────────────────▶ held ─────────────────────▶ wanted up
//!  ended by itself, and its schedule or ─────▶ rested, nothing begins it ▶ may begin again, as before
//!  files may begin it; or only registered
//!  stopped by somebody ──────────────────────▶ as it is ─────────────────▶ as it is
//! ```

use super::apply::ONLY_REGISTERED;
use super::{Action, By, Fleet, Outcome, Slot, SlotKey};
use crate::machine::{Command, Tick, Turn, Want};

/// What is to be known of a slot that is down, besides whose doing that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lull {
    /// Nothing: it is up, or was stopped, or ended by itself.
    #[default]
    None,
    /// It was only registered: it waits to be started by name, or by the clock.
    Registered,
    /// It was to begin by the clock, or by a change of its files, when everything was put to rest.
    Rested(Armed),
}

/// Why an instance was down that the clock, or a change of its files, might begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Armed {
    /// It had ended by itself.
    Ended,
    /// It was only registered.
    Registered,
}

impl Lull {
    /// What an earlier version told by the cause alone.
    #[must_use]
    pub fn of_cause(cause: &str) -> Self {
        if cause == ONLY_REGISTERED {
            Self::Registered
        } else {
            Self::None
        }
    }
}

impl Slot {
    /// Whether the clock, or a change of its files, was to begin it when everything was put to rest.
    #[must_use]
    pub(super) const fn rested(&self) -> Option<Armed> {
        match self.lull {
            Lull::Rested(armed) => Some(armed),
            Lull::None | Lull::Registered => None,
        }
    }
}

impl Fleet {
    /// Puts every app to rest; those that were wanted up are remembered, and those that might have begun by themselves.
    pub fn hold(&mut self, now: Tick, by: &By) {
        for key in self.keys() {
            self.step(&key, |machine| machine.command(now, Command::Hold));
            if self.is_held(&key) {
                self.explain(&key, by, format!("put to rest by {by}"));
            } else if let Some(armed) = self.armed(&key) {
                self.rest(&key, by, armed);
            }
        }
        self.proceed(now);
    }

    /// Brings up every app that was put to rest; what might have begun by itself may do so again.
    pub fn resurrect(&mut self, now: Tick, by: &By) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for key in self.keys() {
            let outcome = if self.is_held(&key) {
                let cause = format!("resurrected by {by}");
                self.command(now, &key, Command::Resurrect, by, cause);
                self.outcome(&key, Action::Started)
            } else if self.arm(&key, by) {
                let outcome = self.outcome(&key, Action::Unchanged);
                outcome.map(|outcome| outcome.noted("It may begin by itself again.".to_owned()))
            } else {
                self.outcome(&key, Action::Unchanged)
            };
            outcomes.extend(outcome);
        }
        self.proceed(now);
        outcomes
    }

    /// What rested may begin again as before; tells whether it did rest.
    pub(super) fn arm(&mut self, key: &SlotKey, by: &By) -> bool {
        let Some(slot) = self.slot(key) else {
            return false;
        };
        match slot.rested() {
            None => return false,
            Some(Armed::Registered) => self.leave_registered(key, by),
            Some(Armed::Ended) => {
                let last = slot.exits.front();
                let last = last.filter(|exit| exit.run == slot.machine.run());
                let cause = last.map_or(&slot.cause, |exit| &exit.cause).clone();
                self.explain(key, &By::Itself, cause);
            }
        }
        true
    }

    /// Says of a slot that it is only registered.
    pub(super) fn leave_registered(&mut self, key: &SlotKey, by: &By) {
        self.explain(key, by, ONLY_REGISTERED.to_owned());
        self.mark(key, Lull::Registered);
    }

    /// Nothing begins the slot any more until it is resurrected, or somebody starts it.
    fn rest(&mut self, key: &SlotKey, by: &By, armed: Armed) {
        if let Some(cause) = self.slot(key).map(|slot| slot.cause.clone()) {
            self.explain(key, by, format!("{cause}; put to rest by {by}"));
            self.mark(key, Lull::Rested(armed));
        }
    }

    /// Nothing begins the slot any more until somebody starts it.
    pub(super) fn disarm(&mut self, key: &SlotKey, by: &By) {
        let is_armed = self.armed(key).is_some();
        let slot = self.slot(key);
        let ended = slot.filter(|slot| is_armed || slot.rested().is_some());
        if let Some(cause) = ended.map(|slot| format!("{}; stopped by {by}", slot.cause)) {
            self.explain(key, by, cause);
        }
    }

    /// Leaves a slot that comes to others that are at rest at rest as they are: it comes up with them.
    pub(super) fn rest_with_others(&mut self, now: Tick, key: &SlotKey) {
        let slots = || {
            self.app(&key.app)
                .into_iter()
                .flat_map(|app| app.slots.values())
        };
        let rests = |with: Armed| slots().any(|one| one.rested() == Some(with));
        let is_held = slots().any(|one| one.machine.want() == Want::Held);
        // Had they not been put to rest, it would be up with those that had ended.
        if is_held || rests(Armed::Ended) {
            // Only what is wanted up can be held.
            for command in [Command::Start(Turn::InOrder), Command::Hold] {
                self.step(key, |machine| machine.command(now, command));
            }
        } else if rests(Armed::Registered) {
            self.mark(key, Lull::Rested(Armed::Registered));
        }
    }

    fn is_held(&self, key: &SlotKey) -> bool {
        self.slot(key)
            .is_some_and(|slot| slot.machine.want() == Want::Held)
    }

    /// Why a slot is down that the clock, or a change of its files, may begin.
    fn armed(&self, key: &SlotKey) -> Option<Armed> {
        let spec = &self.app(&key.app)?.spec;
        let slot = self.slot(key)?;
        let by_clock =
            spec.schedule.is_some() && slot.machine.want() == Want::Down && slot.heeds_schedule();
        let by_change = spec.watch.is_some() && slot.has_ended();
        if !by_clock && !by_change {
            return None;
        }
        match slot.lull {
            Lull::None => Some(Armed::Ended),
            Lull::Registered => Some(Armed::Registered),
            Lull::Rested(_) => None,
        }
    }

    fn mark(&mut self, key: &SlotKey, lull: Lull) {
        if let Some(slot) = self.slot_mut(key) {
            slot.lull = lull;
            self.changes.slots.insert(key.clone());
        }
    }
}
