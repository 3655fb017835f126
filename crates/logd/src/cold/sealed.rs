//! Reading a sealed segment, whole or damaged.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use eco_home::notes::Note;
pub use eco_home::sealed::Head;
use eco_home::sealed::{SIZE, VERSION};
use zstd::bulk::Decompressor;

use super::block::{Block, HEAD, MAGIC, unpack};
use super::filter::{Filter, Shape};
use super::grams;
use super::tail::{self, Tail};
use super::{ColdError, tell_once};
use crate::needles::Needles;

/// What is said of a block that cannot be unpacked, and of a file without index.
const ADVICE: &str = "look after the disk; everything else in it stays readable";

/// An open sealed segment.
#[derive(Debug)]
pub struct Sealed {
    file: File,
    path: PathBuf,
    head: Head,
    blocks: Vec<Block>,
    is_whole: bool,
    filter: Option<Filter>,
    unpacker: Option<Unpacker>,
    text: Option<Loaded<Vec<u8>>>,
    notes: Option<Loaded<Vec<Note>>>,
}

/// What unpacks blocks, and the last one as it is in the file.
struct Unpacker {
    zstd: Decompressor<'static>,
    packed: Vec<u8>,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker").finish_non_exhaustive()
    }
}

/// A part of a block, unpacked.
#[derive(Debug)]
struct Loaded<T> {
    offset: u64,
    part: T,
}

/// What is at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes were read; 0: the end.
    Bytes(usize),
    /// What was there up to this offset is damaged.
    Damaged(u64),
}

/// Returns what the sealed segment at `path` says of itself; `None`: there is none.
pub fn head_of(path: &Path) -> Result<Option<Head>, ColdError> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    if let Some(head) = read_head(&file) {
        return Ok(Some(head));
    }
    Ok(Sealed::open(path)?.map(|sealed| sealed.head))
}

