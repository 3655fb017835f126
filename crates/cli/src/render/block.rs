//! Names and values below headings.

use super::style::{bold, dim};

/// What lines below a heading begin with, in blanks.
pub(crate) const INDENT: usize = 2;
/// Where the values begin.
const COLUMN: usize = 16;

/// Text that grows.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) text: String,
}

impl Block {
    /// Begins a part.
    pub(crate) fn heading(&mut self, text: &str) {
        self.text.push_str(&bold(text));
        self.text.push('\n');
    }

    /// Adds a line.
    pub(crate) fn line(&mut self, text: &str) {
        self.text.extend([&" ".repeat(INDENT), text, "\n"]);
    }

    /// Adds a value with its name.
    pub(crate) fn field(&mut self, name: &str, value: &str) {
        let name = dim(&format!("{name:<COLUMN$}"));
        self.line(&format!("{name}{value}"));
    }

    /// Adds a value that there is.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.field(name, &value);
        }
    }
}
