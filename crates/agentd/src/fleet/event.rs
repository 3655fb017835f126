//! What happened, told to people and programs: the difference between two fleets, in the order in which it came about.
//!
//! Nothing announces events where it decides: whatever changes the fleet is seen here, and an event is written together
//! with the change that it tells of.
//!
//! ```text
//!  app     none ─▶ some: Registered   specification: ConfigChanged   number of slots: Scaled   some ─▶ none: Deleted
//!  slot    a run's end is remembered: Exited     counts one more restart: Restarted     has a process: Started
//!          Launching ─▶ Online: Ready            comes to rest: Stopped, Errored
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use super::apply::{Change, compare};
use super::{App, AppKey, By, Changes, Exit, Fate, Fleet, Identity, Slot, SlotKey};
use crate::machine::{Run, State};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since 1970.
    pub at_unix: Duration,
    /// To which app.
    pub app: AppKey,
    /// To which of its instances; `None`: to the app as a whole.
    pub instance: Option<u32>,
    /// To which run; 0: to none.
    pub run: Run,
    /// What.
    pub what: What,
    /// Why: a fragment such as "stopped by ann".
    pub cause: String,
    /// Whose doing it is.
    pub by: By,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// An app became known.
    Registered,
    /// An app is asked for in another way.
    ConfigChanged,
    /// An app has another number of instances.
    Scaled {
        /// So many before.
        from: u32,
        /// So many now.
        to: u32,
    },
    /// An app is no longer known.
    Deleted,
    /// A run lives.
    Started {
        /// Its first process.
        pid: i32,
    },
    /// A run is ready.
    Ready,
    /// A run ended.
    Exited(Exit),
    /// Another run takes the place of the one before.
    Restarted,
    /// An instance is down.
    Stopped,
    /// An instance is given up.
    Errored,
}

/// What happened from `before` to `after`, as far as the records named in `changes` tell.
#[must_use]
pub fn events(before: &Fleet, after: &Fleet, changes: &Changes, now_unix: Duration) -> Vec<Event> {
    let told = Told {
        before,
        after,
        gone: &changes.gone,
        now_unix,
    };
    let mut apps: BTreeMap<&AppKey, Vec<&SlotKey>> = BTreeMap::new();
    for key in &changes.apps {
        apps.entry(key).or_default();
    }
    for key in &changes.slots {
        apps.entry(&key.app).or_default().push(key);
    }
    let mut events = Vec::new();
    for (app, slots) in apps {
        events.extend(told.of_app(app));
        events.extend(slots.into_iter().flat_map(|slot| told.of_slot(slot)));
        events.extend(told.deleted(app));
    }
    events.sort_by_key(|event| event.at_unix);
    events
}

/// The two sides.
struct Told<'a> {
    before: &'a Fleet,
    after: &'a Fleet,
    gone: &'a BTreeMap<SlotKey, Slot>,
    now_unix: Duration,
}

