//! `cargo xtask bench`: builds the programs and the benchmarks, and runs one.

use crate::failure::Failure;
use crate::{place, run};

/// Runs the benchmark that these words name.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let (is_debug, words): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| **word == "--debug");
    let programs = if is_debug.is_empty() {
        // As people run them.
        run::run(&mut run::cargo([
            "build",
            "--release",
            "--workspace",
            "--bins",
        ]))?;
        place::release()?
    } else {
        // As they are developed: what is slow shows, how slow does not.
        run::run(&mut run::cargo(["build", "--workspace", "--bins"]))?;
        place::debug()?
    };
    let mut bench = std::process::Command::new(programs.join("eco-bench"));
    run::run(bench.args(words).current_dir(place::root()))
}
