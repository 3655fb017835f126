//! What the log daemon is told of the log files of apps, and how long their lines are kept. Pure but for where working
//! directories are.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use eco_config::spec::{AppSpec, LineKind, Logs};
use eco_proto::log::v1 as pb;

use crate::fleet::{App, AppKey, Fleet, Slot, SlotKey};
use crate::machine::{Run, State};
use crate::resolve::{self, Naming};

/// The settings of the apps, and since which runs they hold.
#[derive(Debug, Default)]
pub(crate) struct LogSettings {
    apps: BTreeMap<AppKey, Known>,
    /// The last run of each instance that was seen so far.
    last: BTreeMap<SlotKey, Run>,
}

#[derive(Debug)]
struct Known {
    spec: Arc<AppSpec>,
    instances: Vec<u32>,
    told: Option<pb::AppLogs>,
}

impl LogSettings {
    /// Takes up what the fleet is by now; tells whether that changes anything for the log daemon.
    pub(crate) fn follow(&mut self, fleet: &Fleet) -> bool {
        let mut has_changed = false;
        let before = self.apps.len();
        self.apps.retain(|key, _| fleet.app(key).is_some());
        has_changed |= self.apps.len() < before;
        for (key, app) in fleet.apps() {
            let known = self.apps.get(key).is_some_and(|known| {
                Arc::ptr_eq(&known.spec, &app.spec) && known.instances.iter().eq(app.slots.keys())
            });
            if !known {
                has_changed |= self.take(key, app);
            }
        }
        for (key, _, slot) in fleet.slots() {
            self.last.insert(key, last_run(slot));
        }
        self.last.retain(|key, _| fleet.slot(key).is_some());
        has_changed
    }

    fn take(&mut self, key: &AppKey, app: &App) -> bool {
        let told = self.of(key, app);
        let known = Known {
            spec: Arc::clone(&app.spec),
            instances: app.slots.keys().copied().collect(),
            told: told.clone(),
        };
        let before = self.apps.insert(key.clone(), known);
        before.and_then(|before| before.told) != told
    }

    fn of(&self, key: &AppKey, app: &App) -> Option<pb::AppLogs> {
        let logs = &app.spec.logs;
        let is_said = Logs {
            rotation: None,
            ..logs.clone()
        } != Logs::default();
        if !is_said {
            return None;
        }
        let before = app.slots.iter().map(|(instance, slot)| {
            let known = self.last.get(&key.slot(*instance)).copied();
            pb::RunsBefore {
                instance: *instance,
                run: known.unwrap_or_else(|| runs_before(slot)),
            }
        });
        Some(pb::AppLogs {
            environment: key.environment.clone(),
            app: key.name.clone(),
            files: resolve::log_files(&app.spec)
                .into_iter()
                .map(file)
                .collect(),
            json: logs.kind == LineKind::Json,
            date_format: logs.date_format.clone(),
            rotation: logs.rotation.map(|rotation| pb::LogRotation {
                size_bytes: rotation.size,
                every_ms: rotation.every.map(millis),
                keep: rotation.keep,
                compress: rotation.compress,
            }),
            max_bytes: logs.max_size,
            max_age_ms: logs.max_age.map(millis),
            before: before.collect(),
        })
    }

    /// All there is to tell.
    pub(crate) fn all(&self, host: &str) -> pb::AllLogs {
        let told = self.apps.values().filter_map(|known| known.told.clone());
        pb::AllLogs {
            host: host.to_owned(),
            apps: told.collect(),
        }
    }
}

/// The last run that was begun.
fn last_run(slot: &Slot) -> Run {
    slot.machine.next_run().saturating_sub(1)
}

/// The runs of an instance of which nothing was known a moment ago: a run that lives was begun with what it is now.
fn runs_before(slot: &Slot) -> Run {
    let is_living = match slot.machine.state() {
        State::Stopped | State::Errored | State::Waiting { .. } => false,
        State::Spawning { .. }
        | State::Launching { .. }
        | State::Online { .. }
        | State::Ending { .. } => true,
    };
    last_run(slot).saturating_sub(u64::from(is_living))
}

fn file(file: resolve::LogFile) -> pb::LogFile {
    pb::LogFile {
        path: file.path.into_os_string().into_vec(),
        out: file.out,
        err: file.err,
        numbering: match file.naming {
            Naming::Alone => pb::Numbering::Unspecified,
            Naming::Each => pb::Numbering::Each,
            Naming::Merged => pb::Numbering::Merged,
        }
        .into(),
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::spec;
    use crate::fleet::apply::policy;
    use crate::machine::Machine;

    /// A fleet with one app, whose instance is down and had so many runs.
    fn fleet(spec: &AppSpec, runs: Run) -> Fleet {
        let machine = Machine::new(policy(spec, None), runs);
        let app = App {
            spec: Arc::new(spec.clone()),
            slots: BTreeMap::from([(0, Slot::new(0, machine))]),
        };
        Fleet::restore(BTreeMap::from([(AppKey::of(spec), app)]), BTreeMap::new())
    }

    fn with_file(path: &str) -> AppSpec {
        let mut spec = spec("dev", "api");
        spec.logs.out_file = Some(path.into());
        spec
    }

    #[test]
    fn only_apps_that_say_something_are_told_of_and_only_when_it_changes() {
        let mut settings = LogSettings::default();
        let silent = fleet(&spec("dev", "api"), 0);
        assert!(!settings.follow(&silent));
        assert!(settings.all("box").apps.is_empty());
        let told = fleet(&with_file("/x"), 0);
        assert!(settings.follow(&told));
        assert!(!settings.follow(&told));
        let all = settings.all("box");
        assert_eq!((all.host.as_str(), all.apps.len()), ("box", 1));
        assert!(settings.follow(&Fleet::default()));
        assert!(settings.all("box").apps.is_empty());
    }

    #[test]
    fn settings_hold_for_the_runs_after_those_that_were_there_before_them() {
        let before = |settings: &LogSettings| {
            let all = settings.all("box");
            let before = all.apps.first().and_then(|app| app.before.first());
            before.map(|before| before.run)
        };
        let mut settings = LogSettings::default();
        settings.follow(&fleet(&spec("dev", "api"), 7));
        settings.follow(&fleet(&with_file("/x"), 8));
        assert_eq!(before(&settings), Some(7));
        let mut unknown = LogSettings::default();
        unknown.follow(&fleet(&with_file("/x"), 8));
        assert_eq!(before(&unknown), Some(8));
    }
}
