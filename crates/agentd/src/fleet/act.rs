//! What people ask of apps that are known: start, stop, restart, delete.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::is_up;
use super::needs::{Called, is_down};
use super::order::is_waiting;
use super::{Action, App, AppKey, By, Fate, Fleet, Outcome, RunKey, Slot, SlotKey, cause};
use crate::machine::{Command, Machine, Replace, State, Tick, Turn, Want};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Be up.
    Start(Turn),
    /// Be down.
    Stop,
    /// Be up in a new run.
    Restart(Turn),
    /// Be no more.
    Delete,
    /// Count restarts and failures from zero.
    Reset,
}

impl Fleet {
    /// Does what is asked to each of the slots, and starts what is down and needed for it.
    pub fn act(&mut self, now: Tick, by: &By, verb: Verb, slots: &[SlotKey]) -> Vec<Outcome> {
        let mut outcomes: Vec<_> = slots
            .iter()
            .filter_map(|slot| self.act_one(now, by, verb, slot))
            .collect();
        match verb {
            Verb::Start(Turn::InOrder) | Verb::Restart(Turn::InOrder) => {
                let beginning = self.beginning(&outcomes);
                let called = self.called(&BTreeMap::new(), beginning);
                outcomes.extend(self.start_called(now, by, &called));
            }
            Verb::Stop | Verb::Delete => self.note_dependants(verb, &mut outcomes),
            Verb::Start(Turn::AtOnce) | Verb::Restart(Turn::AtOnce) | Verb::Reset => {}
        }
        self.proceed(now);
        outcomes
    }

    fn act_one(&mut self, now: Tick, by: &By, verb: Verb, key: &SlotKey) -> Option<Outcome> {
        let slot = self.slot(key)?;
        let was_up = is_up(slot);
        let was_at_rest = slot.machine.state() == State::Stopped;
        let is_wanted_down = slot.machine.want() == Want::Down;
        // By the clock, unless somebody says no.
        let would_begin = self.is_scheduled(&key.app) && slot.heeds_schedule();
        let action = match verb {
            Verb::Start(Turn::InOrder) if was_up => Action::Unchanged,
            // What waits is not let wait any longer; what is there stays.
            Verb::Start(Turn::AtOnce) if was_up && slot.machine.pending().is_none() => {
                Action::Unchanged
            }
            Verb::Start(turn) => {
                let cause = format!("started by {by}");
                self.command(now, key, Command::Start(turn), by, cause);
                Action::Started
            }
            Verb::Restart(turn) => {
                let cause = format!("restarted by {by}");
                self.command(now, key, Command::Restart(turn), by, cause);
                if was_up && !was_at_rest {
                    Action::Restarted
                } else {
                    Action::Started
                }
            }
            Verb::Stop if was_at_rest && is_wanted_down && !would_begin => {
                self.disarm(key, by);
                Action::Unchanged
            }
            Verb::Stop => {
                self.command(now, key, Command::Stop, by, format!("stopped by {by}"));
                Action::Stopped
            }
            Verb::Delete => {
                let outcome = self.outcome(key, Action::Deleted);
                self.remove(now, key, by, format!("deleted by {by}"));
                return outcome;
            }
            Verb::Reset => {
                self.step(key, |machine| {
                    machine.reset();
                    None
                });
                Action::Reset
            }
        };
        self.outcome(key, action)
    }

    /// The apps that begin something by what was done, or wait to.
    pub(super) fn beginning(&self, outcomes: &[Outcome]) -> BTreeSet<AppKey> {
        let begins = |outcome: &&Outcome| match outcome.action {
            Action::Created | Action::Started | Action::Restarted => true,
            Action::Unchanged => self.app(&outcome.slot.app).is_some_and(is_waiting),
            Action::Registered
            | Action::LeftDown
            | Action::Stopped
            | Action::Deleted
            | Action::Reset => false,
        };
        let begun = outcomes.iter().filter(begins);
        begun.map(|outcome| outcome.slot.app.clone()).collect()
    }

