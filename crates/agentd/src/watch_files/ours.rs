//! The files that eco itself writes for apps where their specifications say: a change of them is none of the app's, and one
//! app's must not restart another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eco_config::spec::AppSpec;

use crate::fleet::{AppKey, Fleet};
use crate::resolve;

/// Such files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ours(BTreeSet<PathBuf>);

impl Ours {
    /// Those of all apps.
    #[must_use]
    pub fn of(fleet: &Fleet) -> Self {
        let specs = fleet.apps().values().map(|app| &app.spec);
        Self(specs.flat_map(|spec| written_for(spec)).collect())
    }

    /// Whether a file is one of them, or a part of one that was put aside, such as `out.log.1`.
    #[must_use]
    pub fn covers(&self, path: &Path) -> bool {
        if self.0.contains(path) {
            return true;
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let (Some(folder), Some(name)) = (path.parent(), name) else {
            return false;
        };
        self.0.iter().any(|own| {
            let own_name = own.file_name().and_then(|name| name.to_str());
            let rest = own_name.and_then(|own| name.strip_prefix(own));
            own.parent() == Some(folder)
                && rest.is_some_and(|rest| rest.starts_with(['.', '-', '_']))
        })
    }
}

/// The files as they were when the fleet was last looked at, so that only what is new is looked at again.
#[derive(Debug, Default)]
pub(super) struct Known {
    of: BTreeMap<AppKey, (Arc<AppSpec>, Vec<PathBuf>)>,
    pub(super) ours: Arc<Ours>,
}

impl Known {
    /// Returns whether they are others than before.
    pub(super) fn update(&mut self, fleet: &Fleet) -> bool {
        self.of.retain(|key, _| fleet.app(key).is_some());
        for (key, app) in fleet.apps() {
            let known = self.of.get(key);
            if !known.is_some_and(|(spec, _)| Arc::ptr_eq(spec, &app.spec)) {
                let files = written_for(&app.spec);
                self.of.insert(key.clone(), (Arc::clone(&app.spec), files));
            }
        }
        let files = self.of.values().flat_map(|(_, files)| files);
        if files.clone().count() == self.ours.0.len()
            && files.clone().all(|it| self.ours.0.contains(it))
        {
            return false;
        }
        self.ours = Arc::new(Ours(files.cloned().collect()));
        true
    }
}

fn written_for(spec: &AppSpec) -> Vec<PathBuf> {
    resolve::all_pid_files(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_ours_and_what_was_put_aside_of_it_are_ours_and_no_other() {
        let ours = Ours(BTreeSet::from(["/app/logs/out.log".into()]));
        for path in [
            "/app/logs/out.log",
            "/app/logs/out.log.1",
            "/app/logs/out.log-2026.gz",
        ] {
            assert!(ours.covers(Path::new(path)), "{path}");
        }
        for path in [
            "/app/logs/out.logic.js",
            "/app/out.log",
            "/app/logs/err.log",
            "/app/logs",
        ] {
            assert!(!ours.covers(Path::new(path)), "{path}");
        }
    }
}
