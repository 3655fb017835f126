//! Files that lines are copied to because somebody asked for them: PM2's log files.
//!
//! ```text
//!  runs/…/out.0001  err.0001 ─▶ lane ─┐                                  ┌▶ api.log          appended
//!  runs/…/out.0002  …        ─▶ lane ─┴─▶ target: the earliest line first┼▶ api.log.20261126T064254Z.gz
//!                                                 │                      └ put aside, when it would be too large
//!            settings, as the agent told them ────┘
//!                                         mirrors/<hash>: how far
//! ```
//!
//! Invariants
//! - The keeper's files are the truth and these are copies: nothing of this is in an app's way, or the keeper's. What
//!   cannot be written is tried again, and follows, for as long as the truth is kept.
//! - Each line is in a file once, whoever is killed: its `record` tells where to go on.
//! - A line is whole: what is written before it (a time) stands once, also when it came in pieces.
//! - Lines of one stream keep their order. Between streams the earlier line goes first, as far as both are there.
//! - Settings hold until others are told, and what was written before others hold goes where it belongs.
//! - Memory is one batch, and a chunk and a line for each stream.

mod aside;
mod file;
mod lane;
mod moment;
mod record;
mod shape;
mod target;
mod tidy;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eco_home::clock;
use eco_home::runs::Stream;
use jiff::tz::TimeZone;

use crate::catalog::{self, CatalogError, Filter, Lives, Slot};
use crate::settings::{AppLogs, LogFile, Settings, Told};
use crate::tail::Bell;
use lane::Depth;
use record::{Kept, Slots};
use target::{Feeder, Target, Turn};
use tidy::Tidier;

/// The longest time without a look at the streams: the agent may be dead, and rings no bell.
const TICK: Duration = Duration::from_secs(1);
/// The longest time without a look for new runs.
const LISTING: Duration = Duration::from_secs(5);
/// The shortest time between two looks: what comes meanwhile goes as one batch.
const REST: Duration = Duration::from_millis(10);
/// Where there is nothing to copy only the bell wakes.
const LONG: Duration = Duration::from_secs(24 * 3600);
/// Turns after which whoever waits for all of it waits no longer.
const PATIENCE: usize = 10_000;
/// Turns before the end.
const LAST: usize = 4;

/// A file that was made empty, or was to be.
#[derive(Debug)]
pub struct Emptied {
    /// Which.
    pub path: PathBuf,
    /// How much was in it.
    pub bytes: u64,
    /// Why it is not empty.
    pub problem: Option<String>,
}

/// A file that was opened again, or was to be.
#[derive(Debug)]
pub struct Reopened {
    /// Which.
    pub path: PathBuf,
    /// What is in the way.
    pub problem: Option<String>,
}

/// All files that lines are copied to. One for a home.
#[derive(Debug)]
pub struct Mirrors {
    folder: PathBuf,
    runs: PathBuf,
    told: Arc<Told>,
    /// Those that are acted on.
    settings: Arc<Settings>,
    kept: Slots,
    targets: BTreeMap<PathBuf, Target>,
    /// Of files that could not be taken up.
    troubles: BTreeMap<PathBuf, String>,
    listed_at: Option<Duration>,
    looked_at: Option<Duration>,
    news: u64,
    tidier: Tidier,
}

impl Mirrors {
    /// Takes up what is known in `folder` of copies of what is below `runs`.
    #[must_use]
    pub fn load(folder: PathBuf, runs: PathBuf) -> Self {
        let path = Settings::path(&folder);
        let (kept, settings) = Slots::open(path.clone()).unwrap_or_else(|error| {
            tracing::warn!(%error, path = %path.display(), "cannot be read");
            (Slots::new(path), Kept::Damaged)
        });
        let settings = match settings {
            Kept::Sound(settings) => settings,
            Kept::Nothing => Settings::default(),
            Kept::Damaged => {
                tracing::warn!("the settings of log files are damaged: the agent tells them anew");
                Settings::default()
            }
        };
        let told = Arc::new(Told::new(settings));
        Self {
            settings: told.now(),
            told,
            folder,
            runs,
            kept,
            targets: BTreeMap::new(),
            troubles: BTreeMap::new(),
            listed_at: None,
            looked_at: None,
            news: 0,
            tidier: Tidier::default(),
        }
    }

    /// Where settings are told.
    #[must_use]
    pub fn told(&self) -> Arc<Told> {
        Arc::clone(&self.told)
    }

