//! The peers, where they are there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Plan;
use super::scene::Process;
use crate::failure::Failure;
use crate::{clock, machine, say};

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
        say::line(&format!(
            "without {program}, which is not installed (Debian's package {package})"
        ));
        return None;
    };
    let version = machine::package(package).unwrap_or_else(|| program.to_owned());
    Some(Tool {
        program: found,
        version,
    })
}

/// A sentence about who else takes part; nothing where nobody does.
pub(super) fn others(versions: &[String]) -> String {
    if versions.is_empty() {
        return String::new();
    }
    format!("Others: {}.\n", versions.join(", "))
}

/// Finds PM2.
pub(super) fn pm2(plan: &Plan) -> Option<Tool> {
    let Some(program) = plan.pm2.clone().filter(|program| program.is_file()) else {
        say::line("without pm2, which is not there (npm i pm2, and --pm2 node_modules/.bin/pm2)");
        return None;
    };
    let package = program
        .canonicalize()
        .ok()?
        .parent()?
        .parent()?
        .join("package.json");
    let text = std::fs::read_to_string(package).unwrap_or_default();
    let version = text
        .lines()
        .find_map(|line| {
            line.trim()
                .strip_prefix("\"version\": \"")?
                .split('"')
                .next()
        })
        .unwrap_or("of unknown version");
    let node = machine::said("node", &["--version"]).unwrap_or_default();
    Some(Tool {
        program,
        version: format!("pm2 {version} on node {node}"),
    })
}

/// A PM2 in a home of its own, which ends with this.
pub(super) struct Pm2 {
    program: PathBuf,
    folder: PathBuf,
}

impl Pm2 {
    /// It starts with the first command.
    pub(super) fn new(program: &Path, folder: &Path) -> Self {
        Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
        }
    }

    fn home(&self) -> PathBuf {
        self.folder.join("pm2")
    }

    /// Starts apps, each written as JSON.
    pub(super) fn start(&self, apps: &[String]) -> Result<(), Failure> {
        let path = self.folder.join("bench.config.json");
        let config = format!("{{\"apps\":[{}]}}", apps.join(","));
        fs::write(&path, config).map_err(Failure::at("write", &path))?;
        self.say(&["start", &path.display().to_string()])
    }

    /// The process that takes lines in.
    pub(super) fn daemon(&self) -> Result<u32, Failure> {
        let pid = self.home().join("pm2.pid");
        let text = fs::read_to_string(&pid).map_err(Failure::at("read", &pid))?;
        text.trim()
            .parse()
            .map_err(|error| Failure::new("read PM2's pid", error))
    }

    /// One of its commands.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .env("PM2_HOME", self.home())
            .stdin(Stdio::null());
        command
    }

    fn say(&self, words: &[&str]) -> Result<(), Failure> {
        Process::new(self.command(words).stdout(Stdio::null()))?
            .ended()
            .map(drop)
    }
}

impl Drop for Pm2 {
    fn drop(&mut self) {
        drop(self.say(&["kill"]));
        // It says that it is done a little before.
        let pid = self.home().join("pm2.pid");
        drop(clock::wait_until(
            "PM2 is gone",
            Duration::from_secs(10),
            || !pid.exists(),
        ));
    }
}
