//! `cargo xtask bench`: what eco costs, measured on this machine.

mod home;
mod idle;
mod usage;

use crate::failure::Failure;

/// Runs the benchmark that these words name.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        ["idle", options @ ..] => idle::run(&idle::Plan::read(options)?),
        _ => Err(Failure::new("find the benchmark", words.join(" "))
            .hinted("cargo xtask bench idle [--apps N] [--seconds S] [--debug]")),
    }
}
