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
    /// The run's first process.
    pub(super) pid: i32,
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
    let (purpose, probe, pid, since) = match slot.machine.state() {
        State::Launching { pid, since, .. } => {
            let readiness = app.spec.ready.probe.as_ref()?;
            (Purpose::Readiness, &readiness.probe, pid, since)
        }
        State::Online { pid, since, .. } => {
            let liveness = app.spec.liveness.as_ref()?;
            (Purpose::Liveness, &liveness.probe, pid, since)
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
        pid,
        since,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eco_config::spec::{Check, IllAction, Liveness, Readiness};

    use super::*;
    use crate::environment::tests::spec;
    use crate::fleet::apply::Application;
    use crate::fleet::{AppKey, By, Identity, Report, Sign};

    const MS: Duration = Duration::from_millis(1);

    fn probe(port: &str) -> Probe {
        Probe {
            check: Check::Tcp(port.to_owned()),
            interval: MS,
            timeout: MS,
            start_period: MS,
            successes: 1,
            failures: 1,
        }
    }

    /// `dev/api` with both probes, launching.
    fn launching(spec: AppSpec) -> (Fleet, RunKey) {
        let run = AppKey::of(&spec).slot(0).run(1);
        let mut fleet = Fleet::default();
        fleet.apply(MS, &By::ann(), Application::of(vec![spec]));
        let identity = Identity {
            pid: 7,
            start_ticks: 1,
            boot_id: "boot".to_owned(),
            since: 5 * MS,
            since_unix: MS,
        };
        fleet.report(6 * MS, &run, Report::Spawned(identity));
        (fleet, run)
    }

    fn probed() -> AppSpec {
        let mut spec = spec("dev", "api");
        spec.ready.probe = Some(Readiness {
            probe: probe("3000"),
            within: None,
        });
        spec.liveness = Some(Liveness {
            probe: probe("3001"),
            action: IllAction::Mark,
        });
        spec
    }

    fn asked(fleet: &Fleet, run: &RunKey) -> Option<(Purpose, Probe, Tick)> {
        let matter = matters(fleet).remove(run)?;
        Some((matter.purpose, matter.probe, matter.since))
    }

    #[test]
    fn a_run_is_asked_whether_it_is_ready_then_whether_it_is_well_and_then_nothing() {
        let (mut fleet, run) = launching(probed());
        let readiness = (Purpose::Readiness, probe("3000"), 5 * MS);
        assert_eq!(asked(&fleet, &run), Some(readiness));
        fleet.report(7 * MS, &run, Report::Ready(Sign::Probe));
        let liveness = (Purpose::Liveness, probe("3001"), 5 * MS);
        assert_eq!(asked(&fleet, &run), Some(liveness));
        fleet.report(8 * MS, &run, Report::Gone);
        fleet.hold(8 * MS, &By::ann());
        assert!(matters(&fleet).is_empty());
    }

    #[test]
    fn an_app_without_probes_is_not_asked() {
        let (mut fleet, run) = launching(spec("dev", "api"));
        assert!(matters(&fleet).is_empty());
        fleet.wake(9000 * MS, &crate::fleet::Board::new());
        assert!(asked(&fleet, &run).is_none());
    }

    #[test]
    fn another_number_of_instances_asks_nobody_anew() {
        let (fleet, run) = launching(probed());
        let more = AppSpec {
            instances: 2,
            ..probed()
        };
        let (after, _) = launching(more);
        let (before, after) = (matters(&fleet), matters(&after));
        assert!(before[&run].is_same(&after[&run]));
    }
}
