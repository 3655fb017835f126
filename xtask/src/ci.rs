//! `cargo xtask ci`: what CI runs, for people who want to know before it does.

use std::time::Instant;

use crate::failure::Failure;
use crate::{demo, fuzz, lint, say, test};

/// Lines after which the demo has proved that it works.
const LINES: &str = "40";

/// How long each fuzz target is fed.
const SECONDS: &str = "7";

/// Runs all that must pass.
pub(crate) fn run() -> Result<(), Failure> {
    let began = Instant::now();
    lint::run()?;
    test::run()?;
    fuzz::run(SECONDS)?;
    demo::lines(LINES)?;
    say::took("everything", began.elapsed());
    Ok(())
}
