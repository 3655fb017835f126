//! `eco reload-logs`

use serde::Serialize;

use super::session::Session;
use super::sources::PATIENCE;
use crate::client::LogDaemon;
use crate::error::CliError;
use crate::render::json;

/// Open the log files of all apps again
///
/// For after somebody has moved them, such as logrotate: what apps write from then on goes to new files at the paths that
/// `out_file`, `error_file` and `log_file` name, and nothing is lost in between. SIGUSR2 to eco-logd does the same. Files
/// that eco puts aside itself (`log_rotate`) need nothing of this.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco reload-logs\n  \
    mv app.log app.log.old && eco reloadLogs")]
pub(crate) struct Args {
    /// Print an array of the files
    #[arg(long)]
    json: bool,
}

/// The field names are a contract.
#[derive(Serialize)]
struct Reopened {
    path: String,
    /// Why lines cannot be written to it.
    problem: Option<String>,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    // It keeps a log daemon there, and tells it which files there are.
    drop(session.agent().await?);
    let mut daemon = LogDaemon::wait(&session.home, PATIENCE).await?;
    let files = daemon.reopen().await?.into_iter();
    let files: Vec<Reopened> = files
        .map(|file| Reopened {
            path: file.path,
            problem: Some(file.problem).filter(|problem| !problem.is_empty()),
        })
        .collect();
    if args.json {
        session.ui.data(&json::document(&files))?;
    } else {
        for file in files.iter().filter(|file| file.problem.is_none()) {
            session.ui.data(&format!("{}: opened again\n", file.path))?;
        }
        if files.is_empty() {
            session.ui.status("No app has log files.");
        }
    }
    let mut problems = files.into_iter().filter_map(|file| file.problem).peekable();
    if problems.peek().is_none() {
        return Ok(());
    }
    Err(CliError::user("open all log files again").detailed(problems))
}
