//! What survives the agent: the fleet's records in sled.
//!
//! ```text
//! tree "apps"    environment/name            what was asked for
//! tree "slots"   environment/name#instance   what became of it
//! tree "runs"    environment/name#instance   the last run's number; outlives its slot
//! tree "events"  a number                    what happened: see [`events`]
//! tree "meta"    "boot"                      the boot in which the records were written
//! ```
//!
//! Invariants
//! - A value is one byte, the version of its record's form, and then the record. Version 1 is `eco.state.v1`.
//! - A commit is flushed before it is acknowledged: what a user was told is on disk.
//! - A state that was there and has lost its pages is refused, not taken for a new one: `eco-written` tells the two apart.
//! - A record that cannot be read is reported and left where it is; the others are loaded.

mod events;
mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sled::{Batch, Db, Mode, Tree};

use crate::fleet::event::Event;
use crate::fleet::{App, AppKey, Changes, Fleet, SlotKey};

pub(crate) use events::of_event;
pub use events::{Events, KEPT, Numbered};
pub use record::BadRecord;
pub(crate) use record::{of_begun, of_by, of_exit};

/// The file that says that there has been a state.
const WRITTEN: &str = "eco-written";
/// The page cache: the state of thousands of slots is smaller.
const CACHE_BYTES: u64 = 8 << 20;

/// Why the state cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("open the state in {path} (apps that run go on, and `eco kill` ends them without it)")]
    Open {
        /// Its folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: sled::Error,
    },
    /// It was written, and nothing of it is left.
    #[error(
        "find the state in {path}: it was written and is damaged; end the apps that still run with `eco kill`, move that \
         folder away and start them anew"
    )]
    Damaged {
        /// Its folder.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("read the state")]
    Read(#[source] sled::Error),
    /// It cannot be written.
    #[error("write the state")]
    Write(#[source] sled::Error),
}

/// The open database.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    db: Db,
    apps: Tree,
    slots: Tree,
    runs: Tree,
    events: Events,
    meta: Tree,
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

impl Store {
    /// Opens the database in `path`, making it where there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(path)
            .mode(Mode::LowSpace)
            .cache_capacity(CACHE_BYTES)
            // Every commit is flushed: nobody needs to be woken for it.
            .flush_every_ms(None);
        let open = || {
            let db = config.open()?;
            let (apps, slots) = (db.open_tree("apps")?, db.open_tree("slots")?);
            let (runs, meta) = (db.open_tree("runs")?, db.open_tree("meta")?);
            let events = Events::new(db.open_tree("events")?);
            Ok(Self {
                path: path.to_owned(),
                db,
                apps,
                slots,
                runs,
                events,
                meta,
            })
        };
        let store = open().map_err(|source| StoreError::Open {
            path: path.to_owned(),
            source,
        })?;
        let is_empty = store.meta.get("boot").map_err(StoreError::Read)?.is_none();
        // A database that lost its pages opens as an empty one.
        if is_empty && path.join(WRITTEN).exists() {
            return Err(StoreError::Damaged {
                path: path.to_owned(),
            });
        }
        Ok(store)
    }

    /// Reads everything.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        let mut bad = Vec::new();
        let mut last_runs = BTreeMap::new();
        for entry in &self.runs {
            let (key, value) = entry.map_err(StoreError::Read)?;
            match record::run_number(&key, &value) {
                Ok((slot, run)) => drop(last_runs.insert(slot, run)),
                Err(record) => bad.push(record),
            }
        }
        let mut apps = BTreeMap::new();
        for entry in &self.apps {
            let (key, value) = entry.map_err(StoreError::Read)?;
            match record::app(&key, &value) {
                Ok(app) => drop(apps.insert(AppKey::of(&app.spec), app)),
                Err(record) => bad.push(record),
            }
        }
        for entry in &self.slots {
            let (key, value) = entry.map_err(StoreError::Read)?;
            bad.extend(add_slot(&mut apps, &key, &value).err());
        }
        let boot_id = self.meta.get("boot").map_err(StoreError::Read)?;
        let boot_id = boot_id
            .map(|id| String::from_utf8_lossy(&id).into_owned())
            .unwrap_or_default();
        Ok(Loaded {
            fleet: Fleet::restore(apps, last_runs),
            boot_id,
            bad,
        })
    }

    /// Remembers the boot that records are written in from now on.
    pub fn set_boot(&self, boot_id: &str) -> Result<(), StoreError> {
        self.meta
            .insert("boot", boot_id)
            .map_err(StoreError::Write)?;
        self.flush()?;
        // Nothing is lost without it but the difference between a new state and a damaged one.
        if let Err(error) = std::fs::write(self.path.join(WRITTEN), "") {
            tracing::warn!(%error, "cannot mark the state as written");
        }
        Ok(())
    }

    /// What happened.
    #[must_use]
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// Writes what changed in `fleet`, and what is to be told of it; returns when it is on disk. Blocks for about a
    /// millisecond.
    pub fn commit(
        &self,
        fleet: &Fleet,
        changes: &Changes,
        events: &[Event],
    ) -> Result<(), StoreError> {
        if changes.is_clean() && events.is_empty() {
            return Ok(());
        }
        let (mut apps, mut slots, mut runs) =
            (Batch::default(), Batch::default(), Batch::default());
        for key in &changes.apps {
            match fleet.app(key) {
                Some(app) => apps.insert(key.to_string().as_bytes(), record::of_app(app)),
                None => apps.remove(key.to_string().as_bytes()),
            }
        }
        for key in &changes.slots {
            let name = key.to_string();
            match fleet.slot(key) {
                Some(slot) => {
                    slots.insert(name.as_bytes(), record::of_slot(slot));
                    runs.insert(name.as_bytes(), record::of_run_number(slot.machine.run()));
                }
                None => slots.remove(name.as_bytes()),
            }
        }
        // Numbers first and apps before their slots: torn between them, no number is lost and no slot is without an app.
        let write = || {
            self.runs.apply_batch(runs)?;
            self.apps.apply_batch(apps)?;
            self.slots.apply_batch(slots)?;
            self.events.add(events)
        };
        write().map_err(StoreError::Write)?;
        self.flush()
    }

    /// Lets every later write of a slot fail, as on a full disk.
    #[cfg(test)]
    pub(crate) fn refuse_slots(&self) {
        self.db.drop_tree("slots").expect("it is there");
    }

    /// Returns when everything written is on disk.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(drop).map_err(StoreError::Write)
    }
}

fn add_slot(apps: &mut BTreeMap<AppKey, App>, key: &[u8], value: &[u8]) -> Result<(), BadRecord> {
    let name: SlotKey = record::slot_key(key)?;
    let Some(app) = apps.get_mut(&name.app) else {
        return Err(BadRecord::orphan(&name));
    };
    let slot = record::slot(&name, value, &app.spec)?;
    app.slots.insert(name.instance, slot);
    Ok(())
}

#[cfg(test)]
mod tests;
