//! What survives the agent: the fleet's records in sled.
//!
//! ```text
//! tree "apps"    environment/name            what was asked for
//! tree "slots"   environment/name#instance   what became of it
//! tree "runs"    environment/name#instance   the last run's number; outlives its slot
//! tree "events"  a number                    what happened: see [`events`]
//! tree "meta"    "boot"                      the boot in which the records were written
//!                "seal"                      what all of them come to: see [`seal`]
//! ```
//!
//! Invariants
//! - A value is one byte, the version of its record's form, and then the record. Version 1 is `eco.state.v1`.
//! - A commit is flushed before it is acknowledged: what a user was told is on disk.
//! - A commit is one transaction: it is there as a whole or not at all.
//! - A state that has lost a part of what was written is refused, and neither used nor taken for a new one.
//! - A database that refused a write is not used again: it is opened anew, as after the agent's death, and the next write is
//!   tried on what is on disk then.
//! - A record that cannot be read is reported and left where it is; the others are loaded.

mod database;
mod events;
mod record;
mod seal;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use eco_home::clock;

use crate::fleet::event::Event;
use crate::fleet::{Changes, Fleet};

use database::Database;
pub(crate) use events::of_event;
pub use events::{Events, KEPT, Numbered};
pub use record::BadRecord;
pub(crate) use record::{of_begun, of_by, of_exit};

/// How long the lock of a database that was closed may be held by its last thread.
const CLOSING: Duration = Duration::from_millis(200);
/// Between two attempts to open it again.
const REST: Duration = Duration::from_millis(10);

/// Why the state cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened.
    #[error(
        "open the state in {path} (apps that run go on, and `eco kill` ends them without it; if it is damaged, move that folder away then, and start them anew)"
    )]
    Open {
        /// Its folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: sled::Error,
    },
    /// Not all of what was written is there.
    #[error(
        "find the whole state in {path}: what was written to it is damaged, {what}; end the apps that still run with `eco kill`, move that \
         folder away and start them anew"
    )]
    Damaged {
        /// Its folder.
        path: PathBuf,
        /// How that is known.
        what: &'static str,
    },
    /// It cannot be told how far it was written.
    #[error(
        "read {path}, which says how far the state was written: it must be a file that its owner may read"
    )]
    Witness {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It cannot be read.
    #[error(
        "read the state in {path}: look whether its disk is well; if it is lost, `eco kill`, move that folder away and start anew"
    )]
    Read {
        /// Its folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: sled::Error,
    },
    /// It cannot be written.
    #[error("write the state in {path}: its disk needs room and must take writes")]
    Write {
        /// Its folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: sled::Error,
    },
    /// It was closed after a write that failed.
    #[error("use the state in {path}, which cannot be opened again since a write failed")]
    Closed {
        /// Its folder.
        path: PathBuf,
    },
}

/// What was found in it.
#[derive(Debug)]
pub struct Loaded {
    /// The fleet as it was.
    pub fleet: Fleet,
    /// The boot in which it was written; empty at the first start.
    pub boot_id: String,
    /// Records that are not understood.
    pub bad: Vec<BadRecord>,
}

/// The database, by all its users.
#[derive(Clone, Debug)]
pub struct Store {
    path: Arc<Path>,
    /// `None`: a write failed, and it could not be opened since.
    open: Arc<RwLock<Option<Database>>>,
}

impl Store {
    /// Opens the database in `path`, making it where there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = Database::open(path)?;
        Ok(Self {
            path: path.into(),
            open: Arc::new(RwLock::new(Some(database))),
        })
    }

    /// Reads everything.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        self.using(Database::load)
    }

    /// Remembers the boot that records are written in from now on.
    pub fn set_boot(&self, boot_id: &str) -> Result<(), StoreError> {
        self.writing(|database| database.set_boot(boot_id))
    }

    /// What happened.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.clone())
    }

    /// Writes what changed in `fleet`, and what is to be told of it; returns when it is on disk. Blocks for about a
    /// millisecond.
    pub fn commit(
        &self,
        fleet: &Fleet,
        changes: &Changes,
        events: &[Event],
    ) -> Result<(), StoreError> {
        self.writing(|database| database.commit(fleet, changes, events))
    }

    /// Returns when everything written is on disk.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.using(Database::flush)
    }

    fn using<T>(
        &self,
        act: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map_or_else(
            || {
                Err(StoreError::Closed {
                    path: self.path.to_path_buf(),
                })
            },
            act,
        )
    }

    /// The same for what writes. A database that has failed once refuses everything from then on, and what it holds in
    /// memory may be more than is on disk.
    fn writing(
        &self,
        write: impl FnOnce(&Database) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.is_closed() {
            self.open_anew()?;
        }
        let written = self.using(|database| database::unwound(&self.path, || write(database)));
        if written.is_err()
            && let Err(error) = self.open_anew()
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the state is closed, and opened by the next write"
            );
        }
        written
    }

    fn is_closed(&self) -> bool {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.is_none()
    }

    /// Lets the database go, with its lock, and opens it as it is on disk.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody tells when sled's last thread lets go of the lock"
    )]
    fn open_anew(&self) -> Result<(), StoreError> {
        let until = clock::since_boot() + CLOSING;
        loop {
            let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
            let opened = database::unwound(&self.path, || {
                *open = None;
                Database::open(&self.path)
            });
            match opened {
                Ok(database) => {
                    *open = Some(database);
                    return Ok(());
                }
                Err(error) if clock::since_boot() >= until => return Err(error),
                Err(_) => {}
            }
            drop(open);
            std::thread::sleep(REST);
        }
    }

    /// Lets the next write of a slot fail, as on a full disk.
    #[cfg(test)]
    pub(crate) fn refuse_slots(&self) {
        let refuse = |database: &Database| {
            database.refuse_slots();
            Ok(())
        };
        self.using(refuse).expect("it is open");
    }

    /// A tree, to look into or to damage.
    #[cfg(test)]
    fn tree(&self, part: database::Part) -> sled::Tree {
        self.using(|database| Ok(database.tree(part).clone()))
            .expect("it is open")
    }
}

#[cfg(test)]
mod tests;
