//! Restarting apps when their files change.
//!
//! ```text
//!  published fleet ─▶ scope of each app ─▶ eyes (a thread): tree ─ judge ─ rules      which changes count
//!                                            │                 └──────── explain       tells the same to people
//!                                            ▼
//!                  pending: rests for the app's delay ─▶ runs that began before it are replaced
//! ```
//!
//! A burst of changes (an editor's save, a checkout, a build) is one restart: the delay counts from the last of them. An
//! app is watched while one of its instances is wanted up, so that a stopped one stays stopped, and is watched again when it
//! is started. One that ended by itself for good is watched, too: it runs again, as a build does at each change.

mod eyes;
pub mod judge;
mod kernel;
mod limit;
mod look;
pub mod ours;
mod pattern;
mod pending;
pub mod rules;
pub mod scope;
mod seer;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::AppSpec;
use eco_home::clock;
use tokio::sync::{mpsc, watch};

use crate::fleet::{App, AppKey, By, Fleet, Slot};
use crate::machine::{Tick, Want};
use crate::resolve::Problem;
use crate::supervisor::Input;
use eyes::{Eyes, Order, Sights};
pub use eyes::{Status, Statuses};
use judge::Judge;
use ours::Known;
use pending::{Echoes, Pending, Verdict, Wish};
use rules::BadRule;
use scope::Scope;

/// Between two attempts to have eyes.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// An app that is watched.
struct Watch {
    spec: Arc<AppSpec>,
    scope: Arc<Scope>,
    pending: Option<Pending>,
    echoes: Echoes,
}

/// Watches the files of the published fleet's apps; nothing below `home` counts. Ends with the agent.
pub async fn run(
    published: watch::Receiver<Arc<Fleet>>,
    home: PathBuf,
    inputs: mpsc::Sender<Input>,
    statuses: watch::Sender<Arc<Statuses>>,
) {
    let mut watching = Watching::new(home, statuses);
    watching.run(published, inputs).await;
}

/// All apps that are watched.
struct Watching {
    home: PathBuf,
    sights: Arc<Sights>,
    statuses: watch::Sender<Arc<Statuses>>,
    /// Open since something is watched.
    eyes: Option<Eyes>,
    /// They are not opened before.
    open_at: Tick,
    apps: BTreeMap<AppKey, Watch>,
    /// What the eyes were told to watch.
    ordered: BTreeSet<Arc<Scope>>,
    ours: Known,
}

impl Watching {
    fn new(home: PathBuf, statuses: watch::Sender<Arc<Statuses>>) -> Self {
        Self {
            home,
            sights: Arc::default(),
            statuses,
            eyes: None,
            open_at: Tick::ZERO,
            apps: BTreeMap::new(),
            ordered: BTreeSet::new(),
            ours: Known::default(),
        }
    }

