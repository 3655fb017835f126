//! `cargo xtask setup`: what the example services need beside eco, fetched and compiled where that has not been done.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::{place, run, say};

/// The oldest Node.js that runs the services.
const NODE: u32 = 20;
const HOW_TO_GET_NODE: &str = "get Node.js 20 or newer, which brings npm: https://nodejs.org/en/download, or a package of your system";
const HOW_TO_GET_PYTHON: &str =
    "get Python 3: apt-get install python3, dnf install python3, brew install python3";

/// Makes the example services ready to run.
pub(crate) fn run() -> Result<(), Failure> {
    find_node()?;
    find("npm", HOW_TO_GET_NODE)?;
    find("python3", HOW_TO_GET_PYTHON)?;
    let apps = place::example_apps();
    let installed = changed(&apps.join("node_modules/.package-lock.json"));
    let asked = changed(&apps.join("package-lock.json")).max(changed(&apps.join("package.json")));
    if installed.is_none() || installed < asked {
        run::run(&mut run::npm(["ci"]))?;
    }
    let sources = newest(&apps, &["ts", "json"], &["node_modules", "dist"]);
    let compiled = newest(&apps.join("dist"), &["js"], &[]);
    if compiled.is_none() || compiled < sources {
        run::run(&mut run::npm(["run", "build"]))?;
    }
    say::line("The example services are ready.");
    Ok(())
}

fn find_node() -> Result<(), Failure> {
    let version = version("node").ok_or_else(|| missing("node", HOW_TO_GET_NODE))?;
    match major(&version) {
        Some(major) if major >= NODE => Ok(()),
        Some(_) | None => Err(Failure::new(
            "use node",
            format!("it is of version {version}, and the example services need {NODE} or newer"),
        )
        .hinted(HOW_TO_GET_NODE)),
    }
}

fn find(program: &str, how_to_get: &str) -> Result<(), Failure> {
    match version(program) {
        Some(_) => Ok(()),
        None => Err(missing(program, how_to_get)),
    }
}

fn missing(program: &str, how_to_get: &str) -> Failure {
    Failure::new(
        format!("find {program}"),
        "it is not on PATH, or does not run",
    )
    .hinted(how_to_get)
}

fn version(program: &str) -> Option<String> {
    run::said(Command::new(program).arg("--version"))
}

/// The first number of a version such as `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// When the youngest file with one of the extensions was changed; `without` are names of folders to leave out.
fn newest(folder: &Path, extensions: &[&str], without: &[&str]) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                let is_left_out = without.iter().any(|left_out| name == *left_out);
                return if is_left_out {
                    None
                } else {
                    newest(&path, extensions, without)
                };
            }
            let extension = path.extension()?.to_str()?;
            extensions
                .contains(&extension)
                .then(|| changed(&path))
                .flatten()
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_begins_with_its_major_number() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("8.1"), Some(8));
        assert_eq!(major("nightly"), None);
    }

    #[test]
    fn folders_that_are_left_out_do_not_count() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(newest(own, &["rs"], &[]).is_some());
        assert_eq!(newest(own, &["rs"], &["src"]), None);
    }
}
