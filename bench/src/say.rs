//! The only writer to the terminal: everything goes to stderr.

use std::io::Write as _;

/// Tells what comes next.
pub(crate) fn step(text: &str) {
    line(&format!("\n==> {text}"));
}

/// Tells one thing.
pub(crate) fn line(text: &str) {
    if writeln!(std::io::stderr(), "{text}").is_err() {
        // There is nobody left to tell.
    }
}
