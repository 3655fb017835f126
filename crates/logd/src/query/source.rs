//! Whose lines they are.

use std::cell::OnceCell;
use std::path::Path;
use std::rc::Rc;

use eco_home::runs::Stream;

use crate::catalog::Slot;
use crate::hot::Place;

/// One stream of one run, within one answer.
#[derive(Debug)]
pub struct Source {
    /// The slot.
    pub slot: Rc<Slot>,
    /// The run.
    pub run: u64,
    /// The stream.
    pub stream: Stream,
    /// Its number in the answer, once it was named.
    pub(super) id: OnceCell<u32>,
}

impl Source {
    /// Names a stream; it has no number yet.
    #[must_use]
    pub const fn new(slot: Rc<Slot>, run: u64, stream: Stream) -> Self {
        Self {
            slot,
            run,
            stream,
            id: OnceCell::new(),
        }
    }

    /// Where it is, below `runs`.
    #[must_use]
    pub fn place(&self, runs: &Path) -> Place {
        Place::new(self.slot.run(self.run).folder(runs), self.stream)
    }

    /// What sources are ordered by where times do not decide.
    #[must_use]
    pub fn key(&self) -> (&Slot, u64, Stream) {
        (&self.slot, self.run, self.stream)
    }
}
