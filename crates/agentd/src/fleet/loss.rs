//! After all was lost at once: no run is left, no old time means anything, and what was wanted up has all its chances again,
//! in its turn.

use std::time::Duration;

use eco_config::spec::Kind;

use super::order::{is_completed, names};
use super::{App, AppKey, By, Exit, Fleet, How, Slot, SlotKey};
use crate::machine::{Command, State, Tick, Turn, Want};

/// How all was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The host has booted since the fleet was written.
    Host,
    /// The host is the same, and no process is left of any run or of the keeper: so a container ends, and so does whoever
    /// kills everything.
    Processes,
}

impl Loss {
    const fn of_run(self) -> &'static str {
        match self {
            Self::Host => "lost when the host went down",
            Self::Processes => "lost with all processes of eco",
        }
    }

    const fn of_start(self) -> &'static str {
        match self {
            Self::Host => "started after the host booted",
            Self::Processes => "started after all processes of eco were lost",
        }
    }
}

impl Fleet {
    /// Nothing is left. What was wanted up comes up when the keeper is met.
    pub fn rise_after(&mut self, loss: Loss) {
        for key in self.keys() {
            self.lose_run(&key, loss.of_run(), &By::Boot);
            self.step(&key, |machine| match loss {
                Loss::Host => machine.lost_with_its_host(),
                Loss::Processes => machine.lost_with_all(),
            });
            let Some(slot) = self.slot_mut(&key) else {
                continue;
            };
            slot.identity = None;
            slot.ended = None;
            if slot.machine.want() == Want::Up {
                self.explain(&key, &By::Boot, loss.of_start().to_owned());
            }
        }
        self.repeat_what_is_needed(loss);
    }

    /// Remembers a run that lived as over. Nobody knows when.
    pub(super) fn lose_run(&mut self, key: &SlotKey, cause: &str, by: &By) {
        let Some(slot) = self.slot_mut(key).filter(|slot| lives(slot)) else {
            return;
        };
        let exit = Exit {
            run: slot.machine.run(),
            how: How::Unknown,
            at_unix: Duration::ZERO,
            lived: Duration::ZERO,
            cause: cause.to_owned(),
            by: by.clone(),
            began: slot.began.clone(),
            is_completion: false,
        };
        slot.remember(exit);
    }

    /// What a oneshot did may be gone with the rest: it does its work again for those that are wanted up and need it. One
    /// that nobody needs stays completed.
    fn repeat_what_is_needed(&mut self, loss: Loss) {
        let wanted = |app: &App| {
            let mut slots = app.slots.values();
            slots.any(|slot| slot.machine.want() == Want::Up)
        };
        let up = self.apps.iter().filter(|(_, app)| wanted(app));
        let mut queue: Vec<_> = up.map(|(key, _)| key.clone()).collect();
        while let Some(key) = queue.pop() {
            for on in self.completed_needs(&key) {
                for slot in self.slots_of(&on) {
                    let start = Command::Start(Turn::InOrder);
                    let cause = format!("{}, for {key}", loss.of_start());
                    self.command(Tick::ZERO, &slot, start, &By::Boot, cause);
                }
                queue.push(on);
            }
        }
    }

    /// The oneshots that the app needs and that have done their work.
    fn completed_needs(&self, key: &AppKey) -> Vec<AppKey> {
        let needs = self.app(key).into_iter().flat_map(|app| names(&app.spec));
        needs
            .map(|name| key.neighbour(name))
            .filter(|on| self.app(on).is_some_and(has_completed))
            .collect()
    }
}

fn lives(slot: &Slot) -> bool {
    match slot.machine.state() {
        State::Launching { .. } | State::Online { .. } | State::Ending { .. } => true,
        State::Stopped | State::Spawning { .. } | State::Waiting { .. } | State::Errored => false,
    }
}

/// Whether it is a oneshot of which each instance has done its work.
fn has_completed(app: &App) -> bool {
    app.spec.kind == Kind::Oneshot && app.slots.values().all(is_completed)
}
