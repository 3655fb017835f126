//! The database while it is open: its trees, what is read from them, and commits under a seal.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use eco_home::clock;
use sled::transaction::{ConflictableTransactionError, TransactionError, TransactionalTree};
use sled::{Db, Mode, Transactional as _, Tree};

use super::seal::{Seal, Witness, Witnessed};
use super::{BadRecord, Loaded, StoreError, events, record};
use crate::fleet::event::Event;
use crate::fleet::{App, AppKey, Changes, Fleet, SlotKey};

/// The key of the boot.
const BOOT: &str = "boot";
/// The key of the seal.
pub(super) const SEAL: &str = "seal";
/// The page cache: the state of thousands of slots is smaller.
const CACHE_BYTES: u64 = 8 << 20;

/// The open database.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    db: Db,
    apps: Tree,
    slots: Tree,
    runs: Tree,
    events: Tree,
    meta: Tree,
    witness: Witness,
}

/// A tree of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Runs,
    Apps,
    Slots,
    Events,
    Meta,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Runs,
        Self::Apps,
        Self::Slots,
        Self::Events,
        Self::Meta,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Apps => "apps",
            Self::Slots => "slots",
            Self::Events => "events",
            Self::Meta => "meta",
        }
    }
}

/// One record to write, or to take away.
pub(super) struct Write {
    pub(super) part: Part,
    pub(super) key: Vec<u8>,
    /// `None`: it goes.
    pub(super) value: Option<Vec<u8>>,
}

