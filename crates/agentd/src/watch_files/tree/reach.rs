//! Watching what is there: the way to a root, the folders below it, and what links lead to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eco_config::spec::Links;

use super::{Place, ScopeId, Source, Trees};
use crate::os::inotify::{Kind, Telling};
use crate::watch_files::judge::Judge;

/// What a link leads to.
pub(in crate::watch_files) enum Target {
    /// A folder.
    Folder,
    /// A file, by its own path.
    File(PathBuf),
}

/// What the link at `path` leads to; `None`: it is none, or links are not followed, or it leads nowhere.
pub(in crate::watch_files) fn followed(judge: &Judge, path: &Path) -> Option<Target> {
    let is_link = path
        .symlink_metadata()
        .is_ok_and(|found| found.is_symlink());
    match judge.scope().links {
        Links::Plain => None,
        Links::Followed if !is_link => None,
        Links::Followed => {
            let target = path.canonicalize().ok()?;
            Some(if target.is_dir() {
                Target::Folder
            } else {
                Target::File(target)
            })
        }
    }
}

impl<S: Source> Trees<S> {
    /// Whether a root is watched, and not only waited for.
    pub(super) fn reaches(&self, id: ScopeId, root: &Path) -> bool {
        let Some(entry) = self.scopes.get(&id) else {
            return false;
        };
        let mut others = entry
            .others
            .iter()
            .filter_map(|watch| self.places.get(watch));
        entry.folders.contains_key(root)
            || others.any(|places| {
                places.iter().any(|(_, place)| match place {
                    Place::File { shown, .. } => shown == root,
                    Place::Inside(_) | Place::Way { .. } => false,
                })
            })
    }

    /// Watches a root and the way to it.
    pub(super) fn establish(&mut self, id: ScopeId, judge: &Judge, root: &Path) -> io::Result<()> {
        self.watch_way(id, root)?;
        match root.metadata() {
            Ok(found) if found.is_dir() => self.walk(id, judge, root),
            Ok(_) => self.watch_file(id, root, root),
            Err(_) => Ok(()),
        }
    }

    /// Watches the folders on the way to a root, as far as it is there.
    fn watch_way(&mut self, id: ScopeId, root: &Path) -> io::Result<()> {
        let mut way: Vec<&Path> = root.ancestors().collect();
        way.reverse();
        for (folder, next) in way.iter().zip(way.iter().skip(1)) {
            let place = Place::Way {
                root: root.to_owned(),
                next: next.file_name().unwrap_or_default().to_owned(),
            };
            let is_settled = next
                .symlink_metadata()
                .is_ok_and(|found| !found.is_symlink());
            let telling = if is_settled {
                Telling::Itself
            } else {
                Telling::Arrivals
            };
            match self.place(id, folder, telling, place) {
                // The way may be passed though it may not be read.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                placed => placed?,
            }
            // Only now: it may have come before the folder was watched.
            if next.symlink_metadata().is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Watches a single file, shown by the path that leads to it.
    pub(super) fn watch_file(&mut self, id: ScopeId, file: &Path, shown: &Path) -> io::Result<()> {
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
            return Ok(());
        };
        let place = Place::File {
            name: name.to_owned(),
            shown: shown.to_owned(),
        };
        match self.place(id, folder, Telling::All, place) {
            Ok(()) => Ok(()),
            Err(error) => self.cannot(id, folder, error),
        }
    }

    /// Watches a folder and all below it that is not left out.
    pub(super) fn walk(&mut self, id: ScopeId, judge: &Judge, top: &Path) -> io::Result<()> {
        let mut left = vec![top.to_owned()];
        while let Some(folder) = left.pop() {
            if !self.place_inside(id, &folder)? {
                continue;
            }
            let Ok(entries) = folder.read_dir() else {
                continue;
            };
            for entry in entries.flatten() {
                let Ok(kind) = entry.file_type() else {
                    continue;
                };
                if kind.is_file() {
                    continue;
                }
                let path = entry.path();
                let target = if kind.is_dir() {
                    Some(Target::Folder)
                } else {
                    followed(judge, &path)
                };
                match target {
                    Some(Target::Folder) if judge.enters(&path) => left.push(path),
                    Some(Target::File(file)) if judge.counts(&path, Kind::File) => {
                        self.watch_file(id, &file, &path)?;
                    }
                    Some(Target::Folder | Target::File(_)) | None => {}
                }
            }
        }
        Ok(())
    }

    /// Returns whether the folder is new to the scope, so that it is to be read.
    fn place_inside(&mut self, id: ScopeId, folder: &Path) -> io::Result<bool> {
        let watch = match self.source.add(folder, Telling::All) {
            Ok(watch) => watch,
            Err(error) => return self.cannot(id, folder, error).map(|()| false),
        };
        let places = self.places.entry(watch).or_default();
        let is_known = places.iter().any(|(of, place)| match place {
            Place::Inside(_) => *of == id,
            Place::File { .. } | Place::Way { .. } => false,
        });
        if is_known {
            return Ok(false);
        }
        let path: Arc<Path> = folder.into();
        places.push((id, Place::Inside(Arc::clone(&path))));
        if let Some(entry) = self.scopes.get_mut(&id) {
            entry.folders.insert(path, watch);
        }
        Ok(true)
    }

    fn place(
        &mut self,
        id: ScopeId,
        folder: &Path,
        telling: Telling,
        place: Place,
    ) -> io::Result<()> {
        let watch = match self.source.add(folder, telling) {
            // It has gone meanwhile, of which the folder above it tells.
            Err(error) if is_gone(&error) => return Ok(()),
            added => added?,
        };
        let places = self.places.entry(watch).or_default();
        let place = (id, place);
        if !places.contains(&place) {
            places.push(place);
            if let Some(entry) = self.scopes.get_mut(&id) {
                entry.others.push(watch);
            }
        }
        Ok(())
    }

    /// What went meanwhile is told of by the folder above it; what may not be read cannot be watched by anybody. All else
    /// is a failure.
    fn cannot(&mut self, id: ScopeId, folder: &Path, error: io::Error) -> io::Result<()> {
        if is_gone(&error) {
            return Ok(());
        }
        if error.kind() != io::ErrorKind::PermissionDenied {
            return Err(error);
        }
        if let Some(entry) = self.scopes.get_mut(&id) {
            entry.denied.push(folder.to_owned());
        }
        Ok(())
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
