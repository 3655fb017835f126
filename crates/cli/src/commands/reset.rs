//! `eco reset`

use eco_proto::agent::v1::{ActRequest, Verb};

use super::conclude::{Conclusion, conclude};
use super::selection::selection;
use super::session::Session;
use super::spoken::Form;
use crate::error::CliError;

/// Count restarts and failures of apps from zero
///
/// Nothing is started or ended. An app that was given up stays so until it is started.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco reset dev/mds-fetcher\n  \
    eco reset 'mds-*' -E dev\n  \
    eco reset all --json")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR", required = true)]
    selectors: Vec<String>,
    /// Print the instances as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let request = ActRequest {
        verb: Verb::Reset.into(),
        selection: Some(selection),
        ..ActRequest::default()
    };
    let outcomes = agent.act("reset apps", request).await?;
    let at_once = Conclusion::at_once(Form::of_flag(args.json));
    conclude(session, &mut agent, "reset", &outcomes, &at_once).await
}
