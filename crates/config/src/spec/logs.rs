//! What becomes of what an app writes, besides being kept.

use std::path::PathBuf;
use std::time::Duration;

/// Files that lines are copied to, and how long is kept what the app writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Logs {
    /// A file for stdout, as written.
    pub out_file: Option<PathBuf>,
    /// A file for stderr.
    pub error_file: Option<PathBuf>,
    /// A file for both.
    pub log_file: Option<PathBuf>,
    /// Whether the instances share the files.
    pub sharing: Sharing,
    /// What a line looks like in them.
    pub kind: LineKind,
    /// The times before the lines, in day.js' tokens.
    pub date_format: Option<String>,
    /// When they are put aside.
    pub rotation: Option<Rotation>,
    /// Whether anything is kept at all.
    pub keeping: Keeping,
    /// What becomes of it when the disk is full.
    pub overflow: Overflow,
    /// Bytes kept of what the app writes.
    pub max_size: Option<u64>,
    /// How long it is kept.
    pub max_age: Option<Duration>,
}

/// Whether the instances of an app share its log files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Each has its own, where there are several.
    #[default]
    Each,
    /// All write to one.
    Merged,
}

/// What a line looks like in a log file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// As it was written.
    #[default]
    Raw,
    /// A JSON object.
    Json,
}

/// Whether what an app writes is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Keeping {
    /// All of it.
    #[default]
    All,
    /// Nothing: it writes to `/dev/null`.
    Nothing,
}

/// What becomes of what an app writes when the disk is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// The app waits.
    #[default]
    Wait,
    /// It is dropped, and counted.
    Drop,
}

/// When log files are put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rotation {
    /// Before a file holds more bytes than this.
    pub size: u64,
    /// This long after it was begun; `None`: by its size alone.
    pub every: Option<Duration>,
    /// How many are kept of those put aside.
    pub keep: u32,
    /// Whether those are compressed.
    pub compress: bool,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            size: 50 << 20,
            every: None,
            keep: 10,
            compress: true,
        }
    }
}

impl Logs {
    /// What an app has that says nothing of it.
    #[must_use]
    pub fn unsaid() -> Self {
        Self {
            rotation: Some(Rotation::default()),
            ..Self::default()
        }
    }

    /// The files, each with the field that names it.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let all = [
            ("out_file", &self.out_file),
            ("error_file", &self.error_file),
            ("log_file", &self.log_file),
        ];
        all.into_iter()
            .filter_map(|(field, path)| Some((field, path.as_ref()?)))
    }
}
