//! Names of apps, slots and runs on this host.

use std::fmt;

use eco_config::spec::{AppName, AppSpec};

use crate::machine::Run;

/// An app: its environment and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppKey {
    /// What it belongs to.
    pub environment: String,
    /// Its name there.
    pub name: String,
}

/// One slot of an app.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey {
    /// The app.
    pub app: AppKey,
    /// From 0.
    pub instance: u32,
}

/// One life of a slot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    /// The slot.
    pub slot: SlotKey,
    /// From 1.
    pub run: Run,
}

impl AppKey {
    /// The key of what `spec` describes.
    #[must_use]
    pub fn of(spec: &AppSpec) -> Self {
        Self {
            environment: spec.environment.to_string(),
            name: spec.name.to_string(),
        }
    }

    /// The app `name` of the same environment.
    #[must_use]
    pub fn neighbour(&self, name: &AppName) -> Self {
        Self {
            environment: self.environment.clone(),
            name: name.to_string(),
        }
    }

    /// Its slot `instance`.
    #[must_use]
    pub fn slot(&self, instance: u32) -> SlotKey {
        SlotKey {
            app: self.clone(),
            instance,
        }
    }
}

impl SlotKey {
    /// Its life `run`.
    #[must_use]
    pub fn run(&self, run: Run) -> RunKey {
        RunKey {
            slot: self.clone(),
            run,
        }
    }
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.name)
    }
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.app, self.instance)
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} run {}", self.slot, self.run)
    }
}
