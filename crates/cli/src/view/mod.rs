//! What the daemons say, as plain values for people and programs. Pure.

pub(crate) mod changes;
pub(crate) mod config;
pub(crate) mod describe;
pub(crate) mod event;
pub(crate) mod findings;
pub(crate) mod flush;
pub(crate) mod line;
pub(crate) mod list;
pub(crate) mod spec;
pub(crate) mod speech;
pub(crate) mod spoken;
pub(crate) mod variables;
pub(crate) mod watch;
pub(crate) mod why;

/// A text that says something.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
