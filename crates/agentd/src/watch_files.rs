//! Restarting apps when their files change.
//!
//! ```text
//!  published fleet ─▶ which apps watch what ─▶ one notify watcher each
//!  its events ─▶ not ignored? ─▶ rest for the app's delay ─▶ every living run of the app is replaced
//! ```
//!
//! A burst of changes (an editor's save, a checkout, a build) is one restart: the delay counts from the last of them. An
//! app is watched while one of its instances is wanted up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::{AppSpec, WatchPolicy};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::fleet::{AppKey, By, Fleet, RunKey};
use crate::machine::{State, Want};
use crate::resolve;
use crate::supervisor::Input;

/// Changes that wait to be looked at. More of them tell nothing new: the burst is one restart.
const CHANGES: usize = 256;
/// The shortest rest, since no editor saves in one step.
const SHORTEST_REST: Duration = Duration::from_millis(50);

/// An app that is being watched.
struct Watch {
    spec: Arc<AppSpec>,
    /// Stops watching when dropped.
    _watcher: Option<RecommendedWatcher>,
    /// When the last change will have rested long enough, and what it was.
    due: Option<(Instant, PathBuf)>,
}

/// Watches the files of the published fleet's apps; nothing below `home` counts. Ends with the agent.
pub async fn run(
    mut published: watch::Receiver<Arc<Fleet>>,
    home: PathBuf,
    inputs: mpsc::Sender<Input>,
) {
    let (tell, mut told) = mpsc::channel(CHANGES);
    let mut watches: BTreeMap<AppKey, Watch> = BTreeMap::new();
    loop {
        let fleet = Arc::clone(&published.borrow_and_update());
        follow(&mut watches, &fleet, &home, &tell);
        let due = watches
            .values()
            .filter_map(|watch| Some(watch.due.as_ref()?.0))
            .min();
        tokio::select! {
            is_open = published.changed() => if is_open.is_err() { return },
            Some((app, path)) = told.recv() => {
                if let Some(watch) = watches.get_mut(&app) {
                    let rest = delay(&watch.spec).max(SHORTEST_REST);
                    watch.due = Some((Instant::now() + rest, path));
                }
            }
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                for input in rested(&mut watches, &fleet) {
                    if inputs.send(input).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// Begins to watch what is wanted up, and ends what is not, or not so any more.
fn follow(
    watches: &mut BTreeMap<AppKey, Watch>,
    fleet: &Fleet,
    home: &Path,
    tell: &mpsc::Sender<(AppKey, PathBuf)>,
) {
    watches.retain(|key, watch| {
        fleet
            .app(key)
            .is_some_and(|app| is_wanted(fleet, key) && app.spec.is_same(&watch.spec))
    });
    for (key, app) in fleet.apps() {
        if app.spec.watch.is_some() && !watches.contains_key(key) && is_wanted(fleet, key) {
            let begun = begin(key, &app.spec, home, tell.clone());
            let spec = Arc::clone(&app.spec);
            watches.insert(
                key.clone(),
                Watch {
                    spec,
                    _watcher: begun,
                    due: None,
                },
            );
        }
    }
}

fn is_wanted(fleet: &Fleet, key: &AppKey) -> bool {
    let mut slots = fleet
        .app(key)
        .into_iter()
        .flat_map(|app| app.slots.values());
    slots.any(|slot| slot.machine.want() == Want::Up)
}

/// What cannot be watched is said and left out: the app runs all the same.
fn begin(
    key: &AppKey,
    spec: &AppSpec,
    home: &Path,
    tell: mpsc::Sender<(AppKey, PathBuf)>,
) -> Option<RecommendedWatcher> {
    let roots = resolve::watched(spec).found;
    let ignored = Ignored::new(spec, roots.clone(), home.to_owned());
    let app = key.clone();
    let hear = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let is_change = !matches!(event.kind, EventKind::Access(_));
        let path = event.paths.into_iter().find(|path| !ignored.covers(path));
        if let (true, Some(path)) = (is_change, path) {
            // Full: a restart is on its way already.
            drop(tell.try_send((app.clone(), path)));
        }
    };
    let mut watcher = notify::recommended_watcher(hear)
        .map_err(|error| tracing::error!(app = %key, %error, "cannot watch files"))
        .ok()?;
    for root in roots {
        if let Err(error) = watcher.watch(&root, RecursiveMode::Recursive) {
            tracing::error!(app = %key, path = %root.display(), %error, "cannot watch");
        }
    }
    Some(watcher)
}

/// The runs to replace: those of apps whose last change has rested long enough.
fn rested(watches: &mut BTreeMap<AppKey, Watch>, fleet: &Fleet) -> Vec<Input> {
    let now = Instant::now();
    let mut inputs = Vec::new();
    for (key, watch) in watches {
        let Some((_, path)) = watch.due.take_if(|(at, _)| *at <= now) else {
            continue;
        };
        let cause = format!("restarted: {} changed", path.display());
        inputs.extend(runs(fleet, key).map(|run| Input::Replace(run, By::Watch, cause.clone())));
    }
    inputs
}

/// The app's runs that a change can be too late for.
fn runs(fleet: &Fleet, key: &AppKey) -> impl Iterator<Item = RunKey> {
    let slots = fleet.app(key).into_iter().flat_map(|app| &app.slots);
    slots.filter_map(|(instance, slot)| match slot.machine.state() {
        State::Launching { .. } | State::Online { .. } | State::Waiting { .. } | State::Errored => {
            Some(key.slot(*instance).run(slot.machine.run()))
        }
        State::Stopped | State::Spawning { .. } | State::Ending { .. } => None,
    })
}

fn delay(spec: &AppSpec) -> Duration {
    spec.watch
        .as_ref()
        .map_or(Duration::ZERO, |policy| policy.delay)
}

/// What PM2 leaves out where a file does not say: `node_modules`, and whatever begins with a dot, at any depth.
const IGNORED: [&str; 2] = ["**/node_modules", "**/.*"];

fn words(policy: &WatchPolicy) -> Vec<&str> {
    policy.ignore.as_ref().map_or_else(
        || IGNORED.to_vec(),
        |rules| rules.iter().map(|rule| rule.what.text()).collect(),
    )
}

/// What does not count as a change.
struct Ignored {
    globs: GlobSet,
    roots: Vec<PathBuf>,
    home: PathBuf,
}

impl Ignored {
    /// A word that is no glob is said and left out.
    fn new(spec: &AppSpec, roots: Vec<PathBuf>, home: PathBuf) -> Self {
        let mut globs = GlobSetBuilder::new();
        for word in spec.watch.iter().flat_map(words) {
            match glob(
                word.strip_prefix("./")
                    .unwrap_or(word)
                    .trim_end_matches('/'),
            ) {
                Ok(glob) => drop(globs.add(glob)),
                Err(error) => {
                    tracing::error!(app = %spec.full_name(), word, %error, "cannot ignore");
                }
            }
        }
        let globs = globs.build().unwrap_or_default();
        Self { globs, roots, home }
    }

    /// Whether the path, or a folder above it within what is watched, is named: by its own name, its path from what is
    /// watched, or its whole path.
    fn covers(&self, path: &Path) -> bool {
        if path.starts_with(&self.home) {
            return true;
        }
        let root = self.roots.iter().find(|root| path.starts_with(root));
        let Some(root) = root else { return false };
        path.ancestors()
            .take_while(|part| *part != root.as_path())
            .any(|part| {
                let from_root = part.strip_prefix(root).unwrap_or(part);
                let name = part.file_name().map(Path::new);
                self.globs.is_match(part)
                    || self.globs.is_match(from_root)
                    || name.is_some_and(|name| self.globs.is_match(name))
            })
    }
}

/// A glob whose `*` stays within one folder.
fn glob(word: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(word).literal_separator(true).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(words: &[&str]) -> Ignored {
        let mut globs = GlobSetBuilder::new();
        for word in words {
            globs.add(glob(word).expect("a glob"));
        }
        Ignored {
            globs: globs.build().expect("globs"),
            roots: vec!["/app".into()],
            home: "/app/.eco".into(),
        }
    }

    #[test]
    fn a_name_covers_all_that_is_below_it() {
        let ignored = ignored(&["node_modules", "*.pyc", "**/.*", "logs/*.txt"]);
        for path in [
            "/app/node_modules/x/y.js",
            "/app/src/a.pyc",
            "/app/.git/HEAD",
            "/app/src/.x.swp",
            "/app/logs/a.txt",
        ] {
            assert!(ignored.covers(Path::new(path)), "{path}");
        }
        for path in ["/app/src/node_modules.js", "/app/src/a.py", "/app/logs"] {
            assert!(!ignored.covers(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn what_eco_itself_writes_is_no_change() {
        assert!(ignored(&[]).covers(Path::new("/app/.eco/runs/x/out.0001")));
    }

    #[test]
    fn a_dot_above_what_is_watched_does_not_count() {
        let mut ignored = ignored(&["**/.*"]);
        ignored.roots = vec!["/home/.me/app".into()];
        assert!(!ignored.covers(Path::new("/home/.me/app/src/a.js")));
    }
}
