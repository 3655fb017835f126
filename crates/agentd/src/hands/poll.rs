//! What the loop waits for.
//!
//! ```text
//!   all ─┬─ FIFOs
//!        └─ control ─┬─ signals, listener, connection
//!                    └─ processes that are not our children
//! ```
//!
//! Two epolls, one inside the other: while output rests ([`super::rest`]) only the inner one is waited for, and no FIFO has
//! to be taken out and put back. Level-triggered: what was not finished is told again.

use std::os::fd::AsFd;
use std::time::Duration;

use eco_home::runs::Stream;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Most events taken at once, so that control never waits long for output.
const AT_ONCE: usize = 32;

/// What an event is about. Runs and connections go by serial numbers, which are never given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Something of the inner epoll.
    Control,
    /// A signal came.
    Signals,
    /// Somebody connects.
    Listener,
    /// The agent speaks, or takes more.
    Connection(u64),
    /// A run wrote.
    Output(u64, Stream),
    /// A process of a run ended.
    Process(u64),
}

impl Token {
    const fn encode(self) -> u64 {
        let (serial, kind) = match self {
            Self::Control => (0, 0),
            Self::Signals => (0, 1),
            Self::Listener => (0, 2),
            Self::Connection(serial) => (serial, 3),
            Self::Output(serial, Stream::Out) => (serial, 4),
            Self::Output(serial, Stream::Err) => (serial, 5),
            Self::Process(serial) => (serial, 6),
        };
        serial << 3 | kind
    }

    const fn decode(data: u64) -> Option<Self> {
        let serial = data >> 3;
        match data & 7 {
            0 => Some(Self::Control),
            1 => Some(Self::Signals),
            2 => Some(Self::Listener),
            3 => Some(Self::Connection(serial)),
            4 => Some(Self::Output(serial, Stream::Out)),
            5 => Some(Self::Output(serial, Stream::Err)),
            6 => Some(Self::Process(serial)),
            _ => None,
        }
    }
}

/// Both epolls.
#[derive(Debug)]
pub(super) struct Poll {
    all: Epoll,
    control: Epoll,
}

impl Poll {
    pub(super) fn new() -> nix::Result<Self> {
        let all = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let control = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        all.add(&control.0, event(Token::Control, EpollFlags::EPOLLIN))?;
        Ok(Self { all, control })
    }

    /// Waits for a run's output.
    pub(super) fn add_output(&self, fifo: impl AsFd, token: Token) -> nix::Result<()> {
        self.all.add(fifo, event(token, EpollFlags::EPOLLIN))
    }

    /// Waits no more for a run's output, which cannot be stored.
    pub(super) fn hold_output(&self, fifo: impl AsFd) -> nix::Result<()> {
        self.all.delete(fifo)
    }

    /// Waits for anything else to become readable. Closing it ends that.
    pub(super) fn add_control(&self, descriptor: impl AsFd, token: Token) -> nix::Result<()> {
        self.control
            .add(descriptor, event(token, EpollFlags::EPOLLIN))
    }

    /// Also waits for room to write, or no more.
    pub(super) fn want_room(
        &self,
        descriptor: impl AsFd,
        token: Token,
        wanted: bool,
    ) -> nix::Result<()> {
        let mut flags = EpollFlags::EPOLLIN;
        flags.set(EpollFlags::EPOLLOUT, wanted);
        self.control.modify(descriptor, &mut event(token, flags))
    }

    /// Waits up to `most` (for ever without), for control only when `is_resting`, and tells what is ready.
    pub(super) fn wait(
        &self,
        is_resting: bool,
        most: Option<Duration>,
        ready: &mut Vec<Token>,
    ) -> nix::Result<()> {
        ready.clear();
        if is_resting {
            return take(&self.control, timeout(most), ready);
        }
        take(&self.all, timeout(most), ready)?;
        let before = ready.len();
        ready.retain(|token| *token != Token::Control);
        if ready.len() < before {
            // Facts first: what processes and people do is not to wait for output.
            let outputs = std::mem::take(ready);
            take(&self.control, EpollTimeout::ZERO, ready)?;
            ready.extend(outputs);
        }
        Ok(())
    }
}

fn event(token: Token, flags: EpollFlags) -> EpollEvent {
    EpollEvent::new(flags, token.encode())
}

/// Rounded up, since waking before the time would be waking twice.
fn timeout(most: Option<Duration>) -> EpollTimeout {
    let Some(most) = most else {
        return EpollTimeout::NONE;
    };
    let millis = most.as_nanos().div_ceil(1_000_000);
    EpollTimeout::from(u16::try_from(millis).unwrap_or(u16::MAX))
}

fn take(epoll: &Epoll, timeout: EpollTimeout, ready: &mut Vec<Token>) -> nix::Result<()> {
    let mut events = [EpollEvent::empty(); AT_ONCE];
    let count = match epoll.wait(&mut events, timeout) {
        Ok(count) => count,
        Err(Errno::EINTR) => 0,
        Err(errno) => return Err(errno),
    };
    let events = events.iter().take(count);
    ready.extend(events.filter_map(|event| Token::decode(event.data())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_the_kernel() {
        for token in [
            Token::Control,
            Token::Signals,
            Token::Listener,
            Token::Connection(7),
            Token::Output(1 << 40, Stream::Out),
            Token::Output(3, Stream::Err),
            Token::Process(9),
        ] {
            assert_eq!(Token::decode(token.encode()), Some(token));
        }
    }

    #[test]
    fn output_is_not_told_while_it_rests() {
        let poll = Poll::new().expect("epoll");
        let (read, mut write) = std::io::pipe().expect("a pipe");
        let token = Token::Output(1, Stream::Out);
        poll.add_output(&read, token).expect("added");
        std::io::Write::write_all(&mut write, b"x").expect("room");
        let mut ready = Vec::new();
        poll.wait(true, Some(Duration::ZERO), &mut ready)
            .expect("waited");
        assert_eq!(ready, []);
        poll.wait(false, None, &mut ready).expect("waited");
        assert_eq!(ready, [token]);
    }
}
