//! How a process ended.

use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::libc;

use super::pidfd;
use super::process::{self, Identity};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Nobody can tell any more.
    Unknown,
}

impl Exit {
    /// Reads a wait status (wait(2)).
    #[must_use]
    pub const fn from_status(status: i32) -> Self {
        if libc::WIFEXITED(status) {
            Self::Code(libc::WEXITSTATUS(status))
        } else if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Unknown
        }
    }
}

/// Asks for one child that ended, and lets the kernel forget it; `None` when no other has.
#[expect(unsafe_code, reason = "nix's waitpid loses real-time signals")]
#[must_use]
pub fn reap() -> Option<(i32, Exit)> {
    loop {
        let mut status = 0;
        // SAFETY: the status lives through the call.
        match unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) } {
            pid if pid > 0 => return Some((pid, Exit::from_status(status))),
            -1 if Errno::last() == Errno::EINTR => {}
            _ => return None,
        }
    }
}

/// How a process that is not our child ended: from its descriptor, or from what its parent has not fetched yet.
#[must_use]
pub fn of_stranger(identity: Identity, descriptor: Option<BorrowedFd<'_>>) -> Exit {
    let told = || descriptor.and_then(pidfd::exit_status);
    let zombie = || {
        process::read(identity.pid)
            .filter(|found| found.identity() == identity)
            .and_then(|found| found.exit_status)
    };
    // Its parent may reap it between the first two questions, and then the first has an answer.
    told()
        .or_else(zombie)
        .or_else(told)
        .map_or(Exit::Unknown, Exit::from_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_signals_are_told_apart() {
        assert_eq!(Exit::from_status(5 << 8), Exit::Code(5));
        assert_eq!(Exit::from_status(libc::SIGKILL), Exit::Signal(9));
        assert_eq!(Exit::from_status(libc::SIGSEGV | 0x80), Exit::Signal(11));
    }

    #[test]
    fn a_real_time_signal_is_a_signal() {
        assert_eq!(Exit::from_status(34), Exit::Signal(34));
    }
}
