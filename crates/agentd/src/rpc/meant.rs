//! The instances that somebody speaks to, as they are now.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_proto::agent::v1 as pb;
use tonic::Status;

use super::convert::{self, Asks};
use super::refuse;
use crate::fleet::select::select;
use crate::fleet::{Fleet, RunKey, SlotKey};
use crate::supervisor::run_dir;

/// The longest that a caller may wait for apps.
const LONGEST: Duration = Duration::from_secs(60);

/// One instance, and its living run.
#[derive(Clone, Debug)]
pub(super) struct Meant {
    key: SlotKey,
    id: u32,
    run: Option<(RunKey, i32)>,
}

impl Meant {
    /// Its run, if one lives; else what to tell of it.
    pub(super) fn living(&self) -> Result<&RunKey, Box<pb::Spoken>> {
        match &self.run {
            Some((run, _)) => Ok(run),
            None => Err(Box::new(pb::Spoken {
                problem: "it is not running".to_owned(),
                hint: format!("eco start {}", self.key.app),
                ..self.spoken()
            })),
        }
    }

    /// Who it is, with nothing told yet.
    pub(super) fn spoken(&self) -> pb::Spoken {
        pb::Spoken {
            id: self.id,
            environment: self.key.app.environment.clone(),
            name: self.key.app.name.clone(),
            instance: self.key.instance,
            run: self.run.as_ref().map_or(0, |(run, _)| run.run),
            pid: self.run.as_ref().map(|(_, pid)| *pid),
            ..pb::Spoken::default()
        }
    }

    /// Its name as people write it.
    pub(super) fn name(&self) -> String {
        self.key.to_string()
    }
}

/// Finds those that a selection means.
pub(super) fn meant(fleet: &Fleet, selection: Option<pb::Selection>) -> Result<Vec<Meant>, Status> {
    let selection = convert::selection(selection, Asks::ToTouch);
    let slots = select(fleet, &selection).map_err(|refused| refuse::selection(&refused))?;
    let of_key = |key: SlotKey| {
        let slot = fleet.slot(&key)?;
        let run = slot.pid().map(|pid| (key.run(slot.machine.run()), pid));
        Some(Meant {
            id: slot.id,
            run,
            key,
        })
    };
    Ok(slots.into_iter().filter_map(of_key).collect())
}

/// Whether `run` still lives.
pub(super) fn lives(fleet: &Fleet, run: &RunKey) -> bool {
    let slot = fleet.slot(&run.slot);
    slot.is_some_and(|slot| slot.machine.run() == run.run && slot.pid().is_some())
}

/// How long a caller wants to wait for apps.
pub(super) fn patience(millis: u64) -> Duration {
    Duration::from_millis(millis).min(LONGEST)
}

/// Where the standard input of `run` is.
pub(super) fn folder(runs: &Path, host: &str, run: &RunKey) -> PathBuf {
    run_dir(runs, host, run)
}
