//! What people ask of apps that are known: start, stop, restart, delete; and of all of them: rest, rise.

use super::apply::is_up;
use super::{Action, By, Fate, Fleet, Outcome, RunKey, Slot, SlotKey, cause};
use crate::machine::{Command, Machine, Replace, State, Tick, Want};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Be up.
    Start,
    /// Be down.
    Stop,
    /// Be up in a new run.
    Restart,
    /// Be no more.
    Delete,
}

impl Fleet {
    /// Does what is asked to each of the slots.
    pub fn act(&mut self, now: Tick, by: &By, verb: Verb, slots: &[SlotKey]) -> Vec<Outcome> {
        slots
            .iter()
            .filter_map(|slot| self.act_one(now, by, verb, slot))
            .collect()
    }

    fn act_one(&mut self, now: Tick, by: &By, verb: Verb, key: &SlotKey) -> Option<Outcome> {
        let slot = self.slot(key)?;
        let (was_up, was_at_rest) = (is_up(slot), slot.machine.state() == State::Stopped);
        match verb {
            Verb::Start => {
                if was_up {
                    return self.outcome(key, Action::Unchanged);
                }
                self.command(now, key, Command::Start, by, format!("started by {by}"));
                self.outcome(key, Action::Started)
            }
            Verb::Restart => {
                self.command(now, key, Command::Restart, by, format!("restarted by {by}"));
                self.outcome(
                    key,
                    if was_up {
                        Action::Restarted
                    } else {
                        Action::Started
                    },
                )
            }
            Verb::Stop => {
                if was_at_rest && slot.machine.want() == Want::Down {
                    return self.outcome(key, Action::Unchanged);
                }
                self.command(now, key, Command::Stop, by, format!("stopped by {by}"));
                self.outcome(key, Action::Stopped)
            }
            Verb::Delete => {
                let outcome = self.outcome(key, Action::Deleted);
                self.remove(now, key, by, format!("deleted by {by}"));
                outcome
            }
        }
    }

    /// Replaces a run by another, or tries again where it was the last of too many, unless it is not the current one any
    /// more or not wanted.
    pub fn replace_run(&mut self, now: Tick, key: &RunKey, by: &By, cause: String) {
        let is_wanted = |slot: &Slot| slot.machine.want() == Want::Up && slot.fate == Fate::Stays;
        let is_meant = |slot: &Slot| slot.machine.run() == key.run && is_wanted(slot);
        if self.slot(&key.slot).is_some_and(is_meant) {
            self.explain(&key.slot, by, cause);
            self.step(&key.slot, |machine| machine.command(now, Command::Restart));
        }
    }

    /// Says of a run that was to be ended by words that it was ended by its signal.
    pub fn ended_without_words(&mut self, key: &RunKey) {
        let signal = self.app(&key.slot.app).map(|app| app.spec.stop.signal);
        let slot = self
            .slot(&key.slot)
            .filter(|slot| slot.machine.run() == key.run);
        if let (Some(signal), Some(slot)) = (signal, slot) {
            let cause = cause::without_words(&slot.cause, signal);
            self.reword(&key.slot, cause);
        }
    }

    /// Puts every app to rest; those that were wanted up are remembered.
    pub fn hold(&mut self, now: Tick, by: &By) {
        for key in self.keys() {
            self.step(&key, |machine| machine.command(now, Command::Hold));
            if self
                .slot(&key)
                .is_some_and(|slot| slot.machine.want() == Want::Held)
            {
                self.explain(&key, by, format!("put to rest by {by}"));
            }
        }
    }

    /// Brings up every app that was put to rest.
    pub fn resurrect(&mut self, now: Tick, by: &By) -> Vec<Outcome> {
        let held = |fleet: &Self, key: &SlotKey| {
            fleet
                .slot(key)
                .is_some_and(|slot| slot.machine.want() == Want::Held)
        };
        let mut outcomes = Vec::new();
        for key in self.keys() {
            let action = if held(self, &key) {
                let cause = format!("resurrected by {by}");
                self.command(now, &key, Command::Resurrect, by, cause);
                Action::Started
            } else {
                Action::Unchanged
            };
            outcomes.extend(self.outcome(&key, action));
        }
        outcomes
    }

    /// Ends a slot and removes it when nothing of it runs any more.
    pub(super) fn remove(&mut self, now: Tick, key: &SlotKey, by: &By, cause: String) {
        if let Some(slot) = self.slot_mut(key) {
            slot.fate = Fate::Leaves;
            self.changes.slots.insert(key.clone());
        }
        self.explain(key, by, cause);
        self.step(key, |machine| machine.command(now, Command::Stop));
    }

    /// What was done to a slot, as it stands after it.
    pub(super) fn outcome(&self, key: &SlotKey, action: Action) -> Option<Outcome> {
        let slot = self.slot(key)?;
        let run = match action {
            Action::Unchanged | Action::Registered => 0,
            Action::Created | Action::Started | Action::Restarted => awaited(&slot.machine),
            Action::Stopped | Action::Deleted => slot.machine.run(),
        };
        Some(Outcome {
            slot: key.clone(),
            id: slot.id,
            action,
            run,
        })
    }

    pub(super) fn command(
        &mut self,
        now: Tick,
        key: &SlotKey,
        command: Command,
        by: &By,
        cause: String,
    ) {
        if let Some(slot) = self.slot_mut(key) {
            slot.fate = Fate::Stays;
        }
        self.explain(key, by, cause);
        self.step(key, |machine| machine.command(now, command));
    }

    pub(super) fn keys(&self) -> Vec<SlotKey> {
        self.slots().map(|(key, _, _)| key).collect()
    }
}

/// The run that will be up when what was asked is done.
fn awaited(machine: &Machine) -> u64 {
    match machine.state() {
        State::Ending { .. }
        | State::Spawning {
            replace: Replace::Yes,
        } => machine.run() + 1,
        State::Stopped
        | State::Spawning {
            replace: Replace::No,
        }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Waiting { .. }
        | State::Errored => machine.run(),
    }
}
