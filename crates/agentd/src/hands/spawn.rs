//! Beginning a run.
//!
//! ```text
//!   keeper: folder ─▶ FIFOs, segments ─▶ fork ─────────────────────────────▶ std waits for exec or an errno
//!   child:                                 └▶ stdio ─▶ signals ─▶ session ─▶ limits ─▶ user ─▶ cwd ─▶ exec
//! ```
//!
//! The child's steps after the fork come back as one errno; which step it was comes back through a pipe of one byte,
//! since "permission denied" means little without what was denied.

use std::ffi::{CString, OsStr, OsString};
use std::fs::{DirBuilder, File};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eco_home::runs::Stream;
use eco_proto::keeper::v1::Spawn;
use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::SigSet;
use nix::unistd::{chdir, setgid, setgroups, setsid, setuid, write};

use super::account::{Account, AccountError};
use super::output::{Output, OutputError, remove_fifo};

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpawnError {
    /// The request is none.
    #[error("run {program}: {lack}")]
    Request {
        /// The program.
        program: PathBuf,
        /// What is wrong with it.
        lack: &'static str,
    },
    /// The folder of the run.
    #[error("make the folder {path}")]
    Folder {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its FIFOs or segments.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Whom to run it as.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The new session.
    #[error("begin a session for {program}")]
    Session {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The limit of descriptors.
    #[error("give {program} its limit of open files")]
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

impl SpawnError {
    /// The kernel's reason.
    pub(super) fn errno(&self) -> i32 {
        let source = match self {
            Self::Request { .. } => return libc::EINVAL,
            Self::Account(error) => return error.errno(),
            Self::Output(error) => error.cause(),
            Self::Folder { source, .. }
            | Self::Session { source, .. }
            | Self::Limit { source, .. }
            | Self::Become { source, .. }
            | Self::Enter { source, .. }
            | Self::Run { source, .. } => source,
        };
        source.raw_os_error().unwrap_or(libc::EINVAL)
    }
}

/// The limit of open files that apps get, whatever the keeper took for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileLimit {
    pub(super) soft: u64,
    pub(super) hard: u64,
}

/// What a child does between fork and exec, by the number that it reports when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Step {
    Session = 1,
    Limit = 2,
    Become = 3,
    Enter = 4,
}

impl Step {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Session),
            2 => Some(Self::Limit),
            3 => Some(Self::Become),
            4 => Some(Self::Enter),
            _ => None,
        }
    }
}

/// A run that began: the pid of its leader, whose status nobody fetches but us, and its outputs.
pub(super) struct Started {
    pub(super) pid: i32,
    pub(super) outputs: Vec<Output>,
}

/// Begins a run. On failure nothing of it is left but its folder.
pub(super) fn spawn(
    request: &Spawn,
    mark: &[u8],
    limit: FileLimit,
    segment_bytes: u64,
) -> Result<Started, SpawnError> {
    let folder = path(&request.run_dir);
    check(request)?;
    let account = Account::find(request.uid, request.gid)?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|source| SpawnError::Folder {
            path: folder.clone(),
            source,
        })?;
    let fifos = Fifos::new(&folder);
    let (outputs, out, err) = fifos.create(segment_bytes, account.as_ref())?;
    let pid = execute(request, mark, limit, account, out, err)?;
    fifos.keep();
    Ok(Started { pid, outputs })
}

/// Removes the FIFOs it made unless they are kept.
struct Fifos<'a> {
    folder: &'a Path,
    made: std::cell::Cell<usize>,
}

impl<'a> Fifos<'a> {
    const fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            made: std::cell::Cell::new(0),
        }
    }

    fn create(
        &self,
        segment_bytes: u64,
        account: Option<&Account>,
    ) -> Result<(Vec<Output>, File, File), OutputError> {
        let owner = account.map(Account::owner);
        let (out, app_out) = Output::create(self.folder, Stream::Out, segment_bytes, owner)?;
        self.made.set(1);
        let (err, app_err) = Output::create(self.folder, Stream::Err, segment_bytes, owner)?;
        self.made.set(2);
        Ok((vec![out, err], app_out, app_err))
    }

    fn keep(self) {
        self.made.set(0);
    }
}

