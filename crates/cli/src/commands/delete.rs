//! `eco delete`

use eco_proto::agent::v1::{ActRequest, Verb};

use super::conclude::{Conclusion, conclude};
use super::selection::selection;
use super::session::Session;
use crate::error::CliError;

/// Stop apps and forget them
///
/// What they wrote stays: eco flush removes it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco delete dev/mds-fetcher\n  \
    eco delete 'mds-*' -E dev\n  \
    eco delete dev                            every app of the environment's file")]
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
    let request = ActRequest {
        verb: Verb::Delete.into(),
        selection: Some(selection),
        ..ActRequest::default()
    };
    let outcomes = agent.act("delete apps", request).await?;
    conclude(session, &mut agent, "delete", &outcomes, &args.conclusion).await
}
