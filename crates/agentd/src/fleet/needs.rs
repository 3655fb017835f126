//! What a request brings along: the apps that are down and that others need; and what makes a request impossible.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use eco_config::spec::{AppName, AppSpec, Dependency, circle};

use super::apply::is_up;
use super::order::{is_completed, is_waiting, names};
use super::plan::Prune;
use super::select::closest;
use super::{App, AppKey, Fate, Fleet, Slot};

/// The apps that are called, each with an app that needs it.
pub(super) type Called = BTreeMap<AppKey, AppKey>;

/// Why an app could never begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tangle {
    /// It depends on an app that is not there.
    Missing {
        /// Which.
        app: AppKey,
        /// Names that are close to it.
        near: Vec<String>,
    },
    /// It depends on itself: each of these depends on the next, and the last on the first.
    Circle(Vec<String>),
}

impl Fleet {
    /// The apps that are down and that `beginning` need, directly or by what they need. `specs` says what apps will be;
    /// of the others what they are counts.
    pub(super) fn called(
        &self,
        specs: &BTreeMap<AppKey, &AppSpec>,
        beginning: impl IntoIterator<Item = AppKey>,
    ) -> Called {
        let mut queue: VecDeque<AppKey> = beginning.into_iter().collect();
        let mut seen: BTreeSet<AppKey> = queue.iter().cloned().collect();
        let mut called = Called::new();
        while let Some(caller) = queue.pop_front() {
            for needed in self.open_needs(specs, &caller) {
                if !seen.insert(needed.clone()) {
                    continue;
                }
                let app = self.app(&needed);
                if app.is_none_or(|app| app.slots.values().any(is_down)) {
                    called.insert(needed.clone(), caller.clone());
                } else if !app.is_some_and(is_waiting) {
                    continue;
                }
                queue.push_back(needed);
            }
        }
        called
    }

    /// The apps that `caller` depends on and that are not as it needs them.
    fn open_needs(&self, specs: &BTreeMap<AppKey, &AppSpec>, caller: &AppKey) -> Vec<AppKey> {
        let known = self.app(caller).map(|app| app.spec.as_ref());
        let spec = specs.get(caller).copied().or(known);
        let dependencies = spec.into_iter().flat_map(|spec| &spec.depends_on);
        dependencies
            .filter(|dependency| !self.holds(caller, dependency))
            .filter_map(|dependency| match dependency {
                Dependency::App { name, .. } => Some(caller.neighbour(name)),
                Dependency::Tcp(_) | Dependency::Http(_) => None,
            })
            .collect()
    }

    /// What would let `specs`, and the specifications that come with them, wait for ever.
    #[must_use]
    pub fn tangles(
        &self,
        specs: &[AppSpec],
        others: &[AppSpec],
        prune: &[Prune],
    ) -> Vec<(AppSpec, Vec<Tangle>)> {
        let going = self.superfluous(specs, prune);
        let going: BTreeSet<_> = going.into_iter().map(|(key, _)| key).collect();
        let mut union: BTreeMap<AppKey, &AppSpec> = BTreeMap::new();
        for (key, app) in &self.apps {
            if stays(app) && !going.contains(key) {
                union.insert(key.clone(), app.spec.as_ref());
            }
        }
        union.extend(
            others
                .iter()
                .chain(specs)
                .map(|spec| (AppKey::of(spec), spec)),
        );
        let tangles = specs.iter().chain(others).map(|spec| {
            let mut tangles = missing(&union, spec);
            tangles.extend(circle_of(&union, spec));
            (spec.clone(), tangles)
        });
        tangles.filter(|(_, found)| !found.is_empty()).collect()
    }
}

fn missing(union: &BTreeMap<AppKey, &AppSpec>, spec: &AppSpec) -> Vec<Tangle> {
    let key = AppKey::of(spec);
    let here = || {
        let apps = union.keys();
        apps.filter(|one| one.environment == key.environment && **one != key)
    };
    names(spec)
        .map(|name| key.neighbour(name))
        .filter(|app| !union.contains_key(app))
        .map(|app| Tangle::Missing {
            near: closest(&app.name, here()),
            app,
        })
        .collect()
}

/// A circle that begins with the app.
fn circle_of(union: &BTreeMap<AppKey, &AppSpec>, spec: &AppSpec) -> Option<Tangle> {
    let own = |one: &AppSpec| one.environment == spec.environment;
    let entry = |one: &'_ AppSpec| one.name == spec.name;
    let all = || union.values().copied().filter(|one| own(one));
    let (first, rest): (Vec<&AppSpec>, Vec<&AppSpec>) = all().partition(|one| entry(one));
    let apps: Vec<(&AppName, Vec<&AppName>)> = first
        .into_iter()
        .chain(rest)
        .map(|one| (&one.name, names(one).collect()))
        .collect();
    let found = circle(&apps)?;
    let is_in_it = found.first() == Some(&&spec.name);
    is_in_it.then(|| Tangle::Circle(found.into_iter().map(ToString::to_string).collect()))
}

fn stays(app: &App) -> bool {
    app.slots.values().any(|slot| slot.fate == Fate::Stays)
}

/// Whether nothing brings it up: it is down, and has not done its work either.
pub(super) fn is_down(slot: &Slot) -> bool {
    slot.fate == Fate::Stays && !is_up(slot) && !is_completed(slot)
}
