//! Reading from a socket that an app holds the other end of.
//!
//! Whoever writes to a unix socket may pass descriptors along. Nobody here has a use for them, and each that is not
//! closed is held for as long as the keeper lives.

use std::io::IoSliceMut;
use std::os::fd::{AsFd, AsRawFd as _, RawFd};

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::close;

use super::say;

/// The most descriptors that the kernel passes with one message. With less room than that some would come unseen.
const MOST_DESCRIPTORS: usize = 253;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// Bytes; 0 on a stream: nobody has the other end any more.
    pub(super) bytes: usize,
    /// Descriptors that came along, and are closed.
    pub(super) descriptors: usize,
    /// Whether a datagram was longer than the room for it.
    pub(super) is_cut: bool,
}

/// Reads what is there, without waiting; `None`: nothing.
pub(super) fn receive(socket: impl AsFd, bytes: &mut [u8]) -> nix::Result<Option<Received>> {
    let mut space = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let descriptor = socket.as_fd().as_raw_fd();
    loop {
        let mut parts = [IoSliceMut::new(bytes)];
        let message = match recvmsg::<()>(descriptor, &mut parts, Some(&mut space), flags) {
            Ok(message) => message,
            Err(Errno::EAGAIN) => return Ok(None),
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
        };
        let mut descriptors = 0;
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(passed) = control {
                descriptors += passed.len();
                passed.into_iter().for_each(put_away);
            }
        }
        return Ok(Some(Received {
            bytes: message.bytes,
            descriptors,
            is_cut: message.flags.contains(MsgFlags::MSG_TRUNC),
        }));
    }
}

fn put_away(descriptor: RawFd) {
    if let Err(errno) = close(descriptor) {
        say::failed(&"closing what an app passed along", &errno);
    }
}
