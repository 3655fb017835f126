//! Answers that were not looked at yet: the last one of each stream.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chunk::{Ack, Standing, StreamId};
use crate::tail::Bell;

/// Filled by who reads the call, which never waits for who empties it: otherwise both sides could wait for each other.
#[derive(Debug, Default)]
pub struct Mailbox {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: HashMap<StreamId, (u64, Standing)>,
    is_closed: bool,
}

impl Mailbox {
    /// Puts an answer in, and rings.
    pub fn put(&self, ack: Ack, bell: &Bell) {
        self.state().last.insert(ack.id, (ack.end, ack.standing));
        bell.ring();
    }

    /// No more answers will come.
    pub fn close(&self, bell: &Bell) {
        self.state().is_closed = true;
        bell.ring();
    }

    /// Takes what is there; `None`: the call is over.
    pub(super) fn take(&self) -> Option<HashMap<StreamId, (u64, Standing)>> {
        let mut state = self.state();
        let taken = std::mem::take(&mut state.last);
        (!state.is_closed).then_some(taken)
    }

    /// A map is whole at any moment: a panic of another thread spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
