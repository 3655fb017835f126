//! What is wrong or odd about files.

use serde::Serialize;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Nothing of the file can be started.
    Error,
    /// Something is odd.
    Warning,
    /// Something does nothing, and need not.
    Note,
}

/// One thing. The names of the fields are the contract of `eco validate --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) level: Level,
    pub(crate) app: Option<String>,
    /// The way to the field: `apps[2].readiness.http`.
    pub(crate) field: Option<String>,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// How many there are of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
}

impl Count {
    pub(crate) fn of(findings: &[Finding]) -> Self {
        let of = |level| {
            let findings = findings.iter();
            findings.filter(|finding| finding.level == level).count()
        };
        Self {
            errors: of(Level::Error),
            warnings: of(Level::Warning),
            notes: of(Level::Note),
        }
    }
}
