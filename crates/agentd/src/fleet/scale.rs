//! Another number of instances for an app that is known: which come and which go. What is then done is what
//! [`Fleet::apply`] does.
//!
//! ```text
//!  #0 #1 #2  ──to 4──▶ #0 #1 #2 [#3]       the lowest numbers that are free come
//!  #0 #1 #2  ──to 1──▶ #0                  the highest go
//! ```
//!
//! Whatever stays is left as it is, up or down. What comes is up, unless somebody stopped the others: then it is down as
//! they are.

use std::collections::{BTreeMap, BTreeSet};

use eco_config::spec::{AppSpec, MOST_INSTANCES};

use super::apply::{Asked, Restart, Rise};
use super::{App, AppKey, By, Fate, Fleet, Lull, Outcome, Slot};
use crate::machine::{Tick, Turn, Want};

/// How many instances are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// So many.
    To(u32),
    /// So many more than there are.
    More(u32),
    /// So many fewer.
    Fewer(u32),
}

/// Why an app cannot have as many instances as are asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unscalable {
    /// None would be left.
    #[error("no instance of {app} would be left: it has {has}")]
    TooFew {
        /// Which.
        app: AppKey,
        /// How many it has.
        has: u32,
    },
    /// An ecosystem file could not ask for as many either.
    #[error("{app} would have {asked} instances, and {MOST_INSTANCES} are the most")]
    TooMany {
        /// Which.
        app: AppKey,
        /// How many are asked for.
        asked: u32,
    },
}

/// What giving an app another number of instances means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// Which.
    pub app: AppKey,
    /// As it is to be.
    pub spec: AppSpec,
    /// How many instances it has.
    pub from: u32,
    /// The instances that it is to have.
    pub instances: BTreeSet<u32>,
}

impl Scaling {
    /// What another number of instances means for an app.
    pub fn of(key: &AppKey, app: &App, size: Size) -> Result<Self, Unscalable> {
        let there: BTreeSet<u32> = staying(app).map(|(instance, _)| *instance).collect();
        let has = u32::try_from(there.len()).unwrap_or(u32::MAX);
        let key = key.clone();
        match size.of(has) {
            0 => Err(Unscalable::TooFew { app: key, has }),
            asked if asked > MOST_INSTANCES => Err(Unscalable::TooMany { app: key, asked }),
            instances => Ok(Self {
                app: key,
                spec: AppSpec {
                    instances,
                    ..app.spec.as_ref().clone()
                },
                from: has,
                instances: numbers(&there, instances),
            }),
        }
    }

    /// Whether instances are added.
    #[must_use]
    pub const fn adds(&self) -> bool {
        self.spec.instances > self.from
    }
}

impl Size {
    /// How many instances that makes of an app that has some.
    const fn of(self, has: u32) -> u32 {
        match self {
            Self::To(to) => to,
            Self::More(more) => has.saturating_add(more),
            Self::Fewer(fewer) => has.saturating_sub(fewer),
        }
    }
}

impl Fleet {
    /// Adds or removes instances; what is down and needed for those that begin is started too.
    pub fn scale(&mut self, now: Tick, by: &By, scaling: Scaling, turn: Turn) -> Vec<Outcome> {
        let rise = self.app(&scaling.app).map_or(Rise::Yes, rise);
        let asked = Asked {
            now,
            by,
            restart: Restart::Never,
            turn,
        };
        let Scaling {
            spec, instances, ..
        } = scaling;
        let mut outcomes = self.fit(asked, spec, rise, &instances);
        match turn {
            Turn::InOrder => {
                let called = self.called(&BTreeMap::new(), self.beginning(&outcomes));
                outcomes.extend(self.start_called(now, by, &called));
            }
            Turn::AtOnce => {}
        }
        self.proceed(now);
        outcomes
    }
}

/// So many instances: of those that are there the lowest, and else the lowest numbers that are free.
fn numbers(there: &BTreeSet<u32>, count: u32) -> BTreeSet<u32> {
    let free = (0..).filter(|instance| !there.contains(instance));
    let all = there.iter().copied().chain(free);
    all.zip(0..count).map(|(instance, _)| instance).collect()
}

/// Whether an instance that comes is started.
fn rise(app: &App) -> Rise {
    let is_wanted = |slot: &Slot| slot.machine.want() == Want::Up || slot.has_ended();
    let is_registered = |slot: &Slot| slot.lull == Lull::Registered;
    let slots = || staying(app).map(|(_, slot)| slot);
    if slots().any(is_wanted) || slots().next().is_none() {
        Rise::Yes
    } else if slots().any(is_registered) {
        Rise::No
    } else {
        Rise::WithOthers
    }
}

fn staying(app: &App) -> impl Iterator<Item = (&u32, &Slot)> {
    let slots = app.slots.iter();
    slots.filter(|(_, slot)| slot.fate == Fate::Stays)
}
