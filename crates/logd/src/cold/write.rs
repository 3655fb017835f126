//! Sealing: a segment's bytes and notes in, the file of [`super`] out. Knows nothing of where either is.

use std::io::{self, Read, Write};
use std::iter::Peekable;

use eco_home::notes::Note;
use eco_home::sealed::{Head, SIZE};
use zstd::bulk::Compressor;

use super::block::{ANY_LEVEL, BEGINS_RECORD, Block, HEAD, IS_JOINED, RAW, pack};
use super::filter;
use super::grams::{Bits, Grams, REACH};
use super::tail::Tail;
use crate::record;

/// Bytes of text after which a block ends. Tests have many of them.
const FULL: usize = if cfg!(all(test, debug_assertions)) {
    48
} else {
    RAW
};
/// How hard to pack: the level from which on it takes more time than it saves room.
const LEVEL: i32 = 1;
/// Lines at the end of a block among which one is looked for that begins a record.
const LINES: usize = 64;

/// Writes the sealed form of a segment to `out`: of the bytes that `text` gives, as many as `head` says, and when they came.
/// `before` is what stands before them in the stream, its last [`REACH`] bytes or all of it; `None`: that is not known.
pub fn seal(
    out: impl Write,
    head: Head,
    text: impl Read,
    notes: impl Iterator<Item = io::Result<Note>>,
    before: Option<&[u8]>,
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
        grams: Vec::new(),
        notes: notes.peekable(),
        packed: Packed::default(),
        tail: before.unwrap_or_default().to_vec(),
    };
    writer.out.write_all(&head.encode())?;
    let first = match before {
        Some(_) if head.base == 0 => Start {
            is_line: true,
            borders: BEGINS_RECORD | IS_JOINED,
        },
        Some(before) => Start {
            is_line: before.ends_with(b"\n"),
            borders: IS_JOINED,
        },
        None => Start {
            is_line: false,
            borders: 0,
        },
    };
    writer.blocks(text, first)?;
    writer.finish()
}

/// How a block begins.
#[derive(Clone, Copy)]
struct Start {
    /// Whether a line begins with it, as far as that is known.
    is_line: bool,
    borders: u8,
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
    /// The grams of the blocks so far.
    grams: Vec<Box<Bits>>,
    /// The last bytes before the next block.
    tail: Vec<u8>,
}

impl<W: Write, N: Iterator<Item = io::Result<Note>>> Writer<W, N> {
    fn blocks(&mut self, mut text: impl Read, first: Start) -> io::Result<()> {
        let mut offset = self.head.base;
        let mut start = first;
        let mut buffer = Vec::with_capacity(FULL);
        while offset < self.head.end {
            let left = self.head.end - offset;
            let room = (FULL as u64).min(left) - buffer.len() as u64;
            let got = text.by_ref().take(room).read_to_end(&mut buffer)?;
            if (got as u64) < room {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let is_last = buffer.len() as u64 == left;
            let (cut, next) = if is_last {
                (buffer.len(), start)
            } else {
                cut(&buffer, start.is_line)
            };
            let (block, _) = buffer.split_at(cut);
            self.block(offset, block, start)?;
            start = next;
            offset += cut as u64;
            buffer.drain(..cut);
        }
        Ok(())
    }

    fn block(&mut self, offset: u64, text: &[u8], start: Start) -> io::Result<()> {
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
            levels: if start.is_line && text.ends_with(b"\n") {
                record::bits(text)
            } else {
                ANY_LEVEL
            },
            borders: start.borders,
            at: self.at,
        };
        let head = block.encode();
        self.out.write_all(&head)?;
        self.out.write_all(packed_notes)?;
        self.out.write_all(packed_text)?;
        self.blocks.extend_from_slice(&head);
        self.at = block.next_at();
        self.put_down(text);
        Ok(())
    }

    /// Puts down which grams end in a block.
    fn put_down(&mut self, text: &[u8]) {
        let mut grams = Grams::new();
        grams.add(text);
        let begin = text.get(..REACH).unwrap_or(text);
        self.tail.extend_from_slice(begin);
        grams.add(&self.tail);
        self.tail
            .extend_from_slice(text.get(begin.len()..).map(last).unwrap_or_default());
        let gone = self.tail.len() - last(&self.tail).len();
        self.tail.drain(..gone);
        self.grams.push(grams.bits);
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
        let filter = filter::make(self.grams);
        let scale = filter.as_ref().map_or(0, |(shape, _)| shape.scale());
        if let Some((_, bytes)) = filter {
            self.out.write_all(&bytes)?;
        }
        let tail = Tail {
            head: self.head,
            index: self.at,
            blocks: size(self.blocks.len() / HEAD)?,
            index_sum: crc32fast::hash(&self.blocks),
            scale,
        };
        self.out.write_all(&tail.encode())?;
        self.out.flush()
    }
}

/// The last bytes of a text that grams may begin in which end behind it.
fn last(text: &[u8]) -> &[u8] {
    let (_, last) = text.split_at(text.len().saturating_sub(REACH));
    last
}

/// Where a full block ends, and how the next one begins: with a line that begins a record if there is one near, else with a line
/// if there is one, else anywhere. Of the line it begins with all must be there, as that is looked at.
fn cut(text: &[u8], begins_with_line: bool) -> (usize, Start) {
    let mut ends = memchr::memrchr_iter(b'\n', text).map(|newline| newline + 1);
    let Some(last) = ends.next() else {
        let start = Start {
            is_line: false,
            borders: IS_JOINED,
        };
        return (text.len(), start);
    };
    let mut end = last;
    let begin = begins_with_line.then_some(0);
    let mut starts = ends.chain(begin).take(LINES).peekable();
    while let Some(start) = starts.next()
        && let Some(before) = starts.peek()
    {
        let line = |from, to: usize| text.get(from..to - 1).unwrap_or_default();
        if record::is_first(line(*before, start), line(start, end)) {
            let borders = BEGINS_RECORD | IS_JOINED;
            return (
                start,
                Start {
                    is_line: true,
                    borders,
                },
            );
        }
        end = start;
    }
    let start = Start {
        is_line: true,
        borders: IS_JOINED,
    };
    (last, start)
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
