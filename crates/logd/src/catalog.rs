//! Which runs there are: the folders, and the patterns that choose among them.
//!
//! Only names are read here. An app that crashes all day has thousands of runs; what is in them is looked at by those
//! who need it, newest first.

use std::collections::BTreeSet;
use std::path::Path;

use eco_home::run_folders::{ListError, folders, number};
use eco_home::runs::{RunId, decode};
use globset::{Glob, GlobMatcher};

/// Why a catalogue cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A pattern is none.
    #[error("read the pattern {pattern:?}")]
    Pattern {
        /// As given.
        pattern: String,
        /// Why.
        #[source]
        source: globset::Error,
    },
    /// A folder cannot be listed.
    #[error(transparent)]
    List(#[from] ListError),
}

/// Chooses runs.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    matches: Vec<Match>,
}

#[derive(Clone, Debug)]
struct Match {
    environment: Option<GlobMatcher>,
    app: Option<GlobMatcher>,
    instance: Option<u32>,
    run: Option<u64>,
}

/// Which runs of an instance are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Chosen {
    Every,
    These(BTreeSet<u64>),
}

impl Filter {
    /// Adds a way to be chosen: all four must fit. An empty pattern fits everything; a filter that nothing was added to
    /// chooses everything.
    pub fn add(
        &mut self,
        environment: &str,
        app: &str,
        instance: Option<u32>,
        run: Option<u64>,
    ) -> Result<(), CatalogError> {
        self.matches.push(Match {
            environment: matcher(environment)?,
            app: matcher(app)?,
            instance,
            run,
        });
        Ok(())
    }

    /// Whether nothing was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.matches.is_empty()
    }

    /// Whether any run of the slot may be chosen.
    #[must_use]
    pub fn chooses(&self, slot: &Slot) -> bool {
        self.any(|one| {
            fits(one.environment.as_ref(), &slot.environment)
                && fits(one.app.as_ref(), &slot.app)
                && one.instance.is_none_or(|wanted| wanted == slot.instance)
        })
    }

    fn chooses_environment(&self, name: &str) -> bool {
        self.any(|one| fits(one.environment.as_ref(), name))
    }

    fn chooses_app(&self, environment: &str, name: &str) -> bool {
        self.any(|one| fits(one.environment.as_ref(), environment) && fits(one.app.as_ref(), name))
    }

    fn chosen(&self, environment: &str, app: &str, instance: u32) -> Chosen {
        let fits = |one: &&Match| {
            fits(one.environment.as_ref(), environment)
                && fits(one.app.as_ref(), app)
                && one.instance.is_none_or(|wanted| wanted == instance)
        };
        if self.matches.is_empty() {
            return Chosen::Every;
        }
        let runs: Option<BTreeSet<u64>> = self
            .matches
            .iter()
            .filter(fits)
            .map(|one| one.run)
            .collect();
        runs.map_or(Chosen::Every, Chosen::These)
    }

    fn any(&self, fits: impl Fn(&Match) -> bool) -> bool {
        self.matches.is_empty() || self.matches.iter().any(fits)
    }
}

fn matcher(pattern: &str) -> Result<Option<GlobMatcher>, CatalogError> {
    if pattern.is_empty() {
        return Ok(None);
    }
    let glob = Glob::new(pattern).map_err(|source| CatalogError::Pattern {
        pattern: pattern.to_owned(),
        source,
    })?;
    Ok(Some(glob.compile_matcher()))
}

fn fits(pattern: Option<&GlobMatcher>, name: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(name))
}

/// One slot of an app, on one host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// The host's name.
    pub host: String,
    /// The environment's.
    pub environment: String,
    /// The app's.
    pub app: String,
    /// The instance.
    pub instance: u32,
}

impl Slot {
    /// Returns the run of this number.
    #[must_use]
    pub fn run(&self, run: u64) -> RunId {
        RunId {
            host: self.host.clone(),
            environment: self.environment.clone(),
            app: self.app.clone(),
            instance: self.instance,
            run,
        }
    }
}

/// A slot and the numbers of its runs, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lives {
    /// Whose.
    pub slot: Slot,
    /// Their numbers.
    pub runs: Vec<u64>,
}

