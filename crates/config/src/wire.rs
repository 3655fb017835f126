//! Specifications to and from the agent's messages.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_proto::agent::v1 as pb;
use eco_proto::agent::v1::restart_policy::Delay;

use crate::spec::{
    AppName, AppSpec, EnvironmentName, ExecMode, Interpreter, NameError, ReadyPolicy, RestartDelay,
    RestartPolicy, StopPolicy, StopReach, WatchPolicy,
};

/// Why a message is no specification: its sender did not check it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// A name that is none.
    #[error("read the app's name {name:?}")]
    Name {
        /// As received.
        name: String,
        /// What is wrong with it.
        #[source]
        source: NameError,
    },
    /// A field that must be there is not.
    #[error("read the app: its {0} is missing")]
    Missing(&'static str),
    /// No instance at all.
    #[error("read the app: it has no instances")]
    NoInstances,
}

/// Shown for an app whose script runs itself.
const NO_INTERPRETER: &str = "none";

impl From<&AppSpec> for pb::AppSpec {
    fn from(spec: &AppSpec) -> Self {
        Self {
            environment: spec.environment.to_string(),
            name: spec.name.to_string(),
            namespace: spec.namespace.clone(),
            script: spec.script.clone(),
            arguments: spec.arguments.clone(),
            cwd: spec.cwd.as_deref().map(text),
            defined_in: text(&spec.defined_in),
            invoked_in: text(&spec.invoked_in),
            interpreter: match &spec.interpreter {
                Interpreter::ByExtension => None,
                Interpreter::None => Some(NO_INTERPRETER.to_owned()),
                Interpreter::Named(name) => Some(name.clone()),
            },
            interpreter_arguments: spec.interpreter_arguments.clone(),
            env: spec.env.clone(),
            inherited_env: spec.inherited_env.clone(),
            instances: spec.instances,
            exec_mode: match spec.exec_mode {
                ExecMode::Fork => pb::ExecMode::Fork,
                ExecMode::Cluster => pb::ExecMode::Cluster,
            }
            .into(),
            instance_var: spec.instance_var.clone(),
            increment_var: spec.increment_var.clone(),
            user: spec.user.clone(),
            group: spec.group.clone(),
            restart: Some((&spec.restart).into()),
            stop: Some((&spec.stop).into()),
            ready: Some((&spec.ready).into()),
            autostart: spec.autostart,
            watch: spec.watch.as_ref().map(Into::into),
            max_memory_bytes: spec.max_memory,
            defined_at: text(&spec.defined_at),
        }
    }
}

impl TryFrom<pb::AppSpec> for AppSpec {
    type Error = InvalidSpec;

    fn try_from(spec: pb::AppSpec) -> Result<Self, InvalidSpec> {
        if spec.instances == 0 {
            return Err(InvalidSpec::NoInstances);
        }
        let exec_mode = match spec.exec_mode() {
            pb::ExecMode::Cluster => ExecMode::Cluster,
            pb::ExecMode::Fork | pb::ExecMode::Unspecified => ExecMode::Fork,
        };
        Ok(Self {
            environment: EnvironmentName::new(&spec.environment).map_err(|source| {
                InvalidSpec::Name {
                    name: spec.environment,
                    source,
                }
            })?,
            name: AppName::new(&spec.name).map_err(|source| InvalidSpec::Name {
                name: spec.name,
                source,
            })?,
            namespace: spec.namespace,
            script: spec.script,
            arguments: spec.arguments,
            cwd: spec.cwd.map(PathBuf::from),
            defined_in: spec.defined_in.into(),
            invoked_in: spec.invoked_in.into(),
            defined_at: spec.defined_at.into(),
            interpreter: match spec.interpreter {
                None => Interpreter::ByExtension,
                Some(name) if name == NO_INTERPRETER => Interpreter::None,
                Some(name) => Interpreter::Named(name),
            },
            interpreter_arguments: spec.interpreter_arguments,
            env: spec.env,
            inherited_env: spec.inherited_env,
            instances: spec.instances,
            exec_mode,
            instance_var: spec.instance_var,
            increment_var: spec.increment_var,
            user: spec.user,
            group: spec.group,
            restart: spec
                .restart
                .ok_or(InvalidSpec::Missing("restart policy"))?
                .into(),
            stop: spec.stop.ok_or(InvalidSpec::Missing("stop policy"))?.into(),
            ready: spec
                .ready
                .ok_or(InvalidSpec::Missing("ready policy"))?
                .into(),
            autostart: spec.autostart,
            watch: spec.watch.map(Into::into),
            max_memory: spec.max_memory_bytes,
        })
    }
}

impl From<&RestartPolicy> for pb::RestartPolicy {
    fn from(policy: &RestartPolicy) -> Self {
        Self {
            automatic: policy.automatic,
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
            automatic: policy.automatic,
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
            signal: policy.signal,
            kill_timeout_ms: millis(policy.kill_timeout),
            tree: policy.reach == StopReach::Tree,
        }
    }
}

