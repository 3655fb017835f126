//! How far lines were copied to a file: what is written about it before anything is written to it.
//!
//! ```text
//! mirrors/<hash of the path>.0   .1      the two slots, written in turn
//!   "ecomirr1"  sequence: u64  length: u32  checksum: u32      24 bytes, little-endian
//!   JSON, `length` bytes: a Record
//! ```
//!
//! - The sound slot with the higher sequence counts. The checksum is the CRC-32 of the sequence and the JSON: a slot that
//!   was torn by a death is not sound, and the other one says what was so before. The first write goes to `.1`: where that is
//!   not sound and there is no `.0`, nothing was so before.
//! - A record is written **before** a batch of lines: it holds how long the file is and from where lines are to be read (the
//!   positions), and how long the batch is and from where lines are to be read after it. So the length of the file tells
//!   after a death whether the batch is in it, see [`resolve`].
//! - What stands behind the JSON is left of an older record, and means nothing.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use eco_home::runs::Stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::catalog::Slot;

const MAGIC: &[u8; 8] = b"ecomirr1";
const HEAD: usize = 24;

/// Which file it is, as the kernel tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl FileId {
    pub(super) fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// From where a stream is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct At {
    pub(super) offset: u64,
    /// What comes there goes on with a line that is begun in the file.
    pub(super) is_rest: bool,
}

/// A run that is being copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RunAt {
    pub(super) run: u64,
    pub(super) out: At,
    pub(super) err: At,
}

impl RunAt {
    pub(super) const fn of(&mut self, stream: Stream) -> &mut At {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }
}

/// An instance whose lines are copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SlotAt {
    pub(super) host: String,
    pub(super) environment: String,
    pub(super) app: String,
    pub(super) instance: u32,
    /// Of runs below this nothing is to be copied any more.
    pub(super) below: u64,
    /// Later ones that are begun; others begin at their first byte.
    pub(super) runs: Vec<RunAt>,
}

impl SlotAt {
    fn is(&self, slot: &Slot) -> bool {
        self.instance == slot.instance
            && self.app == slot.app
            && self.environment == slot.environment
            && self.host == slot.host
    }
}

/// From where all streams are to be read that go to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Positions(pub(super) Vec<SlotAt>);

impl Positions {
    pub(super) fn slot(&mut self, slot: &Slot) -> Option<&mut SlotAt> {
        self.0.iter_mut().find(|one| one.is(slot))
    }

    /// Adds an instance of which runs below `below` are not meant, and of one from somewhere on.
    pub(super) fn add(&mut self, slot: &Slot, below: u64, begun: Option<RunAt>) {
        self.0.push(SlotAt {
            host: slot.host.clone(),
            environment: slot.environment.clone(),
            app: slot.app.clone(),
            instance: slot.instance,
            below,
            runs: begun.into_iter().collect(),
        });
    }

    /// Keeps the instances that are still meant.
    pub(super) fn retain(&mut self, is_meant: impl Fn(&Slot) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|one| {
            is_meant(&Slot {
                host: one.host.clone(),
                environment: one.environment.clone(),
                app: one.app.clone(),
                instance: one.instance,
            })
        });
        self.0.len() < before
    }

    /// Where a stream is; `None`: the run is over for this file.
    pub(super) fn at(&mut self, slot: &Slot, run: u64, stream: Stream) -> Option<At> {
        let slot = self.slot(slot)?;
        if run < slot.below {
            return None;
        }
        let begun = slot.runs.iter_mut().find(|one| one.run == run);
        Some(begun.map_or_else(At::default, |begun| *begun.of(stream)))
    }

    pub(super) fn set(&mut self, slot: &Slot, run: u64, stream: Stream, at: At) {
        let Some(slot) = self.slot(slot) else {
            return;
        };
        if !slot.runs.iter().any(|one| one.run == run) {
            slot.runs.push(RunAt {
                run,
                ..RunAt::default()
            });
        }
        for begun in slot.runs.iter_mut().filter(|one| one.run == run) {
            *begun.of(stream) = at;
        }
    }

    /// Nothing will come of runs below `below`.
    pub(super) fn end_below(&mut self, slot: &Slot, below: u64) -> bool {
        let Some(slot) = self.slot(slot).filter(|slot| slot.below < below) else {
            return false;
        };
        slot.below = below;
        slot.runs.retain(|one| one.run >= below);
        true
    }
}

