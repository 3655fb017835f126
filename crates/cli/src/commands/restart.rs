//! `eco restart`

use super::bring_up::{BringUp, Needs, bring_up};
use super::conclude::Conclusion;
use super::plan::{Purpose, Reading, plan};
use super::session::Session;
use crate::error::CliError;

/// Restart apps, and wait until they are up again
///
/// By file, folder or environment all changes of the file are applied, removed variables included. By selector the apps
/// are restarted as the agent knows them. They come up in the order of their `depends_on`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco restart dev/mds-fetcher\n  \
    eco restart dev                         the file's changes are applied\n  \
    eco restart ecosystem.config.js --only public-api\n  \
    eco restart all -E dev")]
pub(crate) struct Args {
    /// File, folder, environment or selector
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    /// Only these apps of the file: names or globs, divided by commas
    #[arg(long, value_name = "NAMES")]
    only: Vec<String>,
    /// Block of variables to apply: `env_NAME` (default: the environment's name)
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    needs: Needs,
    #[command(flatten)]
    conclusion: Conclusion,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let reading = Reading {
        only: args.only,
        env_block: args.env,
        ..Reading::default()
    };
    let mut agent = Some(session.agent().await?);
    let plan = plan(
        session,
        &mut agent,
        &args.targets,
        &reading,
        Purpose::Restart,
    )
    .await?;
    let (needs, conclusion) = (args.needs, &args.conclusion);
    bring_up(session, agent, plan, BringUp::Restart, needs, conclusion).await
}
