//! What a command ends with when it does not succeed: what failed, why, and what to do about it.
//!
//! ```text
//! Error: failed to stop apps           message
//!   dev/mds-fetcher                    details, as they are
//! Caused by: no app matches mds        the chain of sources
//! Hint: did you mean dev/mds-fetcher?  hints
//! ```
//!
//! The exit code is a function of the kind and of nothing else.

use std::error::Error;
use std::io;
use std::process::ExitCode;

/// Exit code of a command line that cannot be understood.
pub(crate) const USAGE: u8 = 2;
/// Exit code of a comparison that finds differences, as with `diff` in other tools of this kind.
pub(crate) const DIFFERS: u8 = 2;
/// Exit code when whoever read our output has gone.
pub(crate) const PIPE_CLOSED: u8 = 3;

type Source = Box<dyn Error + Send + Sync>;

/// Whose matter a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The request or a config file is wrong, or an app did not do as asked.
    User,
    /// The reader of our output has gone: nobody is left to be told.
    PipeClosed,
    /// Nothing failed: a comparison found differences, and has shown them.
    Differs,
    /// A daemon cannot be reached, started or talked with.
    Daemon,
    /// A fault of eco.
    Internal,
}

/// A failure, ready to be shown.
#[derive(Debug, thiserror::Error)]
#[error("failed to {tried}")]
pub(crate) struct CliError {
    kind: Kind,
    tried: String,
    details: Vec<String>,
    #[source]
    source: Option<Source>,
    hints: Vec<String>,
}

impl CliError {
    /// A failure of `kind` at what `tried` says, a fragment that fits after "failed to".
    pub(crate) fn new(kind: Kind, tried: impl Into<String>) -> Self {
        Self {
            kind,
            tried: tried.into(),
            details: Vec::new(),
            source: None,
            hints: Vec::new(),
        }
    }

    /// Shorthand for [`Kind::User`].
    pub(crate) fn user(tried: impl Into<String>) -> Self {
        Self::new(Kind::User, tried)
    }

    /// Shorthand for [`Kind::Daemon`].
    pub(crate) fn daemon(tried: impl Into<String>) -> Self {
        Self::new(Kind::Daemon, tried)
    }

    /// Adds why.
    pub(crate) fn because(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds something to try.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds lines that belong to the message.
    pub(crate) fn detailed(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }

    /// Whose matter it is.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Lines that belong to the message.
    pub(crate) fn details(&self) -> &[String] {
        &self.details
    }

    /// What to try.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// What the program ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::User => 1,
            Kind::PipeClosed => PIPE_CLOSED,
            Kind::Differs => DIFFERS,
            Kind::Daemon => 4,
            Kind::Internal => 255,
        })
    }
}

/// Only writing to the terminal fails with a bare `io::Error`: all else says what it tried.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(Kind::PipeClosed, "write to a closed pipe")
        } else {
            Self::user("write the output").because(error)
        }
    }
}

impl From<eco_home::HomeError> for CliError {
    fn from(error: eco_home::HomeError) -> Self {
        let hint = match &error {
            eco_home::HomeError::Unknown => "set ECO_HOME to a folder of yours",
            eco_home::HomeError::Folder { .. } => {
                "make that folder writable, or set ECO_HOME to another"
            }
            eco_home::HomeError::TooLong { .. } => "set ECO_HOME to a shorter path",
        };
        Self::daemon(error.to_string())
            .hinted(hint)
            .because_of(error.source())
    }
}

impl CliError {
    /// Adds the source that another error carried, as text: it is borrowed from what was just shown.
    pub(crate) fn because_of(self, source: Option<&(dyn Error + 'static)>) -> Self {
        match source {
            Some(source) => self.because(chain(source)),
            None => self,
        }
    }
}

/// Writes an error and all its sources into one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let shown = source.to_string();
        if !text.ends_with(&shown) {
            text.push_str(": ");
            text.push_str(&shown);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_exit_code() {
        for (kind, code) in [
            (Kind::User, 1),
            (Kind::Differs, 2),
            (Kind::PipeClosed, 3),
            (Kind::Daemon, 4),
            (Kind::Internal, 255),
        ] {
            assert_eq!(CliError::new(kind, "x").exit_code(), ExitCode::from(code));
        }
    }

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        let closed = CliError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(closed.kind(), Kind::PipeClosed);
        let full = CliError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.kind(), Kind::User);
    }
}
