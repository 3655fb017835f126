//! Making apps be as their specifications say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eco_config::spec::AppSpec;

use super::act::called_note;
use super::health::ready_by;
use super::needs::Called;
use super::order::is_completed;
use super::slot::Slot;
use super::{Action, App, AppKey, By, Fate, Fleet, Outcome, SlotKey};
use crate::machine::{Command, Machine, Policy, State, Tick, Turn, Want};

/// Why an app is down that nobody stopped.
pub(super) const ONLY_REGISTERED: &str = "registered; autostart is off";

/// What is done about apps that are unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// What is up, and what has completed, is left alone.
    Converge,
    /// What is up is left alone; what has completed runs again.
    IfChanged,
    /// All of it is replaced, or runs again.
    Always,
    /// All of it is left as it is, up or down.
    Never,
}

/// How an instance of `spec` is to be treated that was told to listen on `port`.
#[must_use]
pub fn policy(spec: &AppSpec, port: Option<u16>) -> Policy {
    Policy {
        kind: spec.kind,
        restart: spec.restart.clone(),
        stop: spec.stop.clone(),
        ready: ready_by(spec, port),
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Application {
    /// Apps as they are to be.
    pub specs: Vec<AppSpec>,
    /// Apps that the others may need: as they are to be where they are down or not known, else left as they are.
    pub needed: Vec<AppSpec>,
    /// What is done about those that are unchanged.
    pub restart: Restart,
    /// Whether what is started waits for what it needs, and brings it along.
    pub turn: Turn,
}

impl Application {
    /// Asks for apps to be as specified, and up; what is up and unchanged is left alone.
    #[must_use]
    pub const fn of(specs: Vec<AppSpec>) -> Self {
        Self {
            specs,
            needed: Vec::new(),
            restart: Restart::IfChanged,
            turn: Turn::InOrder,
        }
    }
}

/// One request's part in what is done to each app.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) now: Tick,
    pub(super) by: &'a By,
    pub(super) restart: Restart,
    pub(super) turn: Turn,
}

/// Whether an app that is down is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rise {
    Yes,
    /// It waits to be started by name, or by the clock.
    No,
    /// Its other instances were stopped, or put to rest, and so is it.
    WithOthers,
}

impl Fleet {
    /// Makes the apps be as specified, and up, with what is down and needed for it. Other apps are not touched.
    pub fn apply(&mut self, now: Tick, by: &By, application: Application) -> Vec<Outcome> {
        let Application {
            specs,
            needed,
            restart,
            turn,
        } = application;
        let called = match turn {
            Turn::InOrder => self.called_by(&specs, &needed, restart),
            Turn::AtOnce => Called::new(),
        };
        let asked = Asked {
            now,
            by,
            restart,
            turn,
        };
        let named: BTreeSet<_> = specs.iter().map(AppKey::of).collect();
        let mut outcomes = Vec::new();
        for spec in specs {
            let is_called = called.contains_key(&AppKey::of(&spec));
            let rise = if spec.autostart || is_called {
                Rise::Yes
            } else {
                Rise::No
            };
            outcomes.extend(self.apply_one(asked, spec, rise));
        }
        for spec in needed {
            let key = AppKey::of(&spec);
            if let Some(caller) = called.get(&key).filter(|_| !named.contains(&key)) {
                let mut done = self.apply_one(asked, spec, Rise::Yes);
                if let Some(first) = done.first_mut() {
                    first.notes.push(called_note(caller));
                }
                outcomes.extend(done);
            }
        }
        outcomes.extend(self.start_called(now, by, &called));
        self.proceed(now);
        outcomes
    }

    /// The apps that are down and needed by what the application begins.
    pub(super) fn called_by(
        &self,
        specs: &[AppSpec],
        needed: &[AppSpec],
        restart: Restart,
    ) -> Called {
        let all = specs.iter().chain(needed);
        let all = all.map(|spec| (AppKey::of(spec), spec)).collect();
        let begins = |spec: &&AppSpec| self.begins(spec, restart);
        let beginning = specs.iter().filter(begins).map(AppKey::of);
        self.called(&all, beginning)
    }

