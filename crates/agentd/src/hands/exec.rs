//! From a request to a process.
//!
//! ```text
//!   keeper: fork ─────────────────────────────────────────────────────────────────▶ std waits for exec or an errno
//!   child:   └▶ stdio ─▶ cgroup ─▶ channel ─▶ signals ─▶ session ─▶ limits ─▶ user ─▶ cwd ─▶ exec
//! ```
//!
//! The child's steps after the fork come back as one errno; which step it was comes back through a pipe of one byte,
//! since "permission denied" means little without what was denied.

use std::ffi::{CString, OsStr};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use eco_proto::keeper::v1::Spawn;
use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::SigSet;
use nix::unistd::{chdir, setsid, write};

use super::cgroup::Entrance;
use super::channel;
use super::gear::Ends;
use super::spawn::path;
use crate::os::account::Account;

/// Why a program was not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecError {
    /// Its cgroup.
    #[error("put {program} into its cgroup")]
    Cgroup {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its channel.
    #[error("give {program} its channel")]
    Channel {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The new session.
    #[error("begin a session for {program}")]
    Session {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The limits of its processes.
    #[error("give {program} its limits")]
    Limit {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The rights of the user.
    #[error("run {program} as {account}")]
    Become {
        /// The program.
        program: PathBuf,
        /// Whom.
        account: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The working folder.
    #[error("enter the folder {path}")]
    Enter {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program itself.
    #[error("run {program} in {cwd}")]
    Run {
        /// The program.
        program: PathBuf,
        /// Where.
        cwd: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ExecError {
    /// The kernel's reason.
    pub(super) const fn cause(&self) -> &io::Error {
        match self {
            Self::Cgroup { source, .. }
            | Self::Channel { source, .. }
            | Self::Session { source, .. }
            | Self::Limit { source, .. }
            | Self::Become { source, .. }
            | Self::Enter { source, .. }
            | Self::Run { source, .. } => source,
        }
    }
}

/// The limit of open files that apps get, whatever the keeper took for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileLimit {
    pub(super) soft: u64,
    pub(super) hard: u64,
    /// What an app may ask for.
    pub(super) most: u64,
}

/// What holds for a child from before its program begins.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) entrance: Option<Entrance>,
    /// (resource, soft, hard)
    pub(super) each: Vec<(Resource, u64, u64)>,
}

/// What a child does between fork and exec, by the number that it reports when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    Session = 1,
    Limit = 2,
    Become = 3,
    Enter = 4,
    Channel = 5,
    Cgroup = 6,
}

impl Step {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Session),
            2 => Some(Self::Limit),
            3 => Some(Self::Become),
            4 => Some(Self::Enter),
            5 => Some(Self::Channel),
            6 => Some(Self::Cgroup),
            _ => None,
        }
    }
}

/// Runs the program of a checked request. Returns its pid.
pub(super) fn execute(
    request: &Spawn,
    mark: &[u8],
    ends: Ends,
    bounds: Bounds,
    account: Option<Account>,
) -> Result<i32, ExecError> {
    let program = path(&request.program);
    let cwd = if request.cwd.is_empty() {
        PathBuf::from("/")
    } else {
        path(&request.cwd)
    };
    let not_run = |source| ExecError::Run {
        program: program.clone(),
        cwd: cwd.clone(),
        source,
    };
    let (mut failed, report) = io::pipe().map_err(not_run)?;
    let mut command = Command::new(&program);
    command
        .env_clear()
        .envs(request.environment.iter().filter_map(|entry| split(entry)))
        .envs(split(mark))
        .envs(ends.variables)
        .stdin(ends.stdin)
        .stdout(ends.out)
        .stderr(ends.err);
    if let Some((name, arguments)) = request.arguments.split_first() {
        command.arg0(OsStr::from_bytes(name));
        command.args(arguments.iter().map(|argument| OsStr::from_bytes(argument)));
    }
    let folder = CString::new(cwd.as_os_str().as_bytes())
        .map_err(|error| not_run(io::Error::from(error)))?;
    let who = account.as_ref().map(ToString::to_string);
    before_exec(
        &mut command,
        report.into(),
        ends.channel,
        bounds,
        account,
        folder,
    );
    let spawned = command.spawn();
    // With our copy of the pipe's other end closed, reading cannot block: the child is gone, or past exec.
    drop(command);
    let source = match spawned {
        Ok(child) => return Ok(i32::try_from(child.id()).expect("a pid is positive and an i32")),
        Err(source) => source,
    };
    let mut step = [0];
    let read = failed.read(&mut step).unwrap_or(0);
    let [step] = step;
    let Some(step) = Step::from_byte(step).filter(|_| read == 1) else {
        return Err(not_run(source));
    };
    Err(match step {
        Step::Cgroup => ExecError::Cgroup { program, source },
        Step::Channel => ExecError::Channel { program, source },
        Step::Session => ExecError::Session { program, source },
        Step::Limit => ExecError::Limit { program, source },
        Step::Become => ExecError::Become {
            program,
            account: who.unwrap_or_default(),
            source,
        },
        Step::Enter => ExecError::Enter { path: cwd, source },
    })
}

#[expect(
    unsafe_code,
    reason = "cgroup, channel, session, limits and rights can only be set between fork and exec"
)]
fn before_exec(
    command: &mut Command,
    report: OwnedFd,
    channel: Option<OwnedFd>,
    bounds: Bounds,
    account: Option<Account>,
    cwd: CString,
) {
    let prepare = move || {
        let steps = || {
            enter(bounds.entrance.as_ref()).map_err(|errno| (Step::Cgroup, errno))?;
            if let Some(channel) = &channel {
                place(channel).map_err(|errno| (Step::Channel, errno))?;
            }
            reset_signals().map_err(|errno| (Step::Session, errno))?;
            setsid().map_err(|errno| (Step::Session, errno))?;
            for (resource, soft, hard) in &bounds.each {
                setrlimit(*resource, *soft, *hard).map_err(|errno| (Step::Limit, errno))?;
            }
            if let Some(account) = &account {
                account.assume().map_err(|errno| (Step::Become, errno))?;
            }
            chdir(cwd.as_c_str()).map_err(|errno| (Step::Enter, errno))
        };
        steps().map_err(|(step, errno): (Step, Errno)| {
            // Unreported it is taken for a failure of the exec, with the right errno.
            write(&report, &[step as u8]).unwrap_or_default();
            io::Error::from(errno)
        })
    };
    // SAFETY: only system calls on memory that was prepared before the fork: nothing is allocated, no lock is taken.
    unsafe { command.pre_exec(prepare) };
}

