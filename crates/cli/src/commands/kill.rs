//! `eco kill`

use eco_home::Daemon;

use super::session::Session;
use crate::client::{Agent, listens, wait_until_gone};
use crate::error::CliError;
use crate::render::json;

/// Stop every app, and end the agent, the keeper and the log daemon
///
/// `eco resurrect` brings the apps up again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco kill")]
pub(crate) struct Args {
    /// Print an object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = match Agent::find(&session.home).await? {
        Some(agent) => agent,
        // The apps live on without an agent, and only an agent can stop them.
        None if listens(&session.home, Daemon::Keeper) => session.launch().await?,
        None => {
            let home = session.home.root().display();
            let said = format!("Nothing runs for {home}.\n");
            return tell(session, &args, 0, said);
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
    let said = format!("Stopped {stopped} instances, and eco itself.\n");
    tell(session, &args, stopped, said)
}

fn tell(
    session: &mut Session<'_>,
    args: &Args,
    stopped: u32,
    said: String,
) -> Result<(), CliError> {
    session.ui.data(&if args.json {
        json::document(&serde_json::json!({ "stopped": stopped }))
    } else {
        said
    })?;
    Ok(())
}
