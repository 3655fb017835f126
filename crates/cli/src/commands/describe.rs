//! `eco describe`

use jiff::tz::TimeZone;

use super::selection::selection;
use super::session::Session;
use crate::error::CliError;
use crate::render::{describe, json};
use crate::view::describe::described;

/// Tell all that is known of apps: specification, paths, variables, past ends
///
/// Values of variables whose names look secret are hidden.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco describe dev/mds-fetcher\n  \
    eco describe 3 --json")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR", required = true)]
    selectors: Vec<String>,
    /// Print an array of instances
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let descriptions = agent.describe(selection).await?;
    let all = described(&agent.who().host, descriptions);
    let text = if args.json {
        json::document(&all)
    } else {
        let zone = TimeZone::system();
        let blocks: Vec<String> = all.iter().map(|one| describe::block(one, &zone)).collect();
        blocks.join("\n")
    };
    session.ui.data(&text)?;
    Ok(())
}
