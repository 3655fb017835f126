//! Taking a run over that an earlier keeper began.
//!
//! ```text
//!   same boot? ── no ─────────────────────────────────────────────┐
//!     │ yes                                                       ▼
//!   pidfd_open(pid), then: same start time? ── no ─▶ ended, how: unknown
//!     │ yes                                                       
//!   zombie? ── yes ─▶ ended, how: from /proc or the descriptor
//!     │ no
//!   lives: its end is told by the descriptor
//! ```
//!
//! The FIFOs are opened again by their paths and the segments at their sizes, whether the leader lives or not: another
//! process of the run may, and what is in a FIFO stays there as long as somebody holds it. Its socket for notices is bound
//! again. Its channel is gone: the app saw it close with the earlier keeper.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use eco_home::runs::Stream;
use eco_proto::keeper::v1::Adopt;

use super::mark;
use super::notices::Notices;
use super::output::Output;
use super::say;
use crate::os::exit::{self, Exit};
use crate::os::pidfd;
use crate::os::process::{self, Identity};

/// What became of the leader.
#[derive(Debug)]
pub(super) enum Leader {
    /// It is the one meant, and runs.
    Living(Option<OwnedFd>),
    /// It ended meanwhile.
    Ended(Exit),
}

/// Looks whether the process meant is there.
pub(super) fn find(request: &Adopt, boot_id: &str) -> Leader {
    let identity = identity(request);
    if boot_id.is_empty() || request.boot_id != boot_id || identity.pid <= 0 {
        return Leader::Ended(Exit::Unknown);
    }
    let descriptor = pidfd::open_exactly(identity).ok().flatten();
    let found = process::read(identity.pid).filter(|found| found.identity() == identity);
    match found {
        Some(found) if found.is_alive() => Leader::Living(descriptor),
        Some(_) | None => {
            let descriptor = descriptor.as_ref().map(|one| one.as_fd());
            Leader::Ended(exit::of_stranger(identity, descriptor))
        }
    }
}

/// Which process is meant.
pub(super) const fn identity(request: &Adopt) -> Identity {
    Identity {
        pid: request.pid,
        start_ticks: request.start_ticks,
    }
}

/// Opens what is there of its outputs, if it has any: of some runs nothing is kept. Without one the run still has an end to
/// be waited for.
pub(super) fn outputs(folder: &Path, segment_bytes: u64) -> Vec<Output> {
    let reopen = |stream| match Output::reopen(folder, stream, segment_bytes) {
        Ok(output) => Some(output),
        Err(error) => {
            say::failed(&format_args!("adopting {}", folder.display()), &error);
            None
        }
    };
    let is_kept = |stream: &Stream| Output::is_there(folder, *stream);
    Stream::BOTH
        .into_iter()
        .filter(is_kept)
        .filter_map(reopen)
        .collect()
}

/// Binds its socket for notices again, if it has one.
pub(super) fn notices(request: &Adopt, folder: &Path) -> Option<Notices> {
    let number = mark::number(&request.run_dir, &request.boot_id);
    Notices::reopen(folder, number).unwrap_or_else(|error| {
        say::failed(&"adopting", &error);
        None
    })
}