    async fn run(
        &mut self,
        mut published: watch::Receiver<Arc<Fleet>>,
        inputs: mpsc::Sender<Input>,
    ) {
        loop {
            let fleet = Arc::clone(&published.borrow_and_update());
            self.follow(&fleet);
            for input in self.rested(&fleet) {
                if inputs.send(input).await.is_err() {
                    return;
                }
            }
            let pause = self.pause();
            tokio::select! {
                is_open = published.changed() => if is_open.is_err() { return },
                () = self.sights.news.notified() => self.see(),
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    /// Begins to watch what is wanted up, and ends what is not, or not so any more.
    fn follow(&mut self, fleet: &Fleet) {
        self.apps
            .retain(|key, _| fleet.app(key).is_some_and(is_wanted));
        for (key, app) in fleet.apps() {
            if app.spec.watch.is_some() && is_wanted(app) {
                self.follow_one(key, &app.spec);
            }
        }
        if self.apps.is_empty() && self.ordered.is_empty() {
            return;
        }
        if !self.can_see(clock::since_boot()) {
            return;
        }
        if self.ours.update(fleet) {
            self.order(Order::Ours(Arc::clone(&self.ours.ours)));
        }
        let wanted: BTreeSet<Arc<Scope>> = self
            .apps
            .values()
            .map(|watch| Arc::clone(&watch.scope))
            .collect();
        let ordered = std::mem::replace(&mut self.ordered, wanted.clone());
        for scope in ordered.difference(&wanted) {
            self.order(Order::Forget(Arc::clone(scope)));
        }
        for scope in wanted.difference(&ordered) {
            self.order(Order::Watch(Arc::clone(scope)));
        }
    }

    /// A specification that watches the same as before keeps what is pending.
    fn follow_one(&mut self, key: &AppKey, spec: &Arc<AppSpec>) {
        let watch = self.apps.get(key);
        if watch.is_some_and(|watch| Arc::ptr_eq(&watch.spec, spec)) {
            return;
        }
        let Some(scope) = Scope::of(spec, &self.home) else {
            self.apps.remove(key);
            return;
        };
        let pending = watch
            .filter(|watch| *watch.scope == scope)
            .and_then(|watch| watch.pending.clone());
        let watch = Watch {
            spec: Arc::clone(spec),
            scope: Arc::new(scope),
            pending,
            echoes: Echoes::default(),
        };
        self.apps.insert(key.clone(), watch);
    }

    /// Opens the eyes where they are not. When that fails it is said, and tried again later: the apps run all the same.
    fn can_see(&mut self, now: Tick) -> bool {
        if self.eyes.as_ref().is_some_and(Eyes::are_shut) {
            // Whoever opens theirs next knows of nothing.
            self.eyes = None;
            self.ordered.clear();
            self.ours = Known::default();
            self.statuses.send_replace(Arc::default());
            self.open_at = now + OPEN_AGAIN;
        }
        if self.eyes.is_none() && self.open_at <= now {
            match Eyes::open(Arc::clone(&self.sights), self.statuses.clone()) {
                Ok(eyes) => self.eyes = Some(eyes),
                Err(error) => {
                    tracing::error!(%error, "no files are watched");
                    self.open_at = now + OPEN_AGAIN;
                }
            }
        }
        self.eyes.is_some()
    }

    fn order(&self, order: Order) {
        if let Some(eyes) = &self.eyes {
            eyes.order(order);
        }
    }

    fn see(&mut self) {
        let mut seen = self.sights.take();
        for watch in self.apps.values_mut() {
            if let Some((path, at)) = seen.get_mut(&watch.scope) {
                let pending = watch.pending.take();
                watch.pending = Some(Pending::add(pending, path.clone(), *at));
            }
        }
    }

    /// The runs to replace: those that began before the last change of what has rested long enough.
    fn rested(&mut self, fleet: &Fleet) -> Vec<Input> {
        let now = clock::since_boot();
        let mut inputs = Vec::new();
        for (key, watch) in &mut self.apps {
            let (Some(pending), Some(app)) = (&watch.pending, fleet.app(key)) else {
                continue;
            };
            if now < pending.due(delay(&watch.spec)) {
                continue;
            }
            let mut waits = false;
            for (instance, slot) in &app.slots {
                match pending.verdict(wish(slot), slot.machine.state()) {
                    Verdict::Replace => {
                        let run = key.slot(*instance).run(slot.machine.run());
                        watch.echoes.count(pending, slot.machine.state());
                        let (path, advice) = (pending.path.display(), watch.echoes.advice());
                        let cause = format!("restarted: {path} changed{advice}");
                        inputs.push(Input::Replace(run, By::Watch, cause));
                    }
                    Verdict::Wait => waits = true,
                    Verdict::Nothing => {}
                }
            }
            if !waits {
                watch.pending = None;
            }
        }
        inputs
    }

    /// Until the next change has rested, or the eyes are opened again; `None`: nothing is pending, or it waits for news of the
    /// fleet.
    fn pause(&self) -> Option<Duration> {
        let now = clock::since_boot();
        let due = self.apps.values().filter_map(|watch| {
            let due = watch.pending.as_ref()?.due(delay(&watch.spec));
            (due > now).then(|| due.saturating_sub(now))
        });
        let is_blind = self.eyes.is_none() && !self.apps.is_empty();
        let open = is_blind.then(|| self.open_at.saturating_sub(now));
        due.chain(open).min()
    }
}

/// What of a specification's rules means nothing, for whoever applies it.
#[must_use]
pub fn problems(spec: &AppSpec) -> Vec<Problem> {
    let scope = Scope::of(spec, Path::new("/"));
    let bad = scope.map_or_else(Vec::new, |scope| Judge::new(Arc::new(scope)).1);
    let problem = |rule: BadRule| Problem {
        field: rule.origin.field(),
        message: format!("{:?} cannot be understood: {}", rule.text, rule.why),
        hint: "write it as a line of a .gitignore, such as logs/ or *.tmp".to_owned(),
    };
    bad.into_iter().map(problem).collect()
}

/// Whether a change of its files would do anything.
fn is_wanted(app: &App) -> bool {
    let mut slots = app.slots.values();
    slots.any(|slot| wish(slot) != Wish::Down)
}

fn wish(slot: &Slot) -> Wish {
    match slot.machine.want() {
        Want::Up => Wish::Up,
        Want::Down if slot.has_ended() => Wish::Ended,
        Want::Down | Want::Held => Wish::Down,
    }
}

fn delay(spec: &AppSpec) -> Duration {
    spec.watch
        .as_ref()
        .map_or(Duration::ZERO, |policy| policy.delay)
}
