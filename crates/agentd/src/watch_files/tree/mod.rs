//! Which folders the kernel is asked about, and what its answers mean.
//!
//! ```text
//!  /srv ──────── way: is `app` still there, or there again?       no word of anything else in it
//!   └── app ──── root: watched, and each folder below it that is not left out
//!        ├── src
//!        └── node_modules      not watched, and nothing below it
//! ```
//!
//! - Folders that are left out are neither read nor watched, so that their size does not matter.
//! - A folder is watched before it is read, so that nothing can come into it unseen in between.
//! - A folder that comes is watched with all that is in it; one that goes is forgotten.
//! - A root that goes is waited for, by watching how far the way to it exists. A link on the way may lead elsewhere one day
//!   and is watched for that. Whenever a way changes the scope is watched anew.
//! - The kernel gives one watch for one folder, whichever ways lead there; it has a place for each scope that watches it.
//!   A second way to a folder within one scope, by a link, is not followed: circles end there.

mod reach;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::Bound;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eco_home::clock;

use super::judge::Judge;
use crate::os::inotify::{Event, Kind, Telling, What};
pub(super) use reach::{Target, followed};

/// A touch is a change when the file says that it was changed this recently, in seconds: that its mode or its owner
/// changed leaves its time alone.
const RECENT: u64 = 2;

/// Who tells of changes; the kernel, or a test.
pub(super) trait Source {
    /// What is watched.
    type Watch: Copy + Ord + Send;
    /// Watches a folder.
    fn add(&mut self, folder: &Path, telling: Telling) -> io::Result<Self::Watch>;
    /// Watches it no longer.
    fn remove(&mut self, watch: Self::Watch);
    /// Takes some of what happened; nothing is left once nothing comes.
    fn read(&mut self) -> io::Result<Vec<Event<Self::Watch>>>;
    /// What can be read when something happened.
    fn end(&self) -> Option<BorrowedFd<'_>>;
}

/// A scope, as long as it is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ScopeId(pub(super) u32);

/// What a watched folder is to a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A folder whose entries count.
    Inside(Arc<Path>),
    /// The folder of a single file, which is known by another path where a link leads to it.
    File { name: OsString, shown: PathBuf },
    /// A folder on the way to a root, and its entry that is next on the way.
    Way { root: PathBuf, next: OsString },
}

/// A watched scope.
struct Entry<W> {
    judge: Arc<Judge>,
    folders: BTreeMap<Arc<Path>, W>,
    /// The watches of the other places.
    others: Vec<W>,
    /// Folders that may not be read.
    denied: Vec<PathBuf>,
}

/// All that is watched.
pub(super) struct Trees<S: Source> {
    source: S,
    scopes: BTreeMap<ScopeId, Entry<S::Watch>>,
    places: BTreeMap<S::Watch, Vec<(ScopeId, Place)>>,
}

/// What an event means.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// What changed.
    pub(super) changes: Vec<(ScopeId, PathBuf)>,
    /// Which scopes could not be watched on, and why.
    pub(super) failed: Vec<(ScopeId, io::Error)>,
}

/// How much of a scope is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) folders: usize,
    pub(super) denied: Vec<PathBuf>,
}

/// What changed, and what it is.
type Change = (PathBuf, Kind);

impl<S: Source> Trees<S> {
    pub(super) const fn new(source: S) -> Self {
        Self {
            source,
            scopes: BTreeMap::new(),
            places: BTreeMap::new(),
        }
    }

    pub(super) const fn source(&self) -> &S {
        &self.source
    }

    pub(super) const fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    /// Watches a scope, anew where it is watched. When that fails nothing of it is watched.
    pub(super) fn watch(&mut self, id: ScopeId, judge: &Arc<Judge>) -> io::Result<()> {
        self.forget(id);
        let entry = Entry {
            judge: Arc::clone(judge),
            folders: BTreeMap::new(),
            others: Vec::new(),
            denied: Vec::new(),
        };
        self.scopes.insert(id, entry);
        let mut roots = judge.scope().roots.iter();
        let reached = roots.try_for_each(|root| self.establish(id, judge, &root.path));
        if reached.is_err() {
            self.forget(id);
        }
        reached
    }

    /// Watches a scope no longer.
    pub(super) fn forget(&mut self, id: ScopeId) {
        if let Some(entry) = self.scopes.remove(&id) {
            for watch in entry.folders.into_values().chain(entry.others) {
                self.leave(watch, |place| place.0 == id);
            }
        }
    }

    /// How much of a scope is watched.
    pub(super) fn extent(&self, id: ScopeId) -> Option<Extent> {
        let entry = self.scopes.get(&id)?;
        Some(Extent {
            folders: entry.folders.len(),
            denied: entry.denied.clone(),
        })
    }

    /// Takes what the source tells.
    pub(super) fn take(&mut self, event: &Event<S::Watch>) -> Taken {
        let mut taken = Taken::default();
        let places = self.places.get(&event.watch).cloned().unwrap_or_default();
        for (id, place) in places {
            let Some(judge) = self.scopes.get(&id).map(|entry| Arc::clone(&entry.judge)) else {
                continue;
            };
            let changed = match self.at_place(id, &judge, &place, event) {
                Ok(change) => change.filter(|(path, kind)| judge.counts(path, *kind)),
                Err(error) => {
                    self.forget(id);
                    taken.failed.push((id, error));
                    // What cannot be watched has changed all the same.
                    Some((judge.scope().base.clone(), Kind::Folder))
                }
            };
            taken.changes.extend(changed.map(|(path, _)| (id, path)));
        }
        if event.what == What::Unwatched {
            self.unwatched(event.watch);
        }
        taken
    }

