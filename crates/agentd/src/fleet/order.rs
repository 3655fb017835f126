//! Whose turn it is: what depends on something begins after it, and ends before it.
//!
//! ```text
//!  web ──depends on──▶ api ──▶ db          begins:  db, then api, then web
//!                                          ends:    web, then api, then db
//! ```
//!
//! Nothing is remembered of an order. After each input the instances that are [`Pending`] are looked at again, and those
//! that nothing stands in the way of go on; so whatever is lost with an agent, the order is found again from what is wanted
//! and what there is.
//!
//! - An instance begins when all that its app depends on holds.
//! - It ends when no instance that is to end as well depends on it. What is to stay up is not waited for: who stops a
//!   database under a living service is told so, and gets what was asked for.
//! - A run that ended by itself is followed by the next one without waiting, and so is one that its files, its memory or a
//!   probe replaces: what it depends on was there when it began.
//! - A oneshot is ready when it has completed.

use std::collections::{BTreeMap, BTreeSet};

use eco_config::spec::{AppName, AppSpec, Condition, Dependency, Kind};

use super::wait::{Standing, Wait};
use super::{App, AppKey, Fate, Fleet, Slot, SlotKey};
use crate::machine::{Pending, State, Tick, Want};

/// Whether something outside is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outside {
    /// It answered.
    Met,
    /// It did not, or not as it should: a fragment such as "connection refused (127.0.0.1:5432)".
    NotMet(String),
}

/// What was heard of things outside, for the apps that wait for them.
pub(super) type Looks = BTreeMap<AppKey, Vec<(Dependency, Outside)>>;

/// What is known of the apps that wait: whether what they wait for does not come about by itself.
type Stuck = BTreeMap<AppKey, bool>;

impl Fleet {
    /// Lets every instance go on whose turn it is.
    pub(super) fn proceed(&mut self, now: Tick) {
        let next: Vec<_> = self
            .each()
            .filter(|(key, _, app, slot)| self.has_its_turn(key, app, slot))
            .map(|(key, instance, ..)| key.slot(instance))
            .collect();
        for key in next {
            self.step(&key, |machine| machine.proceed(now));
        }
        self.forget_what_nobody_waits_for();
    }

    /// What an instance waits for; nothing where nothing is pending.
    #[must_use]
    pub fn waits(&self, key: &SlotKey) -> Vec<Wait> {
        let Some(slot) = self.slot(key) else {
            return Vec::new();
        };
        match slot.machine.pending() {
            None => Vec::new(),
            Some(Pending::Begin) => self.waits_to_begin(&key.app),
            Some(Pending::End) => {
                let first = self.ending_dependants(&key.app);
                first.map(|one| Wait::EndOf(one.clone())).collect()
            }
        }
    }

    /// Something outside that an app waits for was looked at.
    pub fn outside(&mut self, now: Tick, app: &AppKey, what: &Dependency, answer: Outside) {
        let looks = self.looks.entry(app.clone()).or_default();
        looks.retain(|(one, _)| one != what);
        looks.push((what.clone(), answer));
        self.proceed(now);
    }

    /// What apps wait for that is outside of eco, and has not been met.
    #[must_use]
    pub fn outside_waits(&self) -> Vec<(AppKey, Dependency)> {
        let waiting = self.apps.iter().filter(|(_, app)| is_waiting(app));
        waiting
            .flat_map(|(key, app)| {
                let open = app.spec.depends_on.iter().filter(|one| match one {
                    Dependency::App { .. } => false,
                    Dependency::Tcp(_) | Dependency::Http(_) => !self.is_met(key, one),
                });
                open.map(|one| (key.clone(), one.clone()))
            })
            .collect()
    }

    /// The apps of the environment that depend on `app`.
    pub(super) fn dependants(&self, app: &AppKey) -> impl Iterator<Item = (&AppKey, &App)> {
        self.apps.iter().filter(move |(key, one)| {
            key.environment == app.environment
                && names(&one.spec).any(|name| name.as_str() == app.name)
        })
    }

    /// Whether `dependency` of an app of `environment` holds.
    pub(super) fn holds(&self, app: &AppKey, dependency: &Dependency) -> bool {
        match dependency {
            Dependency::App { name, condition } => self
                .app(&app.neighbour(name))
                .is_some_and(|on| shortfall(on, *condition).is_none()),
            Dependency::Tcp(_) | Dependency::Http(_) => self.is_met(app, dependency),
        }
    }

    fn is_met(&self, app: &AppKey, dependency: &Dependency) -> bool {
        self.heard(app, dependency) == Some(&Outside::Met)
    }

    /// What was heard last of something outside.
    fn heard(&self, app: &AppKey, dependency: &Dependency) -> Option<&Outside> {
        let mut looks = self.looks.get(app)?.iter();
        let (_, answer) = looks.find(|(one, _)| one == dependency)?;
        Some(answer)
    }

    fn wait_outside(&self, app: &AppKey, dependency: &Dependency, url: String) -> Wait {
        let answer = self.heard(app, dependency).and_then(|heard| match heard {
            Outside::Met => None,
            Outside::NotMet(why) => Some(why.clone()),
        });
        Wait::Outside { url, answer }
    }

    fn has_its_turn(&self, key: &AppKey, app: &App, slot: &Slot) -> bool {
        match slot.machine.pending() {
            None => false,
            Some(Pending::Begin) => {
                let mut all = app.spec.depends_on.iter();
                all.all(|dependency| self.holds(key, dependency))
            }
            Some(Pending::End) => self.ending_dependants(key).next().is_none(),
        }
    }

