//! The peers, where they are there.

use std::path::PathBuf;

use super::Plan;
use crate::machine;
use crate::say;

/// A program of somebody else's.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) program: PathBuf,
    /// Its name and version, as a person would tell them.
    pub(super) version: String,
}

/// Finds a program of one of Debian's packages; says when it is not there.
pub(super) fn debian(program: &str, package: &str) -> Option<Tool> {
    let Some(found) = machine::find(program) else {
        say::line(&format!("without {program}, which is not installed (Debian's package {package})"));
        return None;
    };
    let version = machine::package(package).unwrap_or_else(|| program.to_owned());
    Some(Tool { program: found, version })
}

/// Finds PM2.
pub(super) fn pm2(plan: &Plan) -> Option<Tool> {
    let Some(program) = plan.pm2.clone().filter(|program| program.is_file()) else {
        say::line("without pm2, which is not there (npm i pm2, and --pm2 node_modules/.bin/pm2)");
        return None;
    };
    let package = program.canonicalize().ok()?.parent()?.parent()?.join("package.json");
    let text = std::fs::read_to_string(package).unwrap_or_default();
    let version = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"version\": \"")?.split('"').next())
        .unwrap_or("of unknown version");
    let node = machine::said("node", &["--version"]).unwrap_or_default();
    Some(Tool {
        program,
        version: format!("pm2 {version} on node {node}"),
    })
}