    /// Whether an instance begins, or waits to, when `spec` is applied.
    fn begins(&self, spec: &AppSpec, restart: Restart) -> bool {
        let Some(app) = self.app(&AppKey::of(spec)) else {
            return spec.autostart;
        };
        let change = compare(&app.spec, spec);
        let is_replaced = restart == Restart::Always || change == Change::Other;
        (0..spec.instances).any(|instance| match app.slots.get(&instance) {
            None => spec.autostart,
            Some(slot) if !is_up(slot) => spec.autostart && !is_as_asked(slot, change, restart),
            Some(slot) => is_replaced || slot.machine.pending().is_some(),
        })
    }

    fn apply_one(&mut self, asked: Asked<'_>, spec: AppSpec, rise: Rise) -> Vec<Outcome> {
        let instances = (0..spec.instances).collect();
        self.fit(asked, spec, rise, &instances)
    }

    /// Makes an app be as specified, with these instances and no others.
    pub(super) fn fit(
        &mut self,
        asked: Asked<'_>,
        spec: AppSpec,
        rise: Rise,
        instances: &BTreeSet<u32>,
    ) -> Vec<Outcome> {
        let key = AppKey::of(&spec);
        let change = self.replace_spec(&key, spec);
        let Some(spec) = self.app(&key).map(|app| Arc::clone(&app.spec)) else {
            return Vec::new();
        };
        let by = asked.by;
        let mut outcomes = Vec::new();
        for instance in instances {
            let slot = key.slot(*instance);
            let action = match (self.slot(&slot), change) {
                (None, _) => self.create(asked, &slot, &policy(&spec, None), rise),
                (Some(slot_now), _) if is_as_asked(slot_now, change, asked.restart) => {
                    self.leave(asked, &slot)
                }
                (Some(slot_now), _) if !is_up(slot_now) => self.bring_up(asked, &slot, rise),
                (Some(_), Change::Other) => {
                    let cause = format!("its specification was changed by {by}");
                    self.replace(asked, &slot, cause)
                }
                (Some(_), Change::None) => match asked.restart {
                    Restart::Always => self.replace(asked, &slot, format!("restarted by {by}")),
                    Restart::Converge | Restart::IfChanged | Restart::Never => Action::Unchanged,
                },
            };
            outcomes.extend(self.outcome(&slot, action));
        }
        // An app goes with its last slot, so none goes before the others are there.
        outcomes.extend(self.shrink(asked.now, by, &key, instances));
        outcomes
    }

    /// Puts the specification in place, and says whether what runs is out of date.
    fn replace_spec(&mut self, key: &AppKey, spec: AppSpec) -> Change {
        let spec = Arc::new(spec);
        self.changes.apps.insert(key.clone());
        let Some(app) = self.apps.get_mut(key) else {
            let slots = BTreeMap::new();
            self.apps.insert(key.clone(), App { spec, slots });
            return Change::None;
        };
        let change = compare(&app.spec, &spec);
        app.spec = spec;
        for (instance, slot) in &mut app.slots {
            slot.machine.set_policy(policy(&app.spec, slot.port));
            self.changes.slots.insert(key.slot(*instance));
        }
        change
    }

    /// Takes away the slots other than `instances`.
    fn shrink(
        &mut self,
        now: Tick,
        by: &By,
        key: &AppKey,
        instances: &BTreeSet<u32>,
    ) -> Vec<Outcome> {
        let slots = self.slots_of(key).into_iter();
        let others: Vec<_> = slots
            .filter(|slot| !instances.contains(&slot.instance))
            .collect();
        others
            .into_iter()
            .filter_map(|slot| {
                let outcome = self.outcome(&slot, Action::Deleted);
                let cause = format!("one instance less is asked for by {by}");
                self.remove(now, &slot, by, cause);
                outcome
            })
            .collect()
    }

    fn create(&mut self, asked: Asked<'_>, slot: &SlotKey, policy: &Policy, rise: Rise) -> Action {
        self.register(slot, policy);
        match rise {
            Rise::No => {
                self.leave_registered(slot, asked.by);
                Action::Registered
            }
            Rise::WithOthers => self.join(asked, slot),
            Rise::Yes => {
                self.start(asked, slot);
                Action::Created
            }
        }
    }

