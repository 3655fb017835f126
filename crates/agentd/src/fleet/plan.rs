//! What applying specifications would change, told and not done: the comparison that [`Fleet::apply`] makes.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use eco_config::spec::AppSpec;

use super::apply::{Change, Restart, compare, is_as_asked, is_up};
use super::needs::{Called, is_down};
use super::{Action, App, AppKey, By, Fate, Fleet, Outcome};
use crate::machine::Tick;

/// Apps that belong to a set of files, and go when none of the files names them any more.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Prune {
    /// Of this environment,
    pub environment: String,
    /// defined by a file in this folder or below.
    pub folder: PathBuf,
}

/// All that applying would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    /// An app each; none of them is without effect.
    pub steps: Vec<Step>,
}

/// What would happen to one app.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Which.
    pub app: AppKey,
    /// As it is; `None`: it is new.
    pub before: Option<AppSpec>,
    /// As it would be; `None`: it goes.
    pub after: Option<AppSpec>,
    /// What would happen to its instances.
    pub instances: Counts,
}

/// How many instances would go each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    /// New, and started.
    pub created: u32,
    /// New, and left down.
    pub registered: u32,
    /// Down, and started.
    pub started: u32,
    /// Up, and replaced.
    pub restarted: u32,
    /// Ended and removed.
    pub removed: u32,
}

impl Plan {
    /// Two plans of one agent with the same fingerprint change the same in the same way. 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

impl Fleet {
    /// What [`Fleet::apply`] of the same would change.
    #[must_use]
    pub fn plan(&self, specs: &[AppSpec], needed: &[AppSpec], prune: &[Prune]) -> Plan {
        let called = self.called_by(specs, needed, Restart::Converge);
        let mut steps: Vec<_> = specs
            .iter()
            .filter_map(|spec| self.plan_one(spec, &called))
            .collect();
        steps.extend(self.plan_called(specs, needed, &called));
        steps.extend(
            self.superfluous(specs, prune)
                .into_iter()
                .map(|(key, app)| {
                    let removed = u32::try_from(app.slots.len()).unwrap_or(u32::MAX);
                    Step {
                        app: key.clone(),
                        before: Some(app.spec.bare()),
                        after: None,
                        instances: Counts {
                            removed,
                            ..Counts::default()
                        },
                    }
                }),
        );
        Plan { steps }
    }

    /// Ends and removes the apps that belong to the files and that none of `specs` names.
    pub fn prune(
        &mut self,
        now: Tick,
        by: &By,
        specs: &[AppSpec],
        prune: &[Prune],
    ) -> Vec<Outcome> {
        let superfluous = self.superfluous(specs, prune);
        let slots: Vec<_> = superfluous
            .into_iter()
            .flat_map(|(key, app)| app.slots.keys().map(|instance| key.slot(*instance)))
            .collect();
        let mut outcomes = Vec::with_capacity(slots.len());
        for slot in slots {
            outcomes.extend(self.outcome(&slot, Action::Deleted));
            let cause = format!("deleted by {by}: its file no longer names it");
            self.remove(now, &slot, by, cause);
        }
        self.proceed(now);
        outcomes
    }

    /// The known apps that belong to the files and that none of `specs` names.
    pub(super) fn superfluous(&self, specs: &[AppSpec], prune: &[Prune]) -> Vec<(&AppKey, &App)> {
        let named: BTreeSet<_> = specs.iter().map(AppKey::of).collect();
        let belongs = |key: &AppKey, app: &App| {
            prune.iter().any(|prune| {
                prune.environment == key.environment && is_of(&app.spec, &prune.folder)
            })
        };
        let is_leaving = |app: &App| app.slots.values().all(|slot| slot.fate == Fate::Leaves);
        self.apps()
            .iter()
            .filter(|(key, app)| !named.contains(key) && belongs(key, app) && !is_leaving(app))
            .collect()
    }

    /// The apps that would be started because others need them.
    fn plan_called(&self, specs: &[AppSpec], needed: &[AppSpec], called: &Called) -> Vec<Step> {
        let named: BTreeSet<_> = specs.iter().map(AppKey::of).collect();
        let others = called.keys().filter(|key| !named.contains(key));
        others
            .filter_map(
                |key| match needed.iter().find(|spec| AppKey::of(spec) == *key) {
                    Some(spec) => self.plan_one(spec, called),
                    None => Some(started(key, self.app(key)?)),
                },
            )
            .collect()
    }

    fn plan_one(&self, spec: &AppSpec, called: &Called) -> Option<Step> {
        let key = AppKey::of(spec);
        let rises = spec.autostart || called.contains_key(&key);
        let app = self.app(&key);
        let change = app.map_or(Change::None, |app| compare(&app.spec, spec));
        let instances = Counts {
            removed: app.map_or(0, |app| beyond(app, spec.instances)),
            ..(0..spec.instances).fold(Counts::default(), |mut counts, instance| {
                let slot = app.and_then(|app| app.slots.get(&instance));
                let count = match (slot, change) {
                    (None, _) if rises => Some(&mut counts.created),
                    (None, _) => Some(&mut counts.registered),
                    (Some(slot), _) if is_as_asked(slot, change, Restart::Converge) => None,
                    (Some(slot), _) if !is_up(slot) => match (rises, slot.fate) {
                        (true, _) => Some(&mut counts.started),
                        (false, Fate::Leaves) => Some(&mut counts.registered),
                        (false, Fate::Stays) if slot.rested().is_some() => {
                            Some(&mut counts.registered)
                        }
                        (false, Fate::Stays) => None,
                    },
                    (Some(_), Change::Other) => Some(&mut counts.restarted),
                    (Some(_), Change::None) => None,
                };
                if let Some(count) = count {
                    *count += 1;
                }
                counts
            })
        };
        let is_same = app.is_some_and(|app| app.spec.is_same(spec));
        (!is_same || instances != Counts::default()).then(|| Step {
            app: key,
            before: app.map(|app| app.spec.bare()),
            after: Some(spec.bare()),
            instances,
        })
    }
}

/// What is down of an app is started.
fn started(key: &AppKey, app: &App) -> Step {
    let down = app.slots.values().filter(|slot| is_down(slot)).count();
    Step {
        app: key.clone(),
        before: Some(app.spec.bare()),
        after: Some(app.spec.bare()),
        instances: Counts {
            started: u32::try_from(down).unwrap_or(u32::MAX),
            ..Counts::default()
        },
    }
}

/// Slots that stay and are beyond the number asked for.
fn beyond(app: &App, instances: u32) -> u32 {
    let removed = app
        .slots
        .range(instances..)
        .filter(|(_, slot)| slot.fate == Fate::Stays);
    u32::try_from(removed.count()).unwrap_or(u32::MAX)
}

/// Whether a file in `folder`, or below it, defines the app. What a command defined belongs to no file.
fn is_of(spec: &AppSpec, folder: &Path) -> bool {
    spec.file().is_some_and(|file| file.starts_with(folder))
}
