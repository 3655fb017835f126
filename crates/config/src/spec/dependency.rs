//! What an app waits for before it starts.

use super::AppName;

/// One thing that must be so before an app starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// Another app of the environment.
    App {
        /// Which.
        name: AppName,
        /// What it must have come to.
        condition: Condition,
    },
    /// Something outside accepts a TCP connection at `host:port`.
    Tcp(String),
    /// Something outside answers a GET of this URL with a status from 200 to 399.
    Http(String),
}

/// What an app that others wait for must have come to, in all of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// It has been spawned.
    Started,
    /// It is online.
    Ready,
    /// It has ended with exit code 0.
    Completed,
}
