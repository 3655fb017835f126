//! Files that are data and no programs: what they say, and where they say it.
//!
//! ```text
//! text ─┬─▶ json      what it says, for the engine, which treats it as it treats what a program gives
//!       └─▶ literals  where its keys are; only looked at when there is something to tell of one
//! ```
//!
//! JSON is not here: it is an expression of JavaScript.

mod toml;
mod yaml;

use crate::locate::{Literal, Position};

/// A text that is not what its name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// In one line.
    pub(crate) message: String,
    /// Where, if the reader knows.
    pub(crate) at: Option<Position>,
}

/// The languages of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// YAML 1.2, with the merge keys of 1.1.
    Yaml,
    /// TOML 1.
    Toml,
}

impl Data {
    /// What the text says.
    pub(crate) fn value(self, text: &str) -> Result<serde_json::Value, Malformed> {
        match self {
            Self::Yaml => yaml::value(text),
            Self::Toml => toml::value(text),
        }
    }

    /// The mappings of the text, with their keys; none when it cannot be read.
    pub(crate) fn literals(self, text: &str) -> Vec<Literal> {
        match self {
            Self::Yaml => yaml::literals(text),
            Self::Toml => toml::literals(text),
        }
    }
}