fn open(path: &Path) -> Result<Option<File>, ColdError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(source) => Err(ColdError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn read_head(file: &File) -> Option<Head> {
    let mut bytes = [0; SIZE];
    file.read_exact_at(&mut bytes, 0).ok()?;
    Head::decode(&bytes)
}

impl Sealed {
    /// Opens the one at `path`; `None`: there is none.
    pub fn open(path: &Path) -> Result<Option<Self>, ColdError> {
        let Some(file) = open(path)? else {
            return Ok(None);
        };
        let head = read_head(&file);
        if let Some(head) = head.filter(|head| head.version > VERSION) {
            return Err(ColdError::Version {
                path: path.to_owned(),
                found: head.version,
                known: VERSION,
            });
        }
        let index = read_index(&file);
        let is_whole = head.is_some() && index.is_some();
        let (head, blocks, filter) = if let Some((tail, blocks)) = index {
            (tail.head, blocks, filter(&tail))
        } else {
            let blocks = scan(&file, path)?;
            let head = head.or_else(|| made_up(&blocks));
            let head = head.ok_or_else(|| ColdError::Junk {
                path: path.to_owned(),
            })?;
            (head, within(blocks, head), None)
        };
        if !is_whole {
            tell_once(path, "a sealed segment has lost its head or index", ADVICE);
        }
        Ok(Some(Self {
            file,
            path: path.to_owned(),
            head,
            blocks,
            is_whole,
            filter,
            unpacker: None,
            text: None,
            notes: None,
        }))
    }

    /// What it says of itself.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Its blocks, in order; there are holes between them only where it is damaged.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Whether head and index were as they were written.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Tells of each block which of the first 63 demands it may meet, a bit each; of what is not known it is all. Nothing but
    /// the filter is read.
    #[must_use]
    pub fn may_meet(&self, needles: &Needles) -> Vec<u64> {
        let mut met = vec![0; self.blocks.len()];
        for (demand, texts) in needles.wanted().take(63).enumerate() {
            for text in texts {
                for (met, may) in met.iter_mut().zip(self.may_hold(text)) {
                    *met |= u64::from(may) << demand;
                }
            }
        }
        met
    }

    /// Tells of each block whether a text in lower case may be in it.
    fn may_hold(&self, lower: &[u8]) -> Vec<bool> {
        let mut blocks = vec![true; self.blocks.len()];
        let Some(filter) = &self.filter else {
            return blocks;
        };
        for gram in grams::rows(lower) {
            if let Err(error) = filter.narrow(&self.file, gram, &mut blocks) {
                let what = format!("the filter of a sealed segment is damaged: {error}");
                tell_once(
                    &self.path,
                    &what,
                    "searches read more of it than they would have to",
                );
            }
            if !blocks.contains(&true) {
                break;
            }
        }
        for (block, may) in self.blocks.iter().zip(&mut blocks) {
            *may |= !block.is_joined();
        }
        blocks
    }

    /// Reads at an offset of the stream, at most to the end of a block.
    pub fn read(&mut self, into: &mut [u8], offset: u64) -> Read {
        let (index, block) = match self.at(offset) {
            At::Block(index, block) => (index, block),
            At::Hole(hole) => return Read::Damaged(hole.end),
            At::End => return Read::Bytes(0),
        };
        let Some(text) = self.text(index, block) else {
            return Read::Damaged(block.end());
        };
        let from = usize::try_from(offset - block.offset).unwrap_or(usize::MAX);
        let text = text.get(from..).unwrap_or_default();
        let count = text.len().min(into.len());
        if let (Some(into), Some(text)) = (into.get_mut(..count), text.get(..count)) {
            into.copy_from_slice(text);
        }
        Read::Bytes(count)
    }

    /// Returns where the bytes before `end` begin that can be read together with them, or that are damaged like them.
    pub fn before(&mut self, end: u64) -> (u64, Soundness) {
        let Some(last) = end.checked_sub(1) else {
            return (end, Soundness::Damaged);
        };
        match self.at(last) {
            At::Block(index, block) => {
                let soundness = match self.text(index, block) {
                    Some(_) => Soundness::Sound,
                    None => Soundness::Damaged,
                };
                (block.offset, soundness)
            }
            At::Hole(hole) => (hole.start, Soundness::Damaged),
            At::End => (self.head.end, Soundness::Damaged),
        }
    }

    /// Tells when the byte before offset `end` had arrived; `None`: it is damaged.
    pub fn time_at(&mut self, end: u64) -> Option<u64> {
        let (index, block) = match self.at(end.checked_sub(1)?) {
            At::Block(index, block) => (index, block),
            At::Hole(_) | At::End => return None,
        };
        let notes = self.notes_of(index, block)?;
        let note = notes.partition_point(|note| note.end < end);
        let time = notes.get(note).map(|note| note.time)?;
        // It was flushed before it was sealed: its note is gone.
        Some(if time == 0 { self.head.changed } else { time })
    }

    /// The notes about the bytes from offset `from` up to `to`, which were read at once, the first `most` of them; the last
    /// one is cut off at `to`. None: they are damaged.
    pub fn notes(&mut self, from: u64, to: u64, most: usize) -> Vec<Note> {
        let changed = self.head.changed;
        let At::Block(index, block) = self.at(from) else {
            return Vec::new();
        };
        let Some(all) = self.notes_of(index, block) else {
            return Vec::new();
        };
        let first = all.partition_point(|note| note.end <= from);
        let mut notes: Vec<Note> = Vec::new();
        for note in all.iter().skip(first).take(most) {
            // What was flushed before it was sealed has lost its note.
            let time = if note.time == 0 { changed } else { note.time };
            notes.push(Note {
                end: note.end.min(to),
                time: time.max(1),
            });
            if note.end >= to {
                break;
            }
        }
        notes
    }

    /// Finds where the bytes end that came before `time`; `None`: none is that old.
    pub fn end_before(&mut self, time: u64) -> Option<u64> {
        let after = self.blocks.partition_point(|block| block.earliest < time);
        let index = after.checked_sub(1)?;
        let block = *self.blocks.get(index)?;
        let Some(notes) = self.notes_of(index, block) else {
            return Some(block.end());
        };
        let note = notes.partition_point(|note| note.time < time);
        let note = note.checked_sub(1).and_then(|note| notes.get(note));
        Some(note.map_or(block.offset, |note| note.end))
    }

    /// Whether all of it can be unpacked.
    pub fn is_sound(&mut self) -> bool {
        let blocks = self.blocks.clone();
        let is_complete = blocks
            .first()
            .is_some_and(|first| first.offset == self.head.base)
            && blocks
                .last()
                .is_some_and(|last| last.end() == self.head.end)
            && blocks.is_sorted_by(|left, right| left.end() == right.offset);
        let mut all = blocks.into_iter().enumerate();
        let has_filter = self.filter.is_none_or(|filter| filter.is_sound(&self.file));
        let is_whole = self.is_whole && is_complete && has_filter;
        let mut part = Vec::new();
        let mut is_block_sound = |(index, block): (usize, Block)| {
            part.clear();
            let unpacked = self.unpack(&block, |zstd, notes, text| {
                unpack_notes(zstd, notes, &block)?;
                unpack_text(zstd, text, &block, &mut part)
            });
            self.told(index, unpacked).is_some()
        };
        is_whole && all.all(&mut is_block_sound)
    }

    /// Gives up what only a busy reader needs.
    pub fn rest(&mut self) {
        self.text = None;
        self.notes = None;
        self.unpacker = None;
    }

    fn at(&self, offset: u64) -> At {
        let index = self.blocks.partition_point(|block| block.end() <= offset);
        let next = self.blocks.get(index);
        match next {
            Some(block) if block.offset <= offset => At::Block(index, *block),
            _ if offset >= self.head.end => At::End,
            next => {
                let before = index
                    .checked_sub(1)
                    .and_then(|index| self.blocks.get(index));
                At::Hole(Range {
                    start: before.map_or(self.head.base, Block::end),
                    end: next.map_or(self.head.end, |next| next.offset),
                })
            }
        }
    }

    /// Unpacks the text of a block, unless it is the last one that was; `None`: it is damaged.
    fn text(&mut self, index: usize, block: Block) -> Option<&[u8]> {
        if self
            .text
            .as_ref()
            .is_none_or(|text| text.offset != block.offset)
        {
            let mut part = self.text.take().map(|text| text.part).unwrap_or_default();
            part.clear();
            let unpacked = self.unpack(&block, |zstd, _, text| {
                unpack_text(zstd, text, &block, &mut part)
            });
            self.told(index, unpacked)?;
            let offset = block.offset;
            self.text = Some(Loaded { offset, part });
        }
        self.text.as_ref().map(|text| text.part.as_slice())
    }

    /// The same of its notes.
    fn notes_of(&mut self, index: usize, block: Block) -> Option<&[Note]> {
        if self
            .notes
            .as_ref()
            .is_none_or(|notes| notes.offset != block.offset)
        {
            let unpacked = self.unpack(&block, |zstd, notes, _| unpack_notes(zstd, notes, &block));
            let part = self.told(index, unpacked)?;
            let offset = block.offset;
            self.notes = Some(Loaded { offset, part });
        }
        self.notes.as_ref().map(|notes| notes.part.as_slice())
    }

    /// Says that a block is damaged, if it is.
    fn told<T>(&self, index: usize, unpacked: io::Result<T>) -> Option<T> {
        unpacked
            .inspect_err(|error| {
                let what = format!("block {index} of a sealed segment is damaged: {error}");
                tell_once(&self.path, &what, ADVICE);
            })
            .ok()
    }

    /// Reads a block, looks at its sum, and hands both of its parts to `unpack`.
    fn unpack<T>(
        &mut self,
        block: &Block,
        unpack: impl FnOnce(&mut Decompressor<'static>, &[u8], &[u8]) -> io::Result<T>,
    ) -> io::Result<T> {
        let unpacker = match &mut self.unpacker {
            Some(unpacker) => unpacker,
            none => none.insert(Unpacker {
                zstd: Decompressor::new()?,
                packed: Vec::new(),
            }),
        };
        let (notes, text) = (size(block.notes)?, size(block.text)?);
        unpacker.packed.resize(notes + text, 0);
        self.file
            .read_exact_at(&mut unpacker.packed, block.at + HEAD as u64)?;
        if crc32fast::hash(&unpacker.packed) != block.sum {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its sum is another one",
            ));
        }
        let (notes, text) = unpacker.packed.split_at(notes);
        unpack(&mut unpacker.zstd, notes, text)
    }
}

