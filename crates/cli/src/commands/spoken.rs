//! After speaking to apps: what came of it, instance by instance.

use std::collections::BTreeSet;

use super::session::Session;
use crate::error::CliError;
use crate::render::json;
use crate::view::spoken::Told;

/// How to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
}

impl Form {
    /// What the flag `--json` asks for.
    pub(crate) const fn of_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// Shows what came of it, `line` of each instance where it came to pass; fails when it did not everywhere.
pub(crate) fn conclude(
    session: &mut Session<'_>,
    tried: &str,
    all: &[Told],
    form: Form,
    line: impl Fn(&Told) -> String,
) -> Result<(), CliError> {
    match form {
        Form::Json => session.ui.data(&json::document(&all))?,
        Form::Text => {
            for told in all.iter().filter(|told| told.problem.is_none()) {
                session.ui.data(&(line(told) + "\n"))?;
            }
        }
    }
    let failed: Vec<&Told> = all.iter().filter(|told| told.problem.is_some()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let details = failed.iter().map(|told| {
        format!(
            "{}: {}",
            told.label(),
            told.problem.as_deref().unwrap_or_default()
        )
    });
    let hints: BTreeSet<&str> = failed
        .iter()
        .filter_map(|told| told.hint.as_deref())
        .collect();
    let error = CliError::user(tried).detailed(details);
    Err(hints.into_iter().fold(error, CliError::hinted))
}
