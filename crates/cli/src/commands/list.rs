//! `eco list`

use super::selection::selection;
use super::session::Session;
use crate::error::CliError;
use crate::render::{json, table};
use crate::view::list::{Metrics, rows};

/// List what runs, and what should
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco list\n  \
    eco list --metrics 'mds-*'          memory, descriptors and threads of them\n  \
    eco list -E production 'mds-*'\n  \
    eco list --json | jq '.[] | select(.status != \"online\")'")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// Show also proportional memory (pss), open descriptors and threads, which takes a look at each process
    #[arg(long)]
    metrics: bool,
    /// Print an array of instances
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let metrics = if args.metrics {
        Metrics::All
    } else {
        Metrics::Cheap
    };
    let reply = agent.list_with(selection, metrics).await?;
    let rows = rows(&reply.host, &reply.instances);
    if args.json {
        session.ui.data(&json::document(&rows))?;
    } else if rows.is_empty() {
        session.ui.status("No apps.");
        session.ui.hint("eco start TARGET starts some");
    } else {
        let table = table::table(&rows, metrics, session.ui.width());
        session.ui.data(&table)?;
    }
    Ok(())
}
