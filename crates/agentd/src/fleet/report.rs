//! What the keeper says of a run.

use std::time::Duration;

use super::slot::{HeldEnd, Known};
use super::{By, Exit, Fleet, How, Identity, RunKey, Sign, Task, cause};
use crate::machine::{Fact, Left, Machine, Tick};

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It lives.
    Spawned(Identity),
    /// It could not be begun.
    SpawnFailed {
        /// What was tried, and why it failed: a fragment that fits after "failed to".
        why: String,
        /// When, since 1970.
        at_unix: Duration,
    },
    /// It shows that it is ready.
    Ready(Sign),
    /// Its first process ended.
    Exited {
        /// How.
        how: How,
        /// When, since boot.
        at: Tick,
        /// When, since 1970.
        at_unix: Duration,
        /// Whether processes of it are left.
        left: Left,
    },
    /// Nothing of it is left, and all it wrote is kept.
    Gone,
}

impl Fleet {
    /// Takes a report about a run.
    pub fn report(&mut self, now: Tick, key: &RunKey, report: Report) {
        self.hear(now, key, report);
        self.proceed(now);
    }

    /// The same, before it is looked at what follows for others.
    pub(super) fn hear(&mut self, now: Tick, key: &RunKey, report: Report) {
        let is_current = self
            .slot(&key.slot)
            .is_some_and(|slot| slot.machine.run() == key.run);
        match report {
            Report::Spawned(identity) if is_current => self.spawned(now, key, identity),
            Report::SpawnFailed { why, at_unix } if is_current => {
                let how = How::NotSpawned(why);
                self.end(now, key, &how, (Duration::ZERO, at_unix), Fact::SpawnFailed);
            }
            Report::Ready(sign) if is_current => self.ready(now, key, sign),
            Report::Exited {
                how,
                at,
                at_unix,
                left,
            } if is_current => {
                self.exited(now, key, how, (at, at_unix), left);
            }
            Report::Gone => self.gone(now, key, is_current),
            // Of a run that is history: only its end, which frees the keeper's entry, matters.
            Report::Spawned(_)
            | Report::SpawnFailed { .. }
            | Report::Ready(_)
            | Report::Exited { .. } => {}
        }
    }

    /// Told again of a run that is over, as by a greeting, it means nothing any more.
    fn spawned(&mut self, now: Tick, key: &RunKey, identity: Identity) {
        let fact = Fact::Spawned {
            pid: identity.pid,
            at: identity.since,
        };
        if let Some(slot) = self.slot_mut(&key.slot)
            && !slot.is_at_rest()
        {
            if let Some(cause) = cause::once_up(&slot.cause) {
                slot.cause = cause;
            }
            if let Some(began) = &mut slot.began {
                began.at_unix = identity.since_unix;
            }
            slot.identity = Some(identity);
            self.changes.slots.insert(key.slot.clone());
        }
        self.step(&key.slot, |machine| machine.fact(now, key.run, fact));
    }

    /// The end is recorded at once where processes are left, since the machine has to end them; else when all output is
    /// kept, so that who waits for the end finds the last lines.
    fn exited(&mut self, now: Tick, key: &RunKey, how: How, at: (Tick, Duration), left: Left) {
        match left {
            Left::Nothing => {
                // The first word counts: a keeper that adopts a run that is over cannot know how it ended.
                if let Some(slot) = self.slot_mut(&key.slot) {
                    slot.ended.get_or_insert(HeldEnd {
                        how,
                        at: at.0,
                        at_unix: at.1,
                    });
                }
            }
            Left::Processes => {
                let fact = Fact::Ended {
                    how: how.ended(),
                    at: at.0,
                    left,
                };
                let lived = self.lived(key, at.0);
                self.end(now, key, &how, (lived, at.1), fact);
            }
        }
    }

    fn gone(&mut self, now: Tick, key: &RunKey, is_current: bool) {
        self.changes.tasks.push(Task::Forget(key.clone()));
        if !is_current {
            return;
        }
        let Some(slot) = self.slot_mut(&key.slot) else {
            return;
        };
        if let Some(HeldEnd { how, at, at_unix }) = slot.ended.take() {
            let fact = Fact::Ended {
                how: how.ended(),
                at,
                left: Left::Nothing,
            };
            let lived = self.lived(key, at);
            self.end(now, key, &how, (lived, at_unix), fact);
        } else {
            let before = slot.machine.clone();
            self.step(&key.slot, |machine| machine.fact(now, key.run, Fact::Gone));
            self.conclude(now, key, &before);
        }
    }

    fn lived(&self, key: &RunKey, at: Tick) -> Duration {
        let identity = self.slot(&key.slot).and_then(|slot| slot.identity.as_ref());
        identity.map_or(Duration::ZERO, |identity| at.saturating_sub(identity.since))
    }

    /// Lets the machine take an end, and remembers it with what followed. `times`: how long it lived, when it ended.
    fn end(&mut self, now: Tick, key: &RunKey, how: &How, times: (Duration, Duration), fact: Fact) {
        let Some(slot) = self.slot(&key.slot) else {
            return;
        };
        let (before, began) = (slot.machine.clone(), slot.began.clone());
        self.advance(&key.slot, |machine| machine.fact(now, key.run, fact));
        let Some(slot) = self.slot_mut(&key.slot) else {
            return;
        };
        let (lived, at_unix) = times;
        let known = slot.remember(Exit {
            run: key.run,
            how: how.clone(),
            at_unix,
            lived,
            cause: String::new(),
            by: By::Itself,
            began,
            is_completion: false,
        });
        match known {
            Known::Now => self.tell_end(now, key, &before),
            Known::Already => self.conclude(now, key, &before),
        }
        self.remove_if_gone(&key.slot);
    }

    /// Says what followed an end that was remembered before, if something did.
    fn conclude(&mut self, now: Tick, key: &RunKey, before: &Machine) {
        if self
            .slot(&key.slot)
            .is_some_and(|slot| slot.machine != *before)
        {
            self.tell_end(now, key, before);
        }
    }

    /// Says what followed the end of `key`, of the slot and of the end.
    fn tell_end(&mut self, now: Tick, key: &RunKey, before: &Machine) {
        let Some(slot) = self.slot_mut(&key.slot) else {
            return;
        };
        if slot.is_at_rest() {
            slot.identity = None;
        }
        if let Some(exit) = slot.exits.front_mut().filter(|exit| exit.run == key.run) {
            slot.cause = cause::of_end(exit, before, &slot.machine, &slot.cause, now);
            if cause::is_its_own(before) {
                slot.by = By::Itself;
            }
            exit.cause.clone_from(&slot.cause);
            exit.by.clone_from(&slot.by);
            exit.is_completion = cause::is_completion(&exit.how, before, &slot.machine);
        }
        if slot.machine.run() != key.run {
            slot.begin();
        }
        self.changes.slots.insert(key.slot.clone());
    }
}
