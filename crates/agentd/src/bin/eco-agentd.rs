//! The agent's program.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use eco_agentd::daemon::{self, Args};
use eco_home::own_log::OwnLog;
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt()
        .with_writer(OwnLog::default)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_env("ECO_LOG").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    match daemon::run(args).await {
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
