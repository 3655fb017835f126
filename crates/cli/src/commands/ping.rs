//! `eco ping`

use serde::Serialize;

use super::session::Session;
use crate::client::{Agent, LogDaemon};
use crate::error::CliError;
use crate::render::json;

/// Tell whether the agent runs, and of which version its programs are
///
/// Starts nothing. Ends with exit code 4 when no agent runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  eco ping || echo 'no agent'")]
pub(crate) struct Args {
    /// Print an object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    host: &'a str,
    version: &'a str,
    pid: i32,
    keeper_version: Option<&'a str>,
    keeper_pid: Option<i32>,
    logd_version: Option<&'a str>,
    logd_pid: Option<i32>,
    logd_problem: Option<&'a str>,
    cgroup: Option<&'a str>,
    cgroup_limits: &'a [String],
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let Some(agent) = Agent::find(&session.home).await? else {
        return Err(CliError::daemon("reach the agent")
            .because(format!(
                "no agent runs for {}",
                session.home.root().display()
            ))
            .hinted("any other command starts it, such as eco list"));
    };
    let who = agent.who();
    let problem = problem(session).await;
    let answer = Answer {
        host: &who.host,
        version: &who.version,
        pid: who.pid,
        keeper_version: Some(who.keeper_version.as_str()).filter(|version| !version.is_empty()),
        keeper_pid: Some(who.keeper_pid).filter(|pid| *pid > 0),
        logd_version: Some(who.logd_version.as_str()).filter(|version| !version.is_empty()),
        logd_pid: Some(who.logd_pid).filter(|pid| *pid > 0),
        logd_problem: problem.as_deref(),
        cgroup: Some(who.cgroup.as_str()).filter(|folder| !folder.is_empty()),
        cgroup_limits: &who.cgroup_limits,
    };
    let text = if args.json {
        json::document(&answer)
    } else {
        let line = |program: &str, version: Option<&str>, pid: Option<i32>| match pid {
            Some(pid) => format!("{program} {} (pid {pid})\n", version.unwrap_or("?")),
            None => format!("{program} does not run\n"),
        };
        [
            format!("host {}\n", answer.host),
            line("eco-agentd", Some(answer.version), Some(answer.pid)),
            line("eco-keeper", answer.keeper_version, answer.keeper_pid),
            line("eco-logd", answer.logd_version, answer.logd_pid),
            cgroups(answer.cgroup, answer.cgroup_limits),
        ]
        .concat()
    };
    session.ui.data(&text)?;
    if let Some(problem) = &problem {
        session.ui.warning(&format!("eco-logd: {problem}."));
    }
    Ok(())
}

/// What the log daemon has to tell of its home's `eco.toml`; one that does not answer has nothing to tell.
async fn problem(session: &Session<'_>) -> Option<String> {
    let mut log = LogDaemon::find(&session.home).await.ok()??;
    log.problem().await.ok()?
}

fn cgroups(folder: Option<&str>, limits: &[String]) -> String {
    match (folder, limits) {
        (None, _) => "no cgroup can be made for a run\n".to_owned(),
        (Some(folder), []) => format!("cgroups in {folder}, which limit nothing\n"),
        (Some(folder), limits) => {
            format!("cgroups in {folder}, which limit {}\n", limits.join(", "))
        }
    }
}
