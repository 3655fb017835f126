//! Starting the agent that is missing.
//!
//! Two commands may do so at once: the agent's lock lets one of the two new agents live, and both commands find that one
//! at the socket. So a child that ends is no failure as long as somebody begins to listen. One that ended well found the
//! lock held; when whoever held it was on its way out and nobody listens, another child is started.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use eco_home::launch::LaunchError;
use eco_home::{Daemon, Home, clock};

use super::Agent;
use crate::error::CliError;
use crate::surroundings::Surroundings;

/// How long an agent may take until it listens.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long another one's agent may still take when ours has ended with an error.
const GRACE: Duration = Duration::from_secs(1);
/// How long nobody may listen after a child that found the lock held.
const AGAIN: Duration = Duration::from_millis(300);
/// How long to rest between two looks.
const REST: Duration = Duration::from_millis(10);
/// Lines of the agent's own log that are shown.
const LINES: usize = 15;
/// Bytes of it that are looked at.
const TAIL: u64 = 64 << 10;

/// Why there is no agent, to be told.
#[derive(Debug)]
pub(crate) enum NoAgent {
    /// It was started, and ended with an error: so will the next one.
    Ended(CliError),
    /// It was not started, or may yet come: what runs is still its.
    Absent(CliError),
}

impl From<NoAgent> for CliError {
    fn from(why: NoAgent) -> Self {
        match why {
            NoAgent::Ended(refusal) | NoAgent::Absent(refusal) => refusal,
        }
    }
}

/// Starts the agent of `home` and meets it.
pub(crate) async fn agent(home: &Home, surroundings: &Surroundings) -> Result<Agent, NoAgent> {
    home.prepare()
        .map_err(|error| NoAgent::Absent(error.into()))?;
    let log = home.log(Daemon::Agent);
    let before = log.metadata().map_or(0, |about| about.len());
    let mut child = (surroundings.launch)(home, Daemon::Agent).map_err(refused)?;
    let mut until = clock::since_boot() + PATIENCE;
    let mut ended: Option<ExitStatus> = None;
    let mut again_at = clock::since_boot() + AGAIN;
    loop {
        let found = Agent::find(home).await;
        if let Some(agent) = found.map_err(NoAgent::Absent)? {
            return Ok(agent);
        }
        let now = clock::since_boot();
        if ended.is_some_and(|status| status.success()) && now >= again_at {
            child = (surroundings.launch)(home, Daemon::Agent).map_err(refused)?;
            (ended, again_at) = (None, now + AGAIN);
        }
        if ended.is_none() {
            ended = child.try_wait().unwrap_or(None);
            if ended.is_some_and(|status| !status.success()) {
                until = until.min(now + GRACE);
            }
        }
        if now >= until {
            return Err(silent(ended, &log, before));
        }
        tokio::time::sleep(REST).await;
    }
}

fn refused(error: LaunchError) -> NoAgent {
    let hint = match &error {
        LaunchError::Missing { .. } => "install eco-agentd beside eco, or put it on PATH",
        LaunchError::Log { .. } => "make that file writable, or set ECO_HOME to another folder",
        LaunchError::Run { .. } => "check that the program can be executed",
    };
    let refusal = CliError::daemon("start the agent")
        .because(error)
        .hinted(hint);
    NoAgent::Absent(refusal)
}

fn silent(ended: Option<ExitStatus>, log: &Path, before: u64) -> NoAgent {
    let refusal = |cause: String| {
        CliError::daemon("start the agent")
            .because(cause)
            .detailed(tail(log, before))
            .hinted(format!("see {}", log.display()))
    };
    match ended {
        Some(status) if !status.success() => {
            NoAgent::Ended(refusal(format!("eco-agentd ended at once ({status})")))
        }
        // One that ended well found the lock held: by another one that does not listen.
        Some(_) | None => NoAgent::Absent(refusal(format!(
            "eco-agentd did not listen within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

/// The last lines that came into the log at `path` since it had `before` bytes.
fn tail(path: &Path, before: u64) -> Vec<String> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        // A log that shrank was begun anew.
        let new = if before <= length { before } else { 0 };
        file.seek(SeekFrom::Start(new.max(length.saturating_sub(TAIL))))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines
        .iter()
        .skip(lines.len().saturating_sub(LINES))
        .map(ToString::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;
    use crate::error::chain;

    #[test]
    fn only_an_agent_that_ended_with_an_error_will_not_come() {
        let silent = |ended| silent(ended, Path::new("/nowhere/agentd.log"), 0);
        let NoAgent::Ended(refusal) = silent(Some(ExitStatus::from_raw(1 << 8))) else {
            panic!("it ended with code 1")
        };
        assert!(chain(&refusal).contains("ended at once"));
        for ended in [None, Some(ExitStatus::from_raw(0))] {
            let NoAgent::Absent(refusal) = silent(ended) else {
                panic!("{ended:?}")
            };
            assert!(chain(&refusal).contains("did not listen within 10 s"));
        }
    }

    #[test]
    fn only_what_came_since_the_launch_is_shown_and_only_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agentd.log");
        let new: Vec<String> = (0..20).map(|n| format!("line {n}\n")).collect();
        let new = new.concat();
        std::fs::write(&path, format!("old\n{new}")).expect("written");
        let shown = tail(&path, 4);
        assert_eq!(shown.len(), LINES);
        assert_eq!(shown.last().map(String::as_str), Some("line 19"));
        assert!(tail(&path, 4 + u64::try_from(new.len()).expect("small")).is_empty());
    }

    #[test]
    fn a_log_that_is_not_there_has_no_lines() {
        assert!(tail(Path::new("/nowhere/agentd.log"), 0).is_empty());
    }
}
