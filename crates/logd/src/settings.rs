//! What the agent told of the apps: which files their lines are copied to, and how long they are kept.
//!
//! ```text
//!   agent ── Feed ──▶ Told ──▶ the copier, which writes them to <home>/mirrors/settings
//!                      └─────▶ whoever asks for the limits of an app
//! ```
//!
//! They hold until others are told: while no agent is there, and over the death of this daemon.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use eco_home::numbered::numbered;
use serde::{Deserialize, Serialize};

/// How much is kept of what an app writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes; `None`: as for all.
    pub size: Option<u64>,
    /// How long; `None`: as for all.
    pub age: Option<Duration>,
}

/// When files are put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Before a file holds more bytes than this.
    pub size: u64,
    /// This long after it was begun; `None`: by its size alone.
    pub every: Option<Duration>,
    /// How many are kept of those put aside.
    pub keep: u32,
    /// Whether those are compressed.
    pub compress: bool,
}

/// What a line looks like in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// An object for each line.
    pub json: bool,
    /// The time before it, in day.js' tokens.
    pub date_format: Option<String>,
}

/// How the instances of an app share the name of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Numbering {
    /// The first has the name, others have one with their number.
    Alone,
    /// Each has one with its number.
    Each,
    /// All have the same.
    Merged,
}

/// A file that lines are copied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Absolute, without the number of an instance.
    pub path: PathBuf,
    /// Whether it gets stdout.
    pub out: bool,
    /// Whether it gets stderr.
    pub err: bool,
    /// Who has which name.
    pub numbering: Numbering,
}

impl LogFile {
    /// The file of an instance.
    #[must_use]
    pub fn of(&self, instance: u32) -> PathBuf {
        match (self.numbering, instance) {
            (Numbering::Merged, _) | (Numbering::Alone, 0) => self.path.clone(),
            (Numbering::Alone | Numbering::Each, _) => numbered(&self.path, instance),
        }
    }
}

/// The settings of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppLogs {
    /// What it belongs to.
    pub environment: String,
    /// Its name.
    pub app: String,
    /// The files.
    pub files: Vec<LogFile>,
    /// What lines look like in them.
    pub shape: Shape,
    /// When they are put aside; `None`: never.
    pub rotation: Option<Rotation>,
    /// How much is kept.
    pub limits: Limits,
    /// The last run of an instance that was there before the settings were.
    pub before: BTreeMap<u32, u64>,
}

/// The settings of all apps of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The host's name.
    pub host: String,
    /// Those that have any.
    pub apps: Vec<AppLogs>,
}

impl Settings {
    /// How much is kept of what an app writes.
    #[must_use]
    pub fn limits(&self, environment: &str, app: &str) -> Limits {
        self.app(environment, app)
            .map_or_else(Limits::default, |app| app.limits)
    }

    /// The settings of an app, if it has any.
    #[must_use]
    pub fn app(&self, environment: &str, app: &str) -> Option<&AppLogs> {
        self.apps
            .iter()
            .find(|one| one.environment == environment && one.app == app)
    }

    /// Where they are kept, below the folder of mirrors.
    #[must_use]
    pub fn path(mirrors: &Path) -> PathBuf {
        mirrors.join("settings")
    }
}

/// What was told last.
#[derive(Debug, Default)]
pub struct Told {
    now: RwLock<Arc<Settings>>,
}

impl Told {
    /// What is known from before.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            now: RwLock::new(Arc::new(settings)),
        }
    }

    /// What holds.
    #[must_use]
    pub fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on `settings` hold.
    pub fn tell(&self, settings: Settings) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }
}
