//! The home folder itself: where it is, and the paths in it.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The longest path a unix socket address holds, without its closing NUL (unix(7)).
const LONGEST_SOCKET_PATH: usize = 107;

/// One of eco's daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// Decides what runs.
    Agent,
    /// Is the parent of what runs.
    Keeper,
    /// Serves the lines.
    Log,
}

impl Daemon {
    /// The name of its program.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Agent => "eco-agentd",
            Self::Keeper => "eco-keeper",
            Self::Log => "eco-logd",
        }
    }

    /// The stem of its socket, lock and log.
    const fn stem(self) -> &'static str {
        match self {
            Self::Agent => "agentd",
            Self::Keeper => "keeper",
            Self::Log => "logd",
        }
    }
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither `ECO_HOME` nor a home directory is known.
    #[error("find a home folder: neither ECO_HOME nor HOME is set")]
    Unknown,
    /// A folder could not be made or closed to others.
    #[error("make the folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The sockets would not fit into an address.
    #[error(
        "use {path} as home: its sockets' paths would have {length} bytes, and a unix socket takes {LONGEST_SOCKET_PATH}"
    )]
    TooLong {
        /// The home.
        path: PathBuf,
        /// Length of the longest socket path, bytes.
        length: usize,
    },
}

/// The folder where one eco lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// Finds the home that `eco_home` (`$ECO_HOME`) names, else `.eco` in `user_home` (`$HOME`), as an absolute path.
    /// Nothing is touched.
    pub fn find(eco_home: Option<&Path>, user_home: Option<&Path>) -> Result<Self, HomeError> {
        let chosen = match (eco_home, user_home) {
            (Some(path), _) if !path.as_os_str().is_empty() => path.to_owned(),
            (_, Some(path)) if !path.as_os_str().is_empty() => path.join(".eco"),
            _ => return Err(HomeError::Unknown),
        };
        let root = std::path::absolute(&chosen).map_err(|source| HomeError::Folder {
            path: chosen,
            source,
        })?;
        let home = Self { root };
        let length = home.socket(Daemon::Agent).as_os_str().len();
        if length > LONGEST_SOCKET_PATH {
            return Err(HomeError::TooLong {
                path: home.root,
                length,
            });
        }
        Ok(home)
    }

    /// Makes the folders that are missing, closed to other users.
    pub fn prepare(&self) -> Result<(), HomeError> {
        for path in [
            self.root.clone(),
            self.root.join("run"),
            self.notices(),
            self.root.join("log"),
            self.runs(),
            self.mirrors(),
        ] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.and_then(|()| close_to_others(&path))
                .map_err(|source| HomeError::Folder { path, source })?;
        }
        Ok(())
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `daemon` listens.
    #[must_use]
    pub fn socket(&self, daemon: Daemon) -> PathBuf {
        self.root
            .join("run")
            .join(format!("{}.sock", daemon.stem()))
    }

    /// Where runs have their sockets for notices: a name of nine letters in it is no longer than a daemon's socket.
    #[must_use]
    pub fn notices(&self) -> PathBuf {
        self.root.join("run").join("n")
    }

    /// What `daemon` holds locked while it lives.
    #[must_use]
    pub fn lock(&self, daemon: Daemon) -> PathBuf {
        self.root
            .join("run")
            .join(format!("{}.lock", daemon.stem()))
    }

    /// Where `daemon` says what happens to it.
    #[must_use]
    pub fn log(&self, daemon: Daemon) -> PathBuf {
        self.root.join("log").join(format!("{}.log", daemon.stem()))
    }

    /// The agent's database.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// How far lines were copied to the files that were asked for.
    #[must_use]
    pub fn mirrors(&self) -> PathBuf {
        self.root.join("mirrors")
    }

    /// What the apps wrote, all hosts.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }
}

/// Takes the rights of group and others away, where they have any.
fn close_to_others(path: &Path) -> io::Result<()> {
    let mode = path.metadata()?.permissions().mode();
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode & 0o700))
}

/// Returns the name this host goes by: `ECO_HOST`'s value where given, else the kernel's.
#[must_use]
pub fn host_name(given: Option<&str>) -> String {
    if let Some(name) = given.filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eco_home_wins_over_the_user_s_home() {
        let home = Home::find(Some(Path::new("/srv/eco")), Some(Path::new("/home/me")));
        assert_eq!(home.expect("found").root(), Path::new("/srv/eco"));
    }

    #[test]
    fn an_empty_eco_home_counts_as_none() {
        let home = Home::find(Some(Path::new("")), Some(Path::new("/home/me")));
        assert_eq!(home.expect("found").root(), Path::new("/home/me/.eco"));
    }

    #[test]
    fn no_home_at_all_is_said() {
        assert!(matches!(Home::find(None, None), Err(HomeError::Unknown)));
    }

    #[test]
    fn a_home_too_deep_for_a_socket_is_refused() {
        let deep = PathBuf::from(format!("/{}", "d".repeat(100)));
        assert!(matches!(
            Home::find(Some(&deep), None),
            Err(HomeError::TooLong { .. })
        ));
    }

    #[test]
    fn a_home_that_is_short_enough_for_a_daemon_is_so_for_a_run() {
        let home = Home::find(Some(Path::new("/srv/eco")), None).expect("found");
        let longest = home.socket(Daemon::Agent).as_os_str().len();
        assert_eq!(home.notices().join("123456789").as_os_str().len(), longest);
    }

    #[test]
    fn a_prepared_home_is_closed_to_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("eco");
        std::fs::create_dir(&root).expect("made");
        std::fs::set_permissions(&root, Permissions::from_mode(0o755)).expect("opened");
        let home = Home::find(Some(&root), None).expect("found");
        home.prepare().expect("prepared");
        let mode = root.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
