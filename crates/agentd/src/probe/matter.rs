//! Which runs are to be asked, and what. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use eco_config::spec::{AppSpec, Probe};

use crate::fleet::{App, Fleet, RunKey, Slot};
use crate::machine::{State, Tick};

/// What a run is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To know when it is ready.
    Readiness,
    /// To know whether it is still well.
    Liveness,
}

/// What a run is asked, and why.
#[derive(Clone, Debug)]
pub(super) struct Matter {
    pub(super) purpose: Purpose,
    pub(super) spec: Arc<AppSpec>,
    pub(super) probe: Probe,
    /// When the run was spawned, since boot.
    pub(super) since: Tick,
}

impl Matter {
    /// Whether who asks this asks the other too.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.purpose == other.purpose && self.since == other.since && self.probe == other.probe
    }
}

/// All runs of `fleet` that are to be asked.
pub(super) fn matters(fleet: &Fleet) -> BTreeMap<RunKey, Matter> {
    fleet
        .slots()
        .filter_map(|(key, app, slot)| Some((key.run(slot.machine.run()), matter(app, slot)?)))
        .collect()
}

fn matter(app: &App, slot: &Slot) -> Option<Matter> {
    let (purpose, probe, since) = match slot.machine.state() {
        State::Launching { since, .. } => {
            let readiness = app.spec.ready.probe.as_ref()?;
            (Purpose::Readiness, &readiness.probe, since)
        }
        State::Online { since, .. } => {
            let liveness = app.spec.liveness.as_ref()?;
            (Purpose::Liveness, &liveness.probe, since)
        }
        State::Stopped
        | State::Spawning { .. }
        | State::Ending { .. }
        | State::Waiting { .. }
        | State::Errored => return None,
    };
    Some(Matter {
        purpose,
        spec: Arc::clone(&app.spec),
        probe: probe.clone(),
        since,
    })
}
