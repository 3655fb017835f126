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
pub(crate) mod stats;
pub(crate) mod variables;
pub(crate) mod watch;
pub(crate) mod why;

use eco_proto::agent::v1::exit::How;

/// The exit code, the signal, or why there was no process at all.
fn how_ended(how: Option<How>) -> (Option<i32>, Option<i32>, Option<String>) {
    match how {
        Some(How::Code(code)) => (Some(code), None, None),
        Some(How::Signal(signal)) => (None, Some(signal), None),
        Some(How::SpawnFailed(why)) => (None, None, Some(why)),
        Some(How::Unknown(_)) | None => (None, None, None),
    }
}

/// A text that says something.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