    /// Leaves a slot down as the others of its app are, and puts it to rest with those that were.
    fn join(&mut self, asked: Asked<'_>, slot: &SlotKey) -> Action {
        let cause = format!("added by {}; its app is stopped", asked.by);
        self.explain(slot, asked.by, cause);
        self.rest_with_others(asked.now, slot);
        Action::LeftDown
    }

    /// Makes a slot that is down.
    pub(super) fn register(&mut self, slot: &SlotKey, policy: &Policy) {
        let id = self.next_id();
        let last_run = self.last_runs.get(slot).copied().unwrap_or(0);
        let machine = Machine::new(policy.clone(), last_run);
        if let Some(app) = self.apps.get_mut(&slot.app) {
            app.slots.insert(slot.instance, Slot::new(id, machine));
        }
        self.changes.slots.insert(slot.clone());
    }

    /// Starts what is down, unless it was only registered and never asked for by name.
    fn bring_up(&mut self, asked: Asked<'_>, slot: &SlotKey, rise: Rise) -> Action {
        let was = self.slot_mut(slot).map_or(Fate::Stays, |slot| {
            std::mem::replace(&mut slot.fate, Fate::Stays)
        });
        match (rise, was) {
            (Rise::Yes, _) => {
                self.start(asked, slot);
                Action::Started
            }
            (Rise::WithOthers, _) => self.join(asked, slot),
            (Rise::No, Fate::Stays) if self.arm(slot, asked.by) => Action::Registered,
            (Rise::No, Fate::Stays) => Action::Unchanged,
            (Rise::No, Fate::Leaves) => {
                self.leave_registered(slot, asked.by);
                Action::Registered
            }
        }
    }

    /// Leaves a slot down; what was put to rest with its work done may begin by itself again.
    fn leave(&mut self, asked: Asked<'_>, slot: &SlotKey) -> Action {
        match asked.restart {
            Restart::Converge | Restart::IfChanged | Restart::Always => {
                self.arm(slot, asked.by);
            }
            Restart::Never => {}
        }
        Action::Unchanged
    }

    fn start(&mut self, asked: Asked<'_>, slot: &SlotKey) {
        let start = Command::Start(asked.turn);
        let cause = format!("started by {}", asked.by);
        self.command(asked.now, slot, start, asked.by, cause);
    }

    fn replace(&mut self, asked: Asked<'_>, slot: &SlotKey, cause: String) -> Action {
        let restart = Command::Restart(asked.turn);
        self.command(asked.now, slot, restart, asked.by, cause);
        Action::Restarted
    }

    /// The least number that no slot has or had since the highest one came.
    fn next_id(&self) -> u32 {
        self.slots()
            .map(|(_, _, slot)| slot.id + 1)
            .max()
            .unwrap_or(0)
    }
}

/// Compares what runs with what is asked for. A different number of slots alone makes no slot out of date.
pub(super) fn compare(before: &AppSpec, after: &AppSpec) -> Change {
    let counted_alike = AppSpec {
        instances: after.instances,
        ..before.clone()
    };
    if counted_alike.is_same(after) {
        Change::None
    } else {
        Change::Other
    }
}

/// What a new specification means for the runs of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// They are what it asks for.
    None,
    /// They are out of date.
    Other,
}

/// Whether a slot that is down is as it was asked for: its work is done, or nobody asks for more.
pub(super) fn is_as_asked(slot: &Slot, change: Change, restart: Restart) -> bool {
    match (restart, change) {
        (Restart::Converge, Change::None) => is_completed(slot) && slot.fate == Fate::Stays,
        (Restart::Never, _) => slot.fate == Fate::Stays,
        (Restart::Converge, Change::Other) | (Restart::IfChanged | Restart::Always, _) => false,
    }
}

/// Whether an instance is up or on its way there, and stays.
pub(super) fn is_up(slot: &Slot) -> bool {
    let comes_up = match slot.machine.state() {
        State::Spawning { .. }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Ending { .. }
        | State::Waiting { .. } => true,
        State::Stopped => slot.machine.pending().is_some(),
        State::Errored => false,
    };
    comes_up && slot.machine.want() == Want::Up && slot.fate == Fate::Stays
}
