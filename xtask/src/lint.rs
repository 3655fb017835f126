//! `cargo xtask lint`: formatting, clippy, rustdoc and the boundaries, with every warning denied.

use crate::failure::Failure;
use crate::{boundaries, place, run, say};

/// Runs all of them; the first that complains ends it.
pub(crate) fn run() -> Result<(), Failure> {
    check_boundaries()?;
    run::run(&mut run::cargo(["fmt", "--all", "--check"]))?;
    run::run(&mut run::cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut doc = run::cargo([
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    run::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn check_boundaries() -> Result<(), Failure> {
    say::step("boundaries");
    let crossings = boundaries::crossings(&place::root())?;
    for crossing in &crossings {
        say::line(crossing);
    }
    if crossings.is_empty() {
        say::line("Every part keeps to itself.");
        return Ok(());
    }
    Err(Failure::new(
        "keep the parts apart",
        format!("{} boundaries are crossed, see above", crossings.len()),
    )
    .hinted("move the code to where it belongs, or list the exception with its reason in xtask/src/boundaries.rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_asks_for_the_rust_that_cargo_asks_for() {
        let read = |name| std::fs::read_to_string(place::root().join(name)).expect("it is there");
        let manifest = read("Cargo.toml");
        let version = manifest
            .lines()
            .find_map(|line| line.strip_prefix("rust-version = "))
            .expect("Cargo.toml asks for one")
            .trim_matches('"');
        let asked = format!("Rust {version} or newer");
        assert!(read("README.md").contains(&asked), "{asked}");
    }
}
