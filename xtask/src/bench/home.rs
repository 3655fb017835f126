//! A home of a benchmark's own, which goes away with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::Failure;
use crate::{place, run};

/// Which programs are measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Build {
    /// As people run them.
    Release,
    /// As they are developed: what is slow shows, how slow does not.
    Debug,
}

/// The programs, and a folder that is their home and the apps' project.
pub(super) struct Home {
    program: PathBuf,
    folder: PathBuf,
}

impl Home {
    /// Builds the programs and makes the folder.
    pub(super) fn new(build: Build) -> Result<Self, Failure> {
        let (mut cargo, programs) = match build {
            Build::Release => (
                run::cargo(["build", "--release", "--workspace", "--bins"]),
                place::release()?,
            ),
            Build::Debug => (
                run::cargo(["build", "--workspace", "--bins"]),
                place::debug()?,
            ),
        };
        run::run(&mut cargo)?;
        let folder = std::env::temp_dir().join(format!("eco-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(Failure::at("make the folder", &folder))?;
        Ok(Self {
            program: programs.join("eco"),
            folder,
        })
    }

    /// Writes a file of the project.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Failure::at("write", &path))
    }

    /// Runs eco in the folder, to its good end; its table is nobody's here.
    pub(super) fn eco(&self, arguments: &[&str]) -> Result<(), Failure> {
        let output = self.command(arguments).output();
        let output = output.map_err(|error| Failure::new("run eco", error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::new(
            format!("run eco {}", arguments.join(" ")),
            said,
        ))
    }

    /// The daemons and their processes, as they say in their locks.
    pub(super) fn daemons(&self) -> Result<Vec<(&'static str, u32)>, Failure> {
        [
            ("eco-agentd", "agentd"),
            ("eco-keeper", "keeper"),
            ("eco-logd", "logd"),
        ]
        .into_iter()
        .map(|(name, lock)| {
            let path = self.home().join("run").join(format!("{lock}.lock"));
            let text = fs::read_to_string(&path).map_err(Failure::at("read", &path))?;
            let pid = text.trim().parse();
            let pid = pid.map_err(|error| {
                Failure::new(format!("read the pid in {}", path.display()), error)
            })?;
            Ok((name, pid))
        })
        .collect()
    }

    /// Ends everything and removes the folder.
    pub(super) fn take_down(self) -> Result<(), Failure> {
        self.eco(&["kill", "--quiet"])
        // The folder goes when this is dropped.
    }

    fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_remove("ECO_ENVIRONMENT")
            .env("ECO_HOME", self.home());
        command
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Also when something failed before: apps must not outlive what measured them.
        if is_there(&self.home().join("run/agentd.sock")) {
            drop(self.command(&["kill", "--quiet"]).output());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Lets time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures what happens in a span of time"
)]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
