//! Replacing runs that hold more memory than they may.
//!
//! Only while an instance with a limit lives is anything looked at. What counts is the resident memory of all processes of
//! the run's session, so that a wrapper (`tsx`, `npm`) does not hide what it started.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::fleet::{Fleet, RunKey};
use crate::machine::State;
use crate::os::process;
use crate::supervisor::Input;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// A living run with a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limited {
    key: RunKey,
    pid: i32,
    limit: u64,
}

/// Watches the published fleet for instances with a limit. Ends with the agent.
pub async fn run(mut published: watch::Receiver<Arc<Fleet>>, inputs: mpsc::Sender<Input>) {
    loop {
        let limited = limited(&published.borrow_and_update());
        if limited.is_empty() {
            if published.changed().await.is_err() {
                return;
            }
            continue;
        }
        for (key, cause) in over(limited, &held()) {
            if inputs.send(Input::Replace(key, cause)).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(EVERY).await;
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

/// Resident bytes by session.
fn held() -> BTreeMap<i32, u64> {
    let mut held = BTreeMap::new();
    for process in process::scan() {
        *held.entry(process.session).or_default() += process.resident_bytes;
    }
    held
}

/// The runs that hold more than they may, and what to say of it.
fn over(limited: Vec<Limited>, held: &BTreeMap<i32, u64>) -> Vec<(RunKey, String)> {
    let mebibytes = |bytes: u64| bytes >> 20;
    limited
        .into_iter()
        .filter_map(|run| {
            let bytes = *held.get(&run.pid)?;
            let cause = format!(
                "restarted: it held {} MiB, and may hold {} MiB",
                mebibytes(bytes),
                mebibytes(run.limit)
            );
            (bytes > run.limit).then_some((run.key, cause))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::AppKey;

    #[test]
    fn only_a_run_that_holds_more_than_it_may_is_replaced() {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
        };
        let run = |instance, pid| Limited {
            key: app.slot(instance).run(1),
            pid,
            limit: 100 << 20,
        };
        let held = BTreeMap::from([(7, 100 << 20), (8, (120 << 20) + 1)]);
        let over = over(vec![run(0, 7), run(1, 8), run(2, 9)], &held);
        assert_eq!(
            over,
            [(
                app.slot(1).run(1),
                "restarted: it held 120 MiB, and may hold 100 MiB".to_owned()
            )]
        );
    }
}
