//! What follows when the clock says that an app is due: pure.
//!
//! | the instance | a service | a oneshot |
//! | --- | --- | --- |
//! | runs | is replaced | is left to its work |
//! | was given up, or waits for its next attempt | is tried again, with all its chances | the same |
//! | ended by itself, and that was an end | begins | begins |
//! | was only registered | begins | begins |
//! | was stopped by somebody, or put to rest | stays down | stays down |
//!
//! PM2 starts what a person stopped when the clock says so; here stopped means stopped.

use eco_config::spec::Kind;

use super::{AppKey, By, Fate, Fleet, Lull, Slot, SlotKey};
use crate::machine::{Command, State, Tick, Turn, Want};

/// What a schedule does to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It is ended, and begins anew.
    Replace,
    /// It begins.
    Begin,
}

impl Fleet {
    /// The clock says that an app is due.
    pub fn due(&mut self, now: Tick, key: &AppKey) {
        let Some(app) = self.app(key) else { return };
        let Some(schedule) = &app.spec.schedule else {
            return;
        };
        let cron = format!("cron `{}`", schedule.pattern());
        let kind = app.spec.kind;
        let slots = app.slots.iter();
        let steps: Vec<(SlotKey, Step)> = slots
            .filter_map(|(instance, slot)| Some((key.slot(*instance), step(kind, slot)?)))
            .collect();
        for (slot, step) in steps {
            let (command, cause) = match step {
                Step::Replace => (
                    Command::Restart(Turn::AtOnce),
                    format!("restarted by {cron}"),
                ),
                Step::Begin => (Command::Start(Turn::InOrder), format!("started by {cron}")),
            };
            self.command(now, &slot, command, &By::Schedule, cause);
        }
        self.proceed(now);
    }

    pub(super) fn is_scheduled(&self, key: &AppKey) -> bool {
        self.app(key).is_some_and(|app| app.spec.schedule.is_some())
    }
}

impl Slot {
    /// Whether a schedule means anything to it: it was not stopped, nor put to rest.
    #[must_use]
    pub fn heeds_schedule(&self) -> bool {
        let is_meant = match self.machine.want() {
            Want::Up => true,
            Want::Down => self.ended_by_itself(),
            Want::Held => false,
        };
        is_meant && self.fate == Fate::Stays
    }

    /// Whether it is down and nobody stopped it.
    fn ended_by_itself(&self) -> bool {
        match self.lull {
            Lull::None => self.by == By::Itself,
            Lull::Registered => true,
            Lull::Rested(_) => false,
        }
    }
}

fn step(kind: Kind, slot: &Slot) -> Option<Step> {
    if !slot.heeds_schedule() {
        return None;
    }
    match (slot.machine.state(), slot.machine.want()) {
        (State::Launching { .. } | State::Online { .. }, Want::Up) => match kind {
            Kind::Service => Some(Step::Replace),
            Kind::Oneshot => None,
        },
        (State::Waiting { .. } | State::Errored, Want::Up) => Some(Step::Replace),
        (State::Stopped, Want::Down) => Some(Step::Begin),
        // Begun a moment ago, or about to begin.
        (State::Spawning { .. } | State::Ending { .. } | State::Stopped, Want::Up) => None,
        (
            State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Ending { .. }
            | State::Waiting { .. }
            | State::Errored,
            Want::Down,
        )
        | (_, Want::Held) => None,
    }
}