fn junk() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn size(length: u32) -> io::Result<usize> {
    usize::try_from(length).map_err(|_| junk())
}

fn unpack_text(
    zstd: &mut Decompressor<'_>,
    packed: &[u8],
    block: &Block,
    into: &mut Vec<u8>,
) -> io::Result<()> {
    let length = size(block.length)?;
    into.reserve_exact(length);
    zstd.decompress_to_buffer(packed, into)?;
    if into.len() == length {
        Ok(())
    } else {
        Err(junk())
    }
}

fn unpack_notes(
    zstd: &mut Decompressor<'_>,
    packed: &[u8],
    block: &Block,
) -> io::Result<Vec<Note>> {
    let most = size(block.told)?.saturating_mul(20);
    unpack(block.offset, &zstd.decompress(packed, most)?).ok_or_else(junk)
}

/// Whether bytes can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// They can.
    Sound,
    /// They cannot.
    Damaged,
}

/// What an offset falls into.
enum At {
    Block(usize, Block),
    /// No sound block holds these.
    Hole(Range<u64>),
    End,
}

/// The filter that a tail tells of.
fn filter(tail: &Tail) -> Option<Filter> {
    let shape = Shape::new(tail.scale, usize::try_from(tail.blocks).ok()?)?;
    let at = tail.index + u64::from(tail.blocks) * HEAD as u64;
    Some(Filter { at, shape })
}

