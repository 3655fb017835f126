//! `eco stop`

use eco_proto::agent::v1::Verb;

use super::conclude::{Conclusion, conclude};
use super::selection::selection;
use super::session::Session;
use crate::error::CliError;

/// Stop apps, and wait until no process of theirs is left
///
/// They stay known, and stay stopped until they are started again, over a reboot too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco stop dev/mds-fetcher\n  \
    eco stop 'mds-*' -E dev\n  \
    eco stop dev                            every app of the environment's file")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR", required = true)]
    selectors: Vec<String>,
    #[command(flatten)]
    conclusion: Conclusion,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let outcomes = agent.act("stop apps", Verb::Stop, selection).await?;
    conclude(session, &mut agent, "stop", &outcomes, &args.conclusion).await
}