impl Drop for Fifos<'_> {
    fn drop(&mut self) {
        for stream in Stream::BOTH.into_iter().take(self.made.get()) {
            if let Err(error) = remove_fifo(self.folder, stream) {
                super::say::failed(&self.folder.display(), &error);
            }
        }
    }
}

fn check(request: &Spawn) -> Result<(), SpawnError> {
    let lacks = |lack| SpawnError::Request {
        program: path(&request.program),
        lack,
    };
    if !request.run_dir.starts_with(b"/") {
        return Err(lacks("the run's folder is no absolute path"));
    }
    if !request.program.starts_with(b"/") {
        return Err(lacks("the program is no absolute path"));
    }
    let mut entries = request.environment.iter();
    if !entries.all(|entry| entry.iter().skip(1).any(|byte| *byte == b'=')) {
        return Err(lacks("an entry of its environment is not NAME=VALUE"));
    }
    let mut texts = [&request.program, &request.cwd, &request.run_dir]
        .into_iter()
        .chain(&request.arguments)
        .chain(&request.environment);
    if texts.any(|text| text.contains(&0)) {
        return Err(lacks("a NUL byte in what it is given"));
    }
    Ok(())
}

fn execute(
    request: &Spawn,
    mark: &[u8],
    limit: FileLimit,
    account: Option<Account>,
    out: File,
    err: File,
) -> Result<i32, SpawnError> {
    let program = path(&request.program);
    let cwd = if request.cwd.is_empty() {
        PathBuf::from("/")
    } else {
        path(&request.cwd)
    };
    let not_run = |source| SpawnError::Run {
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
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err);
    if let Some((name, arguments)) = request.arguments.split_first() {
        command.arg0(OsStr::from_bytes(name));
        command.args(arguments.iter().map(|argument| OsStr::from_bytes(argument)));
    }
    let folder = CString::new(cwd.as_os_str().as_bytes())
        .map_err(|error| not_run(io::Error::from(error)))?;
    let who = account.as_ref().map(ToString::to_string);
    before_exec(&mut command, report.into(), limit, account, folder);
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
        Step::Session => SpawnError::Session { program, source },
        Step::Limit => SpawnError::Limit { program, source },
        Step::Become => SpawnError::Become {
            program,
            account: who.unwrap_or_default(),
            source,
        },
        Step::Enter => SpawnError::Enter { path: cwd, source },
    })
}

#[expect(
    unsafe_code,
    reason = "session, limits and rights can only be set between fork and exec"
)]
fn before_exec(
    command: &mut Command,
    report: OwnedFd,
    limit: FileLimit,
    account: Option<Account>,
    cwd: CString,
) {
    let prepare = move || {
        let steps = || {
            reset_signals().map_err(|errno| (Step::Session, errno))?;
            setsid().map_err(|errno| (Step::Session, errno))?;
            setrlimit(Resource::RLIMIT_NOFILE, limit.soft, limit.hard)
                .map_err(|errno| (Step::Limit, errno))?;
            if let Some(account) = &account {
                let (uid, gid) = account.owner();
                setgroups(account.groups())
                    .and_then(|()| setgid(gid))
                    .and_then(|()| setuid(uid))
                    .map_err(|errno| (Step::Become, errno))?;
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

/// A path as it came over the wire.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
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

    #[test]
    fn a_request_that_is_none_is_refused_before_anything_is_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let run_dir = folder.path().join("run");
        let sound = Spawn {
            program: b"/bin/true".to_vec(),
            run_dir: run_dir.as_os_str().as_bytes().to_vec(),
            ..Spawn::default()
        };
        let refused = [
            Spawn {
                program: b"true".to_vec(),
                ..sound.clone()
            },
            Spawn {
                run_dir: b"run".to_vec(),
                ..sound.clone()
            },
            Spawn {
                environment: vec![b"NAME".to_vec()],
                ..sound.clone()
            },
            Spawn {
                arguments: vec![b"a\0b".to_vec()],
                ..sound
            },
        ];
        let limit = FileLimit { soft: 9, hard: 9 };
        for request in refused {
            let error = spawn(&request, b"M=1", limit, 1).err().expect("refused");
            assert_eq!(error.errno(), libc::EINVAL);
        }
        assert!(!run_dir.exists());
    }
}
