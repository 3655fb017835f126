//! Keeping the pid files of apps in step with their runs, for the programs that look an app up there.
//!
//! ```text
//!  the fleet as it was written ─▶ what the last agent had put there ─┐
//!  published fleet ─▶ Wanted: path ─▶ instance, pid ─────────────────┴─▶ Files: writes, replaces, takes away
//!                                                                         └─▶ Problems, for describe and the log
//! ```
//!
//! - A file names the first process of a run from when the run was reported until nothing of it is left.
//! - It is replaced as a whole, so that nobody reads a part of it, and taken away only while it still holds the pid that
//!   was written.
//! - What stands at the path and is no pid file is left as it is.
//! - An app runs whether or not its file can be written: what cannot be done is told, and tried again.

mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::fleet::{Fleet, SlotKey};
use crate::resolve;

/// Between two attempts at what could not be done: nobody tells when a disk has room again.
const RETRY: Duration = Duration::from_secs(5);

/// What is amiss with the pid files of instances, each as full sentences.
pub type Problems = BTreeMap<SlotKey, String>;

/// A run that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    slot: SlotKey,
    pid: i32,
}

/// Which files should be there, with what in them: pure but for where a working directory is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    files: BTreeMap<PathBuf, Named>,
    problems: Problems,
}

impl Wanted {
    /// Those of all runs that live.
    #[must_use]
    pub fn of(fleet: &Fleet) -> Self {
        let mut wanted = Self::default();
        for (slot, app, at) in fleet.slots() {
            let path = resolve::pid_file(&app.spec, slot.instance);
            if let (Some(path), Some(pid)) = (path, at.pid()) {
                wanted.add(path, Named { slot, pid });
            }
        }
        wanted
    }

    fn add(&mut self, path: PathBuf, named: Named) {
        if let Some(first) = self.files.get(&path) {
            let (path, other) = (path.display(), &first.slot);
            let problem =
                format!("{path} is the pid file of {other} already. Give it another one.");
            self.problems.insert(named.slot, problem);
        } else {
            self.files.insert(path, named);
        }
    }
}

/// Keeps the files of the published fleet; `before` is what an earlier agent had written. Ends when the fleet does, and
/// after that has nothing left to do.
pub async fn run(
    mut published: watch::Receiver<Arc<Fleet>>,
    before: Wanted,
    problems: watch::Sender<Arc<Problems>>,
) {
    let mut files = Files::after(before, &Wanted::of(&published.borrow()));
    loop {
        let fleet = Arc::clone(&published.borrow_and_update());
        // A path may lead anywhere, also to a disk that does not answer.
        let kept = tokio::task::spawn_blocking(move || {
            let problems = files.keep(&Wanted::of(&fleet));
            (files, problems)
        });
        let Ok((after, found)) = kept.await else {
            tracing::error!("pid files are not kept any more");
            return;
        };
        files = after;
        let is_well = found.is_empty();
        tell(&problems, found);
        let has_ended = if is_well {
            published.changed().await.is_err()
        } else {
            let news = tokio::time::timeout(RETRY, published.changed()).await;
            news.is_ok_and(|news| news.is_err())
        };
        if has_ended {
            return;
        }
    }
}

/// Logs what is new.
fn tell(problems: &watch::Sender<Arc<Problems>>, found: Problems) {
    let known = Arc::clone(&problems.borrow());
    for (slot, problem) in &found {
        if known.get(slot) != Some(problem) {
            tracing::warn!(%slot, "{problem}");
        }
    }
    problems.send_replace(Arc::new(found));
}

/// The files that were written.
#[derive(Debug, Default)]
struct Files {
    written: BTreeMap<PathBuf, Named>,
}

impl Files {
    /// Nobody knows whether an agent that was killed had come to write what it was about to write.
    fn after(before: Wanted, wanted: &Wanted) -> Self {
        let mut written = before.files;
        written.retain(|path, _| !wanted.files.contains_key(path));
        Self { written }
    }

