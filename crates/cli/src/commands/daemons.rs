//! Ending daemons, also those that do not answer.

use eco_home::Daemon;

use super::session::Session;
use crate::client::{Gone, LogDaemon, end_daemon, kill_daemon};
use crate::error::CliError;

/// Waits until a daemon that was told to end has ended, and tells where it had to be killed.
pub(crate) async fn end(
    session: &mut Session<'_>,
    daemon: Daemon,
    pid: i32,
) -> Result<(), CliError> {
    match end_daemon(&session.home, daemon, pid).await? {
        Gone::ByItself => {}
        Gone::Killed => session.ui.warning(&format!(
            "{} did not end when it was told to, and was killed.",
            daemon.program()
        )),
    }
    Ok(())
}

/// Ends the log daemon, if one is there. It loses nothing by being killed: what apps write waits in files.
pub(crate) async fn end_log_daemon(session: &mut Session<'_>) -> Result<(), CliError> {
    let Some(mut log) = LogDaemon::find(&session.home).await? else {
        return Ok(());
    };
    let pid = match log.pid().await {
        Ok(pid) => {
            log.shut_down().await?;
            pid
        }
        Err(_) => kill_daemon(&session.home, Daemon::Log)?.unwrap_or(0),
    };
    end(session, Daemon::Log, pid).await
}
