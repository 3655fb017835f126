//! Whether the records that are there are all that were written.
//!
//! A database whose file was damaged opens as an empty one, as an older one, or with a part of its records, and says nothing.
//! So each commit writes a seal over all records with them, and tells a file beside the database how far it came.
//!
//! ```text
//! meta "seal"      u8 version · u64 generation · u64 sum · u64 count      of all other records, little-endian
//! eco-written      boot id, a blank, generation, a newline                the last that was flushed
//! ```
//!
//! - The seal is written in one transaction with what it seals: it holds after any death of the agent.
//! - The sum is that of the records' hashes, so that a commit costs what it changes and not what there is.
//! - The file is never ahead of the database while the host lives. A host that lost its power may have kept either, so that
//!   it counts in its own boot alone. It is empty where an earlier version wrote it.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The file that says that there has been a state.
const WRITTEN: &str = "eco-written";
/// The version of a seal's form.
const VERSION: u8 = 1;

/// What all records come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seal {
    /// Commits so far.
    pub(super) generation: u64,
    sum: u64,
    count: u64,
}

impl Seal {
    /// Takes a record in.
    pub(super) fn add(&mut self, tree: &str, key: &[u8], value: &[u8]) {
        self.sum = self.sum.wrapping_add(hash(tree, key, value));
        self.count = self.count.wrapping_add(1);
    }

    /// Leaves a record out that was taken in.
    pub(super) fn remove(&mut self, tree: &str, key: &[u8], value: &[u8]) {
        self.sum = self.sum.wrapping_sub(hash(tree, key, value));
        self.count = self.count.wrapping_sub(1);
    }

    /// Whether both are of the same records.
    pub(super) const fn agrees(&self, other: &Self) -> bool {
        self.sum == other.sum && self.count == other.count
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for number in [self.generation, self.sum, self.count] {
            bytes.extend(number.to_le_bytes());
        }
        bytes
    }

    /// `None`: it is no seal of this version.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (numbers, []) = rest.as_chunks::<8>() else {
            return None;
        };
        let [generation, sum, count] = *numbers else {
            return None;
        };
        Some(Self {
            generation: u64::from_le_bytes(generation),
            sum: u64::from_le_bytes(sum),
            count: u64::from_le_bytes(count),
        })
    }
}

/// FNV-1a, whose values are the same in every version of everything. Lengths keep a key and its value apart.
fn hash(tree: &str, key: &[u8], value: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut take = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for part in [tree.as_bytes(), key, value] {
        take(part);
        take(&part.len().to_le_bytes());
    }
    hash
}

/// The file beside the database.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    path: PathBuf,
    boot_id: String,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witnessed {
    /// There has been no state.
    Nothing,
    /// There has been a state of a version that sealed nothing.
    Unsealed,
    /// There has been a sealed state.
    Sealed,
    /// There has been a sealed state, and what was flushed in this boot came so far.
    UpTo(u64),
}

impl Witness {
    /// That of the database in `folder`, on a host that runs in the boot `boot_id`.
    pub(super) fn new(folder: &Path, boot_id: String) -> Self {
        Self {
            path: folder.join(WRITTEN),
            boot_id,
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What was written last. Noise is taken for what no boot says.
    pub(super) fn read(&self) -> io::Result<Witnessed> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Witnessed::Nothing);
            }
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut words = text.split_whitespace();
        Ok(match (words.next(), words.next().map(str::parse)) {
            (None, _) => Witnessed::Unsealed,
            (Some(boot_id), Some(Ok(generation))) if boot_id == self.boot_id => {
                Witnessed::UpTo(generation)
            }
            (Some(_), _) => Witnessed::Sealed,
        })
    }

    /// Writes that everything up to `generation` is on disk.
    pub(super) fn write(&self, generation: u64) -> io::Result<()> {
        let text = format!("{} {generation:020}\n", self.boot_id);
        OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?
            .write_all_at(text.as_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Record = (Vec<u8>, Vec<u8>);

    fn of(records: &[Record]) -> Seal {
        let mut seal = Seal::default();
        for (key, value) in records {
            seal.add("apps", key, value);
        }
        seal
    }

    proptest! {
        #[test]
        fn the_order_of_commits_is_all_one_and_what_was_taken_away_leaves_no_trace(
            records: Vec<Record>, gone: Vec<Record>
        ) {
            let mut seal = of(&gone);
            for (key, value) in records.iter().rev() {
                seal.add("apps", key, value);
            }
            for (key, value) in &gone {
                seal.remove("apps", key, value);
            }
            prop_assert!(seal.agrees(&of(&records)));
            prop_assert_eq!(Seal::decode(&seal.encode()), Some(seal));
        }

        #[test]
        fn a_record_less_is_seen(records in proptest::collection::vec(any::<Record>(), 1..9)) {
            let fewer = records.split_last().expect("one at least").1;
            prop_assert!(!of(fewer).agrees(&of(&records)));
        }
    }

    #[test]
    fn a_record_of_another_tree_or_cut_elsewhere_is_another() {
        let hashes = [
            hash("apps", b"ab", b"c"),
            hash("apps", b"a", b"bc"),
            hash("slots", b"ab", b"c"),
        ];
        assert!(
            hashes
                .iter()
                .enumerate()
                .all(|(at, one)| !hashes[..at].contains(one))
        );
    }

    #[test]
    fn the_file_counts_in_its_own_boot() {
        let folder = tempfile::tempdir().expect("made");
        let witness = |boot: &str| Witness::new(folder.path(), boot.to_owned());
        let read = |boot: &str| witness(boot).read().expect("readable");
        assert_eq!(read("one"), Witnessed::Nothing);
        fs::write(folder.path().join(WRITTEN), "").expect("written");
        assert_eq!(read("one"), Witnessed::Unsealed);
        for generation in [7, 12] {
            witness("one").write(generation).expect("written");
            assert_eq!(read("one"), Witnessed::UpTo(generation));
        }
        assert_eq!(read("two"), Witnessed::Sealed);
        for noise in [&b"noise"[..], &[0xff, 0xfe, 0x20, 0x80]] {
            fs::write(folder.path().join(WRITTEN), noise).expect("written");
            assert_eq!(read("one"), Witnessed::Sealed);
        }
    }
}
