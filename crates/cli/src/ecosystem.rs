//! Ecosystem files and single scripts, evaluated into what the agent is sent. The only place that knows the config crate.

use std::path::{Path, PathBuf};

use eco_config::spec::{AppSpec, EnvironmentName, NameError};
use eco_config::{ByNode, ConfigError, EnvBlock, NoSuchRuntime, Problem, Request, Runtime, Single};
pub(crate) use eco_config::{STDIN, file_names, is_ecosystem_file, shown};
use eco_config::{is_stdin, read_stdin};
use eco_proto::agent::v1 as pb;
use serde_json::{Map, Value};

use crate::error::{CliError, chain};
use crate::surroundings::Surroundings;
use crate::view::findings::{Finding, Level};

/// What a file defines.
#[derive(Clone, Debug)]
pub(crate) struct Ecosystem {
    /// Its apps.
    pub(crate) apps: Vec<pb::AppSpec>,
    /// What is odd about it.
    pub(crate) warnings: Vec<String>,
    /// Which fields have no effect, and why.
    pub(crate) notes: Vec<String>,
    /// What evaluated it, if that was not eco, and what its program said.
    pub(crate) said: Vec<String>,
}

/// The ecosystem files of a folder: none, one, or several equally good ones.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    match eco_config::find_in(folder) {
        Ok(found) => found.into_iter().collect(),
        Err(ambiguous) => ambiguous.candidates,
    }
}

