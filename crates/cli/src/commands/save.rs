//! `eco save`

use super::session::Session;
use crate::error::CliError;
use crate::render::json;

/// Make sure that the state is on disk, where it always is
///
/// There is no separate step: what `eco list` shows is what a reboot restores.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco save")]
pub(crate) struct Args {
    /// Print an object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let saved = agent.save().await?;
    let (apps, instances) = (saved.apps, saved.instances);
    session.ui.data(&if args.json {
        json::document(&serde_json::json!({ "apps": apps, "instances": instances }))
    } else {
        format!("Saved: {apps} apps, {instances} instances.\n")
    })?;
    Ok(())
}