    /// Makes the files as they are wanted. What could not be done is told, and done when it is asked for again.
    fn keep(&mut self, wanted: &Wanted) -> Problems {
        let mut problems = wanted.problems.clone();
        self.written
            .retain(|path, named| match wanted.files.get(path) {
                Some(now) => now == named,
                None => match file::remove(path, named.pid) {
                    Ok(()) => false,
                    Err(error) => {
                        problems.insert(named.slot.clone(), error.to_string());
                        true
                    }
                },
            });
        for (path, named) in &wanted.files {
            if self.written.contains_key(path) {
                continue;
            }
            match file::write(path, named.pid) {
                Ok(()) => drop(self.written.insert(path.clone(), named.clone())),
                Err(error) => drop(problems.insert(named.slot.clone(), error.to_string())),
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::environment::tests::spec;
    use crate::fleet::AppKey;

    fn named(name: &str, pid: i32) -> Named {
        let slot = AppKey::of(&spec("dev", name)).slot(0);
        Named { slot, pid }
    }

    fn wanted(files: &[(&Path, &str, i32)]) -> Wanted {
        let mut wanted = Wanted::default();
        for (path, name, pid) in files {
            wanted.add((*path).to_owned(), named(name, *pid));
        }
        wanted
    }

    fn text(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    #[test]
    fn a_file_follows_its_run_and_goes_with_it() {
        let folder = tempfile::tempdir().expect("made");
        let (one, two) = (
            folder.path().join("a/one.pid"),
            folder.path().join("two.pid"),
        );
        let mut files = Files::default();
        let steps = [
            (vec![(one.as_path(), "a", 7)], [Some("7\n"), None]),
            (
                vec![(&one, "a", 8), (&two, "b", 9)],
                [Some("8\n"), Some("9\n")],
            ),
            (vec![(&two, "a", 8)], [None, Some("8\n")]),
            (vec![], [None, None]),
        ];
        for (want, there) in steps {
            assert!(files.keep(&wanted(&want)).is_empty());
            assert_eq!([text(&one).as_deref(), text(&two).as_deref()], there);
        }
    }

    #[test]
    fn what_an_earlier_agent_left_is_mended() {
        let folder = tempfile::tempdir().expect("made");
        let path = |name: &str| folder.path().join(name);
        let [on, ended, taken, again] = ["on", "ended", "taken", "again"].map(path);
        for (path, pid) in [
            (&on, "1\n"),
            (&ended, "2\n"),
            (&taken, "99\n"),
            (&again, "4\n"),
        ] {
            std::fs::write(path, pid).expect("written");
        }
        let before = [
            (&*on, "a", 1),
            (&ended, "b", 2),
            (&taken, "c", 3),
            (&again, "d", 4),
        ];
        let now = wanted(&[(&on, "a", 1), (&again, "d", 5)]);
        let mut files = Files::after(wanted(&before), &now);
        assert!(files.keep(&now).is_empty());
        let there = [&on, &ended, &taken, &again].map(|path| text(path));
        let there = there.each_ref().map(Option::as_deref);
        assert_eq!(there, [Some("1\n"), None, Some("99\n"), Some("5\n")]);
    }

    #[test]
    fn what_could_not_be_written_is_told_and_tried_again() {
        let folder = tempfile::tempdir().expect("made");
        let path = folder.path().join("a.pid");
        std::fs::create_dir(&path).expect("made");
        let want = wanted(&[(&path, "a", 7)]);
        let mut files = Files::default();
        let problems = files.keep(&want);
        let problem = problems.get(&named("a", 7).slot).expect("it is told");
        assert!(problem.contains("a.pid"), "{problem}");
        std::fs::remove_dir(&path).expect("it is empty");
        assert!(files.keep(&want).is_empty());
        assert_eq!(text(&path).as_deref(), Some("7\n"));
    }

    #[test]
    fn two_runs_cannot_have_one_file() {
        let path = Path::new("/run/a.pid");
        let wanted = wanted(&[(path, "a", 1), (path, "b", 2)]);
        assert_eq!(wanted.files.len(), 1);
        let problem = wanted.problems.get(&named("b", 2).slot);
        assert!(problem.is_some_and(|problem| problem.contains("dev/a#0")));
    }
}
