//! The log daemon's program: arguments in, exit code out.

use std::error::Error as _;
use std::process::ExitCode;

use clap::Parser as _;
use eco_home::own_log::OwnLog;
use eco_logd::daemon::{self, Args};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_env("ECO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(OwnLog::default)
        .with_ansi(false)
        .init();
    match daemon::main(&args) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause = error.source();
            let causes = std::iter::from_fn(|| {
                let error = cause?;
                cause = error.source();
                Some(format!(": {error}"))
            });
            tracing::error!("failed to {error}{}", causes.collect::<String>());
            ExitCode::FAILURE
        }
    }
}
