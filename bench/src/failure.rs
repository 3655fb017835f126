//! What a benchmark ends with when it does not succeed.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// What failed, and why.
#[derive(Debug, thiserror::Error)]
#[error("failed to {tried}: {why}")]
pub(crate) struct Failure {
    /// A fragment that fits after "failed to".
    tried: String,
    /// Why.
    why: String,
}

impl Failure {
    pub(crate) fn new(tried: impl Into<String>, why: impl Display) -> Self {
        Self {
            tried: tried.into(),
            why: why.to_string(),
        }
    }

    /// A failure to do something with a file or folder.
    pub(crate) fn at(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let tried = format!("{verb} {}", path.display());
        move |error| Self::new(tried, error)
    }

    /// A failure to run a program.
    pub(crate) fn run(program: impl Display) -> impl FnOnce(io::Error) -> Self {
        let tried = format!("run {program}");
        move |error| Self::new(tried, error)
    }
}
