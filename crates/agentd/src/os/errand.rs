//! A program that does something for us for a moment, and must not outlive that, nor us.
//!
//! It leads a session and a group of its own, so that what it starts can be ended with it; the kernel kills it when we die.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use eco_home::open_files;
use nix::sys::prctl;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, setsid};

use super::account::Account;

/// Makes `command` an errand when it is spawned; `None`: as whom we are. To be spawned by a thread that stays: the kernel
/// takes that thread's end for ours.
#[expect(unsafe_code, reason = "only what runs between fork and exec can do it")]
pub fn prepare(command: &mut Command, account: Option<Account>) {
    let begin = move || -> io::Result<()> {
        setsid()?;
        open_files::give_back()?;
        if let Some(account) = &account {
            account.assume()?;
        }
        // Last: a change of user takes it away.
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        Ok(())
    };
    // SAFETY: only system calls that are safe after a fork are made, and nothing is allocated.
    unsafe {
        command.pre_exec(begin);
    }
}

/// The processes of an errand whose first one has not been reaped: until then no other group has its number. Killed when
/// dropped.
#[derive(Debug)]
pub struct Group(Pid);

impl Group {
    /// The group of the errand that `pid` leads.
    #[must_use]
    pub const fn of(pid: i32) -> Self {
        Self(Pid::from_raw(pid))
    }

    /// Whether its first process has ended, which stays to be reaped.
    pub fn is_over(&self) -> nix::Result<bool> {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        Ok(waitid(Id::Pid(self.0), look)? != WaitStatus::StillAlive)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Nothing is left of it: as it should be.
        killpg(self.0, Signal::SIGKILL).unwrap_or_default();
    }
}
