//! From a file to what it says, as data.
//!
//! ```text
//! load ─▶ a thread ─▶ quickjs ── js/: require, process, path, os, url, fs for reading; whose an app is
//!   │       │            ├────── modules, exports: which file a `require` or an `import` means
//!   │       │            └────── source: bounded reading of regular files
//!   │       └── JSON text ─▶ Evaluated
//!   ├── waits no longer than the limit and a little
//!   └── node ── for what the engine has not: js/node.js in a process of its own
//! ```
//!
//! The file is a program of somebody's, so each way in which it may not end has its limit. The engine's own limit of time is
//! asked for between its instructions; a built-in function that walks an endless array asks nobody. Therefore the
//! evaluation has a thread of its own, which is left behind when it does not come back: the command says what happened,
//! and the thread ends with the process.

mod advice;
mod code;
mod disk;
mod exports;
mod host;
mod modules;
mod node;
mod quickjs;
mod source;
mod syntax;
mod trace;
mod typescript;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{ConfigError, EvalError, EvalFault};
use crate::format::{Format, Language};
use crate::load::{Request, Runtime};
use crate::stdin::STDIN;

use code::Code;
use host::Kind;
pub use node::{ByNode, NODE_TIME_LIMIT};

/// Bytes that the values of a program may take.
pub const MEMORY_LIMIT: usize = 64 << 20;
/// Bytes of stack that its calls may take.
pub const STACK_LIMIT: usize = 1 << 20;
/// How long it may run.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
/// Bytes that a file it consists of, or reads, may have.
pub const FILE_LIMIT: u64 = 8 << 20;
/// Lines of what it says to the console that are kept.
pub const SAID_LIMIT: usize = 200;

/// What is waited for beyond the limit of time before the thread is left behind.
const GRACE: Duration = Duration::from_millis(500);
/// The engine's own stack and what its built-in functions need above it.
const THREAD_STACK: usize = 8 << 20;

/// What a file says.
#[derive(Debug)]
pub(crate) struct Evaluated {
    /// The file itself, without links.
    pub(crate) main: PathBuf,
    /// What it gives.
    pub(crate) answer: Answer,
    /// The text of every file that was read for it.
    pub(crate) sources: BTreeMap<PathBuf, String>,
    /// What it said to the console.
    pub(crate) said: Vec<String>,
    /// That node had to do it.
    pub(crate) by_node: Option<ByNode>,
}

/// What the prelude answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// The top-level key that holds the apps, or nothing.
    #[serde(default)]
    pub(crate) key: String,
    /// One app where a list may be.
    pub(crate) alone: bool,
    /// The whole file is one app.
    pub(crate) bare: bool,
    /// The other top-level keys.
    #[serde(default)]
    pub(crate) others: Vec<String>,
    /// The apps, when there is a list of them.
    pub(crate) apps: Option<Vec<Entry>>,
    /// What there is instead.
    pub(crate) wrong: Option<Value>,
    /// What the program made of the variables that it was given; `None`: they are the same.
    pub(crate) variables: Option<BTreeMap<String, String>>,
}

/// One element of the list of apps.
#[derive(Debug, Deserialize)]
pub(crate) struct Entry {
    /// The file that defines it.
    pub(crate) file: PathBuf,
    /// The app, or whatever stands in its place.
    pub(crate) value: Value,
}

/// Evaluates the file of a request within the limits.
pub(crate) fn evaluate(request: &Request) -> Result<Evaluated, ConfigError> {
    let (main, text) = opened(request)?;
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(ConfigError::Evaluate(EvalError {
            message: "it is empty".to_owned(),
            ..unplaced(&main, EvalFault::Result)
        }));
    }
    let job = quickjs::Job {
        main: main.clone(),
        text,
        cwd: request.invoked_in.clone(),
        variables: request.variables.clone(),
    };
    let (output, by_node) = by_runtime(&job, request.runtime).map_err(ConfigError::Evaluate)?;
    let answer: Answer = serde_json::from_str(&output.json).map_err(|error| {
        ConfigError::Evaluate(EvalError {
            message: if error.to_string().contains("recursion limit") {
                "what the file gives is nested too deep".to_owned()
            } else {
                format!("what the file gives is no data: {error}")
            },
            ..unplaced(&main, EvalFault::Depth)
        })
    })?;
    let mut sources = output.sources;
    read_rest(&answer, &mut sources);
    Ok(Evaluated {
        main,
        answer,
        sources,
        said: output.said,
        by_node,
    })
}

/// Reads the files that node has read, to find places in.
fn read_rest(answer: &Answer, sources: &mut BTreeMap<PathBuf, String>) {
    for entry in answer.apps.iter().flatten() {
        if !sources.contains_key(&entry.file)
            && let Ok(text) = source::read(&entry.file)
        {
            sources.insert(entry.file.clone(), text);
        }
    }
}

