//! The conversation with the agent.
//!
//! ```text
//!   socket ──▶ frames ──▶ requests
//!   socket ◀── chunks: bytes, or bytes with descriptors
//! ```
//!
//! Nothing here blocks. What the agent does not take is kept up to a bound; beyond it the conversation is
//! ended, and nothing is lost by that, since the next one begins with all that is known.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use eco_proto::keeper::v1::{FromKeeper, ToKeeper};
use nix::errno::Errno;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{ControlMessage, MsgFlags, getsockopt, sendmsg};
use nix::unistd::{Uid, geteuid};

use crate::frame::{self, FrameError, Frames};

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

#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// How much of them was sent.
    sent: usize,
    /// Go with the first byte.
    descriptors: Vec<OwnedFd>,
}

impl Chunk {
    fn waiting(&self) -> usize {
        self.bytes.len().saturating_sub(self.sent)
    }

    /// Notes that `sent` more bytes, and with them the descriptors, are on their way.
    fn advance(&mut self, sent: usize) {
        self.descriptors.clear();
        self.sent += sent;
        if self.sent > READ && self.sent > self.waiting() {
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
    outgoing: VecDeque<Chunk>,
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
            outgoing: VecDeque::new(),
            wants_room: false,
        })
    }

    /// Whether all was sent.
    pub(super) fn is_idle(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Queues a message.
    pub(super) fn send(
        &mut self,
        message: &FromKeeper,
        descriptors: Vec<OwnedFd>,
    ) -> Result<(), ConnectionError> {
        let waiting = self.outgoing.iter().map(Chunk::waiting).sum();
        if waiting > MOST_WAITING {
            return Err(ConnectionError::Stuck { waiting });
        }
        if let Some(last) = self.outgoing.back_mut()
            && descriptors.is_empty()
            && last.descriptors.is_empty()
        {
            return Ok(frame::append(message, &mut last.bytes)?);
        }
        let mut chunk = Chunk {
            descriptors,
            ..Chunk::default()
        };
        frame::append(message, &mut chunk.bytes)?;
        self.outgoing.push_back(chunk);
        Ok(())
    }

    /// Sends what the agent takes now.
    pub(super) fn flush(&mut self) -> Result<(), ConnectionError> {
        while let Some(chunk) = self.outgoing.front_mut() {
            let rest = chunk.bytes.get(chunk.sent..).unwrap_or_default();
            let sent = if chunk.descriptors.is_empty() {
                self.stream.write(rest)
            } else {
                send_descriptors(&self.stream, rest, &chunk.descriptors)
            };
            match sent {
                Ok(sent) => chunk.advance(sent),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if chunk.waiting() == 0 {
                self.outgoing.pop_front();
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

fn send_descriptors(
    stream: &UnixStream,
    bytes: &[u8],
    descriptors: &[OwnedFd],
) -> io::Result<usize> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    let sent = sendmsg::<()>(
        stream.as_raw_fd(),
        &[IoSlice::new(bytes)],
        &rights,
        flags,
        None,
    );
    sent.map_err(|errno: Errno| errno.into())
}