    /// Copies what there is, for a turn; `news` counts the beginnings and ends of runs that were heard of.
    fn turn(&mut self, news: u64) -> Turn {
        let told = self.told.now();
        if !Arc::ptr_eq(&told, &self.settings) {
            // What was written until now goes where it belonged until now.
            self.finish(PATIENCE);
            self.take(&told);
        }
        if self.settings.apps.iter().all(|app| app.files.is_empty()) {
            return Turn {
                is_busy: false,
                patience: Some(LONG),
            };
        }
        let now = clock::since_boot();
        let is_due =
            |at: Option<Duration>, after| at.is_none_or(|at| now.saturating_sub(at) >= after);
        let is_listing = news != self.news || is_due(self.listed_at, LISTING);
        if is_listing {
            (self.news, self.listed_at) = (news, Some(now));
            if let Err(error) = self.list() {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "no new runs are seen"
                );
            }
        }
        let depth = if is_listing || is_due(self.looked_at, TICK) {
            self.looked_at = Some(now);
            Depth::Look
        } else {
            Depth::Glance
        };
        self.turn_all(depth)
    }

    fn turn_all(&mut self, depth: Depth) -> Turn {
        let zone = TimeZone::system();
        let mut all = Turn {
            is_busy: false,
            patience: Some(TICK),
        };
        for target in self.targets.values_mut() {
            let turn = target.turn(depth, &zone, &self.runs);
            all.is_busy |= turn.is_busy;
            all.patience = all.patience.min(turn.patience.or(all.patience));
            if let Some((path, rotation)) = target.untidy() {
                self.tidier.ask(path, rotation);
            }
        }
        all
    }

    /// Copies all there is.
    fn finish(&mut self, turns: usize) {
        if let Err(error) = self.list() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "no new runs are seen"
            );
        }
        for _ in 0..turns {
            if !self.turn_all(Depth::Look).is_busy {
                return;
            }
        }
    }

    /// From now on these settings hold.
    fn take(&mut self, settings: &Arc<Settings>) {
        if **settings != *self.settings
            && let Err(error) = self.kept.write(&**settings)
        {
            tracing::warn!(%error, "the settings of log files are not kept");
        }
        self.settings = Arc::clone(settings);
        self.listed_at = None;
        self.troubles.clear();
        let targets = std::mem::take(&mut self.targets);
        for (path, mut target) in targets {
            let is_meant = |slot: &Slot| {
                of_slot(settings, slot)
                    .is_some_and(|(_, mut files)| files.any(|file| file.of(slot.instance) == path))
            };
            target.retain(is_meant);
            let is_named = settings.apps.iter().any(|app| names(app, &path));
            if is_named {
                self.targets.insert(path, target);
            } else {
                target.forget();
            }
        }
    }

    /// Looks which runs there are.
    fn list(&mut self) -> Result<(), CatalogError> {
        let mut filter = Filter::default();
        for app in self
            .settings
            .apps
            .iter()
            .filter(|app| !app.files.is_empty())
        {
            let exactly = globset::escape;
            filter.add(&exactly(&app.environment), &exactly(&app.app), None, None)?;
        }
        if filter.is_empty() {
            return Ok(());
        }
        let mut feeders: BTreeMap<PathBuf, (Vec<Feeder>, &AppLogs)> = BTreeMap::new();
        let settings = Arc::clone(&self.settings);
        for Lives { slot, runs } in catalog::list(&self.runs, &filter)? {
            let slot = Arc::new(slot);
            let Some((app, files)) = of_slot(&settings, &slot) else {
                continue;
            };
            for file in files {
                let feeder = Feeder {
                    slot: Arc::clone(&slot),
                    streams: streams(file),
                    shape: app.shape.clone(),
                    before: app.before.get(&slot.instance).copied().unwrap_or_default(),
                    runs: runs.clone(),
                };
                let path = file.of(slot.instance);
                let (all, _) = feeders.entry(path).or_insert((Vec::new(), app));
                match all.iter_mut().find(|known| known.slot == slot) {
                    // The same file for stdout and stderr.
                    Some(known) => {
                        known.streams.extend(feeder.streams);
                        known.streams.sort_unstable();
                        known.streams.dedup();
                    }
                    None => all.push(feeder),
                }
            }
        }
        for (path, (feeders, app)) in feeders {
            self.set(&path, feeders, app);
        }
        Ok(())
    }

    fn set(&mut self, path: &Path, feeders: Vec<Feeder>, app: &AppLogs) {
        let taken = match self.targets.remove(path) {
            Some(target) => Ok(target),
            None => Target::open(path, &self.folder),
        };
        let set = taken.and_then(|mut target| {
            let set = target.set(feeders, app.rotation, &self.runs);
            self.targets.insert(path.to_owned(), target);
            set
        });
        match set {
            Ok(()) => drop(self.troubles.remove(path)),
            Err(error) => {
                let text = target::told(&error);
                if self.troubles.insert(path.to_owned(), text.clone()) != Some(text) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "lines wait in eco's own files: it is tried again"
                    );
                }
            }
        }
    }

    /// Opens all files by their paths again, when all lines so far are in the old ones.
    pub fn reopen(&mut self) -> Vec<Reopened> {
        self.finish(PATIENCE);
        let mut reopened = Vec::new();
        for (path, target) in &mut self.targets {
            let problem = match target.reopen() {
                Ok(()) => target.trouble().map(str::to_owned),
                Err(error) => Some(target::told(&error)),
            };
            let path = path.clone();
            reopened.push(Reopened { path, problem });
        }
        reopened
    }

    /// Makes those files empty that hold lines of nobody but whom `filter` chooses. `flush` takes away what they are copied
    /// from, when all of that is in them.
    pub fn empty<T>(&mut self, filter: &Filter, flush: impl FnOnce() -> T) -> (T, Vec<Emptied>) {
        self.finish(PATIENCE);
        let flushed = flush();
        let mut emptied = Vec::new();
        for target in self.targets.values_mut() {
            let feeders = target.feeders();
            let is_chosen = |feeder: &Feeder| filter.chooses(&feeder.slot);
            if feeders.is_empty() || !feeders.iter().all(is_chosen) {
                continue;
            }
            let (bytes, problem) = match target.empty() {
                Ok(bytes) => (bytes, None),
                Err(error) => (0, Some(error.to_string())),
            };
            emptied.push(Emptied {
                path: target.path().to_owned(),
                bytes,
                problem,
            });
        }
        (flushed, emptied)
    }
}

