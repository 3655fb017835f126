//! What an app is replaced at a change of.

use std::time::Duration;

/// What to watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchPolicy {
    /// Files, folders and globs, relative to the working directory; none: the working directory. One that begins with `!`
    /// is left out.
    pub paths: Vec<String>,
    /// What does not count, the last that matches decides; `None`: the file does not say.
    pub ignore: Option<Vec<IgnoreRule>>,
    /// How long the files must rest.
    pub delay: Duration,
    /// What links to folders and files are.
    pub links: Links,
    /// How often the files are looked at; `None`: the kernel tells of changes.
    pub polling: Option<Duration>,
    /// How many folders deep is watched, 0: only what is directly in a watched folder; `None`: all.
    pub depth: Option<u32>,
}

/// What does not count as a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IgnoreRule {
    /// What it matches.
    pub what: Ignored,
    /// Where it was written.
    pub field: IgnoreField,
}

/// What a rule matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ignored {
    /// A line of a .gitignore; one that begins with `!` lets in again.
    Pattern(String),
    /// A regular expression.
    Expression(String),
}

impl Ignored {
    /// The rule's text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Pattern(text) | Self::Expression(text) => text,
        }
    }
}

/// Where a rule was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoreField {
    /// `ignore_watch`.
    IgnoreWatch,
    /// `watch_options.ignored`.
    WatchOptions,
}

/// What links to folders and files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Links {
    /// What they lead to.
    Followed,
    /// Files that are themselves replaced or not.
    Plain,
}
