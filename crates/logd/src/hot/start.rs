//! Where a stream begins since it was flushed: a mark beside its segments.
//!
//! ```text
//! out.start   "ecostrt1"  offset: u64        16 bytes, little-endian
//!
//! segment     ├░░░░░ a hole ░░░░░░┼──── bytes ────┤  grows ──▶
//!                                 ▲ out.start
//! ```
//!
//! Invariants
//! - The mark is on disk before a byte before it is given back, and it never goes back.
//! - So bytes are as they were written if a mark that is looked at after they were read lies before them.
//! - A mark that is none is no mark: it is replaced as a whole, so that only a stranger can have written it.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use super::{HotError, Place, present};

const SIZE: usize = 16;
const MAGIC: [u8; 8] = *b"ecostrt1";

/// Returns the offset before which everything was flushed; 0: nothing was.
pub(super) fn read(place: &Place) -> Result<u64, HotError> {
    let Some(file) = present(File::open(place.start()), || place.start())? else {
        return Ok(0);
    };
    let mut bytes = [0; SIZE];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => Ok(decode(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        Err(source) => Err(HotError::Read {
            path: place.start(),
            source,
        }),
    }
}

/// Has the stream begin at `offset`, and returns when that is on disk.
pub(super) fn write(place: &Place, offset: u64) -> Result<(), HotError> {
    let path = place.start();
    let new = path.with_extension("start.new");
    let written = || {
        let mut file = File::create(&new)?;
        file.write_all(&encode(offset))?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(place.folder())?.sync_all()
    };
    written().map_err(|source| HotError::Write {
        path: path.clone(),
        source,
    })
}

fn encode(offset: u64) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let (magic, number) = bytes.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    number.copy_from_slice(&offset.to_le_bytes());
    bytes
}

fn decode(bytes: [u8; SIZE]) -> u64 {
    bytes
        .split_first_chunk()
        .filter(|(magic, _)| **magic == MAGIC)
        .and_then(|(_, number)| Some(u64::from_le_bytes(*number.first_chunk()?)))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use eco_home::runs::Stream;

    use super::*;

    #[test]
    fn a_mark_is_found_again_and_junk_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::new(folder.path().to_owned(), Stream::Out);
        assert_eq!(read(&place).expect("read"), 0);
        for offset in [7, u64::MAX] {
            write(&place, offset).expect("written");
            assert_eq!(read(&place).expect("read"), offset);
        }
        for junk in [&b"ecostrt1"[..], b"not what you think it is"] {
            fs::write(place.start(), junk).expect("written");
            assert_eq!(read(&place).expect("read"), 0);
        }
    }
}
