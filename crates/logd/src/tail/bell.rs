//! What wakes followers.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The daemon ends: nobody is to wait any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("wait: the log daemon is ending")]
pub struct Closed;

/// What was rung so far. Who keeps it misses no ring, however long he was busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    rings: u64,
    /// Rings that told of a run's beginning or end.
    pub news: u64,
}

/// Rung by whoever knows that something is worth a look; waited for by threads.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    heard: Heard,
    is_closed: bool,
}

impl Bell {
    /// Some stream has grown, or some client has gone.
    pub fn ring(&self) {
        self.state().heard.rings += 1;
        self.changed.notify_all();
    }

    /// Some run has begun or ended.
    pub fn ring_news(&self) {
        self.state().heard.news += 1;
        self.ring();
    }

    /// Nothing more will come: all waiting ends.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// Returns what was rung by now.
    pub fn heard(&self) -> Result<Heard, Closed> {
        answer(&self.state())
    }

    /// Waits for a ring after `heard`, no longer than `patience`.
    pub fn wait(&self, heard: Heard, patience: Duration) -> Result<Heard, Closed> {
        self.wait_while(patience, |state| state.heard == heard)
    }

    /// Waits out `rest`; only the end cuts it short.
    pub fn rest(&self, rest: Duration) -> Result<Heard, Closed> {
        self.wait_while(rest, |_| true)
    }

    fn wait_while(
        &self,
        patience: Duration,
        idle: impl Fn(&State) -> bool,
    ) -> Result<Heard, Closed> {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), patience, |state| {
                !state.is_closed && idle(state)
            });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        answer(&state)
    }

    /// Counters are whole at any moment: a panic of another thread spoils nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn answer(state: &State) -> Result<Heard, Closed> {
    if state.is_closed {
        Err(Closed)
    } else {
        Ok(state.heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_ring_before_the_wait_is_not_missed() {
        let bell = Bell::default();
        let heard = bell.heard().expect("open");
        bell.ring();
        let now = bell.wait(heard, LONG).expect("open");
        assert_eq!(now.news, heard.news);
        bell.ring_news();
        assert_eq!(bell.wait(now, LONG).expect("open").news, 1);
    }

    #[test]
    fn the_end_wakes_all_who_wait() {
        let bell = Bell::default();
        let heard = bell.heard().expect("open");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| bell.wait(heard, LONG));
            let resting = scope.spawn(|| bell.rest(LONG));
            bell.close();
            assert_eq!(waiting.join().expect("no panic"), Err(Closed));
            assert_eq!(resting.join().expect("no panic"), Err(Closed));
        });
        assert_eq!(bell.heard(), Err(Closed));
    }
}
