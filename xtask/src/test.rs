//! `cargo xtask test`: every test there is.

use crate::failure::Failure;
use crate::{run, setup};

/// Runs every test.
pub(crate) fn run() -> Result<(), Failure> {
    setup::run()?;
    // The end-to-end tests run the programs; cargo would build those of their own package only.
    run::run(&mut run::cargo(["build", "--workspace", "--bins"]))?;
    run::run(&mut run::cargo(["test", "--workspace"]))
}
