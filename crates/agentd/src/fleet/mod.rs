//! Many machines: what people ask of apps, in terms of instances. Pure, like the machine: a request or a report goes
//! in with the time; effects and dirty records are collected for the caller to carry out and to write.
//!
//! ```text
//!  Apply, Act ─▶ select ─▶ apply / act ─┐
//!  reports of the keeper ─▶ report ─────┼─▶ step one machine ─▶ Effect, dirty slot
//!  the keeper's greeting ─▶ reconcile ──┤
//!  deadline ─▶ wake ────────────────────┘      └▶ order: whose turn is it now? ─▶ step those
//! ```
//!
//! The caller writes the dirty records, flushed, **before** it carries the effects out: a run's number is on disk before
//! the run begins, a wish before the user hears of it.

mod act;
pub mod apply;
mod by;
mod cause;
pub mod event;
mod health;
mod key;
mod loss;
mod lull;
mod needs;
mod order;
pub mod plan;
mod reconcile;
mod report;
pub mod scale;
mod schedule;
pub mod select;
mod slot;
pub mod wait;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eco_config::spec::AppSpec;

use crate::environment::expected_port;
use crate::machine::{Effect, Machine, Run, State, Tick, Want};

pub use act::Verb;
pub use by::{Begun, By};
pub use cause::How;
pub(crate) use cause::span;
pub use health::{Answer, Board, Health, Sign, Verdict};
pub use key::{AppKey, RunKey, SlotKey};
pub use loss::Loss;
pub use lull::{Armed, Lull};
pub use needs::Tangle;
use order::Looks;
pub use order::Outside;
pub use reconcile::{Greeting, Known};
pub use report::Report;
pub use slot::{Exit, Fate, History, Identity, Slot};

/// What is asked of the world for one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Begin it.
    Spawn(RunKey),
    /// Ask it to end, as its app's policy says.
    End(RunKey),
    /// Send a signal to its processes.
    Signal(RunKey, i32),
    /// Its end is recorded: the keeper may forget it.
    Forget(RunKey),
    /// Take it over from an earlier keeper.
    Adopt(RunKey, Identity),
}

/// What a request did to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which.
    pub slot: SlotKey,
    /// Its number among all.
    pub id: u32,
    /// What was done.
    pub action: Action,
    /// The run that is waited for, or that ends; 0: none.
    pub run: Run,
    /// What is worth knowing, each a full sentence.
    pub notes: Vec<String>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// New, and started.
    Created,
    /// New, and left down.
    Registered,
    /// Was down, and started.
    Started,
    /// Was up, and replaced.
    Restarted,
    /// Was as asked.
    Unchanged,
    /// Was up, and told to end.
    Stopped,
    /// Is removed, as soon as nothing of it runs.
    Deleted,
    /// Is as it was, and counts from zero.
    Reset,
    /// New, and left down as the others of its app are.
    LeftDown,
}

/// An app and its slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// As last asked for.
    pub spec: Arc<AppSpec>,
    /// By instance number.
    pub slots: BTreeMap<u32, Slot>,
}

/// All apps of this host.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    apps: BTreeMap<AppKey, App>,
    /// The last run of every slot that ever was: a run's folder is never used twice.
    last_runs: BTreeMap<SlotKey, Run>,
    /// What was heard of things outside of eco, for the apps that wait for them.
    looks: Looks,
    changes: Changes,
}

/// What has happened since the last [`Fleet::take_changes`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// To be carried out, in this order.
    pub tasks: Vec<Task>,
    /// Apps whose specification is to be written, or removed where there is none any more.
    pub apps: BTreeSet<AppKey>,
    /// Slots to be written, or removed.
    pub slots: BTreeSet<SlotKey>,
    /// Slots that were removed, as they were in the end.
    pub gone: BTreeMap<SlotKey, Slot>,
}

impl Changes {
    /// Whether nothing needs to be written.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.apps.is_empty() && self.slots.is_empty()
    }
}

impl Fleet {
    /// A fleet as it was written.
    #[must_use]
    pub fn restore(apps: BTreeMap<AppKey, App>, last_runs: BTreeMap<SlotKey, Run>) -> Self {
        Self {
            apps,
            last_runs,
            looks: Looks::new(),
            changes: Changes::default(),
        }
    }

    /// Learns of runs that there have been, whether the records know of them or not: their folders are there, so that their
    /// numbers are not given again.
    pub fn pass_over(&mut self, runs: impl IntoIterator<Item = RunKey>) {
        for RunKey { slot: key, run } in runs {
            if let Some(slot) = self.slot_mut(&key) {
                slot.machine.pass_over(run);
            }
            let last = self.last_runs.entry(key).or_default();
            *last = run.max(*last);
        }
    }

    /// All apps.
    #[must_use]
    pub const fn apps(&self) -> &BTreeMap<AppKey, App> {
        &self.apps
    }

    /// One app.
    #[must_use]
    pub fn app(&self, key: &AppKey) -> Option<&App> {
        self.apps.get(key)
    }

