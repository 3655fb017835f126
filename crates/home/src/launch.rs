//! Starting a daemon that is missing.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Daemon, Home, cgroup, open_files, own_log};

/// Marks the processes of a run: see the keeper. A daemon is nobody's run, also when an app started it.
pub const RUN_MARK: &str = "ECO_RUN_ID";

/// Why a daemon could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Its program is neither beside ours nor on PATH.
    #[error("find {program}: it is neither in {beside} nor on PATH")]
    Missing {
        /// The program's name.
        program: &'static str,
        /// Where the program that looks for it is.
        beside: PathBuf,
    },
    /// Its log cannot be written.
    #[error("open {path}")]
    Log {
        /// The log.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be run.
    #[error("run {program}")]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Starts `daemon` for `home`, in a session of its own, its output appended to its log. It lives on when the caller
/// ends; a caller that lives on reaps it by the returned handle.
pub fn launch(home: &Home, daemon: Daemon) -> Result<Child, LaunchError> {
    start(home, daemon, None)
}

/// Starts `daemon` likewise, on a host that goes by the name `host`.
pub fn launch_on(home: &Home, daemon: Daemon, host: &str) -> Result<Child, LaunchError> {
    start(home, daemon, Some(host))
}

fn start(home: &Home, daemon: Daemon, host: Option<&str>) -> Result<Child, LaunchError> {
    let program = find(daemon)?;
    let path = home.log(daemon);
    let log = own_log::open(&path).and_then(|log| Ok((log.try_clone()?, log)));
    let (out, err) = log.map_err(|source| LaunchError::Log { path, source })?;
    let mut command = Command::new(&program);
    command
        .current_dir("/")
        .env("ECO_HOME", home.root())
        .env_remove(RUN_MARK)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .envs(host.map(|host| ("ECO_HOST", host)));
    detach(&mut command);
    let child = command
        .spawn()
        .map_err(|source| LaunchError::Run { program, source })?;
    if cgroup::leave(child.id()).is_err() {
        // Nothing is wrong as long as the run in whose group it stays goes on, and nobody here has a log.
    }
    Ok(child)
}

#[expect(
    unsafe_code,
    reason = "a session of its own and a limit can only be asked for between fork and exec"
)]
fn detach(command: &mut Command) {
    // SAFETY: both are system calls that are safe after a fork, and nothing is allocated.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            open_files::give_back()
        });
    }
}

/// Finds the program beside the one that runs, else on PATH.
fn find(daemon: Daemon) -> Result<PathBuf, LaunchError> {
    let program = daemon.program();
    let here = std::env::current_exe().unwrap_or_default();
    let beside = here.parent().unwrap_or(Path::new("/")).to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(beside.clone())
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .ok_or(LaunchError::Missing { program, beside })
}

/// Waits for a launched daemon's end in the background, so that it leaves no zombie while its launcher lives.
pub fn reap(mut child: Child) {
    let waits = std::thread::Builder::new().name("reaper".to_owned());
    // Without the thread there is a zombie until we end: no reason to fail.
    drop(waits.spawn(move || child.wait()));
}
