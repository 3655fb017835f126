//! The limit of open files: raised by daemons that hold something of every run, and given back to whoever they start.

use std::io;
use std::sync::OnceLock;

use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What is taken where everything may be.
const PLENTY: u64 = 1 << 20;

/// What it was before we raised it for ourselves.
static BEFORE: OnceLock<Limit> = OnceLock::new();

/// A process's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What holds.
    pub soft: u64,
    /// What the process may raise it to.
    pub hard: u64,
}

/// The limit that holds now.
pub fn limit() -> io::Result<Limit> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(Limit { soft, hard })
}

/// Takes all that may be had from `before`, which is what holds.
pub fn raise(before: Limit) -> io::Result<()> {
    let Limit { soft, hard } = *BEFORE.get_or_init(|| before);
    let wanted = if hard == libc::RLIM_INFINITY {
        soft.max(PLENTY)
    } else {
        hard
    };
    Ok(setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)?)
}

/// Undoes [`raise`]: to be called between fork and exec, where it is safe, so that a program meets the limit that it would
/// without us. Some take one open file for each that there may be.
pub fn give_back() -> io::Result<()> {
    match BEFORE.get() {
        Some(Limit { soft, hard }) => Ok(setrlimit(Resource::RLIMIT_NOFILE, *soft, *hard)?),
        None => Ok(()),
    }
}
