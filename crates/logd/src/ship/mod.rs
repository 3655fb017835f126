//! The runs of this host, kept elsewhere too.
//!
//! ```text
//!   keeper ──▶ runs/<this host>/…/out.0001 ──hot::raw──▶ work ──channel, bounded──▶ rpc ──Ship──▶ another log daemon
//!   agent ──Feed──▶ bell ──────────────────────────────▶  ▲                                         │
//!                                                         └──────── mailbox: the last ack of each ◀─┘
//! ```
//!
//! Invariants
//! - The files are the backlog: nothing is held for a receiver that is not there, and nothing is remembered of it. Each call
//!   asks anew how far each stream is kept, so whoever is killed costs a repeat at most.
//! - What is sent is what a reader may see: bytes with their notes, or old enough to need none ([`crate::hot`]). So each
//!   line has the same time on both sides.
//! - Before a stream goes on, its last bytes that are kept there are sent once more: another life under the same name is
//!   found out before it is mixed with this one.
//! - One run's trouble is no other's: what cannot be read, or is refused, is said, left alone and tried again later.
//! - Memory is one chunk, what the channel holds, and a small record for each run that is not complete there.

mod mailbox;
mod outgoing;
mod work;

pub use mailbox::Mailbox;
pub use work::{Over, Work, is_awaited, is_shipped};

#[cfg(test)]
pub(crate) use outgoing::{Depth, Outgoing};