/// Reads tail and index; `None`: one of them is damaged.
fn read_index(file: &File) -> Option<(Tail, Vec<Block>)> {
    let length = file.metadata().ok()?.len();
    let mut bytes = [0; tail::SIZE];
    file.read_exact_at(&mut bytes, length.checked_sub(tail::SIZE as u64)?)
        .ok()?;
    let tail = Tail::decode(&bytes)?;
    let size = u64::from(tail.blocks) * HEAD as u64;
    if tail.index.checked_add(size)? > length {
        return None;
    }
    let mut index = vec![0; usize::try_from(size).ok()?];
    file.read_exact_at(&mut index, tail.index).ok()?;
    if crc32fast::hash(&index) != tail.index_sum {
        return None;
    }
    let mut blocks: Vec<Block> = Vec::new();
    for head in index.as_chunks::<HEAD>().0 {
        let at = blocks.last().map_or(SIZE as u64, Block::next_at);
        let block = Block::decode(head, at)?;
        if block.next_at() > tail.index {
            return None;
        }
        blocks.push(block);
    }
    Some((tail, blocks))
}

/// Bytes looked through at once for heads of blocks.
const WINDOW: usize = 64 << 10;

/// Finds the blocks of a file without index by their heads.
fn scan(file: &File, path: &Path) -> Result<Vec<Block>, ColdError> {
    let failed = |source| ColdError::Read {
        path: path.to_owned(),
        source,
    };
    let length = file.metadata().map_err(failed)?.len();
    let mut blocks: Vec<Block> = Vec::new();
    let mut at = SIZE as u64;
    while at + (HEAD as u64) <= length {
        let end = blocks.last().map_or(0, Block::end);
        let found =
            read_block(file, at).filter(|block| block.offset >= end && block.next_at() <= length);
        at = match found {
            Some(block) => {
                blocks.push(block);
                block.next_at()
            }
            None => match next_magic(file, at + 1, length) {
                Some(at) => at,
                None => break,
            },
        };
    }
    Ok(blocks)
}

fn read_block(file: &File, at: u64) -> Option<Block> {
    let mut bytes = [0; HEAD];
    file.read_exact_at(&mut bytes, at).ok()?;
    Block::decode(&bytes, at)
}

/// Where the next head of a block may begin; what cannot be read is passed over.
fn next_magic(file: &File, from: u64, length: u64) -> Option<u64> {
    let mut at = from;
    let mut window = vec![0; WINDOW];
    while at + (MAGIC.len() as u64) <= length {
        let got = file.read_at(&mut window, at).unwrap_or(0);
        let read = window.get(..got).unwrap_or_default();
        if let Some(index) = read.windows(MAGIC.len()).position(|bytes| bytes == MAGIC) {
            return Some(at + index as u64);
        }
        let step = WINDOW - MAGIC.len() + 1;
        at += step as u64;
    }
    None
}

/// What a head would say of these blocks.
fn made_up(blocks: &[Block]) -> Option<Head> {
    Some(Head {
        version: VERSION,
        base: blocks.first()?.offset,
        end: blocks.last()?.end(),
        flushed: 0,
        changed: blocks.iter().map(|block| block.latest).max()?,
    })
}

fn within(blocks: Vec<Block>, head: Head) -> Vec<Block> {
    let is_within = |block: &Block| block.offset >= head.base && block.end() <= head.end;
    blocks.into_iter().filter(is_within).collect()
}