/// A batch that is about to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) bytes: u64,
    pub(super) positions: Positions,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) path: PathBuf,
    /// `None`: it is not made yet.
    pub(super) file: Option<FileId>,
    pub(super) length: u64,
    /// When it was begun, unix ns.
    pub(super) began: u64,
    pub(super) positions: Positions,
    pub(super) pending: Option<Pending>,
}

impl Record {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            length: 0,
            began: 0,
            positions: Positions::default(),
            pending: None,
        }
    }
}

/// What a record and the length of its file (`None`: it is nowhere to be found) mean: whether the batch is in the file,
/// and what is to be cut off first.
///
/// A file that is shorter than it was before the batch was made shorter by others, and nobody knows whether the batch went
/// with it: it is written again, since a line too many is better than one too few.
pub(super) fn resolve(record: &mut Record, length: Option<u64>) -> Option<u64> {
    let pending = record.pending.take()?;
    let length = length?;
    if length >= record.length + pending.bytes {
        record.length += pending.bytes;
        record.positions = pending.positions;
        return None;
    }
    (length > record.length).then_some(record.length)
}

/// What was kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept<T> {
    /// There is none.
    Nothing,
    /// There is something, and nobody can read it.
    Damaged,
    /// This.
    Sound(T),
}

/// Where something is kept that must survive a death at any moment: two files, written in turn.
#[derive(Debug)]
pub(super) struct Slots {
    stem: PathBuf,
    sequence: u64,
}

impl Slots {
    /// Nothing is known of what is kept at `stem`.
    pub(super) const fn new(stem: PathBuf) -> Self {
        Self { stem, sequence: 0 }
    }

    /// Opens what is kept at `stem`, and tells what it holds.
    pub(super) fn open<T: DeserializeOwned>(stem: PathBuf) -> io::Result<(Self, Kept<T>)> {
        let mut slots = Self::new(stem);
        let mut found = Kept::Nothing;
        let mut was_written_twice = false;
        for number in 0..2 {
            let bytes = match std::fs::read(slots.path(number)) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            was_written_twice |= number == 0;
            if let Some((sequence, value)) = decode(&bytes)
                && sequence >= slots.sequence
            {
                slots.sequence = sequence;
                found = Kept::Sound(value);
            } else if matches!(found, Kept::Nothing) {
                found = Kept::Damaged;
            }
        }
        if matches!(found, Kept::Damaged) && !was_written_twice {
            // A death within the very first write: nothing was to be known yet.
            found = Kept::Nothing;
        }
        Ok((slots, found))
    }

