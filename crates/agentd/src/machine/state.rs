//! What an instance is, as against what it should be.

use std::time::Duration;

/// A point in time: since boot, so that it means the same to the agent that comes after this one.
pub type Tick = Duration;

/// Counts the lives of an instance, from 1; never used twice.
pub type Run = u64;

/// What somebody wants of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// It should run.
    Up,
    /// It should not.
    Down,
    /// It should run, but not before somebody says so: `eco kill` put everything to rest.
    Held,
}

/// What an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No process. None comes by itself, but one may be wanted: see [`Pending`](super::Pending).
    Stopped,
    /// Asked for, not yet reported.
    Spawning {
        /// Whether a restart was asked for meanwhile.
        replace: Replace,
    },
    /// Lives, and is not known to be ready.
    Launching {
        /// Its first process.
        pid: i32,
        /// When it was spawned.
        since: Tick,
    },
    /// Lives, and is ready.
    Online {
        /// Its first process.
        pid: i32,
        /// When it was spawned.
        since: Tick,
    },
    /// Was told to end, or ended and left processes that were told to.
    Ending {
        /// Its first process, which may be gone.
        pid: i32,
        /// Whose doing it is.
        ending: Ending,
        /// When what is left is killed.
        kill_at: Tick,
    },
    /// Ended by itself; the next attempt is due.
    Waiting {
        /// When.
        until: Tick,
    },
    /// Ended by itself too often, or was to do its work and failed.
    Errored,
}

/// When an instance that is down may come up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// After what it depends on.
    InOrder,
    /// At once, whatever else is up.
    AtOnce,
}

/// Whether a run that is being spawned is already out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// It is what is wanted.
    No,
    /// A restart was asked for after the spawn: end it as soon as it is there. The next one comes up in its turn.
    Yes(Turn),
}

/// Whose doing an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A command's. If it is wanted up, the next run comes up in its turn.
    Asked(Turn),
    /// The app's own: it ended, or did not do as it should.
    ByItself {
        /// How.
        how: Ended,
        /// From its spawn to its end.
        lived: Duration,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
    /// Nobody could be told.
    Unknown,
    /// It never began.
    NotSpawned,
    /// It was not ready in time, and was ended.
    NotReady,
    /// It counted as ill, and was ended.
    Ill,
}
