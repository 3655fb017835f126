//! Carrying out what the fleet asks for: the only place where a decision becomes an order.

use eco_home::clock;
use eco_home::runs::RunId;

use super::Supervisor;
use crate::fleet::{Report, RunKey, Task};
use crate::keeper::Order;
use crate::resolve;

impl Supervisor {
    pub(super) fn perform(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            match task {
                Task::Spawn(key) => self.spawn(key),
                Task::Signal(key, signal) => self.order(Order::Signal(key, signal)),
                Task::Forget(key) => self.order(Order::Forget(key)),
                Task::Adopt(key, identity) => {
                    let Some(app) = self.fleet.app(&key.slot.app) else {
                        continue;
                    };
                    let reach = app.spec.stop.reach;
                    let run_dir = self.run_dir(&key);
                    self.order(Order::Adopt {
                        key,
                        identity,
                        run_dir,
                        reach,
                    });
                }
            }
        }
    }

    /// What stands in the way of a spawn comes back as a report, like every other failure.
    fn spawn(&mut self, key: RunKey) {
        let Some(app) = self.fleet.app(&key.slot.app) else {
            return;
        };
        match resolve::resolve(&app.spec) {
            Ok(resolved) => {
                let launch = resolve::launch(&app.spec, &resolved, key.slot.instance, key.run);
                let (launch, reach) = (Box::new(launch), app.spec.stop.reach);
                let run_dir = self.run_dir(&key);
                self.order(Order::Spawn {
                    key,
                    launch,
                    run_dir,
                    reach,
                });
            }
            Err(problems) => {
                let messages: Vec<_> = problems
                    .into_iter()
                    .map(|problem| problem.message)
                    .collect();
                let why = format!("start it: {}", messages.join("; "));
                let report = Report::SpawnFailed {
                    why,
                    at_unix: clock::unix(),
                };
                self.fleet.report(clock::since_boot(), &key, report);
            }
        }
    }

    /// Orders never wait: the keeper's client must not be waited for by whom it waits for.
    pub(super) fn order(&self, order: Order) {
        if let Err(error) = self.orders.try_send((self.epoch, order)) {
            tracing::error!(%error, "an order was not given");
        }
    }

    /// Where a run keeps its output.
    pub(super) fn run_dir(&self, key: &RunKey) -> std::path::PathBuf {
        run_dir(&self.runs, &self.host, key)
    }
}

/// Where the run `key` of `host` keeps its output, below `runs`.
#[must_use]
pub(crate) fn run_dir(runs: &std::path::Path, host: &str, key: &RunKey) -> std::path::PathBuf {
    let id = RunId {
        host: host.to_owned(),
        environment: key.slot.app.environment.clone(),
        app: key.slot.app.name.clone(),
        instance: key.slot.instance,
        run: key.run,
    };
    id.folder(runs)
}
