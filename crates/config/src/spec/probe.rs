//! Signs of an app's health: how it is asked, how often, and what counts.

use std::time::Duration;

/// A question asked again and again.
///
/// Texts may hold `${NAME}`, which stands for a variable of the instance that is asked: `http://127.0.0.1:${PORT}/health`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Probe {
    /// What is asked.
    pub check: Check,
    /// From one answer to the next question.
    pub interval: Duration,
    /// An answer that takes longer is a failure.
    pub timeout: Duration,
    /// From the start: failures in it do not count.
    pub start_period: Duration,
    /// Answers in a row until it counts as well, at least 1.
    pub successes: u32,
    /// Failures in a row until it counts as ill, at least 1.
    pub failures: u32,
}

/// How an app is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// A program that exits with 0: itself and its arguments, run in the app's folder with the app's variables.
    Exec(Vec<String>),
    /// A TCP connection to `host:port`, or to `port` on 127.0.0.1.
    Tcp(String),
    /// A GET that is answered by one of the statuses.
    Http {
        /// `http://host:port/path`.
        url: String,
        /// First and last status of each range that is well; none: 200 to 399.
        statuses: Vec<(u16, u16)>,
    },
    /// A line of output that matches this regular expression. A sign of readiness only: it is waited for once.
    Log(String),
    /// `READY=1` to `NOTIFY_SOCKET` for readiness, `WATCHDOG=1` at least once in each interval for liveness.
    Notify,
    /// Output within the last interval. A sign of life only.
    Output,
}

/// A probe of an app that is up, and what follows when it fails.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Liveness {
    /// The question.
    pub probe: Probe,
    /// What is done about an ill instance.
    pub action: IllAction,
}

/// What is done about an instance that counts as ill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IllAction {
    /// It is replaced.
    Restart,
    /// It is stopped.
    Stop,
    /// It is left alone and shown as ill.
    Mark,
}
