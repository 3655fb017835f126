//! The few lines the keeper has to say. Its stderr is its log.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::Write as _;

use eco_home::clock;
use eco_home::own_log::OwnLog;

/// Writes one line. A log that cannot be written is no reason to stop.
pub(super) fn say(text: fmt::Arguments<'_>) {
    let now = clock::unix();
    let pid = std::process::id();
    let line = format!(
        "{}.{:03} keeper[{pid}] {text}\n",
        now.as_secs(),
        now.subsec_millis()
    );
    if OwnLog.write_all(line.as_bytes()).is_err() {
        // There is nobody left to tell.
    }
}

/// Says what failed, and why.
pub(super) fn failed(subject: &dyn fmt::Display, error: &dyn Error) {
    let mut text = format!("{subject}: failed to {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        if write!(text, ": {error}").is_err() {
            break;
        }
        cause = error.source();
    }
    say(format_args!("{text}"));
}
