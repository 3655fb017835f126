//! What the engine is given for a file, and where something in it is in the file. Pure.

use std::path::Path;

use crate::data::Malformed;
use crate::format::{Format, Language};
use crate::locate::Position;

use super::typescript::{self, Places};

/// What the engine is given.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// The program.
    pub(super) text: String,
    /// Where it comes from, when it was made.
    places: Option<Places>,
}

impl Code {
    /// The program of a file.
    pub(super) fn of(file: &Path, text: &str) -> Result<Self, Malformed> {
        match Format::of_text(file, text) {
            Format::Program(Language::TypeScript, modules) => {
                let stripped = typescript::strip(text, modules)?;
                Ok(Self {
                    text: without_hashbang(&stripped.code),
                    places: Some(stripped.places),
                })
            }
            Format::Program(Language::JavaScript, _) | Format::Json | Format::Data(_) => Ok(Self {
                text: without_hashbang(text),
                places: None,
            }),
        }
    }

    /// The place in the file of a place in the code.
    pub(super) fn original(&self, text: &str, at: Position) -> Option<Position> {
        match &self.places {
            Some(places) => places.original(&self.text, text, at),
            None => Some(at),
        }
    }
}

/// A wrapper stands before the first line: there it would be no hashbang any more.
fn without_hashbang(text: &str) -> String {
    match text.strip_prefix("#!") {
        Some(rest) => format!("//{rest}"),
        None => text.to_owned(),
    }
}