/// Reads what came on stdin, within the limits of a file.
pub fn read_stdin(stdin: impl Read) -> Result<String, ConfigError> {
    source::text(stdin, Path::new(STDIN))
}

/// The file without links, and its text.
fn opened(request: &Request) -> Result<(PathBuf, String), ConfigError> {
    let path = request.invoked_in.join(&request.file);
    let real = |path: PathBuf| {
        path.canonicalize()
            .map_err(|source| ConfigError::Read { path, source })
    };
    if let Some(text) = &request.text {
        return Ok((real(request.invoked_in.clone())?.join(STDIN), text.clone()));
    }
    let main = real(path)?;
    let text = source::read(&main)?;
    if Format::of(&main).is_none() {
        return Err(ConfigError::Format { path: main });
    }
    Ok((main, text))
}

/// Evaluates by the engine, by node, or by both one after the other.
fn by_runtime(
    job: &quickjs::Job,
    runtime: Runtime,
) -> Result<(quickjs::Output, Option<ByNode>), EvalError> {
    let kind = kind(job);
    let is_program = match kind {
        Kind::CommonJs | Kind::Module | Kind::Native => true,
        Kind::Json | Kind::Data => false,
    };
    if runtime == Runtime::Node && is_program {
        return node::evaluate(job, kind, None).map(|(output, by)| (output, Some(by)));
    }
    let output = bounded(job.clone()).map_err(|error| judged(job, error));
    match (output, runtime) {
        (Err(error), Runtime::Auto | Runtime::Node) if error.fault == EvalFault::Node => {
            let (output, by) = node::evaluate(job, kind, Some(error))?;
            Ok((output, Some(by)))
        }
        (Err(error), Runtime::Quickjs) if error.fault == EvalFault::Node => Err(EvalError {
            hint: Some("ECO_CONFIG_RUNTIME=quickjs keeps node away: unset it".to_owned()),
            ..error
        }),
        (other, Runtime::Auto | Runtime::Node | Runtime::Quickjs) => {
            other.map(|output| (output, None))
        }
    }
}

/// What kind of file is to be evaluated. One that cannot be told is some program: whoever evaluates it says what is wrong.
fn kind(job: &quickjs::Job) -> Kind {
    Code::of(&job.main, &job.text).map_or(Kind::CommonJs, |code| Kind::of(&job.main, &code.text))
}

/// Tells syntax that the engine does not know from syntax that nobody knows.
fn judged(job: &quickjs::Job, error: EvalError) -> EvalError {
    if error.fault != EvalFault::Syntax {
        return error;
    }
    let text = if error.file == job.main {
        Some(job.text.clone())
    } else {
        source::read(&error.file).ok()
    };
    let is_known = text.is_some_and(|text| match Format::of_text(&error.file, &text) {
        Format::Program(Language::JavaScript, modules) => typescript::is_javascript(&text, modules),
        Format::Program(Language::TypeScript, _) | Format::Json | Format::Data(_) => false,
    });
    if !is_known {
        return error;
    }
    EvalError {
        message: format!(
            "eco does not know this syntax, and node may ({})",
            error.message
        ),
        fault: EvalFault::Node,
        ..error
    }
}

/// Runs the job in a thread that may be left behind.
fn bounded(job: quickjs::Job) -> Result<quickjs::Output, EvalError> {
    let main = job.main.clone();
    let (answer, answered) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("config".to_owned())
        .stack_size(THREAD_STACK)
        .spawn(move || {
            let early = answer.clone();
            let give_up = move |error| drop(early.try_send(Err(error)));
            // Nobody listens any more when the time is over, or when it gave up before.
            answer.try_send(quickjs::run(job, give_up)).ok();
        });
    if let Err(error) = thread {
        return Err(EvalError {
            message: format!("no thread to evaluate it in: {error}"),
            ..unplaced(&main, EvalFault::Memory)
        });
    }
    match answered.recv_timeout(TIME_LIMIT + GRACE) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(too_slow(&main)),
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(EvalError {
            message: "the JavaScript engine gave up".to_owned(),
            ..unplaced(&main, EvalFault::Memory)
        }),
    }
}

/// An error of a file as a whole, its message still to be set.
fn unplaced(file: &Path, fault: EvalFault) -> EvalError {
    EvalError {
        file: file.to_owned(),
        line: None,
        column: None,
        message: String::new(),
        hint: None,
        fault,
    }
}

fn too_slow(file: &Path) -> EvalError {
    EvalError {
        message: format!("it ran for more than {} s", TIME_LIMIT.as_secs()),
        ..unplaced(file, EvalFault::Time)
    }
}
