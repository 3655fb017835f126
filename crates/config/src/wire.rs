//! Specifications to and from the agent's messages.

mod dependency;
mod logs;
mod policy;
mod probe;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_proto::agent::v1 as pb;

use crate::spec::{
    AppName, AppSpec, EnvironmentName, ExecMode, Interpreter, Kind, Logs, NameError, Schedule,
    ScheduleError,
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
    /// A schedule that is none.
    #[error("read the app's schedule {pattern:?}")]
    Schedule {
        /// As received.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: ScheduleError,
    },
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
            env_files: spec.env_files.iter().map(|path| text(path)).collect(),
            oneshot: match spec.kind {
                Kind::Service => false,
                Kind::Oneshot => true,
            },
            depends_on: spec.depends_on.iter().map(Into::into).collect(),
            liveness: spec.liveness.as_ref().map(Into::into),
            schedule: spec.schedule.as_ref().map(Into::into),
            limits: (!spec.limits.is_none()).then(|| spec.limits.into()),
            pid_file: spec.pid_file.as_deref().map(text),
            logs: (spec.logs != Logs::unsaid()).then(|| (&spec.logs).into()),
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
            environment: EnvironmentName::new(&spec.environment).map_err(not(&spec.environment))?,
            name: AppName::new(&spec.name).map_err(not(&spec.name))?,
            namespace: spec.namespace,
            script: spec.script,
            arguments: spec.arguments,
            cwd: spec.cwd.map(PathBuf::from),
            defined_in: spec.defined_in.into(),
            invoked_in: spec.invoked_in.into(),
            defined_at: spec.defined_at.into(),
            interpreter: interpreter(spec.interpreter),
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
                .try_into()?,
            env_files: spec.env_files.into_iter().map(PathBuf::from).collect(),
            kind: if spec.oneshot {
                Kind::Oneshot
            } else {
                Kind::Service
            },
            depends_on: spec
                .depends_on
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            liveness: spec.liveness.map(TryInto::try_into).transpose()?,
            schedule: spec.schedule.map(TryInto::try_into).transpose()?,
            limits: spec.limits.map(Into::into).unwrap_or_default(),
            pid_file: spec.pid_file.map(PathBuf::from),
            logs: spec.logs.map_or_else(Logs::unsaid, Into::into),
            autostart: spec.autostart,
            watch: spec.watch.map(Into::into),
            max_memory: spec.max_memory_bytes,
        })
    }
}

fn interpreter(name: Option<String>) -> Interpreter {
    match name {
        None => Interpreter::ByExtension,
        Some(name) if name == NO_INTERPRETER => Interpreter::None,
        Some(name) => Interpreter::Named(name),
    }
}

/// Says which name is none.
fn not(name: &str) -> impl FnOnce(NameError) -> InvalidSpec {
    let name = name.to_owned();
    |source| InvalidSpec::Name { name, source }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Paths on the wire are text: a config file is, too.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

impl From<&Schedule> for pb::Schedule {
    fn from(schedule: &Schedule) -> Self {
        Self {
            pattern: schedule.pattern().to_owned(),
            zone: schedule.zone().map(str::to_owned),
        }
    }
}

impl TryFrom<pb::Schedule> for Schedule {
    type Error = InvalidSpec;

    fn try_from(schedule: pb::Schedule) -> Result<Self, InvalidSpec> {
        let pb::Schedule { pattern, zone } = schedule;
        Self::new(&pattern, zone.as_deref())
            .map_err(|source| InvalidSpec::Schedule { pattern, source })
    }
}

#[cfg(test)]
mod tests;
