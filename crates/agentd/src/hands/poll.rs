//! What the loop waits for.
//!
//! ```text
//!   all ─┬─ FIFOs
//!        └─ control ─┬─ signals, listener, connection
//!                    ├─ processes that are not our children
//!                    ├─ channels that take no more, until they do
//!                    └─ speech ── channels, sockets for notices
//! ```
//!
//! Epolls inside of one another: while output rests ([`super::rest`]) only the inner one is waited for, and no FIFO has
//! to be taken out and put back; while nobody hears what apps say, the innermost is taken out as a whole. Level-triggered:
//! what was not finished is told again.

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
    /// Something of the innermost epoll.
    Speech,
    /// A run says something over its channel.
    Channel(u64),
    /// A run's channel takes more.
    Room(u64),
    /// A run sends a notice.
    Notices(u64),
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
            Self::Speech => (0, 7),
            Self::Channel(serial) => (serial, 8),
            Self::Room(serial) => (serial, 9),
            Self::Notices(serial) => (serial, 10),
        };
        serial << 4 | kind
    }

    const fn decode(data: u64) -> Option<Self> {
        let serial = data >> 4;
        match data & 15 {
            0 => Some(Self::Control),
            1 => Some(Self::Signals),
            2 => Some(Self::Listener),
            3 => Some(Self::Connection(serial)),
            4 => Some(Self::Output(serial, Stream::Out)),
            5 => Some(Self::Output(serial, Stream::Err)),
            6 => Some(Self::Process(serial)),
            7 => Some(Self::Speech),
            8 => Some(Self::Channel(serial)),
            9 => Some(Self::Room(serial)),
            10 => Some(Self::Notices(serial)),
            _ => None,
        }
    }
}

/// All epolls.
#[derive(Debug)]
pub(super) struct Poll {
    all: Epoll,
    control: Epoll,
    speech: Epoll,
    /// Whether what apps say is waited for.
    is_listening: bool,
}

impl Poll {
    pub(super) fn new() -> nix::Result<Self> {
        let all = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let control = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let speech = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        all.add(&control.0, event(Token::Control, EpollFlags::EPOLLIN))?;
        Ok(Self {
            all,
            control,
            speech,
            is_listening: false,
        })
    }

    /// Waits for a run to say something, whenever somebody listens. Closing it ends that.
    pub(super) fn add_speech(&self, socket: impl AsFd, token: Token) -> nix::Result<()> {
        self.speech.add(socket, event(token, EpollFlags::EPOLLIN))
    }

    /// Begins to listen to what apps say.
    pub(super) fn listen(&mut self) -> nix::Result<()> {
        if !self.is_listening {
            self.control
                .add(&self.speech.0, event(Token::Speech, EpollFlags::EPOLLIN))?;
            self.is_listening = true;
        }
        Ok(())
    }

    /// Lets apps wait until somebody listens again.
    pub(super) fn turn_away(&mut self) -> nix::Result<()> {
        if self.is_listening {
            self.control.delete(&self.speech.0)?;
            self.is_listening = false;
        }
        Ok(())
    }

    /// Waits for room in a channel.
    pub(super) fn await_room(&self, channel: impl AsFd, token: Token) -> nix::Result<()> {
        self.control
            .add(channel, event(token, EpollFlags::EPOLLOUT))
    }

    /// Waits no more for room in a channel.
    pub(super) fn has_room(&self, channel: impl AsFd) -> nix::Result<()> {
        self.control.delete(channel)
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
            take(&self.control, timeout(most), ready)?;
        } else {
            self.take_all(most, ready)?;
        }
        let before = ready.len();
        ready.retain(|token| *token != Token::Speech);
        if ready.len() < before {
            take(&self.speech, EpollTimeout::ZERO, ready)?;
        }
        Ok(())
    }

    fn take_all(&self, most: Option<Duration>, ready: &mut Vec<Token>) -> nix::Result<()> {
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
            Token::Speech,
            Token::Channel(1 << 59),
            Token::Room(2),
            Token::Notices(5),
        ] {
            assert_eq!(Token::decode(token.encode()), Some(token));
        }
    }

    #[test]
    fn what_apps_say_is_told_while_somebody_listens() {
        let mut poll = Poll::new().expect("epoll");
        let (keeper, mut app) = std::os::unix::net::UnixStream::pair().expect("a pair");
        poll.add_speech(&keeper, Token::Channel(1)).expect("added");
        std::io::Write::write_all(&mut app, b"x").expect("room");
        let mut ready = Vec::new();
        let mut told = |poll: &Poll, is_resting| {
            let most = Some(Duration::ZERO);
            poll.wait(is_resting, most, &mut ready).expect("waited");
            ready.clone()
        };
        assert_eq!(told(&poll, false), []);
        poll.listen().expect("listens");
        assert_eq!(told(&poll, false), [Token::Channel(1)]);
        assert_eq!(told(&poll, true), [Token::Channel(1)]);
        poll.turn_away().expect("turned away");
        assert_eq!(told(&poll, false), []);
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
