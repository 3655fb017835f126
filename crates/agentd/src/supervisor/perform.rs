//! Carrying out what the fleet asks for: the only place where a decision becomes an order.

use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use eco_config::spec::StopWords;
use eco_home::clock;
use eco_home::runs::{RunId, STDIN};

use super::preparation::{Found, NotFound, Prepared};
use super::{Supervisor, Word};
use crate::fleet::{Identity, Report, RunKey, Task};
use crate::hands;
use crate::keeper::{Order, Reach, of_key};
use crate::os::process::{self, Process};
use crate::voices::Channel;

/// What an app with `shutdown_with_message` is told.
const SHUTDOWN: &[u8] = br#""shutdown""#;

impl Supervisor {
    pub(super) fn perform(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            match task {
                Task::Spawn(key) => self.spawn(key),
                Task::End(key) => self.end(key),
                Task::Signal(key, signal) => {
                    self.order(Order::Signal(key, signal, Reach::AsBegun));
                }
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

    /// Asks a run to end in the words of its policy; by its signal where there is nobody to hear them.
    fn end(&mut self, key: RunKey) {
        // A slot with something to end is there until that is gone.
        let Some(app) = self.fleet.app(&key.slot.app) else {
            return;
        };
        let (words, signal) = (app.spec.stop.words, app.spec.stop.signal);
        match (words, self.channel_of(&key)) {
            (StopWords::Message, Channel::Open) => {
                return self.order(Order::Say(key, SHUTDOWN.to_vec()));
            }
            (StopWords::Message, Channel::None | Channel::Closed) => {
                self.fleet.ended_without_words(&key);
            }
            (StopWords::Signal, _) => {}
        }
        self.order(Order::Signal(key, signal, Reach::AsBegun));
    }

    /// Says what people want to be said.
    pub(super) fn speak(&self, words: Vec<(RunKey, Word)>) {
        for (run, word) in words {
            self.order(match word {
                Word::Line(line) => Order::Say(run, line),
                Word::Signal(signal, reach) => Order::Signal(run, signal, reach),
            });
        }
    }

    fn channel_of(&self, key: &RunKey) -> Channel {
        let voices = self.voices.borrow();
        voices.get(key).map_or(Channel::None, |voice| voice.channel)
    }

    /// Looks for what a run needs; it is ordered by [`Self::launch`].
    fn spawn(&mut self, key: RunKey) {
        if let Some(app) = self.fleet.app(&key.slot.app) {
            self.preparations.begin(key, Arc::clone(&app.spec));
        }
    }

    /// Orders what was prepared. What stands in the way of it comes back as a report, like every other failure.
    pub(super) fn launch(&mut self, prepared: Vec<Prepared>) {
        for Prepared { key, found, .. } in prepared {
            self.launch_one(key, found);
        }
    }

    fn launch_one(&mut self, key: RunKey, found: Result<Found, NotFound>) {
        let Some(app) = self.fleet.app(&key.slot.app) else {
            return;
        };
        let reach = app.spec.stop.reach;
        match found {
            Ok(Found { launch, port }) => {
                self.fleet.equip(&key, port);
                let run_dir = self.run_dir(&key);
                self.order(Order::Spawn {
                    key,
                    launch,
                    run_dir,
                    reach,
                });
            }
            Err(error) => {
                let report = Report::SpawnFailed {
                    why: error.to_string(),
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

    /// Finds the process of a run whose keeper was killed between its birth and its report. Its FIFO tells that there was
    /// a birth, so that the process table is only searched where there may be something to find.
    pub(super) fn find(&self, key: &RunKey, boot_id: &str) -> Option<Identity> {
        let run_dir = self.run_dir(key);
        if !run_dir.join(STDIN).exists() {
            return None;
        }
        let mark = hands::mark(&of_key(key), run_dir.as_os_str().as_bytes(), boot_id);
        let leads = |process: &Process| process.pid == process.session && process.is_alive();
        let found = process::scan()
            .into_iter()
            .find(|process| leads(process) && process::has_environment(process.pid, &mark))?;
        let since = found.started_at();
        let age = clock::since_boot().saturating_sub(since);
        Some(Identity {
            pid: found.pid,
            start_ticks: found.start_ticks,
            boot_id: boot_id.to_owned(),
            since,
            since_unix: clock::unix().saturating_sub(age),
        })
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
