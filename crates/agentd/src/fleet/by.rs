//! Who asked: every cause that people read names somebody, and every run knows why it began.

use std::fmt;
use std::time::Duration;

/// Who, or what, asked for something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// A person, by the name of their account on the agent's host.
    Person(String),
    /// A change of files that are watched.
    Watch,
    /// The limit of an instance's memory.
    Memory,
    /// A schedule.
    Schedule,
    /// A probe.
    Probe,
    /// The boot of the host.
    Boot,
    /// The app: it ended by itself, and its own policy says what follows.
    Itself,
    /// Nobody knows: an earlier version did not write it down.
    #[default]
    Unknown,
}

/// What fits after "stopped by".
impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person(name) => name,
            Self::Watch => "a change of its files",
            Self::Memory => "its memory limit",
            Self::Schedule => "its schedule",
            Self::Probe => "a probe",
            Self::Boot => "the boot of the host",
            Self::Itself => "itself",
            Self::Unknown => "somebody",
        })
    }
}

/// Why a run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// A fragment such as "started by ann".
    pub cause: String,
    /// Who asked.
    pub by: By,
    /// When it was spawned, since 1970; zero while it is not.
    pub at_unix: Duration,
}

#[cfg(test)]
impl By {
    /// A person for tests.
    pub(crate) fn ann() -> Self {
        Self::Person("ann".to_owned())
    }
}
