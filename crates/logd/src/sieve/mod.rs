//! Which records are asked for, found without looking at those that are not.
//!
//! ```text
//!  chunks ─▶ sifter: search all bytes at once for what each record must have ─┬─ none ─▶ on to the last first line
//!                                                                            └─ hit ──▶ back to the first line of its
//!                                                                                        record, forwards line by line
//!            record ─▶ sieve: all conditions ─▶ its lines, with its level
//! ```
//!
//! Invariants
//! - What is passed on does not depend on how the bytes were chunked.
//! - A record is passed on whole or not at all. All its lines together have 256 KiB at most; of a line that is longer than that
//!   the first 256 KiB are looked at, and the rest goes where they go.
//! - Memory is one chunk, one record and one line for each stream that is read.

mod ahead;
mod conditions;
mod pattern;
mod scan;
mod sifter;
mod sifting;
#[cfg(test)]
mod tests;

pub use ahead::Ahead;
pub use conditions::Sieve;
pub use pattern::{InvalidPattern, Pattern};
pub use scan::Scan;
pub use sifter::{Found, Mark, Sifter, Times};
pub use sifting::{AtEnd, Sifting};