/// Lists what `filter` chooses below `runs`, in the order of the names. Folders that are no run's are passed over, and so
/// are instances without a run and those that go while we look.
pub fn list(runs: &Path, filter: &Filter) -> Result<Vec<Lives>, CatalogError> {
    let mut found = Vec::new();
    for (host, path) in folders(runs, decode)? {
        for (environment, path) in folders(&path, decode)? {
            if !filter.chooses_environment(&environment) {
                continue;
            }
            for (app, path) in folders(&path, decode)? {
                if !filter.chooses_app(&environment, &app) {
                    continue;
                }
                for (instance, path) in folders(&path, number)? {
                    let runs = match filter.chosen(&environment, &app, instance) {
                        Chosen::Every => numbers(&path)?,
                        Chosen::These(runs) => present(&path, &runs),
                    };
                    if runs.is_empty() {
                        continue;
                    }
                    let slot = Slot {
                        host: host.clone(),
                        environment: environment.clone(),
                        app: app.clone(),
                        instance,
                    };
                    found.push(Lives { slot, runs });
                }
            }
        }
    }
    Ok(found)
}

/// All runs of an instance, the newest first.
fn numbers(path: &Path) -> Result<Vec<u64>, CatalogError> {
    let folders = folders(path, number)?;
    Ok(folders.into_iter().rev().map(|(run, _)| run).collect())
}

/// Those of `runs` that are there, the newest first.
fn present(path: &Path, runs: &BTreeSet<u64>) -> Vec<u64> {
    let is_there = |run: &u64| path.join(run.to_string()).is_dir();
    runs.iter().rev().copied().filter(is_there).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn filter(matches: &[(&str, &str, Option<u32>)]) -> Filter {
        let mut filter = Filter::default();
        for (environment, app, instance) in matches {
            filter
                .add(environment, app, *instance, None)
                .expect("patterns");
        }
        filter
    }

    fn chosen(runs: &Path, filter: &Filter) -> Vec<String> {
        list(runs, filter)
            .expect("listed")
            .into_iter()
            .map(|Lives { slot, runs }| {
                format!(
                    "{}/{}/{} {runs:?}",
                    slot.environment, slot.app, slot.instance
                )
            })
            .collect()
    }

    #[test]
    fn patterns_choose_instances_and_junk_is_passed_over() {
        let home = tempfile::tempdir().expect("a folder");
        for path in [
            "box/dev/api/0/1",
            "box/dev/api/0/10",
            "box/dev/api/0/9",
            "box/dev/api/0/junk",
            "box/dev/api/0/007",
            "box/dev/api/1/1",
            "box/dev/@acme%2Fweb/0/1",
            "box/dev/a b/0/1",
            "box/production/api/0/3",
        ] {
            fs::create_dir_all(home.path().join(path)).expect("made");
        }
        fs::write(home.path().join("box/dev/file"), "").expect("written");
        let all = chosen(home.path(), &filter(&[]));
        assert_eq!(
            all,
            [
                "dev/@acme/web/0 [1]",
                "dev/api/0 [10, 9, 1]",
                "dev/api/1 [1]",
                "production/api/0 [3]",
            ]
        );
        assert_eq!(chosen(home.path(), &filter(&[("", "", None)])), all);
        assert_eq!(
            chosen(
                home.path(),
                &filter(&[("dev", "*/w?b", None), ("prod*", "{api,x}", Some(0))])
            ),
            ["dev/@acme/web/0 [1]", "production/api/0 [3]"]
        );
        assert_eq!(
            chosen(home.path(), &filter(&[("*", "api", Some(1))])),
            ["dev/api/1 [1]"]
        );
    }

    #[test]
    fn runs_are_chosen_by_number_unless_another_pattern_wants_them_all() {
        let home = tempfile::tempdir().expect("a folder");
        for path in ["box/dev/api/0/9", "box/dev/api/0/10", "box/dev/api/1/10"] {
            fs::create_dir_all(home.path().join(path)).expect("made");
        }
        let mut filter = Filter::default();
        filter.add("dev", "api", None, Some(9)).expect("patterns");
        filter.add("dev", "api", None, Some(8)).expect("patterns");
        assert_eq!(chosen(home.path(), &filter), ["dev/api/0 [9]"]);
        filter.add("", "api", Some(0), None).expect("patterns");
        assert_eq!(chosen(home.path(), &filter), ["dev/api/0 [10, 9]"]);
    }

    #[test]
    fn no_folder_is_no_runs() {
        assert_eq!(
            chosen(Path::new("/nonexistent/runs"), &filter(&[])),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_broken_pattern_is_said() {
        let error = Filter::default()
            .add("dev", "[a", None, None)
            .expect_err("broken");
        assert_eq!(error.to_string(), "read the pattern \"[a\"");
    }
}
