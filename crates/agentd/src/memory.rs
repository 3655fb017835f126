//! Replacing runs that hold more memory than they may.
//!
//! Only while an instance with a limit lives is anything looked at. What counts is the resident memory of all processes of
//! the run, so that a wrapper (`tsx`, `npm`) does not hide what it started. A run that grows towards its limit is looked at
//! more often, so that little is held beyond it, and one that rests seldom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use eco_home::clock;
use tokio::sync::{mpsc, watch};

use crate::fleet::{Fleet, RunKey};
use crate::machine::State;
use crate::os::{owners, process};
use crate::supervisor::Input;

/// Between two looks at runs that do not grow.
const RESTING: Duration = Duration::from_secs(5);
/// Between two looks when a run is about to reach its limit.
const HASTY: Duration = Duration::from_millis(500);
/// Until the second look at a run: nothing is known yet of how it grows.
const NEW: Duration = Duration::from_secs(1);

/// A living run with a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limited {
    key: RunKey,
    pid: i32,
    limit: u64,
}

/// What a run held when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    at: Duration,
    bytes: u64,
}

/// Watches the published fleet for instances with a limit. Ends with the agent.
pub async fn run(mut published: watch::Receiver<Arc<Fleet>>, inputs: mpsc::Sender<Input>) {
    let mut last = BTreeMap::new();
    loop {
        let limited = limited(&published.borrow_and_update());
        if limited.is_empty() {
            if published.changed().await.is_err() {
                return;
            }
            continue;
        }
        let pids = limited.iter().map(|run| run.pid).collect();
        let Ok(held) = tokio::task::spawn_blocking(move || held(&pids)).await else {
            return;
        };
        for (key, cause) in over(&limited, &held) {
            if inputs.send(Input::TooLarge(key, cause)).await.is_err() {
                return;
            }
        }
        let now = looks(clock::since_boot(), &limited, &held);
        let pause = pause(&limited, &last, &now);
        last = now;
        tokio::time::sleep(pause).await;
    }
}

fn limited(fleet: &Fleet) -> Vec<Limited> {
    let living = fleet
        .slots()
        .filter_map(|(key, app, slot)| match slot.machine.state() {
            State::Launching { pid, .. } | State::Online { pid, .. } => Some(Limited {
                key: key.run(slot.machine.run()),
                pid,
                limit: app.spec.max_memory?,
            }),
            State::Stopped
            | State::Spawning { .. }
            | State::Ending { .. }
            | State::Waiting { .. }
            | State::Errored => None,
        });
    living.collect()
}

/// Resident bytes by the pid of the run's first process.
fn held(leaders: &BTreeSet<i32>) -> BTreeMap<i32, u64> {
    let table = process::scan();
    let runs = owners::by_leader(&table, leaders, process::run_mark);
    runs.into_iter()
        .map(|(leader, members)| (leader, members.iter().map(|one| one.resident_bytes).sum()))
        .collect()
}

fn looks(at: Duration, limited: &[Limited], held: &BTreeMap<i32, u64>) -> BTreeMap<RunKey, Look> {
    let look = |run: &Limited| {
        let bytes = *held.get(&run.pid)?;
        Some((run.key.clone(), Look { at, bytes }))
    };
    limited.iter().filter_map(look).collect()
}

/// The runs that hold more than they may, and what to say of it.
fn over(limited: &[Limited], held: &BTreeMap<i32, u64>) -> Vec<(RunKey, String)> {
    limited
        .iter()
        .filter_map(|run| {
            let bytes = *held.get(&run.pid)?;
            let cause = format!("held {}, and may hold {}", size(bytes), size(run.limit));
            (bytes > run.limit).then(|| (run.key.clone(), cause))
        })
        .collect()
}

fn size(bytes: u64) -> String {
    const SMALL: u64 = 10 << 20;
    if bytes < SMALL {
        format!("{} KiB", bytes >> 10)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

/// How long nothing can have happened: half of the time that the fastest run needs to its limit, if it goes on as it did.
fn pause(
    limited: &[Limited],
    last: &BTreeMap<RunKey, Look>,
    now: &BTreeMap<RunKey, Look>,
) -> Duration {
    let pauses = limited.iter().filter_map(|run| {
        let look = now.get(&run.key)?;
        let Some(before) = last.get(&run.key) else {
            return Some(NEW);
        };
        let growth = look.bytes.saturating_sub(before.bytes);
        let left = run.limit.saturating_sub(look.bytes);
        let elapsed = look.at.saturating_sub(before.at);
        // u128: bytes times nanoseconds.
        let nanos = elapsed.as_nanos() * u128::from(left) / u128::from(growth.max(1)) / 2;
        Some(Duration::from_nanos(
            u64::try_from(nanos).unwrap_or(u64::MAX),
        ))
    });
    pauses.min().unwrap_or(RESTING).clamp(HASTY, RESTING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::AppKey;

    fn limited(instance: u32, pid: i32) -> Limited {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
        };
        Limited {
            key: app.slot(instance).run(1),
            pid,
            limit: 100 << 20,
        }
    }

    #[test]
    fn only_a_run_that_holds_more_than_it_may_is_replaced() {
        let runs = [limited(0, 7), limited(1, 8), limited(2, 9)];
        let held = BTreeMap::from([(7, 100 << 20), (8, (120 << 20) + 1)]);
        let cause = "held 120 MiB, and may hold 100 MiB".to_owned();
        assert_eq!(over(&runs, &held), [(runs[1].key.clone(), cause)]);
    }

    #[test]
    fn sizes_are_told_in_a_unit_that_says_something() {
        assert_eq!(
            (size(500 << 10), size(512 << 20)),
            ("500 KiB".to_owned(), "512 MiB".to_owned())
        );
    }

    /// The pause after a run held `before` MiB a second ago and holds `after` MiB now.
    fn pause_of(before: Option<u64>, after: u64) -> Duration {
        let run = limited(0, 7);
        let look = |at, mebibytes: u64| {
            let bytes = mebibytes << 20;
            BTreeMap::from([(
                run.key.clone(),
                Look {
                    at: Duration::from_secs(at),
                    bytes,
                },
            )])
        };
        let last = before.map(|bytes| look(1, bytes)).unwrap_or_default();
        pause(std::slice::from_ref(&run), &last, &look(2, after))
    }

    #[test]
    fn who_grows_is_looked_at_again_before_it_can_be_far_beyond_its_limit() {
        assert_eq!(pause_of(Some(10), 10), RESTING);
        assert_eq!(pause_of(Some(50), 40), RESTING, "it shrinks");
        assert_eq!(
            pause_of(Some(40), 60),
            Duration::from_secs(1),
            "two seconds are left"
        );
        assert_eq!(pause_of(Some(10), 95), HASTY);
        assert_eq!(
            pause_of(Some(90), 130),
            HASTY,
            "it is over, and being replaced"
        );
        assert_eq!(pause_of(None, 10), NEW);
    }

    #[test]
    fn nobody_alive_is_no_reason_to_hurry() {
        let none = BTreeMap::new();
        assert_eq!(pause(&[limited(0, 7)], &none, &none), RESTING);
    }
}