    /// Starts apps that others need, and says for whom.
    pub(super) fn start_called(&mut self, now: Tick, by: &By, called: &Called) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (app, caller) in called {
            let down = |key: &SlotKey| self.slot(key).is_some_and(is_down);
            let slots: Vec<_> = self.slots_of(app).into_iter().filter(down).collect();
            for key in slots {
                let cause = format!("started by {by}, for {caller}");
                let start = Command::Start(Turn::InOrder);
                self.command(now, &key, start, by, cause);
                let outcome = self.outcome(&key, Action::Started);
                outcomes.extend(outcome.map(|outcome| outcome.noted(called_note(caller))));
            }
        }
        outcomes
    }

    /// Says of what was told to go which apps depend on it and stay.
    fn note_dependants(&self, verb: Verb, outcomes: &mut [Outcome]) {
        let mut told = BTreeSet::new();
        for outcome in outcomes {
            let app = &outcome.slot.app;
            let goes = matches!(outcome.action, Action::Stopped | Action::Deleted);
            if !goes || !told.insert(app.clone()) {
                continue;
            }
            let stays = |app: &App| app.slots.values().any(is_up);
            let notes = self
                .dependants(app)
                .filter(|(key, _)| *key != app)
                .filter_map(|(key, one)| match verb {
                    Verb::Delete if one.slots.values().any(|slot| slot.fate == Fate::Stays) => {
                        Some(format!(
                            "{key} depends on it, and cannot be started without it."
                        ))
                    }
                    Verb::Stop if stays(one) => Some(format!("{key} depends on it and stays up.")),
                    Verb::Start(_) | Verb::Stop | Verb::Restart(_) | Verb::Delete | Verb::Reset => {
                        None
                    }
                });
            outcome.notes.extend(notes);
        }
    }

    /// Replaces a run by another, or tries again where it was the last of too many, unless it is not the current one any
    /// more or not wanted. A change of files begins anew what ended by itself, too.
    pub fn replace_run(&mut self, now: Tick, key: &RunKey, by: &By, cause: String) {
        let is_wanted = |slot: &Slot| {
            let is_again = *by == By::Watch && slot.has_ended();
            slot.fate == Fate::Stays && (slot.machine.want() == Want::Up || is_again)
        };
        let is_meant = |slot: &Slot| {
            let is_there = slot.machine.run() == key.run && slot.machine.pending().is_none();
            is_there && is_wanted(slot)
        };
        let Some(slot) = self.slot(&key.slot).filter(|slot| is_meant(slot)) else {
            return;
        };
        // Who begins anew waits for what it needs, as at every beginning.
        let turn = if slot.has_ended() {
            Turn::InOrder
        } else {
            Turn::AtOnce
        };
        self.command(now, &key.slot, Command::Restart(turn), by, cause);
        self.proceed(now);
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
            Action::Unchanged | Action::Registered | Action::LeftDown | Action::Reset => 0,
            Action::Created | Action::Started | Action::Restarted => awaited(&slot.machine),
            Action::Stopped | Action::Deleted => slot.machine.run(),
        };
        Some(Outcome {
            slot: key.clone(),
            id: slot.id,
            action,
            run,
            notes: Vec::new(),
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

    pub(super) fn slots_of(&self, app: &AppKey) -> Vec<SlotKey> {
        let slots = self.app(app).into_iter().flat_map(|app| app.slots.keys());
        slots.map(|instance| app.slot(*instance)).collect()
    }
}

impl Outcome {
    pub(super) fn noted(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }
}

/// What is told of an app that is started for another.
pub(super) fn called_note(caller: &AppKey) -> String {
    format!("Started too: {caller} depends on it.")
}

/// The run that will be up when what was asked is done.
fn awaited(machine: &Machine) -> u64 {
    match machine.state() {
        State::Ending { .. }
        | State::Spawning {
            replace: Replace::Yes(_),
        } => machine.next_run(),
        State::Stopped if machine.want() == Want::Up => machine.next_run(),
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
