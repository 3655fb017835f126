//! What the file said when it last was a good one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{EcoToml, FILE};

/// The file of a home, and what holds of it.
#[derive(Debug)]
pub struct LastGood {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    good: EcoToml,
    /// What it said at the beginning, for what holds from then on.
    first: EcoToml,
    /// What is wrong with it now, as it was said.
    broken: Option<String>,
    /// What of it cannot be done.
    failed: Option<String>,
    /// Why nothing is shipped at the moment.
    rests: Option<String>,
}

impl LastGood {
    /// Reads the file in the home at `root` for the first time.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        let new = Self {
            path: root.join(FILE),
            state: Mutex::default(),
        };
        let first = new.read();
        new.state().first = first;
        new
    }

    /// Reads it again, and returns what holds by now. What is wrong is said in the log, once.
    pub fn read(&self) -> EcoToml {
        let read = EcoToml::read(&self.path);
        let mut state = self.state();
        match read {
            Ok(good) => {
                if state.broken.take().is_some() {
                    tracing::info!(path = %self.path.display(), "eco.toml is mended");
                }
                state.good = good;
            }
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}"));
                let text = format!("failed to {error}{}", cause.unwrap_or_default());
                if state.broken.as_ref() != Some(&text) {
                    tracing::warn!(
                        "mend eco.toml; until then what it said before holds, at first the defaults: {text}"
                    );
                    state.broken = Some(text);
                }
            }
        }
        state.good.clone()
    }

    /// Notes that something it says cannot be done, and says so in the log.
    pub fn fail(&self, what: String) {
        tracing::error!("{what}");
        self.state().failed = Some(what);
    }

    /// Notes why nothing is shipped at the moment; `None`: it is.
    pub fn rests(&self, why: Option<String>) {
        self.state().rests = why;
    }

    /// What is wrong, as far as it is known; `None`: nothing.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let state = self.state();
        let (first, good) = (&state.first, &state.good);
        let is_late = (&first.guests, &first.ship) != (&good.guests, &good.ship);
        let late = is_late.then(|| {
            format!(
                "`listen`, `durability` or `[ship]` of {} changed, which holds when eco-logd is started again: kill \"$(cat {})\"; \
                 another one follows by itself",
                self.path.display(),
                self.path.with_file_name("run").join("logd.lock").display()
            )
        });
        let wrongs: Vec<&str> = [&state.broken, &state.failed, &state.rests, &late]
            .into_iter()
            .filter_map(|wrong| wrong.as_deref())
            .collect();
        (!wrongs.is_empty()).then(|| wrongs.join("; "))
    }

    /// Each field is whole at any moment: a panic of another thread spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_good_holds_while_it_is_broken_and_a_mended_one_is_no_problem() {
        let home = tempfile::tempdir().expect("a folder");
        let write = |text: &str| std::fs::write(home.path().join(FILE), text).expect("written");
        write("[logs]\nmax_age = \"1w\"\n");
        let file = LastGood::new(home.path());
        let good = file.read();
        assert_eq!(good.bounds.max_age, 7 * 24 * 3600);
        assert_eq!(file.problem(), None);
        write("[logs]\nmax_age = \"2w\"\nmax = 1\n");
        assert_eq!(file.read(), good);
        let problem = file.problem().expect("told");
        assert!(
            problem.contains("line 3: `logs.max` is not known"),
            "{problem}"
        );
        write("[logs]\nmax_age = \"2w\"\n");
        assert_eq!(file.read().bounds.max_age, 14 * 24 * 3600);
        assert_eq!(file.problem(), None);
        file.fail("failed to listen".to_owned());
        assert_eq!(file.problem().as_deref(), Some("failed to listen"));
        file.rests(Some("shipping rests".to_owned()));
        assert_eq!(
            file.problem().as_deref(),
            Some("failed to listen; shipping rests")
        );
        file.rests(None);
        assert_eq!(file.problem().as_deref(), Some("failed to listen"));
    }

    #[test]
    fn what_holds_from_the_beginning_only_is_told_to_have_changed_until_it_is_as_before() {
        let home = tempfile::tempdir().expect("a folder");
        let write = |text: &str| std::fs::write(home.path().join(FILE), text).expect("written");
        let file = LastGood::new(home.path());
        write("[ship]\nto = \"http://127.0.0.1:7470\"\n");
        file.read();
        let problem = file.problem().expect("told");
        assert!(
            problem.contains("when eco-logd is started again"),
            "{problem}"
        );
        write("[logs]\nmax_age = \"2w\"\n");
        file.read();
        assert_eq!(file.problem(), None);
    }
}
