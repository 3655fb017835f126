//! What lines say of themselves: how grave they are, which fields they have, and which of them belong together. Pure.
//!
//! ```text
//!  {"level":50,"req":{"status":503},…}        level: Error     fields: req.status = 503
//!  2026-11-26 07:00:01 ERROR cannot connect   level: Error     ┐
//!  Traceback (most recent call last):                          │ one record of four lines
//!    File "app.py", line 3, in connect                         │
//!  ConnectionError: refused                                    ┘
//! ```
//!
//! Invariants
//! - Any bytes are read, and none of them is trusted: what is not understood has no level, no fields, and stands alone.
//! - All of it is decided from the line, and for what belongs together from the lines before it: nothing depends on how the
//!   bytes came, nor on who reads.

mod fields;
mod grouping;
mod json;
mod level;
mod text;

pub use fields::{Comparison, Condition, InvalidCondition};
pub use grouping::{Grouping, MOST_BYTES, MOST_LINES, NEAR, is_first};
pub use level::{Level, bits, level};
