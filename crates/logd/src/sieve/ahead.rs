//! Reading ahead: a thread of its own unpacks the next blocks while these are searched.
//!
//! ```text
//!   thread:   read, unpack ──▶ PARTS that wait ──▶ sifter
//!                  ▲                                 │
//!                  └────── memory to be used again ──┘
//! ```
//!
//! Only where there is much that is packed, and by no more threads than there are cores in all of this daemon: who gets none reads
//! for himself. What is not packed is sooner read than handed from one core to another. A thread holds no more than [`PARTS`]
//! parts and the one that it reads, and ends when nobody takes them any more.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::hot::{Extent, HotError, Part, Place, Reader, Tier};

/// Parts that were read and wait.
const PARTS: usize = 4;
/// Bytes that are packed from which on it is worth a thread. Tests have few.
const WORTH: u64 = if cfg!(all(test, debug_assertions)) {
    64
} else {
    8 << 20
};

/// Threads that read ahead.
static READING: AtomicUsize = AtomicUsize::new(0);

/// The parts of a stream that a thread reads.
#[derive(Debug)]
pub struct Ahead {
    parts: Receiver<Result<(Part, Vec<u8>), HotError>>,
    used: Sender<Vec<u8>>,
    bytes: Vec<u8>,
    has_ended: bool,
}

/// Counts a thread as long as it runs.
struct Permit;

impl Permit {
    fn take() -> Option<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let more = |reading| (reading < cores).then_some(reading + 1);
        READING
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        READING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Ahead {
    /// Has a thread read `ranges` of `place`, which looks like `extents`. `None`: it is not worth it, or there is no thread to be
    /// had.
    #[must_use]
    pub fn begin(place: &Place, extents: &[Extent], ranges: &VecDeque<Range<u64>>) -> Option<Self> {
        if packed(extents, ranges) < WORTH {
            return None;
        }
        let permit = Permit::take()?;
        let (sender, parts) = sync_channel(PARTS);
        let (used, free) = channel();
        let mut reader = Reader::over(place.clone(), extents.to_vec(), ranges.clone());
        let thread = thread::Builder::new().name("read-ahead".to_owned());
        let begun = thread.spawn(move || {
            read(&mut reader, &sender, &free);
            drop(permit);
        });
        begun.is_ok().then_some(Self {
            parts,
            used,
            bytes: Vec::new(),
            has_ended: false,
        })
    }

    /// Goes on to the next part.
    pub(super) fn next(&mut self) -> Result<Part, HotError> {
        if self.has_ended {
            return Ok(Part::End);
        }
        // The thread may have ended by now: then nobody needs it.
        self.used.send(std::mem::take(&mut self.bytes)).ok();
        let (part, bytes) = match self.parts.recv() {
            Ok(Ok(next)) => next,
            Ok(Err(error)) => {
                self.has_ended = true;
                return Err(error);
            }
            Err(_) => {
                self.has_ended = true;
                return Err(HotError::Ahead);
            }
        };
        self.has_ended = part == Part::End;
        self.bytes = bytes;
        Ok(part)
    }

    /// The bytes of the last part.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// How many bytes of `ranges` are packed.
fn packed(extents: &[Extent], ranges: &VecDeque<Range<u64>>) -> u64 {
    let sealed = extents.iter().filter(|extent| extent.tier == Tier::Sealed);
    let both = sealed.flat_map(|extent| {
        ranges.iter().map(move |range| {
            let (start, end) = (range.start.max(extent.base), range.end.min(extent.end()));
            end.saturating_sub(start)
        })
    });
    both.sum()
}

fn read(
    reader: &mut Reader,
    sender: &SyncSender<Result<(Part, Vec<u8>), HotError>>,
    free: &Receiver<Vec<u8>>,
) {
    loop {
        let next = reader.part().map(|part| match part {
            Part::Bytes { .. } => {
                let memory = free.try_recv().unwrap_or_default();
                (part, reader.exchange_bytes(memory))
            }
            Part::Gap(_) | Part::End => (part, Vec::new()),
        });
        let is_last = matches!(next, Ok((Part::End, _)) | Err(_));
        if sender.send(next).is_err() || is_last {
            return;
        }
    }
}
