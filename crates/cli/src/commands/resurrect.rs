//! `eco resurrect`

use super::conclude::{Conclusion, conclude};
use super::session::Session;
use crate::error::CliError;

/// Bring up every app that was up when `eco kill` put it to rest
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco kill && eco resurrect")]
pub(crate) struct Args {
    #[command(flatten)]
    conclusion: Conclusion,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let outcomes = agent.resurrect().await?;
    conclude(session, &mut agent, "bring up", &outcomes, &args.conclusion).await
}
