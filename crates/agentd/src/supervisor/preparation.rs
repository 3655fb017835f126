//! What a run needs before it can be ordered: its script, interpreter, folder, account and files of variables, looked for
//! where nobody waits for the disk.
//!
//! ```text
//!   Task::Spawn ──▶ ticket ──▶ a thread looks ──▶ Prepared{ticket} ──▶ still the last ticket of the run? ──▶ order
//!                                └ does not come back within PATIENCE ──▶ the run failed to start
//! ```
//!
//! A run that is asked for again, by the comparison with a keeper that is met anew, gets another ticket, and what was looked
//! for before it is dropped: each is ordered once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::AppSpec;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use crate::fleet::RunKey;
use crate::resolve::{self, Launch, Problem};

/// How long a disk may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at a time: more would only compete for the disk.
const AT_ONCE: usize = 16;

/// What was found for a run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) key: RunKey,
    ticket: u64,
    pub(super) found: Result<Found, NotFound>,
}

/// All that a run begins with.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) launch: Box<Launch>,
    /// The port of its own that it is told to listen on.
    pub(super) port: Option<u16>,
}

/// Why a run cannot begin, a fragment that fits after "failed to".
#[derive(Debug, thiserror::Error)]
pub(super) enum NotFound {
    /// Something is missing.
    #[error("start it: {}", messages(.0))]
    Missing(Vec<Problem>),
    /// Nobody can tell.
    #[error("start it: its files could not be looked at within {} s; does the disk they are on answer?", PATIENCE.as_secs())]
    NoAnswer,
}

fn messages(problems: &[Problem]) -> String {
    let messages: Vec<_> = problems.iter().map(|one| one.message.as_str()).collect();
    messages.join("; ")
}

/// The runs that are being prepared.
#[derive(Debug)]
pub(super) struct Preparations {
    looks: JoinSet<Prepared>,
    permits: Arc<Semaphore>,
    patience: Duration,
    /// The last ticket of each.
    tickets: BTreeMap<RunKey, u64>,
    last: u64,
}

impl Default for Preparations {
    fn default() -> Self {
        Self {
            looks: JoinSet::new(),
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            patience: PATIENCE,
            tickets: BTreeMap::new(),
            last: 0,
        }
    }
}

impl Preparations {
    /// Begins to look for what a run of `spec` needs.
    pub(super) fn begin(&mut self, key: RunKey, spec: Arc<AppSpec>) {
        let (instance, run) = (key.slot.instance, key.run);
        self.look(key, move || {
            let resolved = resolve::resolve(&spec).map_err(NotFound::Missing)?;
            Ok(Found {
                launch: Box::new(resolve::launch(&resolved, instance, run)),
                port: resolved.port(instance),
            })
        });
    }

    fn look(
        &mut self,
        key: RunKey,
        look: impl FnOnce() -> Result<Found, NotFound> + Send + 'static,
    ) {
        self.last += 1;
        let ticket = self.last;
        self.tickets.insert(key.clone(), ticket);
        let (permits, patience) = (Arc::clone(&self.permits), self.patience);
        self.looks.spawn(async move {
            // Given back in time also by who is still looking: a dead disk is not to stop those on others.
            let _permit = permits.acquire_owned().await;
            let looking = tokio::time::timeout(patience, tokio::task::spawn_blocking(look));
            let found = match looking.await {
                Ok(Ok(found)) => found,
                // Too late; or the runtime ends, and nobody reads it.
                Ok(Err(_)) | Err(_) => Err(NotFound::NoAnswer),
            };
            Prepared { key, ticket, found }
        });
    }

    /// Waits for what is found next and still asked for, and takes what else was found by then; waits for ever while nothing
    /// is looked for.
    pub(super) async fn next(&mut self) -> Vec<Prepared> {
        let mut found = Vec::new();
        while found.is_empty() {
            match self.looks.join_next().await {
                Some(looked) => found.extend(self.wanted(looked)),
                None => std::future::pending().await,
            }
            while let Some(looked) = self.looks.try_join_next() {
                found.extend(self.wanted(looked));
            }
        }
        found
    }

    fn wanted(&mut self, looked: Result<Prepared, JoinError>) -> Option<Prepared> {
        // One that was aborted ends with the runtime.
        looked.ok().filter(|prepared| self.takes(prepared))
    }

    fn takes(&mut self, prepared: &Prepared) -> bool {
        let is_last = self.tickets.get(&prepared.key) == Some(&prepared.ticket);
        if is_last {
            self.tickets.remove(&prepared.key);
        }
        is_last
    }

    /// Whether something is still looked for.
    pub(super) fn are_done(&self) -> bool {
        self.tickets.is_empty()
    }

    /// Drops all: what is still wanted is asked for again.
    pub(super) fn forget(&mut self) {
        self.tickets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::AppKey;

    fn run(number: u64) -> RunKey {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
        };
        app.slot(0).run(number)
    }

    fn missing(what: &str) -> Result<Found, NotFound> {
        Err(NotFound::Missing(vec![Problem {
            field: "script",
            message: what.to_owned(),
            hint: String::new(),
        }]))
    }

    fn why(prepared: &Prepared) -> String {
        prepared.found.as_ref().expect_err("nothing").to_string()
    }

    #[tokio::test]
    async fn what_was_asked_for_before_is_dropped() {
        let mut preparations = Preparations::default();
        preparations.look(run(1), || missing("first"));
        preparations.look(run(1), || missing("second"));
        let found = preparations.next().await;
        let told: Vec<_> = found.iter().map(why).collect();
        assert_eq!(told, ["start it: second"]);
        assert!(preparations.are_done());
        preparations.look(run(2), || missing("third"));
        preparations.forget();
        preparations.look(run(3), || missing("fourth"));
        let found = preparations.next().await;
        let keys: Vec<_> = found.into_iter().map(|one| one.key).collect();
        assert_eq!(keys, [run(3)]);
    }

    #[tokio::test]
    async fn a_disk_that_does_not_answer_is_given_up_and_stands_in_nobodys_way() {
        let mut preparations = Preparations {
            patience: Duration::from_millis(20),
            ..Preparations::default()
        };
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Arc::new(std::sync::Mutex::new(held));
        let most = u64::try_from(AT_ONCE).expect("small");
        for number in 1..=most {
            let held = Arc::clone(&held);
            preparations.look(run(number), move || {
                // Ends with the test.
                held.lock().expect("whole").recv().unwrap_or_default();
                missing("released")
            });
        }
        while !preparations.are_done() {
            for prepared in preparations.next().await {
                let why = why(&prepared);
                assert!(why.contains("does the disk they are on answer?"), "{why}");
            }
        }
        preparations.patience = PATIENCE;
        preparations.look(run(99), || missing("answered"));
        let found = preparations.next().await;
        let told: Vec<_> = found.iter().map(why).collect();
        assert_eq!(told, ["start it: answered"]);
        drop(release);
    }
}
