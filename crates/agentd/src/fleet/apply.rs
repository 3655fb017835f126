//! Making apps be as their specifications say.

use std::collections::BTreeMap;
use std::sync::Arc;

use eco_config::spec::AppSpec;

use super::health::ready_by;
use super::slot::Slot;
use super::{Action, App, AppKey, By, Fate, Fleet, Outcome, SlotKey};
use crate::machine::{Command, Machine, Policy, State, Tick, Want};

/// Why an app is down that nobody stopped.
const ONLY_REGISTERED: &str = "registered; autostart is off";

/// Whether apps that are up and unchanged are replaced all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// They are left alone.
    IfChanged,
    /// They are.
    Always,
}

/// How an instance of `spec` is to be treated.
#[must_use]
pub fn policy(spec: &AppSpec) -> Policy {
    Policy {
        restart: spec.restart.clone(),
        stop: spec.stop.clone(),
        ready: ready_by(spec),
    }
}

impl Fleet {
    /// Makes the apps be as specified, and up. Apps that are not named are not touched.
    pub fn apply(
        &mut self,
        now: Tick,
        by: &By,
        specs: Vec<AppSpec>,
        restart: Restart,
    ) -> Vec<Outcome> {
        specs
            .into_iter()
            .flat_map(|spec| self.apply_one(now, by, spec, restart))
            .collect()
    }

    fn apply_one(&mut self, now: Tick, by: &By, spec: AppSpec, restart: Restart) -> Vec<Outcome> {
        let key = AppKey::of(&spec);
        let policy = policy(&spec);
        let change = self.replace_spec(&key, spec, &policy);
        let Some(spec) = self.app(&key).map(|app| Arc::clone(&app.spec)) else {
            return Vec::new();
        };
        let mut outcomes = Vec::new();
        for instance in 0..spec.instances {
            let slot = key.slot(instance);
            let action = match (self.slot(&slot), change) {
                (None, _) => self.create(now, by, &slot, &spec, policy.clone()),
                (Some(slot_now), _) if !is_up(slot_now) => self.bring_up(now, by, &slot, &spec),
                (Some(_), Change::Other) => self.replace(
                    now,
                    by,
                    &slot,
                    format!("its specification was changed by {by}"),
                ),
                (Some(_), Change::None) => match restart {
                    Restart::Always => self.replace(now, by, &slot, format!("restarted by {by}")),
                    Restart::IfChanged => Action::Unchanged,
                },
            };
            outcomes.extend(self.outcome(&slot, action));
        }
        // An app goes with its last slot, so none goes before the others are there.
        outcomes.extend(self.shrink(now, by, &key, spec.instances));
        outcomes
    }

    /// Puts the specification in place, and says whether what runs is out of date.
    fn replace_spec(&mut self, key: &AppKey, spec: AppSpec, policy: &Policy) -> Change {
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
            slot.machine.set_policy(policy.clone());
            self.changes.slots.insert(key.slot(*instance));
        }
        change
    }

    /// Takes away the slots beyond `instances`.
    fn shrink(&mut self, now: Tick, by: &By, key: &AppKey, instances: u32) -> Vec<Outcome> {
        let beyond: Vec<_> = self
            .app(key)
            .into_iter()
            .flat_map(|app| {
                app.slots
                    .range(instances..)
                    .map(|(instance, _)| key.slot(*instance))
            })
            .collect();
        beyond
            .into_iter()
            .filter_map(|slot| {
                let outcome = self.outcome(&slot, Action::Deleted);
                let cause = format!("one instance less is asked for by {by}");
                self.remove(now, &slot, by, cause);
                outcome
            })
            .collect()
    }

    fn create(
        &mut self,
        now: Tick,
        by: &By,
        slot: &SlotKey,
        spec: &AppSpec,
        policy: Policy,
    ) -> Action {
        let id = self.next_id();
        let last_run = self.last_runs.get(slot).copied().unwrap_or(0);
        if let Some(app) = self.apps.get_mut(&slot.app) {
            app.slots
                .insert(slot.instance, Slot::new(id, Machine::new(policy, last_run)));
        }
        self.changes.slots.insert(slot.clone());
        if !spec.autostart {
            self.explain(slot, by, ONLY_REGISTERED.to_owned());
            return Action::Registered;
        }
        self.command(now, slot, Command::Start, by, format!("started by {by}"));
        Action::Created
    }

    /// Starts what is down, unless it was only registered and never asked for by name.
    fn bring_up(&mut self, now: Tick, by: &By, slot: &SlotKey, spec: &AppSpec) -> Action {
        let was = self.slot_mut(slot).map_or(Fate::Stays, |slot| {
            std::mem::replace(&mut slot.fate, Fate::Stays)
        });
        if !spec.autostart {
            return match was {
                Fate::Stays => Action::Unchanged,
                Fate::Leaves => {
                    self.explain(slot, by, ONLY_REGISTERED.to_owned());
                    Action::Registered
                }
            };
        }
        self.command(now, slot, Command::Start, by, format!("started by {by}"));
        Action::Started
    }

    fn replace(&mut self, now: Tick, by: &By, slot: &SlotKey, cause: String) -> Action {
        self.command(now, slot, Command::Restart, by, cause);
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

/// Whether an instance is up or on its way there, and stays.
pub(super) fn is_up(slot: &Slot) -> bool {
    let comes_up = match slot.machine.state() {
        State::Spawning { .. }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Ending { .. }
        | State::Waiting { .. } => true,
        State::Stopped | State::Errored => false,
    };
    comes_up && slot.machine.want() == Want::Up && slot.fate == Fate::Stays
}
