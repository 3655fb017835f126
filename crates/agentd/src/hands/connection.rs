//! The conversation with the agent.
//!
//! ```text
//!   socket ──▶ frames ──▶ requests
//!   socket ◀── bytes that wait
//! ```
//!
//! Nothing here blocks. What the agent does not take is kept up to a bound; beyond it the conversation is
//! ended, and nothing is lost by that, since the next one begins with all that is known.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use eco_proto::keeper::v1::{FromKeeper, ToKeeper};
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::unistd::{Uid, geteuid};

use eco_proto::frame::{self, FrameError, Frames};

/// Bytes that may wait for the agent before it counts as stuck.
const MOST_WAITING: usize = 8 << 20;

/// Reads of one turn, so that an agent that floods us does not keep us from the apps.
const READS_AT_ONCE: usize = 16;

/// Bytes of one read.
const READ: usize = 16 << 10;

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    /// The agent hung up.
    #[error("hear more: the agent hung up")]
    Closed,
    /// The socket failed.
    #[error("use the agent's socket")]
    Socket(#[from] io::Error),
    /// What came is no frame, or what should go is none.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The agent takes nothing.
    #[error("send more: the agent left {waiting} bytes waiting")]
    Stuck {
        /// How many.
        waiting: usize,
    },
    /// Another user's process.
    #[error("talk to a process of user {uid}")]
    Stranger {
        /// Whose.
        uid: u32,
    },
}

/// What the agent has not taken yet.
#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    /// How much of them was sent.
    sent: usize,
}

impl Outgoing {
    fn waiting(&self) -> usize {
        self.bytes.len().saturating_sub(self.sent)
    }

    /// Notes that `sent` more bytes are on their way.
    fn advance(&mut self, sent: usize) {
        self.sent += sent;
        if self.waiting() == 0 {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent > READ && self.sent > self.waiting() {
            self.bytes.drain(..self.sent.min(self.bytes.len()));
            self.sent = 0;
        }
    }
}

/// One agent.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    incoming: Frames,
    outgoing: Outgoing,
    /// Whether the loop waits for room to write.
    pub(super) wants_room: bool,
}

impl Connection {
    /// Begins a conversation with whoever connected, if that is our own user or root.
    pub(super) fn new(stream: UnixStream) -> Result<Self, ConnectionError> {
        stream.set_nonblocking(true)?;
        let peer = getsockopt(&stream, PeerCredentials).map_err(io::Error::from)?;
        let uid = Uid::from_raw(peer.uid());
        if uid != geteuid() && !uid.is_root() {
            return Err(ConnectionError::Stranger { uid: peer.uid() });
        }
        Ok(Self {
            stream,
            incoming: Frames::default(),
            outgoing: Outgoing::default(),
            wants_room: false,
        })
    }

    /// Whether all was sent.
    pub(super) fn is_idle(&self) -> bool {
        self.outgoing.waiting() == 0
    }

    /// Queues a message.
    pub(super) fn send(&mut self, message: &FromKeeper) -> Result<(), ConnectionError> {
        let waiting = self.outgoing.waiting();
        if waiting > MOST_WAITING {
            return Err(ConnectionError::Stuck { waiting });
        }
        Ok(frame::append(message, &mut self.outgoing.bytes)?)
    }

    /// Sends what the agent takes now.
    pub(super) fn flush(&mut self) -> Result<(), ConnectionError> {
        while !self.is_idle() {
            let Outgoing { bytes, sent } = &self.outgoing;
            match self.stream.write(bytes.get(*sent..).unwrap_or_default()) {
                Ok(sent) => self.outgoing.advance(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Adds what the agent asks for to `requests`; what came before an error counts.
    pub(super) fn receive(&mut self, requests: &mut Vec<ToKeeper>) -> Result<(), ConnectionError> {
        let mut bytes = [0; READ];
        for _ in 0..READS_AT_ONCE {
            let read = match self.stream.read(&mut bytes) {
                Ok(0) => return Err(ConnectionError::Closed),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.incoming.push(bytes.get(..read).unwrap_or_default());
            while let Some(request) = self.incoming.take()? {
                requests.push(request);
            }
        }
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
