//! What a task ends with when it does not succeed.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// What failed, why, and what to do about it.
pub(crate) struct Failure {
    /// A fragment that fits after "failed to".
    pub(crate) tried: String,
    /// Why.
    pub(crate) why: Box<dyn Display>,
    /// Steps that may mend it.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// A failure without a hint.
    pub(crate) fn new(tried: impl Into<String>, why: impl Display + 'static) -> Self {
        Self {
            tried: tried.into(),
            why: Box::new(why),
            hints: Vec::new(),
        }
    }

    /// Adds something to try.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// A failure to do something with a file or folder.
    pub(crate) fn at(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let tried = format!("{verb} {}", path.display());
        move |error| Self::new(tried, error)
    }
}
