//! What wakes followers.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};

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
    ears: Vec<Weak<EventFd>>,
}

/// Hears the bell while it waits for something else, too.
#[derive(Debug)]
pub(super) struct Ear(Arc<EventFd>);

impl Bell {
    /// Some stream has grown, or some client has gone.
    pub fn ring(&self) {
        let mut state = self.state();
        state.heard.rings += 1;
        self.tell(&mut state);
    }

    /// Some run has begun or ended.
    pub fn ring_news(&self) {
        self.state().heard.news += 1;
        self.ring();
    }

    /// Nothing more will come: all waiting ends.
    pub fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        self.tell(&mut state);
    }

    fn tell(&self, state: &mut State) {
        self.changed.notify_all();
        state.ears.retain(|ear| {
            let ear = ear.upgrade();
            if let Some(ear) = &ear {
                // One that takes no more was told already.
                ear.write(1).ok();
            }
            ear.is_some()
        });
    }

    /// `None`: the kernel has no more of them.
    pub(super) fn ear(&self) -> Option<Ear> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        let ear = EventFd::from_flags(flags).ok().map(Arc::new)?;
        self.state().ears.push(Arc::downgrade(&ear));
        Some(Ear(ear))
    }

    /// Returns what was rung by now.
    pub fn heard(&self) -> Result<Heard, Closed> {
        answer(&self.state())
    }

    /// Waits for a ring after `heard`, no longer than `patience`.
    pub fn wait(&self, heard: Heard, patience: Duration) -> Result<Heard, Closed> {
        self.wait_while(patience, |state| state.heard == heard)
    }

    /// The same, and no longer than until `other` can be read.
    pub(super) fn wait_or(
        &self,
        ear: &Ear,
        other: BorrowedFd,
        heard: Heard,
        patience: Duration,
    ) -> Result<Heard, Closed> {
        // Emptied before the look: a ring from now on is heard.
        ear.0.read().ok();
        let now = self.heard()?;
        if now != heard {
            return Ok(now);
        }
        let awaited = [ear.0.as_fd(), other].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        // What breaks it off is as good a reason to look as any.
        ppoll(&mut { awaited }, Some(patience.into()), None).ok();
        self.heard()
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
    use eco_home::clock;

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
    fn who_waits_for_something_else_hears_the_bell_and_a_ring_before_that() {
        let bell = Bell::default();
        let (silent, _writer) = nix::unistd::pipe().expect("a pipe");
        let ear = bell.ear().expect("an ear");
        let wait = |heard| bell.wait_or(&ear, silent.as_fd(), heard, LONG);
        let heard = bell.heard().expect("open");
        bell.ring();
        let now = wait(heard).expect("open");
        assert_ne!(now, heard);
        let began = clock::since_boot();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait(now));
            bell.ring_news();
            assert_eq!(waiting.join().expect("no panic").expect("open").news, 1);
        });
        assert!(clock::since_boot() < began + LONG);
        bell.close();
        assert_eq!(wait(now), Err(Closed));
    }

    #[test]
    fn who_waits_for_something_else_is_woken_by_that() {
        let bell = Bell::default();
        let (other, writer) = nix::unistd::pipe().expect("a pipe");
        let ear = bell.ear().expect("an ear");
        let heard = bell.heard().expect("open");
        nix::unistd::write(&writer, b"x").expect("room");
        let began = clock::since_boot();
        assert_eq!(bell.wait_or(&ear, other.as_fd(), heard, LONG), Ok(heard));
        assert!(clock::since_boot() < began + LONG);
        drop(ear);
        bell.ring();
        assert!(bell.state().ears.is_empty());
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
