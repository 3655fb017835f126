//! `eco init`

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::desk::Desk;
use crate::ecosystem;
use crate::error::CliError;
use crate::render::json;

/// Write an ecosystem file to begin with
///
/// It names one app that says hello, and can be started as it is. Nothing is ever overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco init\n  \
    eco init process-manager/dev --format yaml")]
pub(crate) struct Args {
    /// Folder to write it to, made when it is not there (default: this one)
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// What it is written in
    #[arg(long, value_name = "FORMAT", default_value = "js")]
    format: Format,
    /// Print an object with the path of the file
    #[arg(long)]
    json: bool,
}

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JavaScript.
    Js,
    /// JSON with comments.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
}

impl Format {
    /// The file's name and text.
    const fn template(self) -> (&'static str, &'static str) {
        match self {
            Self::Js => (
                "ecosystem.config.js",
                include_str!("init/ecosystem.config.js"),
            ),
            Self::Json => (
                "ecosystem.config.json",
                include_str!("init/ecosystem.config.json"),
            ),
            Self::Yaml => (
                "ecosystem.config.yaml",
                include_str!("init/ecosystem.config.yaml"),
            ),
            Self::Toml => (
                "ecosystem.config.toml",
                include_str!("init/ecosystem.config.toml"),
            ),
        }
    }
}

/// The contract of `eco init --json`.
#[derive(Serialize)]
struct Made {
    file: String,
}

pub(crate) fn run(desk: &mut Desk<'_>, args: &Args) -> Result<(), CliError> {
    let here = &desk.surroundings.working_directory;
    let folder = args
        .folder
        .as_ref()
        .map_or_else(|| here.clone(), |given| here.join(given));
    // Two files in one folder would leave open which of them is meant.
    if let Some(file) = ecosystem::files_in(&folder).first() {
        return Err(CliError::user("write an ecosystem file")
            .because(format!("{} is there already", file.display()))
            .hinted(
                "eco validate tells what is wrong with it; to begin anew, move it away first",
            ));
    }
    let (name, text) = args.format.template();
    let file = folder.join(name);
    write(&folder, &file, text).map_err(|error| {
        CliError::user(format!("write {}", file.display()))
            .because(error)
            .hinted("eco init DIR writes it to a folder of your choice")
    })?;
    if args.json {
        let file = file.display().to_string();
        desk.ui.data(&json::document(&Made { file }))?;
        return Ok(());
    }
    desk.ui.status(&format!("Wrote {}.", file.display()));
    desk.ui
        .hint("eco start starts it, and eco validate checks it when you have changed it");
    Ok(())
}

fn write(folder: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    File::create_new(file)?.write_all(text.as_bytes())
}
