//! The log daemon: finds, merges and streams the lines of the runs.
//!
//! ```text
//!   client ──Query──▶ rpc ──▶ query: catalog, plan, merge, outlet ──▶ sieve ──▶ hot ──▶ runs/<host>/<environment>/<app>/…
//!   agent  ──Feed───▶ rpc ──▶ tail: bell ──▶ followers ───────────────┤            ▲ written by the keeper
//!   client ──Flush──▶ rpc ──▶ flush ──────────────────────────────────┤
//!   another ──Ship──▶ rpc ──▶ replica ───────────────────── writes ───┤            ▲ runs of other hosts
//!   another ◀──Ship── rpc ◀── ship ◀──────────────────────────────────┘
//! ```
//!
//! Invariants
//! - The files are the state: nothing of this host's is copied here, nothing is remembered from one answer to the next, and
//!   this daemon can be killed at any moment.
//! - The identity of a byte is its (run, stream, offset); a line's is that of its first byte.
//! - History and live meet at an offset per stream: no gap, no repeat.
//! - A line is made when someone reads, and of any bytes.
//!
//! Layout
//! - [`catalog`] names the runs there are; [`hot`] reads one stream of one run in place; [`mod@line`] cuts bytes into lines.
//! - [`record`] recognises levels, fields and what belongs together; [`sieve`] finds the records that are asked for, and
//!   [`needles`] what must stand in them.
//! - [`query`] answers: what to read, merged in time order; [`tail`] goes on from there; [`flush`] takes away.
//! - [`replica`] keeps runs of other hosts, [`ship`] has ours kept elsewhere; [`chunk`] is what both say to each other.
//! - [`mirror`] copies lines to files that were asked for, by the [`settings`] that the agent tells.
//! - [`cold`] is what complete segments are packed into; [`upkeep`] packs them, and has the oldest go; [`disk`] is where it writes.
//! - [`eco_toml`] is what the host's owner wants of all that.
//! - [`rpc`] converts; [`daemon`] begins and ends.

pub mod catalog;
pub mod chunk;
pub mod cold;
pub mod daemon;
pub mod disk;
pub mod eco_toml;
pub mod flush;
pub mod hot;
pub mod line;
pub mod mirror;
pub mod needles;
pub mod query;
pub mod record;
pub mod replica;
pub mod rpc;
pub mod settings;
pub mod ship;
pub mod sieve;
pub mod tail;
pub mod upkeep;

#[cfg(test)]
mod tests;
