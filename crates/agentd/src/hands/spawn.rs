//! Beginning a run.
//!
//! ```text
//!   check ─▶ account ─▶ folder ─▶ gear: FIFOs, segments, channel, socket ─▶ cgroup ─▶ exec
//! ```
//!
//! On failure nothing of a run is left but its folder.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use eco_proto::keeper::v1::Spawn;
use nix::libc;

use super::cgroup::{Cgroup, CgroupError};
use super::cgroups::Cgroups;
use super::exec::{self, Bounds, ExecError, FileLimit};
use super::gear::{self, Gear, GearError, Place};
use super::limits;
use super::mark;
use crate::os::account::{Account, AccountError};

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
    /// What it is given.
    #[error(transparent)]
    Gear(#[from] GearError),
    /// Whom to run it as.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Its cgroup.
    #[error(transparent)]
    Cgroup(#[from] CgroupError),
    /// The program.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

impl SpawnError {
    /// The kernel's reason.
    pub(super) fn errno(&self) -> i32 {
        let source = match self {
            Self::Request { .. } => return libc::EINVAL,
            Self::Account(error) => return error.errno(),
            Self::Gear(error) => error.cause(),
            Self::Cgroup(error) => error.cause(),
            Self::Exec(error) => error.cause(),
            Self::Folder { source, .. } => source,
        };
        source.raw_os_error().unwrap_or(libc::EINVAL)
    }
}

/// A run that began: the pid of its leader, whose status nobody fetches but us, and what the keeper holds of it.
pub(super) struct Started {
    pub(super) pid: i32,
    pub(super) gear: Gear,
    pub(super) cgroup: Option<Cgroup>,
}

/// What is the same for every run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grounds<'a> {
    /// The limit that the apps get.
    pub(super) file_limit: FileLimit,
    pub(super) segment_bytes: u64,
    /// Where sockets for notices are.
    pub(super) notices: &'a Path,
    pub(super) boot_id: &'a str,
    /// Where its cgroup is made.
    pub(super) cgroups: Option<&'a Cgroups>,
}

/// Begins a run.
pub(super) fn spawn(
    request: &Spawn,
    mark: &[u8],
    grounds: Grounds<'_>,
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
    let place = Place {
        folder: &folder,
        notices: grounds.notices,
        number: mark::number(&request.run_dir, grounds.boot_id),
        segment_bytes: grounds.segment_bytes,
    };
    let (gear, ends, left) = gear::make(request, place, account.as_ref())?;
    let cgroup = make_cgroup(request, &folder, grounds)?;
    let begun = bounds(request, grounds, cgroup.as_ref())
        .and_then(|bounds| Ok(exec::execute(request, mark, ends, bounds, account)?));
    match begun {
        Ok(pid) => {
            left.keep();
            Ok(Started { pid, gear, cgroup })
        }
        Err(error) => {
            cgroup.iter().for_each(Cgroup::remove);
            Err(error)
        }
    }
}

fn make_cgroup(
    request: &Spawn,
    folder: &Path,
    grounds: Grounds<'_>,
) -> Result<Option<Cgroup>, CgroupError> {
    let limits = request.limits.unwrap_or_default();
    let made = grounds.cgroups.map(|all| all.make(folder, &limits));
    made.transpose().map(Option::flatten)
}

fn bounds(
    request: &Spawn,
    grounds: Grounds<'_>,
    cgroup: Option<&Cgroup>,
) -> Result<Bounds, SpawnError> {
    let limits = request.limits.unwrap_or_default();
    let nothing = BTreeSet::new();
    let can = grounds.cgroups.map_or(&nothing, Cgroups::can);
    Ok(Bounds {
        entrance: cgroup.map(Cgroup::entrance).transpose()?.flatten(),
        each: limits::of_each(&limits, can, grounds.file_limit),
    })
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

/// A path as it came over the wire.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

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
        let grounds = Grounds {
            cgroups: None,
            file_limit: FileLimit {
                soft: 9,
                hard: 9,
                most: 9,
            },
            segment_bytes: 1,
            notices: folder.path(),
            boot_id: "boot",
        };
        for request in refused {
            let error = spawn(&request, b"M=1", grounds).err().expect("refused");
            assert_eq!(error.errno(), libc::EINVAL);
        }
        assert!(!run_dir.exists());
    }
}
