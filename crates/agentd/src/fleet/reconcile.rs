//! Meeting a keeper: what it knows of the runs, against what we know.
//!
//! Nothing that was sent to a keeper is taken for done: whatever a broken connection, a killed agent or a killed keeper
//! swallowed, the next greeting is compared with the whole fleet and the difference is asked for again.

use std::collections::{BTreeMap, BTreeSet};

use nix::libc;

use super::{By, Fleet, Report, RunKey, Task};
use crate::machine::{Left, State, Tick};

/// Why a run is there that the records do not know.
const UNWRITTEN: &str = "begun while the state could not be written";
/// What is known of the end of the one before it.
const UNWRITTEN_END: &str = "ended while the state could not be written";

/// What a keeper says when we meet.
#[derive(Clone, Debug, Default)]
pub struct Greeting {
    /// The boot it and we live in.
    pub boot_id: String,
    /// All its runs.
    pub runs: BTreeMap<RunKey, Known>,
}

/// What it knows of a run: the reports it would have sent, in their order.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Oldest first.
    pub reports: Vec<Report>,
}

/// What a run was told before a keeper was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    ToEnd,
}

impl Known {
    /// Whether the run is over.
    pub(crate) fn is_gone(&self) -> bool {
        self.reports.contains(&Report::Gone)
    }
}

impl Fleet {
    /// Runs that were asked for and that neither we nor the keeper have heard of since. One whose keeper was killed at
    /// that very moment may live all the same: the caller looks for its process and reports it before [`Fleet::reconcile`].
    #[must_use]
    pub fn unheard_of(&self, greeting: &Greeting) -> Vec<RunKey> {
        let waiting = self.slots().filter_map(|(key, _, slot)| {
            match (slot.machine.state(), &slot.identity) {
                (State::Spawning { .. }, None) => Some(key.run(slot.machine.run())),
                (
                    State::Spawning { .. }
                    | State::Stopped
                    | State::Launching { .. }
                    | State::Online { .. }
                    | State::Ending { .. }
                    | State::Waiting { .. }
                    | State::Errored,
                    _,
                ) => None,
            }
        });
        waiting
            .filter(|run| !greeting.runs.contains_key(run))
            .collect()
    }

    /// Brings the fleet and the keeper to one view. Returns the living runs that nothing here explains: they are
    /// left as they are, for a person to see.
    pub fn reconcile(&mut self, now: Tick, greeting: &Greeting) -> Vec<RunKey> {
        let met: Vec<(RunKey, Told)> = self
            .slots()
            .map(|(key, _, slot)| {
                let told = match slot.machine.state() {
                    State::Ending { .. } => Told::ToEnd,
                    State::Stopped
                    | State::Spawning { .. }
                    | State::Launching { .. }
                    | State::Online { .. }
                    | State::Waiting { .. }
                    | State::Errored => Told::Nothing,
                };
                (key.run(slot.machine.run()), told)
            })
            .collect();
        let strangers = self.hear_all(now, greeting);
        let known: BTreeSet<&RunKey> = greeting.runs.keys().collect();
        for (run, told) in met {
            // A run that came of what we just heard is asked for already.
            if self
                .slot(&run.slot)
                .is_some_and(|slot| slot.machine.run() == run.run)
            {
                self.reconcile_slot(now, &run, known.contains(&run), &greeting.boot_id);
                if told == Told::ToEnd {
                    self.repeat(&run);
                }
            }
        }
        self.proceed(now);
        strangers
    }

    fn hear_all(&mut self, now: Tick, greeting: &Greeting) -> Vec<RunKey> {
        self.take_unwritten(greeting);
        let mut strangers = Vec::new();
        for (key, known) in &greeting.runs {
            let current = self.slot(&key.slot).map(|slot| slot.machine.run());
            match current {
                Some(run) if run == key.run => {
                    for report in known.reports.clone() {
                        self.hear(now, key, report);
                    }
                }
                _ if known.is_gone() => self.changes.tasks.push(Task::Forget(key.clone())),
                // A life before the current one must be over; what is still there of it has no business here.
                Some(_) => self
                    .changes
                    .tasks
                    .push(Task::Signal(key.clone(), libc::SIGKILL)),
                None => strangers.push(key.clone()),
            }
        }
        strangers
    }

    /// Takes up the runs that an agent began when it could not write, and did not live to write later. What of them was
    /// wanted is lost with the writes: the wish that is on disk counts.
    fn take_unwritten(&mut self, greeting: &Greeting) {
        // The last of a slot's runs stays.
        let runs = greeting.runs.iter();
        let latest: BTreeMap<_, _> = runs.map(|(key, known)| (&key.slot, (key, known))).collect();
        for (key, known) in latest.into_values() {
            if self.is_unwritten(key, known, greeting) {
                self.lose_run(&key.slot, UNWRITTEN_END, &By::Unknown);
                self.explain(&key.slot, &By::Unknown, UNWRITTEN.to_owned());
                self.step(&key.slot, |machine| machine.take_run(key.run));
            }
        }
    }

    /// Whether it is newer than what is known, or lives where nothing does as far as is known: nothing is begun as long as
    /// another run lives, so that this one was not known when the current one was asked for.
    fn is_unwritten(&self, key: &RunKey, known: &Known, greeting: &Greeting) -> bool {
        let Some(slot) = self.slot(&key.slot) else {
            return false;
        };
        let current = key.slot.run(slot.machine.run());
        let is_unborn = matches!(slot.machine.state(), State::Spawning { .. })
            && slot.identity.is_none()
            && !greeting.runs.contains_key(&current);
        key.run > current.run || (!known.is_gone() && (is_unborn || slot.is_at_rest()))
    }

    fn reconcile_slot(&mut self, now: Tick, run: &RunKey, is_known: bool, boot_id: &str) {
        let key = &run.slot;
        let Some(slot) = self.slot(key) else { return };
        match (slot.machine.state(), &slot.identity) {
            (State::Spawning { .. }, None) if !is_known => {
                self.step(key, |machine| machine.respawn(now));
            }
            (
                State::Spawning { .. }
                | State::Launching { .. }
                | State::Online { .. }
                | State::Ending { .. },
                Some(identity),
            ) if !is_known && identity.boot_id == boot_id => {
                let task = Task::Adopt(run.clone(), identity.clone());
                self.changes.tasks.push(task);
            }
            (
                State::Spawning { .. }
                | State::Launching { .. }
                | State::Online { .. }
                | State::Ending { .. },
                _,
            ) if !is_known => self.lose(now, run),
            (
                State::Stopped
                | State::Spawning { .. }
                | State::Launching { .. }
                | State::Online { .. }
                | State::Ending { .. }
                | State::Waiting { .. }
                | State::Errored,
                _,
            ) => {}
        }
    }

    /// A signal that may have been swallowed is sent again, unless the run is over by what was just heard. One that came of
    /// what was just heard is not: many programs take a second one for a command to drop everything.
    fn repeat(&mut self, run: &RunKey) {
        if self
            .slot(&run.slot)
            .is_some_and(|slot| slot.machine.run() == run.run)
        {
            self.step(&run.slot, |machine| machine.repeat());
        }
    }

    /// The run is gone and nobody saw how.
    fn lose(&mut self, now: Tick, run: &RunKey) {
        let at_unix = std::time::Duration::ZERO;
        let how = super::How::Unknown;
        self.hear(
            now,
            run,
            Report::Exited {
                how,
                at: now,
                at_unix,
                left: Left::Nothing,
            },
        );
        self.hear(now, run, Report::Gone);
    }
}
