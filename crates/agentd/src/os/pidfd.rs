//! A descriptor of a process: it never comes to mean another process, can be waited for, and tells how it ended.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::process::{self, Identity};

/// The part of the kernel's answer that tells the exit (since Linux 6.15, and once the process was reaped).
const WITH_EXIT: u64 = 1 << 3;

/// The kernel's `struct pidfd_info` in its first, 64-byte form.
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    identifiers: [u32; 11],
    exit_status: i32,
}

mod ioctl {
    nix::ioctl_readwrite!(pidfd_get_info, 0xFF, 11, super::Info);
}

/// Opens the process that `pid` is now; whether it is the one meant is for the caller to check afterwards.
#[expect(unsafe_code, reason = "nix has no pidfd_open")]
pub fn open(pid: i32) -> nix::Result<OwnedFd> {
    // SAFETY: takes two numbers and touches no memory.
    let opened = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let opened = Errno::result(opened)?;
    let descriptor = i32::try_from(opened).map_err(|_| Errno::EOVERFLOW)?;
    // SAFETY: the kernel just made it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Opens exactly the process meant; `None` when it is not there any more.
pub fn open_exactly(identity: Identity) -> nix::Result<Option<OwnedFd>> {
    let descriptor = match open(identity.pid) {
        Ok(descriptor) => descriptor,
        Err(Errno::ESRCH) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    // Only now: whatever the number means at this point, the descriptor means it for ever.
    Ok(is_there(identity).then_some(descriptor))
}

/// Sends `signal` to exactly the process meant. `false`: it is not there any more.
pub fn signal(identity: Identity, signal: i32) -> nix::Result<bool> {
    let sent = match open_exactly(identity) {
        Ok(Some(descriptor)) => send(descriptor.as_fd(), signal),
        // Before Linux 5.3, or out of descriptors: checked and sent as close together as can be.
        Err(_) if is_there(identity) => kill(identity.pid, signal),
        Ok(None) | Err(_) => return Ok(false),
    };
    match sent {
        Ok(()) => Ok(true),
        Err(Errno::ESRCH) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Whether the process ended.
#[must_use]
pub fn has_ended(descriptor: BorrowedFd<'_>) -> bool {
    let mut polled = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut polled, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// The wait status of a process that ended and was reaped, where the kernel tells (since Linux 6.15).
#[must_use]
#[expect(unsafe_code, reason = "an ioctl")]
pub fn exit_status(descriptor: BorrowedFd<'_>) -> Option<i32> {
    let mut info = Info {
        mask: WITH_EXIT,
        ..Info::default()
    };
    // SAFETY: the structure has the size that the number of the ioctl tells, and lives through the call.
    unsafe { ioctl::pidfd_get_info(descriptor.as_raw_fd(), &raw mut info) }.ok()?;
    (info.mask & WITH_EXIT != 0).then_some(info.exit_status)
}

fn is_there(identity: Identity) -> bool {
    process::read(identity.pid).is_some_and(|found| found.identity() == identity)
}

#[expect(unsafe_code, reason = "nix has no pidfd_send_signal")]
fn send(descriptor: BorrowedFd<'_>, signal: i32) -> nix::Result<()> {
    let no_info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: the descriptor is open, and a null info asks for what kill(2) would tell.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            descriptor.as_raw_fd(),
            signal,
            no_info,
            0,
        )
    };
    Errno::result(sent).map(drop)
}

#[expect(unsafe_code, reason = "nix's kill takes no real-time signals")]
fn kill(pid: i32, signal: i32) -> nix::Result<()> {
    // SAFETY: takes two numbers and touches no memory.
    Errno::result(unsafe { libc::kill(pid, signal) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_time_that_differs_is_another_process() {
        let pid = i32::try_from(std::process::id()).expect("pids are small");
        let own = process::read(pid).expect("we are there").identity();
        assert!(signal(own, 0).expect("allowed"));
        let earlier = Identity {
            start_ticks: own.start_ticks + 1,
            ..own
        };
        assert!(!signal(earlier, libc::SIGKILL).expect("not sent"));
    }
}
