//! The eco command: reads ecosystem files, asks the agent and the log daemon, and shows what they answer.
//!
//! ```text
//!  args ─▶ commands/<verb> ─▶ target · environment · only · ecosystem      what is meant      (pure, but for `lookup`)
//!               │
//!               ├──▶ client/   agent and log daemon: connect, launch, wait, follow            (the only user of tonic)
//!               │        └── settle · resume                               is it done, what is new         (pure)
//!               └──▶ view/ ─▶ render/ ─▶ ui                                answer ─▶ model ─▶ text ─▶ terminal
//! ```
//!
//! Invariants
//! - Only `ui` writes to the terminal. Data goes to stdout, everything else to stderr.
//! - Nothing of the apps is kept here: what a command shows it has just been told.
//! - A command reads nothing of its process but its [`Surroundings`], so that a test can give it others.

mod args;
mod client;
mod commands;
mod draft;
mod ecosystem;
mod environment;
mod error;
mod kept;
mod keyboard;
mod last;
mod lookup;
mod nearness;
mod number;
mod only;
mod pm2;
mod redaction;
mod render;
mod resume;
mod run;
mod selector;
mod settle;
mod surroundings;
mod target;
mod ui;
mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

pub use surroundings::{Input, Launch, Surroundings};
pub use ui::{Captured, Ui};

use args::Cli;
use error::CliError;

/// Runs one command line; `arguments` begin with the program's name.
pub async fn run(
    arguments: impl IntoIterator<Item = OsString>,
    surroundings: &Surroundings,
    ui: &mut Ui,
) -> ExitCode {
    let result = match Cli::try_parse_from(arguments) {
        Ok(cli) => {
            ui.configure(cli.global.color(), cli.global.quiet);
            commands::dispatch(cli, surroundings, ui).await
        }
        Err(refusal) => return usage(&pm2::advised(refusal), ui),
    };
    let result = result.and_then(|()| ui.flush().map_err(CliError::from));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui.report(&error);
            error.exit_code()
        }
    }
}

/// Shows help, the version, or what is wrong with the command line.
fn usage(refusal: &clap::Error, ui: &mut Ui) -> ExitCode {
    let text = refusal.render().ansi().to_string();
    let shown = if refusal.use_stderr() {
        ui.note(text.trim_end());
        Ok(())
    } else {
        ui.data(&text).and_then(|()| ui.flush())
    };
    match (shown, refusal.use_stderr()) {
        (Err(_), _) => ExitCode::from(error::PIPE_CLOSED),
        (Ok(()), true) => ExitCode::from(error::USAGE),
        (Ok(()), false) => ExitCode::SUCCESS,
    }
}
