//! Where a measurement takes place: a folder, and processes, that are gone when it is over, also when it fails.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, mkfifo};

use super::Plan;
use crate::clock;
use crate::failure::Failure;

/// A folder that goes away.
pub(super) fn folder(plan: &Plan) -> Result<tempfile::TempDir, Failure> {
    let made = tempfile::Builder::new()
        .prefix("eco-bench-")
        .tempdir_in(&plan.dir);
    made.map_err(Failure::at("make a folder in", &plan.dir))
}

/// The word that writers wait for: a byte of a FIFO for each.
pub(super) struct Word {
    path: PathBuf,
    /// Held open, so that no writer finds it closed.
    fifo: File,
}

impl Word {
    /// Makes the FIFO.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("go");
        let made = mkfifo(&path, Mode::S_IRWXU);
        made.map_err(|errno| Failure::new(format!("make {}", path.display()), errno))?;
        let fifo = OpenOptions::new().read(true).write(true).open(&path);
        let fifo = fifo.map_err(Failure::at("open", &path))?;
        Ok(Self { path, fifo })
    }

    pub(super) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Gives it to so many.
    pub(super) fn give(&self, writers: usize) -> Result<(), Failure> {
        let given = (&self.fifo).write_all(&vec![b'!'; writers]);
        given.map_err(|error| Failure::new("give the word", error))
    }
}

/// A process that ends with its owner, at the latest.
pub(super) struct Process(Child);

impl Process {
    /// Runs a command; what it says to stderr is nobody's.
    pub(super) fn new(command: &mut Command) -> Result<Self, Failure> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.stderr(Stdio::null()).spawn();
        child.map(Self).map_err(Failure::run(program))
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// What it writes, where that was asked for.
    pub(super) fn output(&mut self) -> Result<std::process::ChildStdout, Failure> {
        self.0
            .stdout
            .take()
            .ok_or_else(|| Failure::new("read a program", "its output goes elsewhere"))
    }

    /// Waits for its end, and tells its processor time.
    pub(super) fn ended(mut self) -> Result<std::time::Duration, Failure> {
        let waited = waitid(
            Id::Pid(pid(&self.0)),
            WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT,
        );
        waited.map_err(|errno| Failure::new("wait for a program", errno))?;
        let used = clock::processor(self.0.id());
        let status = self
            .0
            .wait()
            .map_err(|error| Failure::new("wait for a program", error))?;
        if status.success() {
            return Ok(used);
        }
        Err(Failure::new("run a program to its end", status))
    }

    /// Asks it to end, and waits.
    pub(super) fn end(mut self) {
        if kill(pid(&self.0), Signal::SIGTERM).is_ok() {
            drop(self.0.wait());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended was waited for already, and cannot be meant.
        if let Ok(None) = self.0.try_wait() {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

/// The files of a folder whose names please, sorted by name.
pub(super) fn files(folder: &Path, pleases: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let chosen = entries.filter(|entry| entry.file_name().to_str().is_some_and(&pleases));
    let mut paths: Vec<PathBuf> = chosen
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}

/// Bytes of files together.
pub(super) fn size<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> u64 {
    files
        .into_iter()
        .map(|path| fs::metadata(path).map_or(0, |about| about.len()))
        .sum()
}
