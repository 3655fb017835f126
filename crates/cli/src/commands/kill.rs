//! `eco kill`
//!
//! ```text
//!  an agent is there, or one can be started ─▶ it ends the apps, each as it is to be ended, and remembers them
//!                                             and the keeper ends what no known app explains
//!  it ends with an error at once ──────────▶ the keeper ends what it has, and the state stays as it is
//!  it is not there, or slow ───────────────▶ nothing is done, and that is said
//!  a daemon does not answer, or stays ─────▶ SIGKILL
//! ```

use std::time::Duration;

use eco_home::Daemon;

use super::daemons::{end, end_log_daemon};
use super::session::Session;
use crate::client::{Agent, Keeper, NoAgent, kill_daemon, listens};
use crate::error::{CliError, chain};
use crate::number;
use crate::render::json;

/// How long the keeper may take to say what is left.
const ANSWER: Duration = Duration::from_secs(2);

/// Stop every app, and end the agent, the keeper and the log daemon
///
/// `eco resurrect` brings the apps up again. Where the agent cannot start, because its state is damaged, what runs is ended
/// all the same, and the state is left as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco kill")]
pub(crate) struct Args {
    /// Wait at most this many seconds for the apps
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = number::count::<u64>)]
    timeout: u64,
    /// Print an object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    match agent(session).await? {
        Found::Agent(agent) => by_agent(session, &args, *agent).await,
        Found::NoneStarts(refusal) => without_agent(session, &args, &refusal).await,
        Found::Nothing => {
            let home = session.home.root().display();
            let said = format!("Nothing runs for {home}.\n");
            tell(session, &args, 0, said)
        }
    }
}

async fn by_agent(
    session: &mut Session<'_>,
    args: &Args,
    mut agent: Agent,
) -> Result<(), CliError> {
    session.ui.status("Stopping every app.");
    let patience = Duration::from_secs(args.timeout);
    let stopped = match tokio::time::timeout(patience, agent.shut_down(true)).await {
        Ok(stopped) => stopped?,
        Err(_) => return Err(late(session, args.timeout)),
    };
    let who = agent.who();
    for (daemon, pid) in [(Daemon::Agent, who.pid), (Daemon::Log, who.logd_pid)] {
        end(session, daemon, pid).await?;
    }
    let stopped = stopped + end_strangers(session).await?;
    end(session, Daemon::Keeper, who.keeper_pid).await?;
    let said = format!("Stopped {stopped} instances, and eco itself.\n");
    tell(session, args, stopped, said)
}

/// Ends the runs that the agent knew nothing of: the keeper stays for them. Returns how many there were.
async fn end_strangers(session: &mut Session<'_>) -> Result<u32, CliError> {
    let found = tokio::time::timeout(ANSWER, Keeper::find(&session.home)).await;
    // One that is just ending hangs up. One that is silent is killed, and nobody knows what it has.
    let Ok(Ok(Some(keeper))) = found else {
        return Ok(0);
    };
    let strangers = keeper.end_all().await?;
    if strangers > 0 {
        session.ui.warning(&format!(
            "{strangers} instances belong to no app that is known. They were ended by SIGINT, or by SIGKILL."
        ));
    }
    Ok(strangers)
}

/// The apps are still being ended; the agent, the keeper and the log daemon stay for that.
fn late(session: &Session<'_>, waited: u64) -> CliError {
    let log = session.home.log(Daemon::Keeper);
    CliError::user("stop every app")
        .because(format!("some are still there after {waited} s"))
        .hinted(format!(
            "they go on ending, and eco kill again ends eco itself; --timeout SECONDS waits longer; see {}",
            log.display()
        ))
}

/// Ends what there is although no agent can be started, for the reason that `refusal` tells.
async fn without_agent(
    session: &mut Session<'_>,
    args: &Args,
    refusal: &CliError,
) -> Result<(), CliError> {
    let state = session.home.state();
    session.ui.warning(&format!(
        "{}. What runs is ended by the keeper alone, by SIGINT and then by SIGKILL, and {} is left as it is.",
        chain(refusal),
        state.display()
    ));
    for line in refusal.details() {
        session.ui.note(&format!("  {line}"));
    }
    let mut stopped = 0;
    if let Some(keeper) = Keeper::find(&session.home).await? {
        let pid = keeper.pid();
        stopped = keeper.end_all().await?;
        end(session, Daemon::Keeper, pid).await?;
    }
    end_log_daemon(session).await?;
    let said = format!("Ended {stopped} instances, and eco itself.\n");
    tell(session, args, stopped, said)
}

/// Who can end the apps.
enum Found {
    /// An agent.
    Agent(Box<Agent>),
    /// None: it ends with an error.
    NoneStarts(CliError),
    /// There is nothing to end.
    Nothing,
}

/// Finds the agent, or starts one where something runs.
async fn agent(session: &mut Session<'_>) -> Result<Found, CliError> {
    let runs = |daemon| listens(&session.home, daemon);
    match Agent::find(&session.home).await {
        Ok(Some(agent)) => return Ok(Found::Agent(Box::new(agent))),
        // The apps live on without an agent, and only an agent knows how each is to be stopped.
        Ok(None) if runs(Daemon::Keeper) || runs(Daemon::Log) => {}
        Ok(None) => return Ok(Found::Nothing),
        // The next one takes up where this one stands still.
        Err(silence) => match kill_daemon(&session.home, Daemon::Agent)? {
            Some(_) => {
                let told = chain(&silence);
                session
                    .ui
                    .warning(&format!("{told}; it was killed, and another is started."));
            }
            None => return Err(silence),
        },
    }
    match session.launch().await {
        Ok(agent) => Ok(Found::Agent(Box::new(agent))),
        Err(NoAgent::Ended(refusal)) => Ok(Found::NoneStarts(refusal)),
        // Once it is there, each app ends as it is to be ended, and is remembered.
        Err(NoAgent::Absent(refusal)) => {
            Err(refusal.hinted("what runs goes on: eco kill again, when the agent can be started"))
        }
    }
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