    /// What an event at a place changed, if anything.
    fn at_place(
        &mut self,
        id: ScopeId,
        judge: &Arc<Judge>,
        place: &Place,
        event: &Event<S::Watch>,
    ) -> io::Result<Option<Change>> {
        let is_about = |name: &OsStr| event.name.as_deref() == Some(name);
        match (place, event.what) {
            (Place::Inside(folder), what) => match &event.name {
                Some(name) => self.inside(id, judge, folder.join(name), what),
                // Of the other folders the one above tells.
                None if what == What::Moved && is_root(judge, folder) => {
                    self.again(id, judge, folder)
                }
                None => Ok(None),
            },
            (Place::File { name, shown }, What::Written | What::Came(_) | What::Went(_)) => {
                Ok(is_about(name).then(|| (shown.clone(), Kind::File)))
            }
            (Place::File { name, shown }, What::Touched) => {
                let is_change = is_about(name) && is_recent(shown);
                Ok(is_change.then(|| (shown.clone(), Kind::File)))
            }
            (Place::Way { root, .. }, What::Moved) => self.again(id, judge, root),
            (Place::Way { root, next }, What::Came(_)) if is_about(next) => {
                self.again(id, judge, root)
            }
            (Place::File { .. }, What::Moved | What::Unwatched | What::Lost)
            | (
                Place::Way { .. },
                What::Written
                | What::Touched
                | What::Came(_)
                | What::Went(_)
                | What::Unwatched
                | What::Lost,
            ) => Ok(None),
        }
    }

    fn inside(
        &mut self,
        id: ScopeId,
        judge: &Judge,
        path: PathBuf,
        what: What,
    ) -> io::Result<Option<Change>> {
        match what {
            What::Written => Ok(Some((path, Kind::File))),
            What::Touched => Ok(is_recent(&path).then_some((path, Kind::File))),
            What::Came(kind) => {
                let kind = self.arrive(id, judge, &path, kind)?;
                Ok(Some((path, kind)))
            }
            What::Went(kind) => {
                self.drop_below(id, &path);
                Ok(Some((path, kind)))
            }
            What::Moved | What::Unwatched | What::Lost => Ok(None),
        }
    }

    /// Watches what came; returns what it is, links followed.
    fn arrive(&mut self, id: ScopeId, judge: &Judge, path: &Path, kind: Kind) -> io::Result<Kind> {
        let kind = match (kind, followed(judge, path)) {
            (Kind::Folder, _) | (Kind::File, Some(Target::Folder)) => Kind::Folder,
            (Kind::File, Some(Target::File(target))) => {
                self.watch_file(id, &target, path)?;
                Kind::File
            }
            (Kind::File, None) => Kind::File,
        };
        if kind == Kind::Folder && judge.enters(path) {
            self.walk(id, judge, path)?;
        }
        Ok(kind)
    }

    /// A root, or the way to it, is not what it was.
    fn again(
        &mut self,
        id: ScopeId,
        judge: &Arc<Judge>,
        root: &Path,
    ) -> io::Result<Option<Change>> {
        let was_there = self.reaches(id, root);
        self.watch(id, judge)?;
        let has_changed = was_there || self.reaches(id, root);
        Ok(has_changed.then(|| (root.to_owned(), Kind::Folder)))
    }

    /// Forgets a folder that went, and all below it.
    fn drop_below(&mut self, id: ScopeId, path: &Path) {
        let Some(entry) = self.scopes.get_mut(&id) else {
            return;
        };
        let below = entry
            .folders
            .range::<Path, _>((Bound::Included(path), Bound::Unbounded));
        let gone: Vec<(Arc<Path>, S::Watch)> = below
            .take_while(|(folder, _)| folder.starts_with(path))
            .map(|(folder, watch)| (Arc::clone(folder), *watch))
            .collect();
        for (folder, _) in &gone {
            entry.folders.remove(folder);
        }
        for (folder, watch) in gone {
            self.leave(watch, |place| {
                *place == (id, Place::Inside(Arc::clone(&folder)))
            });
        }
    }

    /// Takes places from a watched folder, and ends the watch when none is left.
    fn leave(&mut self, watch: S::Watch, is_meant: impl Fn(&(ScopeId, Place)) -> bool) {
        if let Some(places) = self.places.get_mut(&watch) {
            places.retain(|place| !is_meant(place));
            if places.is_empty() {
                self.places.remove(&watch);
                self.source.remove(watch);
            }
        }
    }

    /// The source has ended a watch by itself.
    fn unwatched(&mut self, watch: S::Watch) {
        for (id, place) in self.places.remove(&watch).unwrap_or_default() {
            let Some(entry) = self.scopes.get_mut(&id) else {
                continue;
            };
            match place {
                Place::Inside(path) => drop(entry.folders.remove(&path)),
                Place::File { .. } | Place::Way { .. } => entry.others.retain(|one| *one != watch),
            }
        }
    }
}

fn is_root(judge: &Judge, folder: &Path) -> bool {
    judge.scope().roots.iter().any(|root| root.path == folder)
}

/// Whether a file says that it was changed just now.
fn is_recent(path: &Path) -> bool {
    let Ok(found) = path.metadata() else {
        return false;
    };
    let changed = found
        .modified()
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    found.is_file() && changed.is_some_and(|at| clock::unix().saturating_sub(at).as_secs() < RECENT)
}
