//! `eco update`
//!
//! ```text
//!  agent: Shutdown, apps stay ─▶ gone ─▶ log daemon: Shutdown ─▶ gone ─▶ launch ─▶ the new agent starts the new log daemon
//! ```
//!
//! In this order, or the old agent would start the old log daemon again. The keeper, which is the apps' parent, stays.

use eco_home::Daemon;

use super::daemons::end_log_daemon;
use super::session::Session;
use crate::client::{Agent, wait_until_gone};
use crate::error::CliError;
use crate::render::json;

/// Replace the running agent and log daemon by those installed now
///
/// The apps are not touched, and what they write is kept meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco update")]
pub(crate) struct Args {
    /// Print an object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut before = None;
    if let Some(mut agent) = Agent::find(&session.home).await? {
        session.ui.status(&format!(
            "Ending the agent of version {}.",
            agent.who().version
        ));
        agent.shut_down(false).await?;
        wait_until_gone(&session.home, Daemon::Agent, agent.who().pid).await?;
        before = Some(agent);
    }
    // Without a new agent nothing is supervised: whatever becomes of the log daemon is told afterwards.
    let log_daemon = end_log_daemon(session).await;
    let agent = session.launch().await?.of_our_version()?;
    log_daemon?;
    let now = agent.who();
    let was = before.as_ref().map(|old| old.who().version.as_str());
    let (version, pid) = (&now.version, now.pid);
    session.ui.data(&if args.json {
        json::document(&serde_json::json!({ "version": version, "pid": pid, "before": was }))
    } else {
        let was = was.unwrap_or("none ran");
        format!("eco-agentd {version} (pid {pid}); before: {was}. The apps were not touched.\n")
    })?;
    if !now.keeper_version.is_empty() && now.keeper_version != now.version {
        session.ui.status(&format!(
            "The keeper is of version {} and stays until eco kill.",
            now.keeper_version
        ));
    }
    Ok(())
}