    /// Writes `value`; the one before it stays until this one is whole.
    pub(super) fn write<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let bytes = encode(self.sequence + 1, value)?;
        let path = self.path((self.sequence + 1) % 2);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        file.write_all_at(&bytes, 0)?;
        self.sequence += 1;
        Ok(())
    }

    /// Removes it.
    pub(super) fn remove(self) -> io::Result<()> {
        for number in 0..2 {
            match std::fs::remove_file(self.path(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn path(&self, number: u64) -> PathBuf {
        let mut path = self.stem.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }
}

fn encode<T: Serialize>(sequence: u64, value: &T) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(value)?;
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(HEAD + json.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&sequence.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(sequence, &json).to_le_bytes());
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<(u64, T)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let sequence = u64::from_le_bytes(*sequence);
    let json = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    if checksum(sequence, json) != u32::from_le_bytes(*sum) {
        return None;
    }
    Some((sequence, serde_json::from_slice(json).ok()?))
}

fn checksum(sequence: u64, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&sequence.to_le_bytes());
    hasher.update(json);
    hasher.finalize()
}

/// The name under which what is known of a file is kept: FNV-1a of its path, 64 bits. The record says the path itself.
pub(super) fn name(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let hash = path
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(instance: u32) -> Slot {
        Slot {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance,
        }
    }

    fn at(offset: u64) -> At {
        At {
            offset,
            is_rest: false,
        }
    }

    #[test]
    fn a_run_that_is_not_begun_is_read_from_its_first_byte_and_one_that_is_over_is_not() {
        let mut positions = Positions::default();
        positions.add(&slot(0), 3, None);
        positions.set(&slot(0), 4, Stream::Err, at(7));
        let mut of = |run, stream| positions.at(&slot(0), run, stream);
        assert_eq!(of(2, Stream::Out), None);
        assert_eq!(of(3, Stream::Out), Some(at(0)));
        assert_eq!(of(4, Stream::Err), Some(at(7)));
        assert_eq!(of(4, Stream::Out), Some(at(0)));
        assert!(positions.end_below(&slot(0), 5));
        assert!(!positions.end_below(&slot(0), 5));
        assert_eq!(positions.at(&slot(0), 4, Stream::Err), None);
        assert_eq!(positions.at(&slot(1), 9, Stream::Err), None);
    }

    #[test]
    fn the_length_of_the_file_tells_whether_a_batch_is_in_it() {
        let mut after = Positions::default();
        after.add(&slot(0), 1, None);
        let mut record = Record::new(Path::new("/x"));
        record.length = 100;
        record.pending = Some(Pending {
            bytes: 10,
            positions: after.clone(),
        });
        for (length, is_in, cut) in [
            (Some(100), false, None),
            (Some(105), false, Some(100)),
            (Some(110), true, None),
            (Some(120), true, None),
            (Some(5), false, None),
            (None, false, None),
        ] {
            let mut record = record.clone();
            assert_eq!(resolve(&mut record, length), cut, "{length:?}");
            assert_eq!(record.positions == after, is_in, "{length:?}");
            assert_eq!(record.length, if is_in { 110 } else { 100 });
            assert_eq!(record.pending, None);
        }
    }

    #[test]
    fn a_death_within_the_first_write_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let stem = folder.path().join("x");
        let mut slots = Slots::new(stem.clone());
        slots.write(&"one").expect("written");
        let first = slots.path(1);
        let whole = std::fs::read(&first).expect("the first write goes there");
        for length in 0..whole.len() {
            std::fs::write(&first, whole.get(..length).expect("shorter")).expect("written");
            let (_, found) = Slots::open::<String>(stem.clone()).expect("opened");
            assert_eq!(found, Kept::Nothing, "{length}");
        }
    }

    #[test]
    fn a_torn_or_damaged_slot_leaves_what_was_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let stem = folder.path().join("x");
        let (mut slots, found) = Slots::open::<String>(stem.clone()).expect("opened");
        assert_eq!(found, Kept::Nothing);
        for text in ["one", "a longer two", "3"] {
            slots.write(&text).expect("written");
            let (_, found) = Slots::open::<String>(stem.clone()).expect("opened");
            assert_eq!(found, Kept::Sound(text.to_owned()));
        }
        let last = slots.path(slots.sequence % 2);
        let whole = std::fs::read(&last).expect("there");
        for length in 0..HEAD + 3 {
            std::fs::write(&last, whole.get(..length).expect("shorter")).expect("written");
            let (_, found) = Slots::open::<String>(stem.clone()).expect("opened");
            assert_eq!(found, Kept::Sound("a longer two".to_owned()), "{length}");
        }
        for index in 0..HEAD + 3 {
            let mut bytes = whole.clone();
            bytes[index] ^= 1;
            std::fs::write(&last, bytes).expect("written");
            let (_, found) = Slots::open::<String>(stem.clone()).expect("opened");
            assert_eq!(found, Kept::Sound("a longer two".to_owned()), "{index}");
        }
        for number in 0..2 {
            std::fs::write(slots.path(number), "junk").expect("written");
        }
        let (_, found) = Slots::open::<String>(stem).expect("opened");
        assert_eq!(found, Kept::Damaged);
        slots.remove().expect("removed");
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0);
    }
}
