//! What can be wrong with a file, and where.
//!
//! An error of [`ConfigError`] ends the reading. A [`Problem`] does not: all of them are collected and told at once, those
//! that keep the apps from being started as [`ConfigError::Invalid`], the others as warnings beside the apps.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::format::extensions;
use crate::stdin::shown;

/// Why a file gives no apps.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be opened or read.
    #[error("read {}", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("read {}: it is {found}, expected a file", shown(path))]
    NotAFile {
        /// What was named.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// It is larger than a file of this kind can sensibly be.
    #[error("read {}: it is larger than {limit} bytes", shown(path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// It holds bytes that are no text.
    #[error("read {}: it is not UTF-8 text (byte {offset})", shown(path))]
    NotText {
        /// The file.
        path: PathBuf,
        /// Where the first such byte is, from 0.
        offset: usize,
    },
    /// A kind of file that this version does not evaluate.
    #[error("read {}: expected a {} file", shown(path), extensions())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Its program failed.
    #[error("evaluate {0}")]
    Evaluate(EvalError),
    /// It was evaluated, but what it says is no set of apps.
    #[error("understand the file: {}", count(.0))]
    Invalid(Vec<Problem>),
}

fn count(problems: &[Problem]) -> String {
    match problems {
        [one] => one.to_string(),
        many => format!("{} problems", many.len()),
    }
}

/// How the program of a file failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// The file whose code failed, not always the one that was asked for.
    pub file: PathBuf,
    /// The line, from 1, where it is known.
    pub line: Option<u32>,
    /// The column, from 1, where it is known.
    pub column: Option<u32>,
    /// In one line.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What kind of failure it is.
    pub fault: EvalFault,
}

/// The kinds of failure of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalFault {
    /// It is no program.
    Syntax,
    /// It threw.
    Thrown,
    /// It requires a module that is not there.
    Module,
    /// It uses what only node has.
    Node,
    /// It ran too long.
    Time,
    /// It held too much.
    Memory,
    /// It called itself too deep, or its result is nested too deep.
    Depth,
    /// Its result is a promise or another thing that holds no apps.
    Result,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.file, self.line, self.column)?;
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for EvalError {}

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// In which file.
    pub file: PathBuf,
    /// In which line, from 1.
    pub line: u32,
    /// In which column, from 1, counted in characters.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(f, &self.file, Some(self.line), Some(self.column))
    }
}

fn write_place(
    f: &mut fmt::Formatter<'_>,
    file: &Path,
    line: Option<u32>,
    column: Option<u32>,
) -> fmt::Result {
    write!(f, "{}", shown(file))?;
    for number in [line, column].into_iter().flatten() {
        write!(f, ":{number}")?;
    }
    Ok(())
}

/// One thing that is wrong, or odd, in a file that could be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about: `apps[2].max_memory_restart`, with the key as the person wrote it.
    pub path: String,
    /// The app's name, where it has one.
    pub app: Option<String>,
    /// The file it is in; nothing for a command without a file.
    pub file: Option<PathBuf>,
    /// Exactly where, when it could be found.
    pub at: Option<Location>,
    /// What is wrong.
    pub fault: Fault,
    /// What to do about it, such as "did you mean `instances`?".
    pub hint: Option<String>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A value of the wrong type, form or range.
    Mismatch {
        /// The value, shortened.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// A field that an app cannot do without.
    Missing {
        /// What would do.
        expected: &'static str,
    },
    /// Two apps of one name.
    SameName {
        /// The name.
        name: String,
        /// The path of the app that had it first.
        first: String,
        /// Where that is.
        first_at: Option<Location>,
    },
    /// One field under two of its names, with different values; the first is taken.
    Twice {
        /// The key that counts.
        taken: String,
    },
    /// Apps that wait for each other, so that none of them could ever start.
    Circle {
        /// Their names, each waiting for the next and the last for the first.
        apps: Vec<String>,
    },
    /// A field nobody knows.
    UnknownField,
    /// Fields that PM2 acts on and this version does not.
    NotActedOn {
        /// Their keys, as written.
        fields: Vec<String>,
    },
    /// A field that there is nothing to act on for.
    NoEffect {
        /// Why not.
        why: &'static str,
    },
    /// `--env` names a block that no app has.
    NoSuchBlock {
        /// The block that was asked for.
        block: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.at, &self.file) {
            (Some(at), _) => write!(f, "{at}: ")?,
            (None, Some(file)) => write!(f, "{}: ", shown(file))?,
            (None, None) => {}
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        self.fault.fmt(f)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch { found, expected } => write!(f, "found {found}, expected {expected}"),
            Self::Missing { expected } => write!(f, "missing, expected {expected}"),
            Self::SameName {
                name,
                first,
                first_at,
            } => {
                write!(f, "a second app named {name:?}, the first is {first}")?;
                first_at.as_ref().map_or(Ok(()), |at| write!(f, " at {at}"))
            }
            Self::Twice { taken } => write!(f, "another name of {taken}, which is taken instead"),
            Self::Circle { apps } => match apps.as_slice() {
                [] | [_] => f.write_str("the app waits for itself"),
                [first, ..] => write!(
                    f,
                    "these apps wait for each other: {} -> {first}",
                    apps.join(" -> ")
                ),
            },
            Self::UnknownField => f.write_str("no known field, ignored"),
            Self::NotActedOn { fields } => {
                let verb = if fields.len() == 1 { "is" } else { "are" };
                let fields = fields.join(", ");
                write!(f, "{fields} {verb} read, but not acted on by this version")
            }
            Self::NoEffect { why } => write!(f, "has no effect: {why}"),
            Self::NoSuchBlock { block } => write!(f, "no app has a block env_{block}"),
        }
    }
}
