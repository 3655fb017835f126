//! What to restart at a change of.

use serde_json::Value;

use crate::spec::WatchPolicy;

use super::DURATION;
use super::fields::Fields;
use super::identity::list;
use super::value::{duration, words};

/// What PM2 leaves out where a file does not say: `node_modules`, and whatever begins with a dot, at any depth.
const IGNORED: [&str; 2] = ["**/node_modules", "**/.*"];

pub(super) fn policy(fields: &mut Fields<'_>) -> Option<WatchPolicy> {
    let expected = "true, false, a path or a list of paths";
    let paths = fields.take("watch", expected, |value| match value {
        Value::Bool(true) => Ok(Some(Vec::new())),
        Value::Bool(false) => Ok(None),
        // No path at all is nothing to watch; only `true` means the working directory.
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            words(value).map(|paths| (!paths.is_empty()).then_some(paths))
        }
    });
    // Read whether or not they matter, so that mistakes are told.
    let ignore = fields
        .raw
        .get("ignore_watch")
        .map(|_| list(fields, "ignore_watch"));
    let delay = fields
        .take("watch_delay", DURATION, duration)
        .unwrap_or_default();
    paths.flatten().map(|paths| WatchPolicy {
        paths,
        ignore: ignore.unwrap_or_else(|| IGNORED.map(str::to_owned).to_vec()),
        delay,
    })
}
