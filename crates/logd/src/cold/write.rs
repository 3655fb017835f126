//! Sealing: a segment's bytes and notes in, the file of [`super`] out. Knows nothing of where either is.

use std::io::{self, Read, Write};
use std::iter::Peekable;

use eco_home::notes::Note;
use eco_home::sealed::{Head, SIZE};
use zstd::bulk::Compressor;

use super::block::{Block, HEAD, RAW, pack};
use super::tail::Tail;

/// Bytes of text after which a block ends. Tests have many of them.
const FULL: usize = if cfg!(all(test, debug_assertions)) {
    48
} else {
    RAW
};
/// How hard to pack: the level from which on it takes more time than it saves room.
const LEVEL: i32 = 3;
/// Writes the sealed form of a segment to `out`: of the bytes that `text` gives, as many as `head` says, and when they came.
pub fn seal(
    out: impl Write,
    head: Head,
    text: impl Read,
    notes: impl Iterator<Item = io::Result<Note>>,
) -> io::Result<()> {
    let mut packer = Compressor::new(LEVEL)?;
    packer.include_contentsize(true)?;
    packer.include_checksum(true)?;
    let mut writer = Writer {
        out,
        head,
        packer,
        at: SIZE as u64,
        blocks: Vec::new(),
        notes: notes.peekable(),
        packed: Packed::default(),
    };
    writer.out.write_all(&head.encode())?;
    writer.blocks(text)?;
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
    /// Where the next block comes in the file.
    at: u64,
    blocks: Vec<u8>,
    notes: Peekable<N>,
    packed: Packed,
}

impl<W: Write, N: Iterator<Item = io::Result<Note>>> Writer<W, N> {
    fn blocks(&mut self, mut text: impl Read) -> io::Result<()> {
        let mut offset = self.head.base;
        let mut buffer = Vec::with_capacity(FULL);
        while offset < self.head.end {
            let left = self.head.end - offset;
            let room = (FULL as u64).min(left) - buffer.len() as u64;
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
            self.block(offset, block)?;
            offset += cut as u64;
            buffer.drain(..cut);
        }
        Ok(())
    }

    fn block(&mut self, offset: u64, text: &[u8]) -> io::Result<()> {
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
            notes: size(packed_notes.len())?,
            text: size(packed_text.len())?,
            told: size(notes.len())?,
            sum: sum.finalize(),
            at: self.at,
        };
        let head = block.encode();
        self.out.write_all(&head)?;
        self.out.write_all(packed_notes)?;
        self.out.write_all(packed_text)?;
        self.blocks.extend_from_slice(&head);
        self.at = block.next_at();
        Ok(())
    }

    /// The notes about the bytes of a block; the last one ends with it.
    fn notes_until(&mut self, offset: u64, end: u64) -> io::Result<Vec<Note>> {
        let mut notes: Vec<Note> = Vec::new();
        loop {
            let told = notes.last().map_or(offset, |note| note.end);
            if told >= end {
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
                    if note.end > told {
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
        let tail = Tail {
            head: self.head,
            index: self.at,
            blocks: size(self.blocks.len() / HEAD)?,
            index_sum: crc32fast::hash(&self.blocks),
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