/// Enters the run's cgroup, so that whatever is forked from now on is in it too.
fn enter(entrance: Option<&Entrance>) -> nix::Result<()> {
    match entrance {
        Some(entrance) => match write(&entrance.file, b"0") {
            Err(errno) if entrance.is_needed => Err(errno),
            Ok(_) | Err(_) => Ok(()),
        },
        None => Ok(()),
    }
}

/// Puts an app's end of its channel where it looks for it, to be kept over the exec.
#[expect(
    unsafe_code,
    reason = "nix only duplicates into descriptors that are owned"
)]
fn place(channel: &OwnedFd) -> nix::Result<()> {
    // SAFETY: the keeper holds this number for nothing else (see `super::reserve`), and the copy belongs to the app.
    let placed = unsafe { libc::dup2(channel.as_raw_fd(), channel::DESCRIPTOR) };
    Errno::result(placed).map(drop)
}

/// Gives every signal back to the kernel's default; what the keeper ignores, or was started ignoring, is its own affair.
#[expect(unsafe_code, reason = "nix knows no real-time signals")]
fn reset_signals() -> nix::Result<()> {
    for signal in 1..=64 {
        // SAFETY: sets no handler. SIGKILL, SIGSTOP and those libc keeps for itself are refused, and are as they should be.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    SigSet::empty().thread_set_mask()
}

/// Splits `NAME=VALUE`; a name may begin with `=`, and is never empty.
fn split(entry: &[u8]) -> Option<(&OsStr, &OsStr)> {
    let at = 1 + entry.iter().skip(1).position(|byte| *byte == b'=')?;
    let (name, value) = entry.split_at_checked(at)?;
    let value = value.get(1..)?;
    Some((OsStr::from_bytes(name), OsStr::from_bytes(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_entry_is_split_at_the_first_sign_behind_its_name() {
        let parts = |entry: &'static [u8]| {
            split(entry).map(|(name, value)| (name.to_str(), value.to_str()))
        };
        assert_eq!(parts(b"A=b=c"), Some((Some("A"), Some("b=c"))));
        assert_eq!(parts(b"A="), Some((Some("A"), Some(""))));
        assert_eq!(parts(b"A"), None);
        assert_eq!(parts(b"=x"), None);
        assert_eq!(parts(b""), None);
    }
}