impl From<pb::StopPolicy> for StopPolicy {
    fn from(policy: pb::StopPolicy) -> Self {
        Self {
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
        }
    }
}

impl From<pb::ReadyPolicy> for ReadyPolicy {
    fn from(policy: pb::ReadyPolicy) -> Self {
        Self {
            listen_timeout: Duration::from_millis(policy.listen_timeout_ms),
            wait_ready: policy.wait_ready,
        }
    }
}

impl From<&WatchPolicy> for pb::WatchPolicy {
    fn from(policy: &WatchPolicy) -> Self {
        Self {
            paths: policy.paths.clone(),
            ignore: policy.ignore.clone(),
            delay_ms: millis(policy.delay),
        }
    }
}

impl From<pb::WatchPolicy> for WatchPolicy {
    fn from(policy: pb::WatchPolicy) -> Self {
        Self {
            paths: policy.paths,
            ignore: policy.ignore,
            delay: Duration::from_millis(policy.delay_ms),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Paths on the wire are text: a config file is, too.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn duration() -> impl Strategy<Value = Duration> {
        any::<u64>().prop_map(Duration::from_millis)
    }

    fn path() -> impl Strategy<Value = PathBuf> {
        "/[a-zé ./]{0,20}".prop_map(PathBuf::from)
    }

    fn variables() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> {
        btree_map("[A-Z_]{1,8}", ".{0,8}", 0..4)
    }

    fn interpreter() -> impl Strategy<Value = Interpreter> {
        prop_oneof![
            Just(Interpreter::ByExtension),
            Just(Interpreter::None),
            "[a-z]{1,8}".prop_filter_map("not a name", |name| {
                (name != NO_INTERPRETER).then_some(Interpreter::Named(name))
            }),
        ]
    }

    fn restart() -> impl Strategy<Value = RestartPolicy> {
        let delay = prop_oneof![
            Just(RestartDelay::Default),
            duration().prop_map(RestartDelay::Fixed),
            duration().prop_map(RestartDelay::Growing),
        ];
        let codes = vec(any::<i32>(), 0..3);
        (any::<bool>(), duration(), any::<u32>(), delay, codes).prop_map(
            |(automatic, min_uptime, max_unstable, delay, stop_exit_codes)| RestartPolicy {
                automatic,
                min_uptime,
                max_unstable,
                delay,
                stop_exit_codes,
            },
        )
    }

    fn watch() -> impl Strategy<Value = WatchPolicy> {
        (vec(".{0,8}", 0..3), vec(".{0,8}", 0..3), duration()).prop_map(|(paths, ignore, delay)| {
            WatchPolicy {
                paths,
                ignore,
                delay,
            }
        })
    }

    prop_compose! {
        fn spec()(
            (name, environment, namespace, script) in ("[a-z@/]{1,20}", "[a-z]{1,20}", ".{0,8}", ".{0,20}"),
            (arguments, interpreter_arguments) in (vec(".{0,8}", 0..3), vec(".{0,8}", 0..3)),
            (cwd, defined_in, invoked_in, defined_at) in (option::of(path()), path(), path(), path()),
            (interpreter, env, inherited_env) in (interpreter(), variables(), variables()),
            (instances, cluster, instance_var) in (1..u32::MAX, any::<bool>(), "[A-Z]{0,8}"),
            (increment_var, user, group) in (option::of(".{0,8}"), option::of(".{0,8}"), option::of(".{0,8}")),
            (restart, signal, kill_timeout, tree) in (restart(), any::<i32>(), duration(), any::<bool>()),
            (listen_timeout, wait_ready, autostart) in (duration(), any::<bool>(), any::<bool>()),
            (watch, max_memory) in (option::of(watch()), any::<Option<u64>>()),
        ) -> AppSpec {
            AppSpec {
                environment: EnvironmentName::new(&environment).unwrap(),
                name: AppName::new(&name).unwrap(),
                namespace, script, arguments, cwd, defined_in, invoked_in, defined_at, interpreter,
                interpreter_arguments, env, inherited_env, instances,
                exec_mode: if cluster { ExecMode::Cluster } else { ExecMode::Fork },
                instance_var, increment_var, user, group, restart,
                stop: StopPolicy {
                    signal, kill_timeout,
                    reach: if tree { StopReach::Tree } else { StopReach::Leader },
                },
                ready: ReadyPolicy { listen_timeout, wait_ready },
                autostart, watch, max_memory,
            }
        }
    }

    proptest! {
        #[test]
        fn a_specification_survives_the_wire(spec in spec()) {
            prop_assert_eq!(AppSpec::try_from(pb::AppSpec::from(&spec)), Ok(spec));
        }
    }
}
