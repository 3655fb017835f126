//! The way from a request to checked apps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::error::{ConfigError, Fault, Problem};
use crate::eval::{self, ByNode};
use crate::parse::{self, Asked};
use crate::raw::RawApp;
use crate::spec::{AppSpec, EnvironmentName};

/// What is asked of a file.
#[derive(Clone, Debug)]
pub struct Request {
    /// The file, absolute.
    pub file: PathBuf,
    /// Its text, when that came from stdin; the file is then [`STDIN`](crate::STDIN) in the folder the command was typed in.
    pub text: Option<String>,
    /// What its apps will belong to.
    pub environment: EnvironmentName,
    /// Which `env_<name>` block is laid over `env`.
    pub env_block: EnvBlock,
    /// The environment of the command: the program's `process.env`, and, without the noise of shells and after an app's
    /// `filter_env`, what the app inherits.
    pub variables: BTreeMap<String, String>,
    /// The folder the command was typed in, absolute.
    pub invoked_in: PathBuf,
    /// What may evaluate it.
    pub runtime: Runtime,
}

/// What evaluates a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runtime {
    /// The engine of eco's own, and node for what that has not.
    #[default]
    Auto,
    /// The engine of eco's own only: node is never run.
    Quickjs,
    /// Node only.
    Node,
}

/// No runtime is called so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected auto, quickjs or node")]
pub struct NoSuchRuntime;

impl FromStr for Runtime {
    type Err = NoSuchRuntime;

    fn from_str(name: &str) -> Result<Self, NoSuchRuntime> {
        match name {
            "auto" => Ok(Self::Auto),
            "quickjs" => Ok(Self::Quickjs),
            "node" => Ok(Self::Node),
            _ => Err(NoSuchRuntime),
        }
    }
}

/// Which `env_<name>` block applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvBlock {
    /// The one named, by `--env`: when no app has it, that is worth a warning.
    Asked(String),
    /// The one named like the environment, if there is one.
    ByEnvironment,
}

/// What a file says, and all that is wrong or odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Those of its apps that have a name and a script, in its order.
    pub apps: Vec<AppSpec>,
    /// What keeps them from being started.
    pub problems: Vec<Problem>,
    /// What is odd, but keeps nothing from starting.
    pub warnings: Vec<Problem>,
    /// Fields that have no effect, and why.
    pub notes: Vec<Problem>,
    /// What its program said to the console. At most [`eval::SAID_LIMIT`] lines.
    pub said: Vec<String>,
    /// That node evaluated it, and why.
    pub by_node: Option<ByNode>,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ecosystem {
    /// Its apps, in its order.
    pub apps: Vec<AppSpec>,
    /// What is odd, but keeps nothing from starting.
    pub warnings: Vec<Problem>,
    /// Fields that have no effect, and why.
    pub notes: Vec<Problem>,
    /// What its program said to the console, for the person who debugs it. At most [`eval::SAID_LIMIT`] lines.
    pub said: Vec<String>,
    /// That node evaluated it, and why.
    pub by_node: Option<ByNode>,
}

/// A script, or a command line, to run without a file.
#[derive(Clone, Debug)]
pub struct Single {
    /// A path, or a command line when it holds a blank and names no file.
    pub script: String,
    /// Its name; without one, the script's name without its last extension.
    pub name: Option<String>,
    /// What it is given.
    pub arguments: Vec<String>,
    /// Any other field by its name in a file, such as `max_memory_restart`.
    pub fields: Map<String, Value>,
    /// What it will belong to.
    pub environment: EnvironmentName,
    /// The environment of the command.
    pub variables: BTreeMap<String, String>,
    /// The folder the command was typed in, absolute.
    pub invoked_in: PathBuf,
}

/// Evaluates a file and checks what it gives. All that is wrong or odd is told at once.
pub fn check(request: &Request) -> Result<Checked, ConfigError> {
    let mut evaluated = eval::evaluate(request)?;
    let variables = evaluated.answer.variables.take();
    let asked = Asked {
        environment: request.environment.clone(),
        env_block: request.env_block.clone(),
        variables: variables.map_or_else(|| request.variables.clone(), sound),
        invoked_in: request.invoked_in.clone(),
        parallelism: parallelism(),
    };
    let parsed = parse::file(evaluated.answer, &evaluated.main, evaluated.sources, &asked);
    Ok(Checked {
        apps: parsed.apps,
        problems: parsed.problems,
        warnings: parsed.warnings,
        notes: parsed.notes,
        said: evaluated.said,
        by_node: evaluated.by_node,
    })
}

/// The same, where apps are wanted or the reasons why there are none.
pub fn load(request: &Request) -> Result<Ecosystem, ConfigError> {
    let Checked {
        apps,
        mut problems,
        warnings,
        notes,
        said,
        by_node,
    } = check(request)?;
    if problems.is_empty() {
        return Ok(Ecosystem {
            apps,
            warnings,
            notes,
            said,
            by_node,
        });
    }
    // A field that is missing may be there under a name that is not known.
    let unknown = |warning: &Problem| matches!(warning.fault, Fault::UnknownField);
    problems.extend(warnings.into_iter().filter(unknown));
    Err(ConfigError::Invalid(problems))
}

/// An app without a file, with the same defaults and checks as one of a file.
pub fn single(single: &Single) -> Result<AppSpec, Vec<Problem>> {
    let asked = Asked {
        environment: single.environment.clone(),
        env_block: EnvBlock::ByEnvironment,
        variables: single.variables.clone(),
        invoked_in: single.invoked_in.clone(),
        parallelism: parallelism(),
    };
    let mut fields = single.fields.clone();
    let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    set("script", single.script.clone().into());
    set("args", single.arguments.clone().into());
    if let Some(name) = &single.name {
        set("name", name.clone().into());
    }
    parse::command(&RawApp::new(String::new(), None, fields), &asked)
}

/// The variables that a process can be given.
fn sound(mut variables: BTreeMap<String, String>) -> BTreeMap<String, String> {
    variables.retain(|name, value| {
        !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
    });
    variables
}

fn parallelism() -> u32 {
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    u32::try_from(available).unwrap_or(u32::MAX)
}
