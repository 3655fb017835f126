//! `eco pid`

use super::selection::selection;
use super::session::Session;
use crate::error::CliError;
use crate::render::{json, numbers};
use crate::view::list::{Row, rows};

/// Print the process ids of apps, one a line
///
/// It is the first process of each instance. An instance that does not run has none, and is told about on stderr.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco pid dev/mds-fetcher\n  \
    kill -USR2 $(eco pid mds-fetcher)\n  \
    eco pid 'mds-*' --json")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment; everything if not given
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// Print an array of numbers
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let reply = agent.list(selection).await?;
    let rows = rows(&reply.host, &reply.instances);
    for row in rows.iter().filter(|row| row.pid.is_none()) {
        let Row { env, name, .. } = row;
        let text = format!("{env}/{name}#{}: {}, no process", row.instance, row.status);
        session.ui.status(&text);
    }
    let pids: Vec<i32> = rows.iter().filter_map(|row| row.pid).collect();
    let text = if args.json {
        json::document(&pids)
    } else {
        numbers::lines(&pids)
    };
    session.ui.data(&text)?;
    Ok(())
}
