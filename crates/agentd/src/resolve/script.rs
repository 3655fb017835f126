//! Finding what is to be run.

use std::path::{Path, PathBuf};

use eco_config::spec::{AppSpec, Interpreter};

use super::{Problem, search};
use crate::environment;

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// A file.
    File(PathBuf),
    /// A line for the shell.
    CommandLine(String),
}

/// Finds the script: a file where [`search::bases`] says, a line for the shell if it holds a blank, a program on `PATH`.
pub(super) fn find(spec: &AppSpec, cwd: Option<&Path>) -> Result<Script, Problem> {
    let written = Path::new(&spec.script);
    let tried: Vec<PathBuf> = if written.is_absolute() {
        vec![written.to_owned()]
    } else {
        search::bases(spec, cwd)
            .iter()
            .map(|base| search::clean(&base.join(written)))
            .collect()
    };
    if let Some(file) = tried.iter().find(|path| path.is_file()) {
        return Ok(Script::File(file.clone()));
    }
    if spec.script.contains(char::is_whitespace) {
        return Ok(Script::CommandLine(spec.script.clone()));
    }
    let runs_itself = matches!(
        spec.interpreter,
        Interpreter::ByExtension | Interpreter::None
    );
    let may_be_program = runs_itself && written.components().count() == 1;
    if may_be_program {
        let path = environment::variables(spec, 0, 0)
            .remove("PATH")
            .unwrap_or_default();
        if let Some(program) = search::on_path(&spec.script, &path) {
            return Ok(Script::File(program));
        }
    }
    Err(missing(spec, &tried, may_be_program))
}

fn missing(spec: &AppSpec, tried: &[PathBuf], on_path_too: bool) -> Problem {
    let mut places: Vec<String> = tried
        .iter()
        .map(|path| {
            let what = if path.is_dir() { " (a folder)" } else { "" };
            format!("{}{what}", path.display())
        })
        .collect();
    if on_path_too {
        places.push("PATH".to_owned());
    }
    Problem {
        field: "script",
        message: format!(
            "the script {:?} was not found; looked for it at {}",
            spec.script,
            places.join(", ")
        ),
        hint: "correct `script`, or set `cwd` to the folder it counts from".to_owned(),
    }
}
