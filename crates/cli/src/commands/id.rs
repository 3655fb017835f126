//! `eco id`

use super::selection::selection;
use super::session::Session;
use crate::error::CliError;
use crate::render::{json, numbers};
use crate::view::list::rows;

/// Print the ids of apps' instances, one a line
///
/// An id is the number in the first column of `eco list`. It stays with its instance for as long as that is known.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco id dev/mds-fetcher\n  \
    eco id 'mds-*' --json")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR", required = true)]
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
    let ids: Vec<u32> = rows.iter().map(|row| row.id).collect();
    let text = if args.json {
        json::document(&ids)
    } else {
        numbers::lines(&ids)
    };
    session.ui.data(&text)?;
    Ok(())
}