impl Database {
    /// Opens the database in `path`, making it where there is none.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(path)
            .mode(Mode::LowSpace)
            .cache_capacity(CACHE_BYTES)
            // Every commit is flushed: nobody needs to be woken for it.
            .flush_every_ms(None);
        let open = || {
            let db = config.open()?;
            let tree = |part: Part| db.open_tree(part.name());
            Ok(Self {
                path: path.to_owned(),
                apps: tree(Part::Apps)?,
                slots: tree(Part::Slots)?,
                runs: tree(Part::Runs)?,
                events: tree(Part::Events)?,
                meta: tree(Part::Meta)?,
                witness: Witness::new(path, clock::boot_id()),
                db,
            })
        };
        let opened = unwound(path, || {
            open().map_err(|source| StoreError::Open {
                path: path.to_owned(),
                source,
            })
        });
        let store = opened?;
        unwound(path, || store.verify())?;
        Ok(store)
    }

    pub(super) const fn tree(&self, part: Part) -> &Tree {
        match part {
            Part::Runs => &self.runs,
            Part::Apps => &self.apps,
            Part::Slots => &self.slots,
            Part::Events => &self.events,
            Part::Meta => &self.meta,
        }
    }

    /// Refuses what is not all that was written. What an earlier version wrote without a seal is sealed as it is.
    fn verify(&self) -> Result<(), StoreError> {
        let found = self.sum()?;
        let seal = self.meta.get(SEAL).map_err(|error| self.unread(error))?;
        let has_boot = self
            .meta
            .get(BOOT)
            .map_err(|error| self.unread(error))?
            .is_some();
        let witnessed = self
            .witness
            .read()
            .map_err(|source| self.witness_failed(source))?;
        let Some(seal) = seal else {
            return match witnessed {
                Witnessed::Sealed | Witnessed::UpTo(_) => {
                    Err(damaged(&self.path, "and nothing whole is left of it"))
                }
                Witnessed::Unsealed if !has_boot => {
                    Err(damaged(&self.path, "and nothing is left of it"))
                }
                Witnessed::Unsealed | Witnessed::Nothing => {
                    self.meta
                        .insert(SEAL, found.encode())
                        .map_err(|error| self.unwritten(error))?;
                    self.flush()?;
                    self.witness(found.generation);
                    Ok(())
                }
            };
        };
        let Some(seal) = Seal::decode(&seal) else {
            return Err(damaged(&self.path, "or a later version has written it"));
        };
        if !seal.agrees(&found) {
            return Err(damaged(&self.path, "and a part of it is missing"));
        }
        match witnessed {
            Witnessed::UpTo(generation) if seal.generation < generation => {
                Err(damaged(&self.path, "and the latest of it is missing"))
            }
            Witnessed::UpTo(_) | Witnessed::Sealed | Witnessed::Unsealed | Witnessed::Nothing => {
                Ok(())
            }
        }
    }

    /// What all records that are there come to.
    fn sum(&self) -> Result<Seal, StoreError> {
        let mut sum = Seal::default();
        for part in Part::ALL {
            for entry in self.tree(part) {
                let (key, value) = entry.map_err(|error| self.unread(error))?;
                if part != Part::Meta || key != SEAL.as_bytes() {
                    sum.add(part.name(), &key, &value);
                }
            }
        }
        Ok(sum)
    }

    /// Reads everything.
    pub(super) fn load(&self) -> Result<Loaded, StoreError> {
        let mut bad = Vec::new();
        let mut last_runs = BTreeMap::new();
        for entry in &self.runs {
            let (key, value) = entry.map_err(|error| self.unread(error))?;
            match record::run_number(&key, &value) {
                Ok((slot, run)) => drop(last_runs.insert(slot, run)),
                Err(record) => bad.push(record),
            }
        }
        let mut apps = BTreeMap::new();
        for entry in &self.apps {
            let (key, value) = entry.map_err(|error| self.unread(error))?;
            match record::app(&key, &value) {
                Ok(app) => drop(apps.insert(AppKey::of(&app.spec), app)),
                Err(record) => bad.push(record),
            }
        }
        for entry in &self.slots {
            let (key, value) = entry.map_err(|error| self.unread(error))?;
            bad.extend(add_slot(&mut apps, &key, &value).err());
        }
        let boot_id = self.meta.get(BOOT).map_err(|error| self.unread(error))?;
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
    pub(super) fn set_boot(&self, boot_id: &str) -> Result<(), StoreError> {
        self.write(&[Write {
            part: Part::Meta,
            key: BOOT.into(),
            value: Some(boot_id.into()),
        }])
    }

    /// What to tell where records cannot be read.
    pub(super) fn unread(&self, source: sled::Error) -> StoreError {
        StoreError::Read {
            path: self.path.clone(),
            source,
        }
    }

    fn unwritten(&self, source: sled::Error) -> StoreError {
        StoreError::Write {
            path: self.path.clone(),
            source,
        }
    }

    fn witness_failed(&self, source: std::io::Error) -> StoreError {
        StoreError::Witness {
            path: self.witness.path().to_owned(),
            source,
        }
    }

    /// The tree of events.
    pub(super) const fn events(&self) -> &Tree {
        &self.events
    }

    /// Writes what changed in `fleet`, and what is to be told of it; returns when it is on disk. Blocks for about a
    /// millisecond.
    pub(super) fn commit(
        &self,
        fleet: &Fleet,
        changes: &Changes,
        events: &[Event],
    ) -> Result<(), StoreError> {
        if changes.is_clean() && events.is_empty() {
            return Ok(());
        }
        let mut writes = Vec::new();
        let mut write = |part, key: &str, value| {
            let key = key.as_bytes().to_vec();
            writes.push(Write { part, key, value });
        };
        for key in &changes.apps {
            let record = fleet.app(key).map(record::of_app);
            write(Part::Apps, &key.to_string(), record);
        }
        for key in &changes.slots {
            let (name, slot) = (key.to_string(), fleet.slot(key));
            if let Some(slot) = slot {
                let number = record::of_run_number(slot.machine.run());
                write(Part::Runs, &name, Some(number));
            }
            write(Part::Slots, &name, slot.map(record::of_slot));
        }
        writes.extend(events::writes(&self.events, events).map_err(|error| self.unread(error))?);
        self.write(&writes)
    }

    /// Writes records and the seal over all of them, as a whole; returns when they are on disk.
    fn write(&self, writes: &[Write]) -> Result<(), StoreError> {
        let trees = (
            &self.runs,
            &self.apps,
            &self.slots,
            &self.events,
            &self.meta,
        );
        let written = trees.transaction(|(runs, apps, slots, events, meta)| {
            let seal = meta.get(SEAL)?.and_then(|seal| Seal::decode(&seal));
            let mut seal = seal.ok_or(ConflictableTransactionError::Abort(()))?;
            for Write { part, key, value } in writes {
                let tree: &TransactionalTree = match part {
                    Part::Runs => runs,
                    Part::Apps => apps,
                    Part::Slots => slots,
                    Part::Events => events,
                    Part::Meta => meta,
                };
                let old = match value {
                    Some(value) => tree.insert(key.as_slice(), value.as_slice())?,
                    None => tree.remove(key.as_slice())?,
                };
                if let Some(old) = old {
                    seal.remove(part.name(), key, &old);
                }
                if let Some(value) = value {
                    seal.add(part.name(), key, value);
                }
            }
            seal.generation += 1;
            meta.insert(SEAL, seal.encode())?;
            Ok(seal.generation)
        });
        let generation = written.map_err(|error| match error {
            TransactionError::Storage(error) => self.unwritten(error),
            TransactionError::Abort(()) => damaged(&self.path, "and its seal is missing"),
        })?;
        self.flush()?;
        self.witness(generation);
        Ok(())
    }

    /// Nothing is lost without it but what it would tell of a database that loses its latest records.
    fn witness(&self, generation: u64) {
        if let Err(error) = self.witness.write(generation) {
            tracing::debug!(%error, "cannot say how far the state was written");
        }
    }

    /// Lets every later write of a slot fail, as on a full disk.
    #[cfg(test)]
    pub(super) fn refuse_slots(&self) {
        self.db.drop_tree("slots").expect("it is there");
    }

    /// Returns when everything written is on disk.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.db
            .flush()
            .map(drop)
            .map_err(|error| self.unwritten(error))
    }
}

fn damaged(path: &Path, what: &'static str) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        what,
    }
}

/// A database that is damaged may break its own rules.
pub(super) fn unwound<T>(
    path: &Path,
    read: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let done = std::panic::catch_unwind(AssertUnwindSafe(read));
    done.unwrap_or_else(|_| Err(damaged(path, "and cannot be read")))
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
