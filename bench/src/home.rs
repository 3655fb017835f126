//! A home of a benchmark's own, which goes away with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::clock;
use crate::failure::Failure;
use crate::say;

/// How long a daemon may take to come again.
const PATIENCE: Duration = Duration::from_secs(20);

/// The programs, and a folder that is their home and the apps' project.
pub(crate) struct Home {
    program: PathBuf,
    folder: PathBuf,
}

/// Where the programs of this build are: beside this one.
pub(crate) fn programs() -> Result<PathBuf, Failure> {
    let own = own_program()?;
    own.parent()
        .map(Path::to_owned)
        .ok_or_else(|| Failure::new("find the programs", "this one is in no folder"))
}

/// This program, to be set to work.
pub(crate) fn own_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::new("find this program", error))
}

/// An app that is this program with other words, and runs once: as JSON.
pub(crate) fn app(name: &str, words: &[String]) -> Result<String, Failure> {
    let program = own_program()?;
    let program = program.display();
    Ok(format!(
        r#"{{"name":"{name}","script":"{program}","interpreter":"none","args":{words:?},"autorestart":false}}"#
    ))
}

impl Home {
    /// Makes the folder in the one for temporary files.
    pub(crate) fn new() -> Result<Self, Failure> {
        Self::within(&std::env::temp_dir().join(format!("eco-bench-{}", std::process::id())))
    }

    /// Makes the folder.
    pub(crate) fn within(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(Failure::at("make the folder", folder))?;
        Ok(Self {
            program: programs()?.join("eco"),
            folder: folder.to_owned(),
        })
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Failure::at("write", &path))
    }

    /// Starts apps, each written as JSON.
    pub(crate) fn start(&self, apps: &[String]) -> Result<(), Failure> {
        self.write(
            "ecosystem.config.json",
            &format!("{{\"apps\":[{}]}}", apps.join(",")),
        )?;
        self.eco(&["start", "ecosystem.config.json", "--quiet"])
            .map(drop)
    }

    /// Runs eco in the folder, to its good end; what it said.
    pub(crate) fn eco(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let output = self.command(arguments).output();
        let output = output.map_err(Failure::run("eco"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::new(
            format!("run eco {}", arguments.join(" ")),
            said,
        ))
    }

    /// The daemons and their processes, as they say in their locks.
    pub(crate) fn daemons(&self) -> Result<Vec<(&'static str, u32)>, Failure> {
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

    /// The process that is the log daemon.
    pub(crate) fn logd(&self) -> Result<u32, Failure> {
        let daemons = self.daemons()?;
        let logd = daemons.iter().find(|(name, _)| *name == "eco-logd");
        logd.map(|(_, pid)| *pid)
            .ok_or_else(|| Failure::new("find the log daemon", "there is none"))
    }

    /// Has the log daemon begin anew, and waits until another one is there.
    pub(crate) fn renew_logd(&self) -> Result<(), Failure> {
        let old = self.logd()?;
        let pid = i32::try_from(old).map_err(|error| Failure::new("end the log daemon", error))?;
        kill(Pid::from_raw(pid), Signal::SIGTERM)
            .map_err(|errno| Failure::new("end the log daemon", errno))?;
        clock::wait_until("another log daemon is there", PATIENCE, || {
            self.logd()
                .is_ok_and(|new| new != old && clock::processor(new) > Duration::ZERO)
        })
    }

    /// Ends everything and removes the folder.
    pub(crate) fn take_down(self) -> Result<(), Failure> {
        self.eco(&["kill", "--quiet"]).map(drop)
        // The folder goes when this is dropped.
    }

    /// Where the output of an app's first run is: its folder has a name that only eco knows.
    pub(crate) fn run_folders(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.home().join("runs")];
        // Host, environment, app, instance, run.
        for _ in 0..5 {
            folders = folders.iter().flat_map(|folder| below(folder)).collect();
        }
        folders
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// A command of eco in the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .env_remove("ECO_ENVIRONMENT")
            .env("ECO_HOME", self.home());
        command
    }
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}

impl Drop for Home {
    fn drop(&mut self) {
        // Also when something failed before: apps must not outlive what measured them.
        if is_there(&self.home().join("run/agentd.sock")) {
            drop(self.command(&["kill", "--quiet"]).output());
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            say::line(&format!("{} stays: {error}", self.folder.display()));
        }
    }
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