    /// One slot.
    #[must_use]
    pub fn slot(&self, key: &SlotKey) -> Option<&Slot> {
        self.apps.get(&key.app)?.slots.get(&key.instance)
    }

    /// All slots, by app and instance.
    pub fn slots(&self) -> impl Iterator<Item = (SlotKey, &App, &Slot)> {
        self.each()
            .map(|(key, instance, app, slot)| (key.slot(instance), app, slot))
    }

    /// The same without a key of their own, for what looks at all of them at each input.
    fn each(&self) -> impl Iterator<Item = (&AppKey, u32, &App, &Slot)> {
        self.apps.iter().flat_map(|(key, app)| {
            let slots = app.slots.iter();
            slots.map(move |(instance, slot)| (key, *instance, app, slot))
        })
    }

    /// Whether no process of any app is left, and none will come by itself.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.each().all(|(.., slot)| match slot.machine.state() {
            State::Stopped | State::Errored => true,
            State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Ending { .. }
            | State::Waiting { .. } => false,
        })
    }

    /// When [`Fleet::wake`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        self.each()
            .filter_map(|(.., slot)| slot.machine.deadline())
            .min()
    }

    /// Does all that is due. The board says what was last heard of those whose time is up.
    pub fn wake(&mut self, now: Tick, board: &Board) {
        let due = |slot: &Slot| slot.machine.deadline().is_some_and(|due| due <= now);
        let keys: Vec<_> = self
            .each()
            .filter(|(.., slot)| due(slot))
            .map(|(app, instance, _, slot)| (app.slot(instance), slot.machine.state()))
            .collect();
        for (key, before) in keys {
            self.step(&key, |machine| machine.wake(now));
            if matches!(before, State::Launching { .. }) {
                self.tell_time_is_up(&key, board);
            }
        }
        self.proceed(now);
    }

    /// Hands out what has happened since the last call.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Forgets what was asked of a keeper that is no more.
    pub fn drop_tasks(&mut self) {
        self.changes.tasks.clear();
    }

    /// Lets one machine take an input, and collects what follows. Nothing happens to a slot that is not there.
    fn step(&mut self, key: &SlotKey, input: impl FnOnce(&mut Machine) -> Option<Effect>) {
        self.advance(key, input);
        self.remove_if_gone(key);
    }

    /// The same for a slot about which there is more to be said before it may go.
    fn advance(&mut self, key: &SlotKey, input: impl FnOnce(&mut Machine) -> Option<Effect>) {
        let Some(app) = self.apps.get_mut(&key.app) else {
            return;
        };
        let Some(slot) = app.slots.get_mut(&key.instance) else {
            return;
        };
        let before = slot.machine.clone();
        let effect = input(&mut slot.machine);
        if slot.machine != before {
            self.changes.slots.insert(key.clone());
        }
        if slot.machine.want() == Want::Up && before.want() != Want::Up {
            slot.begin_anew();
        }
        if slot.machine.run() != before.run() {
            let last = self.last_runs.entry(key.clone()).or_default();
            *last = slot.machine.run().max(*last);
            slot.identity = None;
            slot.begin();
            slot.tell_port(&app.spec, expected_port(&app.spec, key.instance));
        }
        match effect {
            Some(Effect::Spawn(run)) => self.changes.tasks.push(Task::Spawn(key.run(run))),
            Some(Effect::End(run)) => self.changes.tasks.push(Task::End(key.run(run))),
            Some(Effect::Signal(run, signal)) => {
                self.changes.tasks.push(Task::Signal(key.run(run), signal));
            }
            None => {}
        }
    }

    /// Removes a slot that is leaving and at rest, and its app with the last one.
    fn remove_if_gone(&mut self, key: &SlotKey) {
        let Some(app) = self.apps.get_mut(&key.app) else {
            return;
        };
        let Some(slot) = app.slots.get(&key.instance) else {
            return;
        };
        if slot.fate == Fate::Leaves && slot.machine.state() == State::Stopped {
            let slot = app.slots.remove(&key.instance);
            self.changes
                .gone
                .extend(slot.map(|slot| (key.clone(), slot)));
            self.changes.slots.insert(key.clone());
            if app.slots.is_empty() {
                self.apps.remove(&key.app);
                self.changes.apps.insert(key.app.clone());
            }
        }
    }

    fn slot_mut(&mut self, key: &SlotKey) -> Option<&mut Slot> {
        self.apps.get_mut(&key.app)?.slots.get_mut(&key.instance)
    }

    /// Says in other words why a slot is as it is.
    fn reword(&mut self, key: &SlotKey, cause: String) {
        if let Some(by) = self.slot(key).map(|slot| slot.by.clone()) {
            self.explain(key, &by, cause);
        }
    }

    /// Says why a slot is as it is, and whose doing that is.
    fn explain(&mut self, key: &SlotKey, by: &By, cause: String) {
        let Some(slot) = self.slot_mut(key) else {
            return;
        };
        if slot.cause != cause || slot.by != *by || slot.lull != Lull::None {
            slot.cause = cause;
            slot.lull = Lull::None;
            slot.by = by.clone();
            self.changes.slots.insert(key.clone());
        }
    }
}
