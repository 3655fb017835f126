//! PM2 ecosystem files in, checked app specifications out.
//!
//! ```text
//! file ─▶ eval    quickjs with limits: CommonJS, process, path, os, fs for reading
//!      ─▶ raw     PM2's loose shape: other names and camelCase folded, unknown keys kept
//!      ─▶ parse   every problem at once, each with its place (locate)
//!      ─▶ spec    checked types; nothing is checked twice
//!      ─▶ wire    protobuf, for the agent
//! ```
//!
//! Only the program that a person types a command into evaluates files: the feature `eval`. A daemon uses `spec` and `wire`.

#[cfg(feature = "eval")]
mod data;
#[cfg(feature = "eval")]
mod error;
#[cfg(feature = "eval")]
mod eval;
pub mod fields;
#[cfg(feature = "eval")]
mod find;
#[cfg(feature = "eval")]
mod format;
#[cfg(feature = "eval")]
mod load;
#[cfg(feature = "eval")]
mod locate;
#[cfg(feature = "eval")]
mod parse;
#[cfg(feature = "eval")]
mod raw;
mod reference;
mod schema;
pub mod spec;
#[cfg(feature = "eval")]
mod stdin;
#[cfg(feature = "eval")]
mod tokens;
#[cfg(feature = "wire")]
pub mod wire;

pub use reference::reference;
pub use schema::schema;

#[cfg(feature = "eval")]
pub use error::{ConfigError, EvalError, EvalFault, Fault, Location, Problem};
#[cfg(feature = "eval")]
pub use eval::{
    ByNode, FILE_LIMIT, MEMORY_LIMIT, NODE_TIME_LIMIT, SAID_LIMIT, STACK_LIMIT, TIME_LIMIT,
    read_stdin,
};
#[cfg(feature = "eval")]
pub use find::{AmbiguousFolder, file_names, find_in, is_ecosystem_file};
#[cfg(feature = "eval")]
pub use load::{
    Checked, Ecosystem, EnvBlock, NoSuchRuntime, Request, Runtime, Single, check, load, single,
};
#[cfg(feature = "eval")]
pub use stdin::{STDIN, is_stdin, shown};
