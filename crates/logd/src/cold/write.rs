//! Sealing: a segment's bytes and notes in, the file of [`super`] out. Knows nothing of where either is.

use std::io::{self, Read, Write};
use std::iter::Peekable;

use eco_home::notes::Note;
use eco_home::sealed::{Head, SIZE};
use zstd::bulk::Compressor;

use super::block::{Block, Border, HEAD, RAW, pack};
use super::filter::{Builder, DIRECTORY};
use super::tail::Tail;

/// How hard to pack: the level from which on it takes more time than it saves room.
const LEVEL: i32 = 3;
/// Segments with less text have no filter: they are read as fast.
const FILTERED: u64 = 128 << 10;

/// Tells which levels records that begin in these lines may have: a bit for each, see [`super`].
pub type Levels = fn(&[u8]) -> u8;

/// What is said of levels where nobody looks: all of them may be there.
#[must_use]
pub const fn all_levels(_: &[u8]) -> u8 {
    u8::MAX
}

/// Writes the sealed form of a segment to `out`: of the bytes that `text` gives, as many as `head` says, and when they came.
/// `begins_within`: its first byte goes on with a line of the segment before.
pub fn seal(
    out: impl Write,
    head: Head,
    begins_within: bool,
    text: impl Read,
    notes: impl Iterator<Item = io::Result<Note>>,
    levels: Levels,
) -> io::Result<()> {
    let mut packer = Compressor::new(LEVEL)?;
    packer.include_contentsize(true)?;
    packer.include_checksum(true)?;
    let is_filtered = head.end - head.base >= FILTERED;
    let mut writer = Writer {
        out,
        head,
        packer,
        levels,
        at: SIZE as u64,
        blocks: Vec::new(),
        filter: is_filtered.then(Builder::new),
        notes: notes.peekable(),
        packed: Packed::default(),
    };
    writer.out.write_all(&head.encode())?;
    writer.blocks(begins_within, text)?;
    writer.finish()
}

/// The last block's parts.
#[derive(Default)]
struct Packed {
    varints: Vec<u8>,
    notes: Vec<u8>,
    text: Vec<u8>,
}

struct Writer<W, N: Iterator<Item = io::Result<Note>>> {
    out: W,
    head: Head,
    packer: Compressor<'static>,
    levels: Levels,
    /// Where the next block comes in the file.
    at: u64,
    blocks: Vec<u8>,
    filter: Option<Builder>,
    notes: Peekable<N>,
    packed: Packed,
}

impl<W: Write, N: Iterator<Item = io::Result<Note>>> Writer<W, N> {
    fn blocks(&mut self, mut begins_within: bool, mut text: impl Read) -> io::Result<()> {
        let mut offset = self.head.base;
        let mut buffer = Vec::with_capacity(RAW);
        while offset < self.head.end {
            let left = self.head.end - offset;
            let room = (RAW as u64).min(left) - buffer.len() as u64;
            let got = text.by_ref().take(room).read_to_end(&mut buffer)?;
            if (got as u64) < room {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let is_last = buffer.len() as u64 == left;
            let newline = buffer.iter().rposition(|byte| *byte == b'\n');
            let cut = match newline {
                Some(newline) if !is_last => newline + 1,
                Some(_) | None => buffer.len(),
            };
            let (block, _) = buffer.split_at(cut);
            let ends_within = block.last() != Some(&b'\n');
            let border = Border {
                begins_within,
                ends_within,
            };
            self.block(offset, block, border)?;
            begins_within = ends_within;
            offset += cut as u64;
            buffer.drain(..cut);
        }
        Ok(())
    }

    fn block(&mut self, offset: u64, text: &[u8], border: Border) -> io::Result<()> {
        let end = offset + text.len() as u64;
        let notes = self.notes_until(offset, end)?;
        let times = || notes.iter().map(|note| note.time);
        let Packed {
            varints,
            notes: packed_notes,
            text: packed_text,
        } = &mut self.packed;
        varints.clear();
        pack(offset, &notes, varints);
        compress(&mut self.packer, varints, packed_notes)?;
        compress(&mut self.packer, text, packed_text)?;
        let mut sum = crc32fast::Hasher::new();
        sum.update(packed_notes);
        sum.update(packed_text);
        let block = Block {
            offset,
            earliest: times().min().unwrap_or(0),
            latest: times().max().unwrap_or(0),
            length: size(text.len())?,
            lines: size(newlines(text))?,
            levels: (self.levels)(text),
            border,
            notes: size(packed_notes.len())?,
            text: size(packed_text.len())?,
            noted: size(notes.len())?,
            sum: sum.finalize(),
            at: self.at,
        };
        let head = block.encode();
        self.out.write_all(&head)?;
        self.out.write_all(packed_notes)?;
        self.out.write_all(packed_text)?;
        self.blocks.extend_from_slice(&head);
        self.at = block.next_at();
        if let Some(filter) = &mut self.filter {
            filter.add(text);
        }
        Ok(())
    }

    /// The notes about the bytes of a block; the last one ends with it.
    fn notes_until(&mut self, offset: u64, end: u64) -> io::Result<Vec<Note>> {
        let mut notes: Vec<Note> = Vec::new();
        loop {
            let noted = notes.last().map_or(offset, |note| note.end);
            if noted >= end {
                return Ok(notes);
            }
            let next = match self.notes.peek() {
                Some(Ok(note)) => Some(*note),
                Some(Err(_)) => self.notes.next().transpose()?,
                None => None,
            };
            match next {
                Some(note) if note.end <= end => {
                    self.notes.next();
                    // A mark of what was flushed, and what is before it.
                    if note.end > noted {
                        notes.push(note);
                    }
                }
                next => {
                    let time = next.map_or(self.head.changed, |note| note.time);
                    notes.push(Note { end, time });
                }
            }
        }
    }

    fn finish(mut self) -> io::Result<()> {
        self.out.write_all(&self.blocks)?;
        let filter = match self.filter {
            Some(filter) => filter.finish(&mut self.packer)?,
            None => Vec::new(),
        };
        self.out.write_all(&filter)?;
        let directory = filter.get(..DIRECTORY).unwrap_or_default();
        let tail = Tail {
            head: self.head,
            index: self.at,
            blocks: size(self.blocks.len() / HEAD)?,
            index_sum: crc32fast::hash(&self.blocks),
            filter: size(filter.len())?,
            directory_sum: crc32fast::hash(directory),
        };
        self.out.write_all(&tail.encode())?;
        self.out.flush()
    }
}

fn compress(packer: &mut Compressor<'_>, bytes: &[u8], into: &mut Vec<u8>) -> io::Result<()> {
    into.clear();
    into.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
    packer.compress_to_buffer(bytes, into)?;
    Ok(())
}

fn size(length: usize) -> io::Result<u32> {
    u32::try_from(length).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

fn newlines(text: &[u8]) -> usize {
    // Sums of bytes over short parts are what the compiler makes vector code of.
    let count = |part: &[u8]| {
        part.iter()
            .fold(0_u8, |sum, byte| sum + u8::from(*byte == b'\n'))
    };
    text.chunks(255).map(|part| usize::from(count(part))).sum()
}
