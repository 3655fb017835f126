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
use super::tail::{self, Tail};
use super::{ColdError, tell_once};

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
    loaded: Option<Loaded>,
}

/// An unpacked block.
#[derive(Debug)]
struct Loaded {
    offset: u64,
    text: Vec<u8>,
    notes: Vec<Note>,
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
        let (head, blocks) = if let Some((tail, blocks)) = index {
            (tail.head, blocks)
        } else {
            let blocks = scan(&file, path)?;
            let head = head.or_else(|| made_up(&blocks));
            let head = head.ok_or_else(|| ColdError::Junk {
                path: path.to_owned(),
            })?;
            (head, within(blocks, head))
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
            loaded: None,
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

    /// Reads at an offset of the stream, at most to the end of a block.
    pub fn read(&mut self, into: &mut [u8], offset: u64) -> Read {
        let (index, block) = match self.at(offset) {
            At::Block(index, block) => (index, block),
            At::Hole(hole) => return Read::Damaged(hole.end),
            At::End => return Read::Bytes(0),
        };
        let Some(loaded) = self.load(index, block) else {
            return Read::Damaged(block.end());
        };
        let from = usize::try_from(offset - block.offset).unwrap_or(usize::MAX);
        let text = loaded.text.get(from..).unwrap_or_default();
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
                let soundness = match self.load(index, block) {
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
        let notes = &self.load(index, block)?.notes;
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
        let Some(loaded) = self.load(index, block) else {
            return Vec::new();
        };
        let first = loaded.notes.partition_point(|note| note.end <= from);
        let mut notes: Vec<Note> = Vec::new();
        for note in loaded.notes.iter().skip(first).take(most) {
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
        let Some(loaded) = self.load(index, block) else {
            return Some(block.end());
        };
        let note = loaded.notes.partition_point(|note| note.time < time);
        let note = note.checked_sub(1).and_then(|note| loaded.notes.get(note));
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
        self.is_whole && is_complete && all.all(|(index, block)| self.load(index, block).is_some())
    }

    /// Gives up what only a busy reader needs.
    pub fn rest(&mut self) {
        self.loaded = None;
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

    /// Unpacks a block, unless it is the last one that was; `None`: it is damaged.
    fn load(&mut self, index: usize, block: Block) -> Option<&Loaded> {
        let is_loaded = self
            .loaded
            .as_ref()
            .is_some_and(|loaded| loaded.offset == block.offset);
        if !is_loaded {
            match unpacked(&self.file, &block) {
                Ok(loaded) => self.loaded = Some(loaded),
                Err(error) => {
                    let what = format!("block {index} of a sealed segment is damaged: {error}");
                    tell_once(&self.path, &what, ADVICE);
                    return None;
                }
            }
        }
        self.loaded.as_ref()
    }
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

fn unpacked(file: &File, block: &Block) -> io::Result<Loaded> {
    let junk = || io::Error::from(io::ErrorKind::InvalidData);
    let size = |length: u32| usize::try_from(length).map_err(|_| junk());
    let (notes, text) = (size(block.notes)?, size(block.text)?);
    let mut packed = vec![0; notes + text];
    file.read_exact_at(&mut packed, block.at + HEAD as u64)?;
    if crc32fast::hash(&packed) != block.sum {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its sum is another one",
        ));
    }
    let (notes, text) = packed.split_at(notes);
    let mut unpacker = Decompressor::new()?;
    let length = size(block.length)?;
    let text = unpacker.decompress(text, length)?;
    let most = size(block.told)?.saturating_mul(20);
    let notes = unpacker.decompress(notes, most)?;
    let notes = unpack(block.offset, &notes).ok_or_else(junk)?;
    if text.len() != length {
        return Err(junk());
    }
    Ok(Loaded {
        offset: block.offset,
        text,
        notes,
    })
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
        blocks.push(Block::decode(head, at)?);
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
