//! The near end of an answer: lines into batches, sources named before their lines.

use eco_home::runs::{RunId, Stream};
use tokio::sync::mpsc;

use super::Stop;
use super::source::Source;
use crate::hot;
use crate::record::Level;
use crate::sieve::Found;
use crate::tail::Bell;

/// Lines, and bytes, from which a batch is sent.
const BATCH_LINES: usize = 500;
const BATCH_BYTES: usize = 256 << 10;

/// What an answer consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Says whose lines have this number.
    Source {
        /// The number.
        id: u32,
        /// The run.
        run: RunId,
        /// Its stream.
        stream: Stream,
    },
    /// Lines, in order.
    Lines(Vec<Line>),
    /// The history is complete.
    CaughtUp,
    /// Bytes are no longer there.
    Gap {
        /// Whose.
        source: u32,
        /// Where they began.
        offset: u64,
        /// How many.
        bytes: u64,
        /// Why.
        loss: hot::Loss,
    },
    /// What is there of a line that is not complete, as far as it was not told yet.
    Begun {
        /// Whose.
        source: u32,
        /// Where these bytes begin.
        offset: u64,
        /// They.
        text: Vec<u8>,
    },
}

/// One line, or a piece of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The number of its source.
    pub source: u32,
    /// Where it begins.
    pub offset: u64,
    /// When its last byte arrived, unix ns.
    pub time: u64,
    /// Its bytes without the newline.
    pub text: Vec<u8>,
    /// Whether the source's next line goes on with it.
    pub continues: bool,
    /// The level of its record.
    pub level: Option<Level>,
    /// Whether it belongs to the record of the source's line before it.
    pub joined: bool,
}

/// Whether anybody still waits for the answer, for those who search long before they find something.
#[derive(Debug)]
pub struct Attention<'a> {
    ear: Box<dyn Ear>,
    bell: &'a Bell,
}

/// Who waits for an answer, of whatever.
trait Ear: std::fmt::Debug {
    fn is_gone(&self) -> bool;
}

impl<T> Ear for mpsc::Sender<T> {
    fn is_gone(&self) -> bool {
        self.is_closed()
    }
}

impl<'a> Attention<'a> {
    /// That of whoever listens to `sender`.
    pub fn new<T: 'static>(sender: &mpsc::Sender<T>, bell: &'a Bell) -> Self {
        Self {
            ear: Box::new(sender.clone()),
            bell,
        }
    }

    /// Fails when nobody does, or the daemon ends.
    pub fn check(&self) -> Result<(), Stop> {
        self.bell.heard()?;
        if self.ear.is_gone() {
            return Err(Stop::Gone);
        }
        Ok(())
    }
}

/// Sends an answer, at the pace of whoever reads it.
#[derive(Debug)]
pub struct Outlet {
    sender: mpsc::Sender<Result<Item, Stop>>,
    lines: Vec<Line>,
    bytes: usize,
    named: u32,
}

impl Outlet {
    /// Sends into `sender`.
    #[must_use]
    pub const fn new(sender: mpsc::Sender<Result<Item, Stop>>) -> Self {
        Self {
            sender,
            lines: Vec::new(),
            bytes: 0,
            named: 0,
        }
    }

    /// Tells others whether anybody still reads.
    #[must_use]
    pub fn attention<'a>(&self, bell: &'a Bell) -> Attention<'a> {
        Attention::new(&self.sender, bell)
    }

    /// Fails when nobody reads any more.
    pub fn check(&self) -> Result<(), Stop> {
        if self.sender.is_closed() {
            Err(Stop::Gone)
        } else {
            Ok(())
        }
    }

    /// Passes on what `source` holds.
    pub fn pass(&mut self, source: &Source, found: Found) -> Result<(), Stop> {
        let id = self.name(source)?;
        match found.item {
            hot::Item::Line {
                offset,
                time,
                text,
                continues,
            } => {
                self.bytes += text.len();
                self.lines.push(Line {
                    source: id,
                    offset,
                    time,
                    text,
                    continues,
                    level: found.mark.level,
                    joined: found.mark.joined,
                });
                if self.lines.len() >= BATCH_LINES || self.bytes >= BATCH_BYTES {
                    self.flush()?;
                }
                Ok(())
            }
            hot::Item::Gap {
                offset,
                bytes,
                loss,
            } => {
                self.flush()?;
                self.send(Item::Gap {
                    source: id,
                    offset,
                    bytes,
                    loss,
                })
            }
        }
    }

    /// Passes on what there is from `offset` on of a line of `source` that is not complete.
    pub fn begun(&mut self, source: &Source, offset: u64, text: Vec<u8>) -> Result<(), Stop> {
        let id = self.name(source)?;
        self.flush()?;
        self.send(Item::Begun {
            source: id,
            offset,
            text,
        })
    }

    /// Says that the history is complete.
    pub fn caught_up(&mut self) -> Result<(), Stop> {
        self.flush()?;
        self.send(Item::CaughtUp)
    }

    /// Sends what is waiting for a batch to fill.
    pub fn flush(&mut self) -> Result<(), Stop> {
        if self.lines.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let lines = std::mem::take(&mut self.lines);
        self.send(Item::Lines(lines))
    }

    /// Says why there is no more; the lines before come first.
    pub fn stop(mut self, stop: Stop) {
        match stop {
            // There is nobody to be told.
            Stop::Gone => {}
            Stop::Closing(_) | Stop::Catalog(_) | Stop::Hot(_) => {
                if self.flush().is_ok() {
                    self.sender.blocking_send(Err(stop)).ok();
                }
            }
        }
    }

    fn name(&mut self, source: &Source) -> Result<u32, Stop> {
        if let Some(id) = source.id.get() {
            return Ok(*id);
        }
        self.named += 1;
        let id = *source.id.get_or_init(|| self.named);
        self.send(Item::Source {
            id,
            run: source.slot.run(source.run),
            stream: source.stream,
        })?;
        Ok(id)
    }

    fn send(&self, item: Item) -> Result<(), Stop> {
        self.sender.blocking_send(Ok(item)).map_err(|_| Stop::Gone)
    }
}
