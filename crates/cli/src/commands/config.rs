//! `eco config`

use super::desk::Desk;
use super::files::files;
use super::plan::chosen;
use crate::ecosystem;
use crate::environment::of_file;
use crate::error::CliError;
use crate::redaction::Secrets;
use crate::render::{fields as render, json};
use crate::view::config::config;

/// Show what an ecosystem file comes to
///
/// Defaults are filled in, and the block of variables is applied. The variables that apps inherit from the shell are not
/// shown. Values whose names look secret are hidden, and passwords in addresses.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco config dev\n  \
    eco config dev --only 'mds-*'\n  \
    eco config production --json | jq '.apps[] | {name, env}'")]
pub(crate) struct Args {
    /// Ecosystem file, folder with one, or environment
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Only these apps of the file: names or globs, divided by commas
    #[arg(long, value_name = "NAMES")]
    only: Vec<String>,
    /// Block of variables to apply: `env_NAME` (default: the environment's name)
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Hide nothing
    #[arg(long)]
    show_secrets: bool,
    /// Print an object with apps, as a file may have it: times in milliseconds, sizes in bytes
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(desk: &mut Desk<'_>, args: Args) -> Result<(), CliError> {
    let words: Vec<_> = args.target.into_iter().collect();
    for file in files(desk.surroundings, &words)? {
        let environment = of_file(&file, desk.environment());
        let ecosystem =
            ecosystem::load(&file, &environment, args.env.as_deref(), desk.surroundings)?;
        for line in &ecosystem.said {
            desk.ui
                .status(&format!("{}: {line}", ecosystem::shown(&file)));
        }
        for warning in &ecosystem.warnings {
            desk.ui.warning(warning);
        }
        for note in &ecosystem.notes {
            desk.ui.status(note);
        }
        let secrets = if args.show_secrets {
            Secrets::Shown
        } else {
            Secrets::Hidden
        };
        let (apps, _) = chosen(ecosystem.apps, &args.only)?;
        let config = config(&environment, &file, &apps, secrets);
        let text = if args.json {
            json::document(&config)
        } else {
            render::file(&config)
        };
        desk.ui.data(&text)?;
    }
    Ok(())
}
