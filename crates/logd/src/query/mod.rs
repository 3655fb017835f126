//! Answers a question about the lines: history, then what comes after it.
//!
//! ```text
//! catalog ─▶ plan ─▶ chapters (source, from..to) ─▶ merge by time ─▶ outlet ─▶ bounded channel ─▶ rpc
//!              │                                                       ▲
//!              └──▶ seeds (source, from) of what may still grow ─▶ tail ┘
//! ```
//!
//! Invariants
//! - Where a stream's history ends its live part begins: one number, taken once, by the plan.
//! - Nothing is kept of what was passed on. The last N lines are found by counting newlines from behind, and read
//!   forwards like everything else.
//! - One thread per question: whoever asks and does not listen holds up nobody but himself.

mod chapter;
mod last;
pub mod merge;
mod outlet;
mod plan;
mod source;
pub mod stats;
mod wanted;

use std::path::Path;
use std::sync::Arc;

use eco_home::runs::Stream;
use tokio::sync::mpsc;

pub(crate) use chapter::Handover;
pub use outlet::{Attention, Item, Line, Outlet};
pub use plan::Seed;
pub use source::Source;

use crate::catalog::{self, CatalogError, Filter};
use crate::hot::{self, HotError};
use crate::sieve::Sieve;
use crate::tail::{self, Bell, Closed};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which instances.
    pub filter: Filter,
    /// Which of their streams.
    pub streams: Vec<Stream>,
    /// The last lines, or records where the sieve chooses, over all sources together; `None`: all.
    pub last: Option<u64>,
    /// No line older than this, unix ns.
    pub since: u64,
    /// Only lines older than this, unix ns.
    pub until: u64,
    /// What comes after the history.
    pub after: After,
    /// Which records, and that they are to be recognised; `None`: lines, whatever they belong to.
    pub sieve: Option<Arc<Sieve>>,
}

/// What comes after the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// The end.
    Nothing,
    /// All lines that are written from there on.
    Live,
    /// These, and what is there of those that are not complete.
    LiveAndBegun,
}

impl Query {
    /// Returns whether a line of that time is asked for.
    #[must_use]
    pub const fn covers(&self, time: u64) -> bool {
        self.since <= time && time < self.until
    }

    /// The sieve, if it keeps anything back.
    #[must_use]
    pub fn chooses(&self) -> Option<&Arc<Sieve>> {
        self.sieve.as_ref().filter(|sieve| sieve.chooses())
    }
}

/// Why an answer ended before it was complete.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Whoever asked has gone.
    #[error("pass a line on: the client has gone")]
    Gone,
    /// The daemon ends.
    #[error(transparent)]
    Closing(#[from] Closed),
    /// The runs cannot be listed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A stream cannot be read.
    #[error(transparent)]
    Hot(#[from] HotError),
}

/// Answers `query` from the folders below `runs`, into `sender`. Returns when the answer is complete, the client has gone or
/// the bell is closed.
pub fn answer(query: &Query, runs: &Path, bell: &Bell, sender: mpsc::Sender<Result<Item, Stop>>) {
    let mut outlet = Outlet::new(sender);
    if let Err(stop) = run(query, runs, bell, &mut outlet) {
        outlet.stop(stop);
    }
}

fn run(query: &Query, runs: &Path, bell: &Bell, outlet: &mut Outlet) -> Result<(), Stop> {
    let lives = catalog::list(runs, &query.filter)?;
    let attention = outlet.attention(bell);
    let plan = plan::plan(query, runs, &lives, &attention)?;
    history(plan.chapters, plan.skip, &attention, outlet)?;
    outlet.caught_up()?;
    match query.after {
        After::Nothing => Ok(()),
        After::Live | After::LiveAndBegun => {
            tail::follow(query, runs, &lives, plan.seeds, bell, outlet)
        }
    }
}

/// Items of an answer that wait for a client before its thread does: batches of 256 KiB and a line at most, so that whoever never
/// reads costs 4 MiB.
pub const AHEAD: usize = 8;

/// Lines between two looks at whether anyone still listens.
const PATIENCE: u32 = 4096;

fn history(
    mut chapters: Vec<chapter::Chapter<'_>>,
    mut skip: u64,
    attention: &Attention<'_>,
    outlet: &mut Outlet,
) -> Result<(), Stop> {
    let mut passed = 0_u32;
    merge::merge(&mut chapters, |chapter, head| {
        passed = passed.wrapping_add(1);
        if passed.is_multiple_of(PATIENCE) {
            attention.check()?;
        }
        if skip == 0 {
            return outlet.pass(chapter.source(), head.item);
        }
        // What lies before the lines that were asked for, gaps included; of a record, its last line counts.
        if matches!(head.item.item, hot::Item::Line { .. }) && !head.continues {
            skip -= 1;
        }
        Ok(())
    })
}
