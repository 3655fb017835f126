//! The agent's program.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use eco_agentd::daemon::{self, Args, DaemonError};
use eco_home::own_log::OwnLog;
use tokio::runtime::Builder;
use tracing_subscriber::EnvFilter;

/// How long what looks at files and processes may still take: a disk that does not answer is not waited for.
const LAST_LOOKS: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(OwnLog::default)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_env("ECO_LOG").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    let ended = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(DaemonError::Runtime)
        .and_then(|runtime| {
            let ended = runtime.block_on(daemon::run(args));
            runtime.shutdown_timeout(LAST_LOOKS);
            ended
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to run the agent"
            );
            ExitCode::FAILURE
        }
    }
}
