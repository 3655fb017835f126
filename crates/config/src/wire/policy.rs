//! Policies to and from their messages.

use std::time::Duration;

use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::restart_policy::Delay;

use crate::spec::{
    Limits, ReadyPolicy, RestartDelay, RestartPolicy, RestartWhen, StopPolicy, StopReach, StopWords,
};

use super::{InvalidSpec, millis};

impl From<&RestartPolicy> for pb::RestartPolicy {
    fn from(policy: &RestartPolicy) -> Self {
        Self {
            automatic: policy.when != RestartWhen::Never,
            on_failure_only: policy.when == RestartWhen::OnFailure,
            min_uptime_ms: millis(policy.min_uptime),
            max_unstable: policy.max_unstable,
            delay: match policy.delay {
                RestartDelay::Default => None,
                RestartDelay::Fixed(delay) => Some(Delay::FixedMs(millis(delay))),
                RestartDelay::Growing(base) => Some(Delay::GrowingFromMs(millis(base))),
            },
            stop_exit_codes: policy.stop_exit_codes.clone(),
        }
    }
}

impl From<pb::RestartPolicy> for RestartPolicy {
    fn from(policy: pb::RestartPolicy) -> Self {
        Self {
            when: match (policy.automatic, policy.on_failure_only) {
                (false, _) => RestartWhen::Never,
                (true, true) => RestartWhen::OnFailure,
                (true, false) => RestartWhen::Always,
            },
            min_uptime: Duration::from_millis(policy.min_uptime_ms),
            max_unstable: policy.max_unstable,
            delay: match policy.delay {
                None => RestartDelay::Default,
                Some(Delay::FixedMs(ms)) => RestartDelay::Fixed(Duration::from_millis(ms)),
                Some(Delay::GrowingFromMs(ms)) => RestartDelay::Growing(Duration::from_millis(ms)),
            },
            stop_exit_codes: policy.stop_exit_codes,
        }
    }
}

impl From<&StopPolicy> for pb::StopPolicy {
    fn from(policy: &StopPolicy) -> Self {
        Self {
            message: policy.words == StopWords::Message,
            signal: policy.signal,
            kill_timeout_ms: millis(policy.kill_timeout),
            tree: policy.reach == StopReach::Tree,
        }
    }
}

impl From<pb::StopPolicy> for StopPolicy {
    fn from(policy: pb::StopPolicy) -> Self {
        Self {
            words: if policy.message {
                StopWords::Message
            } else {
                StopWords::Signal
            },
            signal: policy.signal,
            kill_timeout: Duration::from_millis(policy.kill_timeout_ms),
            reach: if policy.tree {
                StopReach::Tree
            } else {
                StopReach::Leader
            },
        }
    }
}

impl From<&ReadyPolicy> for pb::ReadyPolicy {
    fn from(policy: &ReadyPolicy) -> Self {
        Self {
            listen_timeout_ms: millis(policy.listen_timeout),
            wait_ready: policy.wait_ready,
            probe: policy.probe.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<pb::ReadyPolicy> for ReadyPolicy {
    type Error = InvalidSpec;

    fn try_from(policy: pb::ReadyPolicy) -> Result<Self, InvalidSpec> {
        Ok(Self {
            listen_timeout: Duration::from_millis(policy.listen_timeout_ms),
            wait_ready: policy.wait_ready,
            probe: policy.probe.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<Limits> for pb::Limits {
    fn from(limits: Limits) -> Self {
        Self {
            memory_bytes: limits.memory,
            cpu_millis: limits.cpu_millis,
            tasks: limits.tasks,
            open_files: limits.open_files,
        }
    }
}

impl From<pb::Limits> for Limits {
    fn from(limits: pb::Limits) -> Self {
        Self {
            memory: limits.memory_bytes,
            cpu_millis: limits.cpu_millis,
            tasks: limits.tasks,
            open_files: limits.open_files,
        }
    }
}
