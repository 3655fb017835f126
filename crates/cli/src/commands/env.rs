//! `eco env`

use super::selection::selection;
use super::session::Session;
use crate::error::CliError;
use crate::redaction::Secrets;
use crate::render::{json, variables};
use crate::view::variables::given;

/// Print the variables that apps were given
///
/// They are those of the living run, as it was started; of an instance that does not run, those of its next run. Values
/// whose names look secret are hidden, and passwords in addresses.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco env dev/mds-fetcher\n  \
    eco env mds-fetcher --show-secrets > /tmp/env\n  \
    eco env 3 --json | jq '.[0].variables.PORT'")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR", required = true)]
    selectors: Vec<String>,
    /// Hide nothing
    #[arg(long)]
    show_secrets: bool,
    /// Print an array of instances
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let reply = agent.variables(selection).await?;
    let secrets = if args.show_secrets {
        Secrets::Shown
    } else {
        Secrets::Hidden
    };
    let all = given(reply, secrets);
    let text = if args.json {
        json::document(&all)
    } else {
        for one in all.iter().filter(|one| one.run.is_none()) {
            let text = "does not run: these are the variables of its next run";
            session.ui.status(&format!("{}: {text}", one.full_name()));
        }
        variables::lines(&all)
    };
    session.ui.data(&text)?;
    Ok(())
}
