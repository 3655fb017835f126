//! `eco stop`

use eco_proto::agent::v1::{ActRequest, Verb};

use super::conclude::{Conclusion, conclude};
use super::selection::selection;
use super::session::Session;
use crate::error::CliError;

/// Stop apps, and wait until no process of theirs is left
///
/// They stay known, and stay stopped until they are started again, over a reboot too. Of those that are named, the ones that
/// depend on others end first; an app that others depend on is stopped all the same when those stay up.
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
    let request = ActRequest {
        verb: Verb::Stop.into(),
        selection: Some(selection),
        ..ActRequest::default()
    };
    let outcomes = agent.act("stop apps", request).await?;
    conclude(session, &mut agent, "stop", &outcomes, &args.conclusion).await
}
