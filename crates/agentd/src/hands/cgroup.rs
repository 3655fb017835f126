//! The cgroup of one run: an exact list of its members, limits of all of them together, and one word that kills them all.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use eco_home::cgroup::PROCS;
use eco_proto::keeper::v1::OutOfMemory;

use super::limits::{Missing, Setting};

/// Why a group with limits cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum CgroupError {
    /// It cannot be made.
    #[error("make the cgroup {path}")]
    Make {
        /// Its folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing can be put into it.
    #[error("write to {path}")]
    Enter {
        /// Its list of members.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not take a limit.
    #[error("write {value:?} to {path}")]
    Limit {
        /// The file.
        path: PathBuf,
        /// The limit.
        value: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl CgroupError {
    /// The kernel's reason.
    pub(super) const fn cause(&self) -> &io::Error {
        match self {
            Self::Make { source, .. } | Self::Limit { source, .. } | Self::Enter { source, .. } => {
                source
            }
        }
    }
}

/// A run's group.
#[derive(Debug)]
pub(super) struct Cgroup {
    folder: PathBuf,
    /// Whether a run must not begin outside of it.
    has_limits: bool,
}

/// Where a child enters the group that it is to be in.
#[derive(Debug)]
pub(super) struct Entrance {
    /// Whoever writes `0` to it is in.
    pub(super) file: File,
    /// Whether it must not go on outside.
    pub(super) is_needed: bool,
}

impl Cgroup {
    /// Makes it, or takes what is there already.
    pub(super) fn make(folder: PathBuf, settings: &[Setting]) -> Result<Self, CgroupError> {
        match fs::create_dir(&folder) {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                return Err(CgroupError::Make {
                    path: folder,
                    source,
                });
            }
            Ok(()) | Err(_) => {}
        }
        let group = Self {
            folder,
            has_limits: !settings.is_empty(),
        };
        for setting in settings {
            if let Err(error) = group.set(setting) {
                group.remove();
                return Err(error);
            }
        }
        Ok(group)
    }

    /// One that was made before.
    pub(super) const fn known(folder: PathBuf) -> Self {
        Self {
            folder,
            has_limits: false,
        }
    }

    fn set(&self, setting: &Setting) -> Result<(), CgroupError> {
        let path = self.folder.join(setting.file);
        let written = open(&path).and_then(|mut file| {
            use io::Write as _;
            file.write_all(setting.value.as_bytes())
        });
        match (written, setting.where_missing) {
            (Err(error), Missing::IsFine) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            (written, Missing::Fails | Missing::IsFine) => {
                written.map_err(|source| CgroupError::Limit {
                    path,
                    value: setting.value.clone(),
                    source,
                })
            }
        }
    }

    /// Opens the way in, for a child that is to come.
    pub(super) fn entrance(&self) -> Result<Option<Entrance>, CgroupError> {
        let path = self.folder.join(PROCS);
        match open(&path) {
            Ok(file) => Ok(Some(Entrance {
                file,
                is_needed: self.has_limits,
            })),
            Err(source) if self.has_limits => Err(CgroupError::Enter { path, source }),
            Err(_) => Ok(None),
        }
    }

    /// The processes in it. To be asked after the table of processes was read: then no pid in both is a stranger's.
    pub(super) fn members(&self) -> Vec<i32> {
        let text = fs::read_to_string(self.folder.join(PROCS)).unwrap_or_default();
        text.lines().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Sends SIGKILL to all that are in it, at once; an old kernel cannot, and then each is sent its own.
    pub(super) fn kill(&self) {
        let sent = open(&self.folder.join("cgroup.kill")).and_then(|mut file| {
            use io::Write as _;
            file.write_all(b"1")
        });
        drop(sent);
    }

    /// Whether the kernel ended a process of it for want of memory, and at which limit.
    pub(super) fn shortage(&self) -> Option<OutOfMemory> {
        let events = fs::read_to_string(self.folder.join("memory.events")).ok()?;
        let kills = events
            .lines()
            .find_map(|line| line.strip_prefix("oom_kill "));
        let has_killed = kills.is_some_and(|count| count.trim() != "0");
        has_killed.then(|| OutOfMemory {
            // "max" where there is none, and the whole host was short of it.
            limit_bytes: fs::read_to_string(self.folder.join("memory.max"))
                .ok()
                .and_then(|text| text.trim().parse().ok()),
        })
    }

    /// Removes it; one that somebody is still in stays until it is swept.
    pub(super) fn remove(&self) {
        drop(fs::remove_dir(&self.folder));
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(where_missing: Missing) -> Setting {
        Setting {
            file: "memory.max",
            value: "7".to_owned(),
            where_missing,
        }
    }

    #[test]
    fn a_limit_that_cannot_be_written_is_a_failure_unless_it_is_only_nice_to_have() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = |one| Cgroup::make(folder.path().join("x"), &[setting(one)]);
        let error = made(Missing::Fails).expect_err("there is no such file");
        assert!(error.to_string().contains("memory.max"), "{error}");
        assert_eq!(error.cause().kind(), io::ErrorKind::NotFound);
        assert!(!folder.path().join("x").exists(), "nothing is left");
        assert!(made(Missing::IsFine).is_ok());
    }

    #[test]
    fn want_of_memory_is_told_with_the_limit_and_only_when_somebody_was_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let group = Cgroup::known(folder.path().to_owned());
        let write = |file: &str, text: &str| {
            fs::write(folder.path().join(file), text).expect("written");
        };
        assert_eq!(group.shortage(), None);
        write("memory.events", "low 0\nmax 4\noom 1\noom_kill 0\n");
        assert_eq!(group.shortage(), None);
        write("memory.events", "oom 1\noom_kill 1\noom_group_kill 0\n");
        write("memory.max", "max\n");
        assert_eq!(group.shortage(), Some(OutOfMemory { limit_bytes: None }));
        write("memory.max", "536870912\n");
        let limit_bytes = Some(512 << 20);
        assert_eq!(group.shortage(), Some(OutOfMemory { limit_bytes }));
    }

    #[test]
    fn members_are_pids_and_a_group_that_is_gone_has_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let group = Cgroup::known(folder.path().to_owned());
        assert!(group.members().is_empty());
        fs::write(folder.path().join(PROCS), "12\n345\n").expect("written");
        assert_eq!(group.members(), [12, 345]);
    }
}