impl Told<'_> {
    fn of_app(&self, key: &AppKey) -> Vec<Event> {
        let (before, Some(after)) = (self.before.app(key), self.after.app(key)) else {
            return Vec::new();
        };
        let mut all = Vec::new();
        let Some(before) = before else {
            all.push(self.app_event(key, after, What::Registered));
            return all;
        };
        if compare(&before.spec, &after.spec) == Change::Other {
            all.push(self.app_event(key, after, What::ConfigChanged));
        }
        let (from, to) = (before.spec.instances, after.spec.instances);
        if from != to {
            let by = self.scaled_by(key, before, after);
            all.push(Event {
                cause: format!("scaled by {by}"),
                by,
                ..self.app_event(key, after, What::Scaled { from, to })
            });
        }
        all
    }

    /// Who had an instance come or go.
    fn scaled_by(&self, key: &AppKey, before: &App, after: &App) -> By {
        let stays = |slot: &Slot| slot.fate == Fate::Stays;
        let stayed = |instance: u32| before.slots.get(&instance).is_some_and(stays);
        let slots = after.slots.iter();
        let gone = self.gone.iter().filter(|(slot, _)| slot.app == *key);
        let mut all = slots
            .map(|(instance, slot)| (*instance, slot))
            .chain(gone.map(|(slot, was)| (slot.instance, was)));
        let changed = all.find(|(instance, slot)| stayed(*instance) != stays(slot));
        let slot = changed.map(|(_, slot)| slot);
        let first = || after.slots.values().next();
        slot.or_else(first)
            .map(|slot| slot.by.clone())
            .unwrap_or_default()
    }

    fn deleted(&self, key: &AppKey) -> Option<Event> {
        let before = self.before.app(key)?;
        if self.after.app(key).is_some() {
            return None;
        }
        let event = self.app_event(key, before, What::Deleted);
        // What did not run goes at once: before, it was as it was for another cause.
        let mut gone = self.gone.iter().filter(|(slot, _)| slot.app == *key);
        Some(match gone.next() {
            Some((_, slot)) => Event {
                cause: slot.cause.clone(),
                by: slot.by.clone(),
                ..event
            },
            None => event,
        })
    }

    fn of_slot(&self, key: &SlotKey) -> Vec<Event> {
        let before = self.before.slot(key);
        let Some(after) = self.after.slot(key).or_else(|| self.gone.get(key)) else {
            return Vec::new();
        };
        let mut all = self.runs(key, before, after);
        let state = after.machine.state();
        let was = before.map(|slot| slot.machine.state());
        let rests = match state {
            // One that was never up has not stopped.
            State::Stopped => was.map(|_| What::Stopped),
            State::Errored => Some(What::Errored),
            State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Ending { .. }
            | State::Waiting { .. } => None,
        };
        if let Some(what) = rests.filter(|_| was != Some(state)) {
            all.push(self.slot_event(key, after, what));
        }
        all
    }

    /// What became of the slot's runs: ends first, each with the start that was not told yet.
    fn runs(&self, key: &SlotKey, before: Option<&Slot>, after: &Slot) -> Vec<Event> {
        let told_run = before.map_or(0, |slot| slot.exits.front().map_or(0, |exit| exit.run));
        let is_new = |exit: &&Exit| exit.run > told_run;
        let ends: Vec<_> = after.exits.iter().take_while(is_new).collect();
        let mut all: Vec<_> = ends
            .into_iter()
            .rev()
            .map(|exit| Event {
                at_unix: if exit.at_unix.is_zero() {
                    self.now_unix
                } else {
                    exit.at_unix
                },
                run: exit.run,
                cause: exit.cause.clone(),
                ..self.slot_event(key, after, What::Exited(exit.clone()))
            })
            .collect();
        if before.is_some_and(|slot| slot.machine.restarts() < after.machine.restarts()) {
            all.push(self.slot_event(key, after, What::Restarted));
        }
        let spawned = |slot: &Slot| slot.identity.clone();
        let was_spawned = before.and_then(spawned);
        if let Some(identity) =
            spawned(after).filter(|identity| Some(identity) != was_spawned.as_ref())
        {
            all.push(self.started(key, after, &identity));
        }
        let is_online = |slot: &Slot| matches!(slot.machine.state(), State::Online { .. });
        let was_online =
            before.is_some_and(|slot| is_online(slot) && slot.machine.run() == after.machine.run());
        if is_online(after) && !was_online {
            all.push(self.slot_event(key, after, What::Ready));
        }
        all
    }

    fn started(&self, key: &SlotKey, slot: &Slot, identity: &Identity) -> Event {
        let pid = identity.pid;
        Event {
            at_unix: identity.since_unix,
            cause: slot
                .began
                .as_ref()
                .map_or_else(|| slot.cause.clone(), |began| began.cause.clone()),
            by: slot
                .began
                .as_ref()
                .map_or_else(|| slot.by.clone(), |began| began.by.clone()),
            ..self.slot_event(key, slot, What::Started { pid })
        }
    }

    fn slot_event(&self, key: &SlotKey, slot: &Slot, what: What) -> Event {
        Event {
            at_unix: self.now_unix,
            app: key.app.clone(),
            instance: Some(key.instance),
            run: slot.machine.run(),
            what,
            cause: slot.cause.clone(),
            by: slot.by.clone(),
        }
    }

    /// An app's cause is that of its first instance: what is done to an app is done to each.
    fn app_event(&self, key: &AppKey, app: &App, what: What) -> Event {
        let first = app.slots.values().next();
        Event {
            at_unix: self.now_unix,
            app: key.clone(),
            instance: None,
            run: 0,
            what,
            cause: first.map(|slot| slot.cause.clone()).unwrap_or_default(),
            by: first.map(|slot| slot.by.clone()).unwrap_or_default(),
        }
    }
}