/// Evaluates a file, its apps belonging to `environment`.
pub(crate) fn load(
    file: &Path,
    environment: &str,
    env_block: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Ecosystem, CliError> {
    let request = request(file, environment, env_block, surroundings)?;
    let ecosystem = eco_config::load(&request).map_err(|error| refused(file, error))?;
    Ok(Ecosystem {
        apps: ecosystem.apps.iter().map(pb::AppSpec::from).collect(),
        warnings: ecosystem.warnings.iter().flat_map(lines).collect(),
        notes: ecosystem.notes.iter().flat_map(lines).collect(),
        said: said(ecosystem.by_node, ecosystem.said),
    })
}

fn request(
    file: &Path,
    environment: &str,
    env_block: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Request, CliError> {
    let text = is_stdin(file).then(|| read_stdin((surroundings.stdin)()));
    Ok(Request {
        file: file.to_owned(),
        text: text.transpose().map_err(|error| refused(file, error))?,
        environment: environment_name(environment)?,
        env_block: env_block.map_or(EnvBlock::ByEnvironment, |block| {
            EnvBlock::Asked(block.to_owned())
        }),
        variables: surroundings.variables.clone(),
        invoked_in: surroundings.working_directory.clone(),
        runtime: runtime(surroundings)?,
    })
}

/// A file that is looked at for what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// Its apps, those included that something is wrong with.
    pub(crate) apps: Vec<pb::AppSpec>,
    /// What is wrong or odd.
    pub(crate) findings: Vec<Finding>,
    /// What evaluated it, if that was not eco, and what its program said.
    pub(crate) said: Vec<String>,
}

/// Finds all that is wrong or odd about a file.
pub(crate) fn check(
    file: &Path,
    environment: &str,
    env_block: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Checked, CliError> {
    let request = request(file, environment, env_block, surroundings)?;
    Ok(match eco_config::check(&request) {
        Ok(checked) => Checked {
            apps: checked.apps.iter().map(pb::AppSpec::from).collect(),
            findings: [
                (Level::Error, checked.problems),
                (Level::Warning, checked.warnings),
                (Level::Note, checked.notes),
            ]
            .into_iter()
            .flat_map(|(level, problems)| problems.into_iter().map(move |one| finding(level, one)))
            .collect(),
            said: said(checked.by_node, checked.said),
        },
        Err(error) => Checked {
            apps: Vec::new(),
            findings: failure(file, error),
            said: Vec::new(),
        },
    })
}

fn finding(level: Level, problem: Problem) -> Finding {
    let file = problem
        .at
        .as_ref()
        .map(|at| &at.file)
        .or(problem.file.as_ref());
    Finding {
        level,
        file: file.map(|file| shown(file).to_string()),
        line: problem.at.as_ref().map(|at| at.line),
        column: problem.at.as_ref().map(|at| at.column),
        app: problem.app,
        field: (!problem.path.is_empty()).then_some(problem.path),
        message: problem.fault.to_string(),
        hint: problem.hint,
    }
}

/// What kept a file from being evaluated.
fn failure(file: &Path, error: ConfigError) -> Vec<Finding> {
    let bare = Finding {
        level: Level::Error,
        app: None,
        field: None,
        file: Some(shown(file).to_string()),
        line: None,
        column: None,
        message: String::new(),
        hint: None,
    };
    match error {
        ConfigError::Invalid(problems) => {
            let problems = problems.into_iter();
            problems.map(|one| finding(Level::Error, one)).collect()
        }
        ConfigError::Evaluate(failure) => vec![Finding {
            file: Some(shown(&failure.file).to_string()),
            line: failure.line,
            column: failure.column,
            message: failure.message,
            hint: failure.hint,
            ..bare
        }],
        ConfigError::Read { .. }
        | ConfigError::NotAFile { .. }
        | ConfigError::TooLarge { .. }
        | ConfigError::NotText { .. }
        | ConfigError::Format { .. } => vec![Finding {
            message: format!("failed to {}", chain(&error)),
            ..bare
        }],
    }
}

/// A script or a command line, and how it is to run.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// A path, or a command line.
    pub(crate) line: String,
    /// What it is called.
    pub(crate) name: Option<String>,
    /// What it is given.
    pub(crate) arguments: Vec<String>,
    /// Any other field by its name in a file.
    pub(crate) fields: Map<String, Value>,
}

/// Makes an app of a script or a command line.
pub(crate) fn single(
    script: Script,
    environment: &str,
    surroundings: &Surroundings,
) -> Result<pb::AppSpec, CliError> {
    let tried = format!("start {}", script.line);
    let single = Single {
        script: script.line,
        name: script.name,
        arguments: script.arguments,
        fields: script.fields,
        environment: environment_name(environment)?,
        variables: surroundings.variables.clone(),
        invoked_in: surroundings.working_directory.clone(),
    };
    let spec: AppSpec = eco_config::single(&single)
        .map_err(|problems| CliError::user(tried).detailed(problems.iter().flat_map(lines)))?;
    Ok(pb::AppSpec::from(&spec))
}

/// What is to be said of an evaluation: that it was node's, if it was, and what the program said.
fn said(by_node: Option<ByNode>, lines: Vec<String>) -> Vec<String> {
    by_node
        .map(|by| by.to_string())
        .into_iter()
        .chain(lines)
        .collect()
}

/// What the person lets evaluate programs.
fn runtime(surroundings: &Surroundings) -> Result<Runtime, CliError> {
    const VARIABLE: &str = "ECO_CONFIG_RUNTIME";
    surroundings
        .variable(VARIABLE)
        .map_or(Ok(Runtime::default()), |name| {
            name.parse().map_err(|error: NoSuchRuntime| {
                CliError::user(format!("use {name:?} as {VARIABLE}")).because(error)
            })
        })
}

fn environment_name(name: &str) -> Result<EnvironmentName, CliError> {
    EnvironmentName::new(name).map_err(|error: NameError| {
        CliError::user(format!("use {name:?} as the name of an environment")).because(error)
    })
}

fn refused(file: &Path, error: ConfigError) -> CliError {
    let tried = format!("load {}", shown(file));
    match error {
        ConfigError::Invalid(problems) => {
            CliError::user(tried).detailed(problems.iter().flat_map(lines))
        }
        ConfigError::Evaluate(failure) => {
            let hint = failure.hint.clone();
            let error = CliError::user(tried).because(failure);
            match hint {
                Some(hint) => error.hinted(hint),
                None => error,
            }
        }
        ConfigError::Read { source, .. } => CliError::user(tried).because(source),
        ConfigError::NotAFile { .. }
        | ConfigError::TooLarge { .. }
        | ConfigError::NotText { .. }
        | ConfigError::Format { .. } => CliError::user(tried).because(error),
    }
}

fn lines(problem: &Problem) -> Vec<String> {
    let mut lines = vec![match &problem.app {
        Some(app) => format!("{problem} (app {app})"),
        None => problem.to_string(),
    }];
    if let Some(hint) = &problem.hint {
        lines.push(format!("    hint: {hint}"));
    }
    lines
}
