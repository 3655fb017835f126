//! From words to ecosystem files, by the disk alone: for the verbs that need no agent.

use std::path::PathBuf;

use super::plan::refused;
use crate::error::CliError;
use crate::surroundings::Surroundings;
use crate::target::{Target, TargetError, nowhere, on_disk};
use crate::{ecosystem, lookup};

/// The files that the words stand for; without a word the one of the working directory.
pub(crate) fn files(
    surroundings: &Surroundings,
    words: &[String],
) -> Result<Vec<PathBuf>, CliError> {
    if words.is_empty() {
        return here(surroundings).map(|file| vec![file]);
    }
    words.iter().map(|word| file(surroundings, word)).collect()
}

fn file(surroundings: &Surroundings, word: &str) -> Result<PathBuf, CliError> {
    let facts = lookup::facts(word, surroundings);
    match on_disk(word, &facts).map_err(refused)? {
        Some(Target::Ecosystem(file)) => Ok(file),
        Some(Target::Script(file)) => Err(CliError::user(format!("read {}", file.display()))
            .because("it is named like a script, not like a file that defines apps")
            .hinted(format!("name a file such as {}", ecosystem::file_names()))),
        // The disk alone finds neither.
        Some(Target::Selector(_) | Target::Command { .. }) | None => {
            Err(refused(nowhere(word, &facts)))
        }
    }
}

/// The file of the working directory.
pub(crate) fn here(surroundings: &Surroundings) -> Result<PathBuf, CliError> {
    let folder = lookup::here(surroundings);
    match folder.files.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(CliError::user("find an ecosystem file")
            .because(format!(
                "there is none in {}, such as {}",
                folder.path.display(),
                ecosystem::file_names()
            ))
            .hinted("name a file, a folder or an environment; eco init writes a file")),
        files => Err(refused(TargetError::Ambiguous {
            word: folder.path.display().to_string(),
            files: files.to_vec(),
        })),
    }
}
