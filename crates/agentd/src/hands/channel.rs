//! The keeper's end of an app's channel, which is Node's: one JSON value a line, both ways.
//!
//! ```text
//!   app (fd 3) ◀──── socketpair ────▶ keeper ── lines as they are ──▶ agent
//! ```
//!
//! - The keeper cuts lines and understands none. One that is too long is left out and said once a run.
//! - Nothing is read while no agent is there to hear it: the kernel and the app queue it, so that what an app says once,
//!   such as that it is ready, is not lost.
//! - Nothing blocks. What the app does not take is kept up to a bound; beyond it what should be said is dropped, and logged.
//! - The channel is gone with the keeper: a Node app in fork mode sees `disconnect` and goes on.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::lines::{Cut, Lines};
use super::receive::receive;

/// Where an app finds its end.
pub(super) const DESCRIPTOR: i32 = 3;

/// What tells a Node app of it.
pub(super) const VARIABLES: [(&str, &str); 2] = [
    ("NODE_CHANNEL_FD", "3"),
    ("NODE_CHANNEL_SERIALIZATION_MODE", "json"),
];

/// Bytes that may wait for the app.
const MOST_WAITING: usize = 1 << 20;

/// Bytes of one read, and reads of one turn.
const READ: usize = 16 << 10;
const READS_AT_ONCE: usize = 4;

/// What Node waits for after it passed a descriptor along, before it says anything else.
const HANDLE_ACK: &[u8] = br#"{"cmd":"NODE_HANDLE_ACK"}"#;

/// Whether an app still holds its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It does.
    Open,
    /// It does not: nothing can be said or heard any more.
    Closed,
}

/// Why something was not said.
#[derive(Debug, thiserror::Error)]
#[error("say {length} bytes: the app left {waiting} bytes waiting")]
pub(super) struct Full {
    length: usize,
    waiting: usize,
}

/// One channel.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
    incoming: Lines,
    /// Not taken by the app yet, `sent` bytes of it excepted.
    outgoing: Vec<u8>,
    sent: usize,
    /// Whether the loop waits for room to write.
    pub(super) waits_for_room: bool,
    /// Whether it was said that a line of the app's was left out.
    pub(super) has_complained: bool,
    /// Whether it was said that the app was not told something.
    pub(super) was_full: bool,
}

impl Channel {
    /// A channel, and the end that the app gets.
    pub(super) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (stream, app) = UnixStream::pair()?;
        stream.set_nonblocking(true)?;
        let channel = Self {
            stream,
            incoming: Lines::default(),
            outgoing: Vec::new(),
            sent: 0,
            waits_for_room: false,
            has_complained: false,
            was_full: false,
        };
        Ok((channel, app.into()))
    }

    /// Reads one turn.
    pub(super) fn receive(&mut self, cut: &mut Cut) -> Line {
        let mut bytes = [0; READ];
        for _ in 0..READS_AT_ONCE {
            match receive(&self.stream, &mut bytes) {
                Ok(None) => return Line::Open,
                Ok(Some(received)) if received.bytes == 0 => return Line::Closed,
                Ok(Some(received)) => {
                    if received.descriptors > 0 {
                        self.queue(HANDLE_ACK);
                    }
                    let read = bytes.get(..received.bytes).unwrap_or_default();
                    self.incoming.push(read, cut);
                }
                // The app is gone, with what it did not read.
                Err(_) => return Line::Closed,
            }
        }
        Line::Open
    }

    /// Queues one line.
    pub(super) fn say(&mut self, line: &[u8]) -> Result<(), Full> {
        let waiting = self.waiting();
        if waiting + line.len() > MOST_WAITING {
            let length = line.len();
            return Err(Full { length, waiting });
        }
        self.queue(line);
        Ok(())
    }

    fn queue(&mut self, line: &[u8]) {
        self.outgoing.drain(..self.sent.min(self.outgoing.len()));
        self.sent = 0;
        self.outgoing.extend_from_slice(line);
        self.outgoing.push(b'\n');
    }

    /// Bytes that the app did not take yet.
    pub(super) fn waiting(&self) -> usize {
        self.outgoing.len().saturating_sub(self.sent)
    }

    /// Sends what the app takes now. What an app cannot take any more is dropped.
    pub(super) fn flush(&mut self) {
        while self.waiting() > 0 {
            let rest = self.outgoing.get(self.sent..).unwrap_or_default();
            match self.stream.write(rest) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.outgoing = Vec::new();
        self.sent = 0;
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_said_arrives_as_lines_and_what_the_app_says_is_cut_into_them() {
        let (mut channel, app) = Channel::pair().expect("a pair");
        let mut app = UnixStream::from(app);
        channel.say(b"\"shutdown\"").expect("room");
        channel.flush();
        let mut heard = [0; 11];
        app.read_exact(&mut heard).expect("said");
        assert_eq!(&heard, b"\"shutdown\"\n");
        app.write_all(b"\"ready\"\n{\"a\"").expect("room");
        let mut cut = Cut::default();
        assert_eq!(channel.receive(&mut cut), Line::Open);
        assert_eq!(cut.lines, [b"\"ready\"".to_vec()]);
        drop(app);
        assert_eq!(channel.receive(&mut cut), Line::Closed);
    }

    #[test]
    fn an_app_that_does_not_read_is_told_no_more_than_fits() {
        let (mut channel, app) = Channel::pair().expect("a pair");
        let line = vec![b'x'; MOST_WAITING / 4];
        let mut told = 0;
        while channel.say(&line).is_ok() {
            channel.flush();
            told += 1;
            assert!(told < 100, "there is a bound");
        }
        assert!(channel.waiting() <= MOST_WAITING + 1);
        drop(app);
        channel.flush();
        assert_eq!(channel.waiting(), 0);
    }
}