/// The settings of an instance's app.
fn of_slot<'a>(
    settings: &'a Settings,
    slot: &Slot,
) -> Option<(&'a AppLogs, impl Iterator<Item = &'a LogFile> + use<'a>)> {
    if slot.host != settings.host {
        return None;
    }
    let app = settings.app(&slot.environment, &slot.app)?;
    Some((app, app.files.iter()))
}

/// Whether `path` may be a file of some instance of an app.
fn names(app: &AppLogs, path: &Path) -> bool {
    app.files.iter().any(|file| {
        let is_numbered = || {
            let (stem, other) = (file.path.file_stem(), path.file_stem());
            let number = stem
                .and_then(|stem| stem.to_str())
                .zip(other.and_then(|other| other.to_str()))
                .and_then(|(stem, other)| other.strip_prefix(stem)?.strip_prefix('-'))
                .and_then(|number| number.parse::<u32>().ok());
            number.is_some_and(|number| file.of(number) == path)
        };
        file.path == path || is_numbered()
    })
}

fn streams(file: &LogFile) -> Vec<Stream> {
    let wanted = [(file.out, Stream::Out), (file.err, Stream::Err)];
    let wanted = wanted.into_iter().filter(|(is_wanted, _)| *is_wanted);
    wanted.map(|(_, stream)| stream).collect()
}

/// Takes the mirrors for a while.
pub fn hold(mirrors: &Mutex<Mirrors>) -> MutexGuard<'_, Mirrors> {
    // What a panic left half done is read from the disk by nobody but the next daemon, and written anew by the next turn.
    mirrors.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies lines until the bell is closed.
pub fn run(mirrors: &Mutex<Mirrors>, bell: &Bell) {
    while let Ok(heard) = bell.heard() {
        let turn = hold(mirrors).turn(heard.news);
        let rested = if turn.is_busy {
            Ok(heard)
        } else {
            bell.wait(heard, turn.patience.unwrap_or(TICK))
                .and_then(|_| bell.rest(REST))
        };
        if rested.is_err() {
            break;
        }
    }
    // What was said before the end is not left for the next one, as far as that is no matter of time.
    hold(mirrors).finish(LAST);
}
