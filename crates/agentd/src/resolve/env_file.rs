//! Files of variables: found and read on this host before every spawn, so that a restart takes their changes up.
//!
//! What they say is put into the specification's own variables for the one run that is begun, and is kept nowhere.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use eco_config::spec::AppSpec;

use super::{Problem, search};
use crate::dotenv::{self, Fault, Known, LARGEST};

/// A specification with what its files say.
pub(super) struct Filled {
    /// Its `env` holds the files' variables too.
    pub(super) spec: AppSpec,
    /// What a person should know, each a full sentence.
    pub(super) notes: Vec<String>,
}

/// Puts the variables of all files in. The specification's own win, then those of later files.
pub(super) fn fill(spec: &AppSpec, cwd: Option<&Path>) -> Result<Filled, Vec<Problem>> {
    let mut filled = Filled {
        spec: spec.clone(),
        notes: Vec::new(),
    };
    let mut problems = Vec::new();
    let mut of_files = std::collections::BTreeMap::new();
    for written in &spec.env_files {
        let outer = |name: &str| {
            let of_files: Option<&String> = of_files.get(name);
            let known = of_files.or_else(|| spec.inherited_env.get(name));
            known.map(String::as_str)
        };
        match read(spec, written, cwd, &outer) {
            Ok((path, parsed)) => {
                filled.notes.extend(notes(&path, &parsed.unset));
                of_files.extend(parsed.variables);
            }
            Err(problem) => problems.push(problem),
        }
    }
    of_files.extend(std::mem::take(&mut filled.spec.env));
    filled.spec.env = of_files;
    if problems.is_empty() {
        Ok(filled)
    } else {
        Err(problems)
    }
}

fn notes(path: &Path, unset: &[(usize, String)]) -> impl Iterator<Item = String> {
    unset.iter().map(move |(line, name)| {
        format!(
            "{}, line {line}: the variable {name} is not set and counts as empty (a $ that is meant as it stands is \
             written in single quotes).",
            path.display()
        )
    })
}

fn read(
    spec: &AppSpec,
    written: &Path,
    cwd: Option<&Path>,
    outer: Known<'_>,
) -> Result<(PathBuf, dotenv::Parsed), Problem> {
    let path = find(spec, written, cwd)?;
    let problem = |why: String| Problem {
        field: "env_file",
        message: format!("the file of variables {} {why}", path.display()),
        hint: "correct the file, or `env_file`".to_owned(),
    };
    let text = text(&path).map_err(|error| problem(format!("cannot be read: {error}")))?;
    let parsed = dotenv::parse(&text, outer);
    let parsed = parsed.map_err(|fault: Fault| problem(format!("is not understood: {fault}")))?;
    Ok((path, parsed))
}

/// Beside the file that defines the app, else in the working directory.
fn find(spec: &AppSpec, written: &Path, cwd: Option<&Path>) -> Result<PathBuf, Problem> {
    let bases = [Some(spec.defined_in.as_path()), cwd];
    let mut tried: Vec<PathBuf> = bases
        .into_iter()
        .flatten()
        .map(|base| search::clean(&base.join(written)))
        .collect();
    tried.dedup();
    if let Some(found) = tried.iter().find(|path| path.exists()) {
        return Ok(found.clone());
    }
    let places: Vec<_> = tried
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(Problem {
        field: "env_file",
        message: format!(
            "the file of variables {:?} was not found; looked for it at {}",
            written.display().to_string(),
            places.join(", ")
        ),
        hint: "make the file, or correct `env_file`".to_owned(),
    })
}

/// Reading anything but a file may take for ever.
fn text(path: &Path) -> io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    File::open(path)?
        .take(LARGEST as u64 + 1)
        .read_to_string(&mut text)?;
    if text.len() > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}
