//! `eco save`

use super::session::Session;
use crate::error::CliError;

/// Make sure that the state is on disk, where it always is
///
/// There is no separate step: what `eco list` shows is what a reboot restores.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco save")]
pub(crate) struct Args {}

pub(crate) async fn run(session: &mut Session<'_>, Args {}: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let saved = agent.save().await?;
    session.ui.data(&format!(
        "Saved: {} apps, {} instances.\n",
        saved.apps, saved.instances
    ))?;
    Ok(())
}
