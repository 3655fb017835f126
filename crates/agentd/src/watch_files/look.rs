//! Looking at all that is watched, for where the kernel does not tell: what differs from one look to the next.
//!
//! Of each folder a number is kept that stands for all entries in it, their sizes and times, so that a look at many files
//! is remembered in little. Folders that are left out are not read.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::Metadata;
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::judge::Judge;
use super::tree::{Target, followed};
use crate::os::inotify::Kind;

/// What there was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look(BTreeMap<PathBuf, Folder>);

/// The entries of a folder that count, or a root that is a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Folder {
    /// Differs where anything differs.
    sum: u64,
    /// The entry that changed last, and when; in nanoseconds since 1970.
    newest: Option<(i128, OsString)>,
}

impl Look {
    /// Looks. `counts` says of a file that the judge lets pass whether it counts.
    pub(super) fn at(judge: &Judge, counts: &dyn Fn(&Path) -> bool) -> Self {
        let mut look = Self::default();
        let mut seen = BTreeSet::new();
        let roots = judge.scope().roots.iter();
        let mut left: Vec<PathBuf> = roots.map(|root| root.path.clone()).collect();
        while let Some(path) = left.pop() {
            let Ok(found) = path.metadata() else { continue };
            if found.is_dir() {
                if seen.insert((found.dev(), found.ino())) {
                    let folder = read(judge, &path, counts, &mut left);
                    look.0.insert(path, folder);
                }
            } else {
                let mut file = Folder::default();
                file.add(OsString::new(), &found);
                look.0.insert(path, file);
            }
        }
        look
    }

    /// Something that is not as it was in `before`.
    pub(super) fn difference(&self, before: &Self) -> Option<PathBuf> {
        let changed = self.0.iter().find_map(|(path, now)| {
            let then = before.0.get(path);
            (then != Some(now)).then(|| match (&now.newest, then.map(|then| &then.newest)) {
                (newest @ Some((_, name)), older) if older != Some(newest) => join(path, name),
                _ => path.clone(),
            })
        });
        let gone = || before.0.keys().find(|path| !self.0.contains_key(*path));
        changed.or_else(|| gone().cloned())
    }

    /// Something that changed at `since` or later, since 1970.
    pub(super) fn newer(&self, since: Duration) -> Option<PathBuf> {
        let since = i128::try_from(since.as_nanos()).unwrap_or(i128::MAX);
        self.0.iter().find_map(|(path, folder)| {
            let (at, name) = folder.newest.as_ref()?;
            (*at >= since).then(|| join(path, name))
        })
    }

    /// How many folders were read.
    pub(super) fn folders(&self) -> usize {
        self.0.len()
    }
}

fn join(folder: &Path, name: &OsString) -> PathBuf {
    if name.is_empty() {
        folder.to_owned()
    } else {
        folder.join(name)
    }
}

impl Folder {
    fn add(&mut self, name: OsString, found: &Metadata) {
        let changed = i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec());
        let mut hasher = DefaultHasher::new();
        (&name, changed, found.len(), found.ino()).hash(&mut hasher);
        // In whatever order the entries come.
        self.sum = self.sum.wrapping_add(hasher.finish());
        if self.newest.as_ref().is_none_or(|(at, _)| *at < changed) {
            self.newest = Some((changed, name));
        }
    }

    /// A folder in a folder: that it is there. What is in it stands for itself.
    fn add_folder(&mut self, name: &OsString) {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        self.sum = self.sum.wrapping_add(hasher.finish());
    }
}

fn read(
    judge: &Judge,
    folder: &Path,
    counts: &dyn Fn(&Path) -> bool,
    left: &mut Vec<PathBuf>,
) -> Folder {
    let mut of = Folder::default();
    let Ok(entries) = folder.read_dir() else {
        return of;
    };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let path = entry.path();
        let is_folder = kind.is_dir()
            || (kind.is_symlink() && matches!(followed(judge, &path), Some(Target::Folder)));
        if is_folder {
            if judge.counts(&path, Kind::Folder) {
                of.add_folder(&entry.file_name());
            }
            if judge.enters(&path) {
                left.push(path);
            }
        } else if judge.counts(&path, Kind::File)
            && counts(&path)
            && let Ok(found) = path.metadata()
        {
            of.add(entry.file_name(), &found);
        }
    }
    of
}
