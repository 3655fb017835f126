//! Files that need more of node than eco has: node evaluates them, when it is there.
//!
//! The engine comes first, always: it is quicker, has limits, and node need not be installed. Only when a file turned out to
//! use what it has not (a child process, the network, a native addon, a function of `fs` that writes), the same file is
//! given to the `node` on PATH, and that is said. The program that runs there marks the apps with the same text as the
//! prelude does, so that a file means the same in both.

mod process;
mod stack;

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::error::{EvalError, EvalFault};
use crate::format::{Format, Language};

use super::host::Kind;
use super::quickjs::{Job, Output};
use super::{FILE_LIMIT, SAID_LIMIT, unplaced};
use crate::stdin::is_stdin;

use process::{Run, RunError, Written};

/// How long node may take for a file.
pub const NODE_TIME_LIMIT: Duration = Duration::from_secs(30);

const APPS: &str = include_str!("../js/apps.js");
const PROGRAM: &str = include_str!("../js/node.js");

/// That node evaluated a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByNode {
    /// Its program.
    pub program: PathBuf,
    /// What it calls its version.
    pub version: String,
    /// What of it is needed, and where; nothing when a person asked for node.
    pub because: Option<EvalError>,
}

impl fmt::Display for ByNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            program,
            version,
            because,
        } = self;
        write!(f, "evaluated by node {version} ({})", program.display())?;
        because
            .as_ref()
            .map_or(Ok(()), |because| write!(f, ": {because}"))
    }
}

/// What node tells.
#[derive(Deserialize)]
struct Told {
    version: String,
    apps: Option<String>,
    thrown: Option<Thrown>,
    /// It is to be run again with this flag.
    again: Option<String>,
}

/// What was thrown in node.
#[derive(Deserialize)]
struct Thrown {
    #[serde(default)]
    name: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    stack: String,
    fault: Option<String>,
    /// When it was no error.
    value: Option<String>,
}

/// Evaluates by node; `because` is how the engine failed, if it was tried.
pub(super) fn evaluate(
    job: &Job,
    kind: Kind,
    because: Option<EvalError>,
) -> Result<(Output, ByNode), EvalError> {
    let Some(node) = find(job.variables.get("PATH").map(String::as_str)) else {
        return Err(missing(&job.main, because));
    };
    let mut asked = ask(job, kind, &node, None)?;
    if let Some(flag) = asked.told.again.take() {
        asked = ask(job, kind, &node, Some(&flag))?;
    }
    let Asked { told, written } = asked;
    let by = ByNode {
        program: node,
        version: told.version,
        because,
    };
    match (told.apps, told.thrown) {
        (Some(json), _) => Ok((output(json, &written, job), by)),
        (None, Some(thrown)) => Err(of_thrown(&thrown, &job.main, &by)),
        (None, None) => Err(EvalError {
            message: "it waits for something that never comes".to_owned(),
            ..unplaced(&job.main, EvalFault::Result)
        }),
    }
}

/// What node told, and what else it wrote.
struct Asked {
    told: Told,
    written: Written,
}

/// Runs node once.
fn ask(job: &Job, kind: Kind, node: &Path, flag: Option<&str>) -> Result<Asked, EvalError> {
    let mark = mark();
    let task = json!({
        "file": job.main.to_string_lossy(),
        "isModule": kind == Kind::Module,
        "isTyped": matches!(Format::of(&job.main), Some(Format::Program(Language::TypeScript, _))),
        "mark": mark,
        "text": is_stdin(&job.main).then_some(&job.text),
    });
    let run = Run {
        node,
        flag,
        program: format!("({PROGRAM})(({APPS})(), {task});\n"),
        mark: &mark,
        cwd: &job.cwd,
        variables: &job.variables,
    };
    let failed = |message: String, fault: EvalFault| EvalError {
        message,
        ..unplaced(&job.main, fault)
    };
    let written = process::run(run).map_err(|error| match error {
        RunError::Start(error) => failed(
            format!("{} cannot be run: {error}", node.display()),
            EvalFault::Node,
        ),
        RunError::Time => failed(
            format!(
                "it ran for more than {} s in node",
                NODE_TIME_LIMIT.as_secs()
            ),
            EvalFault::Time,
        ),
        RunError::Output => failed(
            format!("it writes more than {} MiB in node", FILE_LIMIT >> 20),
            EvalFault::Result,
        ),
    })?;
    let told = written
        .answer
        .as_deref()
        .and_then(|answer| serde_json::from_str(answer).ok());
    match told {
        Some(told) => Ok(Asked { told, written }),
        None => Err(failed(ended(&written), EvalFault::Node)),
    }
}

/// The `node` that a shell would run.
fn find(path: Option<&str>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .map(|folder| folder.join("node"))
        .find(|file| {
            file.metadata()
                .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
        })
}

fn missing(main: &Path, because: Option<EvalError>) -> EvalError {
    let error = because.unwrap_or_else(|| EvalError {
        message: "node was asked for, to evaluate it".to_owned(),
        ..unplaced(main, EvalFault::Node)
    });
    EvalError {
        hint: Some(
            "node is not on PATH: install it, or put its folder there, or write the file without"
                .to_owned(),
        ),
        ..error
    }
}

/// A text that nothing writes by chance.
fn mark() -> String {
    let state = RandomState::new();
    format!(
        "\n<eco {:016x}{:016x}>\n",
        state.hash_one(1),
        state.hash_one(2)
    )
}

fn output(json: String, written: &Written, job: &Job) -> Output {
    Output {
        sources: BTreeMap::from([(job.main.clone(), job.text.clone())]),
        said: written
            .out
            .lines()
            .chain(written.err.lines())
            .take(SAID_LIMIT)
            .map(str::to_owned)
            .collect(),
        json,
    }
}

/// How node ended when it has told nothing.
fn ended(written: &Written) -> String {
    let last = |text: &str| {
        text.lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
    };
    match last(&written.err).or_else(|| last(&written.out)) {
        Some(line) => format!("node ended before it gave an answer, and said: {line}"),
        None => "node ended before it gave an answer".to_owned(),
    }
}

fn of_thrown(thrown: &Thrown, main: &Path, by: &ByNode) -> EvalError {
    let Thrown {
        name,
        message,
        stack,
        fault,
        value,
    } = thrown;
    let frame = stack::first(stack);
    let message = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let message = match value {
        Some(value) => format!("it throws {value}"),
        None if name == "Error" || name.is_empty() => message,
        None => format!("{name}: {message}"),
    };
    let fault = match (fault.as_deref(), name.as_str()) {
        (Some("result"), _) => EvalFault::Result,
        (_, "SyntaxError") => EvalFault::Syntax,
        _ => EvalFault::Thrown,
    };
    EvalError {
        file: frame.as_ref().map_or(main, |frame| &frame.file).to_owned(),
        line: frame.as_ref().map(|frame| frame.line),
        column: frame.map(|frame| frame.column),
        message: format!("{message} (in node {})", by.version),
        hint: None,
        fault,
    }
}
