//! Waiting until a daemon has ended.
//!
//! Its socket may be closed before its process ends, and its process may stay as a zombie where nobody reaps it: a daemon
//! is gone when nobody listens and its process no longer executes anything.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use eco_home::{Daemon, Home, clock, lock};

use crate::error::CliError;

const PATIENCE: Duration = Duration::from_secs(15);
/// How long a daemon may take that was told to end: longer than the agent gives the others.
const GRACE: Duration = Duration::from_secs(8);
const REST: Duration = Duration::from_millis(10);

/// How a daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// As it was told to.
    ByItself,
    /// It did not, and was killed.
    Killed,
}

/// Waits until `daemon`, of which `pid` was told (0: none), has ended.
pub(crate) async fn wait(home: &Home, daemon: Daemon, pid: i32) -> Result<(), CliError> {
    if has_gone(home, daemon, pid, PATIENCE).await {
        return Ok(());
    }
    Err(CliError::daemon(format!("end {}", daemon.program()))
        .because(format!(
            "process {pid} is still there after {} s",
            PATIENCE.as_secs()
        ))
        .hinted(format!("see {}", home.log(daemon).display())))
}

/// Waits until `daemon`, which was told to end, has ended; kills it where it does not. To be used where nothing lives that
/// would need it.
pub(crate) async fn end(home: &Home, daemon: Daemon, pid: i32) -> Result<Gone, CliError> {
    if has_gone(home, daemon, pid, GRACE).await {
        return Ok(Gone::ByItself);
    }
    kill(home, daemon)?;
    wait(home, daemon, pid).await?;
    Ok(Gone::Killed)
}

/// Kills `daemon`, of which nothing is heard; returns its pid, where there is one.
pub(crate) fn kill(home: &Home, daemon: Daemon) -> Result<Option<i32>, CliError> {
    lock::kill_holder(home, daemon).map_err(|error| {
        CliError::daemon(format!("kill {}", daemon.program()))
            .because(error)
            .hinted(format!("see {}", home.log(daemon).display()))
    })
}

/// Whether `daemon` has ended within `patience`.
async fn has_gone(home: &Home, daemon: Daemon, pid: i32, patience: Duration) -> bool {
    let until = clock::since_boot() + patience;
    loop {
        if !executes(pid) && !listens(home, daemon) {
            return true;
        }
        if clock::since_boot() >= until {
            return false;
        }
        tokio::time::sleep(REST).await;
    }
}

/// Whether somebody listens at the socket of `daemon`. Nothing is said to them: the keeper speaks another protocol.
pub(crate) fn listens(home: &Home, daemon: Daemon) -> bool {
    UnixStream::connect(home.socket(daemon)).is_ok()
}

/// Whether a process is there and no zombie.
fn executes(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    // "pid (name) state ...", and the name may hold anything.
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    !matches!(state, Some('Z' | 'X') | None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_execute_and_nobody_does_not() {
        let ours = i32::try_from(std::process::id()).expect("a pid");
        assert!(executes(ours));
        assert!(!executes(0));
    }
}
