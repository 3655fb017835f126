//! What an app is, checked: nothing in here is checked twice.

mod address;
mod dependency;
mod limits;
mod logs;
mod name;
mod probe;
mod schedule;
mod signal;
mod template;
mod watch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use address::{Address, AddressError, HttpUrl};
pub use dependency::{Condition, Dependency, circle};
pub use limits::Limits;
pub use logs::{Keeping, LineKind, Logs, Overflow, Rotation, Sharing};
#[cfg(feature = "eval")]
pub(crate) use name::LONGEST;
pub use name::{AppName, EnvironmentName, NameError};
pub use probe::{Check, IllAction, Liveness, Probe};
pub use schedule::{Schedule, ScheduleError, check_zone};
pub use signal::{SIGINT, signal_name, signal_names, signal_number};
pub use template::{TemplateError, fill};
pub use watch::{IgnoreField, IgnoreRule, Ignored, Links, WatchPolicy};

/// The most instances that an app may have: more than this on one host is a slip of the finger.
pub const MOST_INSTANCES: u32 = 1024;

/// One app of an ecosystem file. Paths are as written, for the agent to resolve on its own host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppSpec {
    /// What the app belongs to.
    pub environment: EnvironmentName,
    /// Its name, one of a kind in its environment.
    pub name: AppName,
    /// PM2's label to select by.
    pub namespace: String,
    /// A path, or a command line when it holds a blank and names no file.
    pub script: String,
    /// What the script is given.
    pub arguments: Vec<String>,
    /// The working directory as written; `None`: the project's folder, see `defined_in`.
    pub cwd: Option<PathBuf>,
    /// The folder of the file that defines the app, absolute.
    pub defined_in: PathBuf,
    /// The folder of the person who typed the command, absolute.
    pub invoked_in: PathBuf,
    /// The file that defines the app, absolute, for messages.
    pub defined_at: PathBuf,
    /// What runs the script.
    pub interpreter: Interpreter,
    /// What the interpreter is given before the script.
    pub interpreter_arguments: Vec<String>,
    /// The app's own variables.
    pub env: BTreeMap<String, String>,
    /// Files with variables, which `env` overrules: as written, counted from `defined_in`, read at each start.
    pub env_files: Vec<PathBuf>,
    /// The variables of the shell that asked. No part of what the app *is*: see [`AppSpec::is_same`].
    pub inherited_env: BTreeMap<String, String>,
    /// How many slots, at least 1.
    pub instances: u32,
    /// How the slots share work.
    pub exec_mode: ExecMode,
    /// The variable that numbers the slots.
    pub instance_var: String,
    /// A variable that grows by one per slot.
    pub increment_var: Option<String>,
    /// Whom to run as: a name or a number.
    pub user: Option<String>,
    /// Which group to run as: a name or a number.
    pub group: Option<String>,
    /// Whether it is meant to end.
    pub kind: Kind,
    /// What must be so before it starts.
    pub depends_on: Vec<Dependency>,
    /// What follows an end.
    pub restart: RestartPolicy,
    /// How it is ended.
    pub stop: StopPolicy,
    /// When it counts as up.
    pub ready: ReadyPolicy,
    /// How it is known that it is still well.
    pub liveness: Option<Liveness>,
    /// When it is replaced by the clock.
    pub schedule: Option<Schedule>,
    /// What it may use.
    pub limits: Limits,
    /// A file that holds the first process's pid while there is one: as written, see [`AppSpec::defined_in`].
    pub pid_file: Option<PathBuf>,
    /// What becomes of what it writes, besides being kept.
    pub logs: Logs,
    /// Whether it is started when it is registered.
    pub autostart: bool,
    /// What to restart at a change of.
    pub watch: Option<WatchPolicy>,
    /// Bytes the tree of an instance may hold.
    pub max_memory: Option<u64>,
}

/// What runs a script.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Interpreter {
    /// Chosen by the script's extension, or its first line.
    ByExtension,
    /// The script runs itself.
    None,
    /// This name or path.
    Named(String),
}

/// How the instances of an app share work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecMode {
    /// Each is a process of its own.
    Fork,
    /// They share listening sockets.
    Cluster,
}

/// Whether an app is meant to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It is up until somebody ends it.
    Service,
    /// It does its work and ends: exit code 0 completes it.
    Oneshot,
}

/// What follows an end that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RestartPolicy {
    /// After which ends a restart follows.
    pub when: RestartWhen,
    /// An end sooner than this is unstable.
    pub min_uptime: Duration,
    /// Unstable ends in a row until the app is errored.
    pub max_unstable: u32,
    /// How long to wait before the restart.
    pub delay: RestartDelay,
    /// Exit codes that are an end.
    pub stop_exit_codes: Vec<i32>,
}

/// After which ends a restart follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartWhen {
    /// All.
    Always,
    /// All but exit code 0.
    OnFailure,
    /// None.
    Never,
}

/// How long to wait before a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartDelay {
    /// The first at once, then growing.
    Default,
    /// Always the same.
    Fixed(Duration),
    /// Growing from this.
    Growing(Duration),
}

/// How an app is ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StopPolicy {
    /// How it is asked to end.
    pub words: StopWords,
    /// The signal's number.
    pub signal: i32,
    /// When what is left is killed.
    pub kill_timeout: Duration,
    /// What is signalled.
    pub reach: StopReach,
}

/// That of an app which says nothing of it.
impl Default for StopPolicy {
    fn default() -> Self {
        Self {
            words: StopWords::Signal,
            signal: SIGINT,
            kill_timeout: Duration::from_millis(1600),
            reach: StopReach::Tree,
        }
    }
}

/// How an app is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopWords {
    /// By the signal.
    Signal,
    /// By the message "shutdown" over Node's channel; by the signal where there is no channel.
    Message,
}

/// What a signal is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StopReach {
    /// Every process of the run.
    Tree,
    /// The first process alone.
    Leader,
}

/// When an instance counts as up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadyPolicy {
    /// After this an instance that lives counts as up whatever it said, unless there is a probe.
    pub listen_timeout: Duration,
    /// Whether the app says itself when it is up.
    pub wait_ready: bool,
    /// How it is known that an instance is up.
    pub probe: Option<Readiness>,
}

/// A probe of an instance that is starting: it is up when the probe says so, and not before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Readiness {
    /// The question.
    pub probe: Probe,
    /// An instance that is not up by then has failed to start, and is ended; `None`: it has all the time.
    pub within: Option<Duration>,
}

impl AppSpec {
    /// Whether `other` would run the same: all but where and by whom it was asked for.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.bare() == other.bare()
    }

    /// What it says apart from where and by whom it was asked for.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self {
            inherited_env: BTreeMap::new(),
            invoked_in: PathBuf::new(),
            defined_at: PathBuf::new(),
            ..self.clone()
        }
    }

    /// The file that defines the app; `None`: a command did.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        (self.defined_at != self.invoked_in).then_some(&*self.defined_at)
    }

    /// `environment/name`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.environment, self.name)
    }
}