    /// The apps that depend on `app`, live, and are to end. Of apps that depend on each other, whatever let it come to
    /// that, none waits for the others.
    fn ending_dependants(&self, app: &AppKey) -> impl Iterator<Item = &AppKey> {
        self.dependants(app)
            .filter(|(_, one)| one.slots.values().any(is_to_end))
            .map(|(key, _)| key)
            .filter(move |key| !self.leads_to(app, key))
    }

    /// Whether `from` is `to`, or depends on it directly or by what it depends on.
    fn leads_to(&self, from: &AppKey, to: &AppKey) -> bool {
        let mut seen = BTreeSet::from([from.clone()]);
        let mut next = vec![from.clone()];
        while let Some(key) = next.pop() {
            if key == *to {
                return true;
            }
            let needs = self.app(&key).into_iter().flat_map(|app| names(&app.spec));
            let new = needs
                .map(|name| key.neighbour(name))
                .filter(|on| seen.insert(on.clone()));
            next.extend(new);
        }
        false
    }

    fn waits_to_begin(&self, key: &AppKey) -> Vec<Wait> {
        let mut stuck = Stuck::new();
        self.open(key)
            .map(|dependency| match dependency {
                Dependency::App { name, condition } => Wait::For {
                    app: key.neighbour(name),
                    condition: *condition,
                    standing: self.standing(&key.neighbour(name), *condition, &mut stuck),
                },
                Dependency::Tcp(address) => {
                    self.wait_outside(key, dependency, format!("tcp://{address}"))
                }
                Dependency::Http(url) => self.wait_outside(key, dependency, url.clone()),
            })
            .collect()
    }

    /// What the app depends on and does not hold.
    fn open<'a>(&'a self, key: &'a AppKey) -> impl Iterator<Item = &'a Dependency> {
        let all = self
            .app(key)
            .into_iter()
            .flat_map(|app| &app.spec.depends_on);
        all.filter(|dependency| !self.holds(key, dependency))
    }

    /// How far an app is from what it should have come to.
    fn standing(&self, key: &AppKey, condition: Condition, stuck: &mut Stuck) -> Standing {
        let Some(app) = self.app(key) else {
            return Standing::Unknown;
        };
        let Some(slot) = shortfall(app, condition) else {
            return Standing::OnTheWay;
        };
        if slot.machine.want() != Want::Up || slot.fate == Fate::Leaves {
            return Standing::Down(slot.cause.clone());
        }
        match slot.machine.state() {
            State::Errored => Standing::Errored(slot.cause.clone()),
            State::Stopped if self.is_stuck(key, stuck) => Standing::Stuck,
            State::Stopped
            | State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Ending { .. }
            | State::Waiting { .. } => Standing::OnTheWay,
        }
    }

    /// Whether an app that waits to begin waits for what does not come about by itself. One that waits for itself does,
    /// whatever let it come to that.
    fn is_stuck(&self, key: &AppKey, stuck: &mut Stuck) -> bool {
        if let Some(known) = stuck.get(key) {
            return *known;
        }
        stuck.insert(key.clone(), true);
        let is_stuck = self.open(key).any(|dependency| match dependency {
            Dependency::App { name, condition } => {
                let standing = self.standing(&key.neighbour(name), *condition, stuck);
                standing != Standing::OnTheWay
            }
            Dependency::Tcp(_) | Dependency::Http(_) => false,
        });
        stuck.insert(key.clone(), is_stuck);
        is_stuck
    }

    fn forget_what_nobody_waits_for(&mut self) {
        let apps = &self.apps;
        self.looks
            .retain(|key, _| apps.get(key).is_some_and(is_waiting));
    }
}

/// The names of the apps that an app depends on.
pub(super) fn names(spec: &AppSpec) -> impl Iterator<Item = &AppName> {
    spec.depends_on.iter().filter_map(|one| match one {
        Dependency::App { name, .. } => Some(name),
        Dependency::Tcp(_) | Dependency::Http(_) => None,
    })
}

/// Whether the work of a slot is done, and nobody wants it again.
pub(super) fn is_completed(slot: &Slot) -> bool {
    let is_over = slot.machine.state() == State::Stopped && slot.machine.want() != Want::Up;
    let last = slot.exits.front();
    is_over && last.is_some_and(|exit| exit.run == slot.machine.run() && exit.is_completion)
}

/// The first slot of an app that has not come to `condition`. Slots that leave do not count, while others stay.
fn shortfall(app: &App, condition: Condition) -> Option<&Slot> {
    let slots = || app.slots.values();
    if slots().all(|slot| slot.fate == Fate::Leaves) {
        return slots().next();
    }
    slots()
        .filter(|slot| slot.fate == Fate::Stays)
        .find(|slot| !has_come_to(app.spec.kind, slot, condition))
}

fn has_come_to(kind: Kind, slot: &Slot, condition: Condition) -> bool {
    let state = slot.machine.state();
    let is_wanted = slot.machine.want() == Want::Up;
    let is_online = is_wanted && matches!(state, State::Online { .. });
    let is_launching = is_wanted && matches!(state, State::Launching { .. });
    match (condition, kind) {
        (Condition::Started, _) => is_online || is_launching || is_completed(slot),
        (Condition::Ready, Kind::Service) => is_online,
        (Condition::Ready, Kind::Oneshot) | (Condition::Completed, _) => is_completed(slot),
    }
}

/// Whether a slot lives and is to end.
fn is_to_end(slot: &Slot) -> bool {
    let lives = match slot.machine.state() {
        State::Spawning { .. }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Ending { .. } => true,
        State::Stopped | State::Waiting { .. } | State::Errored => false,
    };
    lives && slot.machine.want() != Want::Up
}

/// Whether an instance of the app waits to begin.
pub(super) fn is_waiting(app: &App) -> bool {
    let waits = |slot: &Slot| slot.machine.pending() == Some(Pending::Begin);
    app.slots.values().any(waits)
}
