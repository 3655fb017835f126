//! What files that define apps are written in, by the ends of their names: the only list of them.

use std::path::Path;

use crate::data::Data;
use crate::stdin::{self, is_stdin};

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A program, whose result is what counts.
    Program(Language, Modules),
    /// JSON, which is read as one expression of JavaScript: comments and trailing commas do no harm.
    Json,
    /// Data of another language.
    Data(Data),
}

/// The languages of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// JavaScript, as the engine has it.
    JavaScript,
    /// JavaScript with types.
    TypeScript,
}

/// Which kind of modules a program is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modules {
    /// As its text shows.
    ByText,
    /// `require` and `module.exports`.
    CommonJs,
    /// `import` and `export`.
    Es,
}

/// Ends of names, without the dot, and what files of such names are written in.
pub(crate) const EXTENSIONS: [(&str, Format); 10] = [
    ("js", Format::Program(Language::JavaScript, Modules::ByText)),
    (
        "cjs",
        Format::Program(Language::JavaScript, Modules::CommonJs),
    ),
    ("mjs", Format::Program(Language::JavaScript, Modules::Es)),
    ("ts", Format::Program(Language::TypeScript, Modules::ByText)),
    (
        "cts",
        Format::Program(Language::TypeScript, Modules::CommonJs),
    ),
    ("mts", Format::Program(Language::TypeScript, Modules::Es)),
    ("json", Format::Json),
    ("yaml", Format::Data(Data::Yaml)),
    ("yml", Format::Data(Data::Yaml)),
    ("toml", Format::Data(Data::Toml)),
];

impl Format {
    /// By the end of a file's name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let end = path.extension()?.to_str()?;
        EXTENSIONS
            .into_iter()
            .find(|(extension, _)| *extension == end)
            .map(|(_, format)| format)
    }

    /// By the end of a file's name, else by its text where it came from stdin; a program is what node takes all else for.
    pub(crate) fn of_text(path: &Path, text: &str) -> Self {
        Self::of(path).unwrap_or_else(|| {
            if is_stdin(path) {
                stdin::format(text)
            } else {
                Self::Program(Language::JavaScript, Modules::ByText)
            }
        })
    }
}

/// All ends of names, for people: `.js, .cjs or .json`.
pub(crate) fn extensions() -> String {
    let [others @ .., last] = EXTENSIONS.map(|(extension, _)| format!(".{extension}"));
    format!("{} or {last}", others.join(", "))
}
