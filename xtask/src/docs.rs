//! `cargo xtask docs`: writes the pages that are made from the code.

use crate::failure::Failure;
use crate::{place, run, say};

/// Which page each example of a crate prints.
const PAGES: [(&str, &str, &str); 1] = [("eco-config", "reference", "docs/configuration.md")];

/// Writes all of them.
pub(crate) fn run() -> Result<(), Failure> {
    for (package, example, page) in PAGES {
        let mut command =
            run::cargo(["run", "--quiet", "--package", package, "--example", example]);
        let shown = run::shown(&command);
        say::step(&shown);
        let output = command
            .output()
            .map_err(|error| Failure::new(format!("run {shown}"), error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::new(shown, said));
        }
        let path = place::root().join(page);
        std::fs::write(&path, output.stdout).map_err(Failure::at("write", &path))?;
        say::line(&format!("Wrote {page}."));
    }
    Ok(())
}
