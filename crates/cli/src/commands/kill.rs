//! `eco kill`

use eco_home::Daemon;

use super::session::Session;
use crate::client::{Agent, listens, wait_until_gone};
use crate::error::CliError;

/// Stop every app, and end the agent, the keeper and the log daemon
///
/// `eco resurrect` brings the apps up again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco kill")]
pub(crate) struct Args {}

pub(crate) async fn run(session: &mut Session<'_>, Args {}: Args) -> Result<(), CliError> {
    let mut agent = match Agent::find(&session.home).await? {
        Some(agent) => agent,
        // The apps live on without an agent, and only an agent can stop them.
        None if listens(&session.home, Daemon::Keeper) => session.launch().await?,
        None => {
            let home = session.home.root().display();
            session.ui.data(&format!("Nothing runs for {home}.\n"))?;
            return Ok(());
        }
    };
    session.ui.status("Stopping every app.");
    let stopped = agent.shut_down(true).await?;
    let who = agent.who();
    for (daemon, pid) in [
        (Daemon::Agent, who.pid),
        (Daemon::Log, who.logd_pid),
        (Daemon::Keeper, who.keeper_pid),
    ] {
        wait_until_gone(&session.home, daemon, pid).await?;
    }
    session
        .ui
        .data(&format!("Stopped {stopped} instances, and eco itself.\n"))?;
    Ok(())
}
