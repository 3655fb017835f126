//! The only writer to the terminal. Everything goes to stderr: stdout belongs to the programs that are run.

use std::io::Write as _;
use std::time::Duration;

use crate::failure::Failure;

/// Writes a text as it is.
pub(crate) fn plain(text: &str) {
    if std::io::stderr().write_all(text.as_bytes()).is_err() {
        // There is nobody left to tell.
    }
}

/// Tells what comes next.
pub(crate) fn step(text: &str) {
    plain(&format!("\n==> {text}\n"));
}

/// Tells one thing.
pub(crate) fn line(text: &str) {
    plain(&format!("{text}\n"));
}

/// Tells how long something took.
pub(crate) fn took(what: &str, time: Duration) {
    line(&format!("==> {what} took {:.1} s", time.as_secs_f64()));
}

/// Tells what failed.
pub(crate) fn failed(failure: &Failure) {
    line(&format!("Error: failed to {}", failure.tried));
    line(&format!("Caused by: {}", failure.why));
    for hint in &failure.hints {
        line(&format!("Hint: {hint}"));
    }
}
