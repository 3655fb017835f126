//! Probes to and from their messages.

use std::time::Duration;

use eco_proto::agent::v1 as pb;

use crate::spec::{Check, IllAction, Liveness, Probe, Readiness};

use super::{InvalidSpec, millis};

impl From<&Probe> for pb::Probe {
    fn from(probe: &Probe) -> Self {
        Self {
            check: Some((&probe.check).into()),
            interval_ms: millis(probe.interval),
            timeout_ms: millis(probe.timeout),
            start_period_ms: millis(probe.start_period),
            successes: probe.successes,
            failures: probe.failures,
        }
    }
}

impl TryFrom<pb::Probe> for Probe {
    type Error = InvalidSpec;

    fn try_from(probe: pb::Probe) -> Result<Self, InvalidSpec> {
        Ok(Self {
            check: probe
                .check
                .ok_or(InvalidSpec::Missing("probe's check"))?
                .try_into()?,
            interval: Duration::from_millis(probe.interval_ms),
            timeout: Duration::from_millis(probe.timeout_ms),
            start_period: Duration::from_millis(probe.start_period_ms),
            successes: probe.successes.max(1),
            failures: probe.failures.max(1),
        })
    }
}

impl From<&Check> for pb::probe::Check {
    fn from(check: &Check) -> Self {
        match check {
            Check::Exec(command) => Self::Exec(pb::ExecCheck {
                command: command.clone(),
            }),
            Check::Tcp(address) => Self::Tcp(address.clone()),
            Check::Http { url, statuses } => Self::Http(pb::HttpCheck {
                url: url.clone(),
                statuses: statuses
                    .iter()
                    .map(|(first, last)| pb::StatusRange {
                        first: u32::from(*first),
                        last: u32::from(*last),
                    })
                    .collect(),
            }),
            Check::Log(pattern) => Self::Log(pattern.clone()),
            Check::Notify => Self::Notify(true),
            Check::Output => Self::Output(true),
        }
    }
}

impl TryFrom<pb::probe::Check> for Check {
    type Error = InvalidSpec;

    fn try_from(check: pb::probe::Check) -> Result<Self, InvalidSpec> {
        use pb::probe::Check as Wire;
        Ok(match check {
            Wire::Exec(exec) => Self::Exec(exec.command),
            Wire::Tcp(address) => Self::Tcp(address),
            Wire::Http(http) => Self::Http {
                url: http.url,
                statuses: http
                    .statuses
                    .into_iter()
                    .map(|range| Some((range.first.try_into().ok()?, range.last.try_into().ok()?)))
                    .collect::<Option<_>>()
                    .ok_or(InvalidSpec::Missing("probe's range of statuses"))?,
            },
            Wire::Log(pattern) => Self::Log(pattern),
            Wire::Notify(_) => Self::Notify,
            Wire::Output(_) => Self::Output,
        })
    }
}

impl From<&Readiness> for pb::Readiness {
    fn from(readiness: &Readiness) -> Self {
        Self {
            probe: Some((&readiness.probe).into()),
            within_ms: readiness.within.map(millis),
        }
    }
}

impl TryFrom<pb::Readiness> for Readiness {
    type Error = InvalidSpec;

    fn try_from(readiness: pb::Readiness) -> Result<Self, InvalidSpec> {
        let probe = readiness.probe.ok_or(InvalidSpec::Missing("readiness"))?;
        Ok(Self {
            probe: probe.try_into()?,
            within: readiness.within_ms.map(Duration::from_millis),
        })
    }
}

impl From<&Liveness> for pb::Liveness {
    fn from(liveness: &Liveness) -> Self {
        Self {
            probe: Some((&liveness.probe).into()),
            action: match liveness.action {
                IllAction::Restart => pb::IllAction::Restart,
                IllAction::Stop => pb::IllAction::Stop,
                IllAction::Mark => pb::IllAction::Mark,
            }
            .into(),
        }
    }
}

impl TryFrom<pb::Liveness> for Liveness {
    type Error = InvalidSpec;

    fn try_from(liveness: pb::Liveness) -> Result<Self, InvalidSpec> {
        let action = match liveness.action() {
            pb::IllAction::Stop => IllAction::Stop,
            pb::IllAction::Mark => IllAction::Mark,
            pb::IllAction::Restart | pb::IllAction::Unspecified => IllAction::Restart,
        };
        let probe = liveness.probe.ok_or(InvalidSpec::Missing("liveness"))?;
        Ok(Self {
            probe: probe.try_into()?,
            action,
        })
    }
}
