//! What `<home>/eco.toml` says: the one file in which a host's owner tells the log daemon how to work.
//!
//! ```toml
//! [logs]
//! max_total_size = "10 GiB"            # of all apps
//! max_app_size   = "2 GiB"             # of each app; an app may have its own
//! max_age        = "30d"               # an app may have its own
//! min_free_disk  = "1 GiB"             # left to everybody else; default: 1 GiB, or 5 % of a disk under 20 GiB
//! listen         = "127.0.0.1:7470"    # other log daemons may ship to this address; default: none may
//! durability     = "process"           # or "power": what is shipped here counts as kept when the disk has it
//!
//! [ship]
//! to = "http://127.0.0.1:7470"         # the log daemon that keeps the runs of this host too; default: none does
//! ```
//!
//! - What is not there has its default. A name that is not known, or a value that is none, makes the file a broken one:
//!   none of it holds, and what it said before does, at first the defaults.
//! - What is wrong is said all at once, each with its line, its key and what to write instead: in the daemon's log when it is
//!   found, and to whoever pings.
//! - Bounds are read anew again and again; `listen`, `durability` and `[ship]` hold from when the daemon starts, and its
//!   arguments go before them. That they changed since is told to whoever pings.

mod last;
mod parse;
mod value;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use last::LastGood;

use crate::replica::Durability;

/// The name of the file in the home.
pub const FILE: &str = "eco.toml";

/// All that it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EcoToml {
    /// How much is kept.
    pub bounds: Bounds,
    /// How other log daemons are served.
    pub guests: Guests,
    /// Where else the runs of this host are kept.
    pub ship: Option<Ship>,
}

/// `[logs]`: all bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of all apps.
    pub max_total_size: u64,
    /// Bytes of each app.
    pub max_app_size: u64,
    /// Seconds.
    pub max_age: u64,
    /// Bytes that are left free; `None`: by the size of the disk.
    pub min_free_disk: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_total_size: 10 << 30,
            max_app_size: 2 << 30,
            max_age: 30 * 24 * 3600,
            min_free_disk: None,
        }
    }
}

impl Bounds {
    /// The bytes that are left free of a disk of `size` bytes.
    #[must_use]
    pub fn floor(&self, size: u64) -> u64 {
        self.min_free_disk.unwrap_or((1 << 30).min(size / 20))
    }
}

/// `[logs]`: what concerns other log daemons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guests {
    /// Where they may come in.
    pub listen: Option<SocketAddr>,
    /// When something that they ship counts as kept.
    pub durability: Option<Durability>,
}

/// `[ship]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ship {
    /// The address of the other log daemon, `http://HOST:PORT`.
    pub to: String,
}

/// Why none of it holds.
#[derive(Debug, thiserror::Error)]
pub enum BrokenError {
    /// The file cannot be read.
    #[error("read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It says what is not understood.
    #[error("understand {}: {}", path.display(), listed(wrongs))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// All that is wrong, in order; at least one.
        wrongs: Vec<Wrong>,
    },
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where, from 1.
    pub line: usize,
    /// What, and what to write instead.
    pub what: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

fn listed(wrongs: &[Wrong]) -> String {
    let all: Vec<_> = wrongs.iter().map(ToString::to_string).collect();
    all.join("; ")
}

impl EcoToml {
    /// Reads the file at `path`; one that is not there says nothing.
    pub fn read(path: &Path) -> Result<Self, BrokenError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => {
                let path = path.to_owned();
                return Err(BrokenError::Read { path, source });
            }
        };
        parse::parse(&text).map_err(|wrongs| BrokenError::Wrong {
            path: path.to_owned(),
            wrongs,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_keeps_a_twentieth_and_a_gigabyte_at_most() {
        assert_eq!(Bounds::default().floor(10 << 30), (10 << 30) / 20);
        assert_eq!(Bounds::default().floor(1 << 40), 1 << 30);
    }

    #[test]
    fn no_file_says_nothing_and_one_that_cannot_be_read_is_broken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        assert_eq!(EcoToml::read(&path).expect("read"), EcoToml::default());
        std::fs::create_dir(&path).expect("made");
        let error = EcoToml::read(&path).expect_err("a folder is no file");
        assert!(error.to_string().starts_with("read /"), "{error}");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_and_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        std::fs::write(&path, "[logs]\nmax_age = \"soon\"\n\n[ship]\nwhere = 1\n")
            .expect("written");
        let error = EcoToml::read(&path).expect_err("broken").to_string();
        let expected = format!(
            "understand {}: line 2: `logs.max_age`: \"soon\" is no age; write it like \"30d\" or \"12h\"; line 4: `ship.to` is \
             missing; add the address of the other log daemon, to = \"http://127.0.0.1:7470\"; line 5: `ship.where` is not \
             known; known is `to`",
            path.display()
        );
        assert_eq!(error, expected);
    }
}
