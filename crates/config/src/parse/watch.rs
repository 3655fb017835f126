//! What to replace an app at a change of.
//!
//! PM2 hands `watch_options` to chokidar. What of it says something about which changes count is taken over; what says how
//! chokidar is to go about it has nobody to say it to, and is warned of unless it asks for what is so anyway.

use std::time::Duration;

use serde_json::Value;

use crate::fields::WATCH_OPTIONS;
use crate::spec::{IgnoreField, IgnoreRule, Ignored, Links, WatchPolicy};

use super::fields::Fields;
use super::value::{self, Reading, count, duration, flag, words};

/// How often files are looked at where polling is asked for and nothing more.
const POLLING: Duration = Duration::from_millis(100);
/// How long chokidar waits for a file that is being written.
const STABLE: Duration = Duration::from_secs(2);
pub(super) fn policy(fields: &mut Fields<'_>) -> Option<WatchPolicy> {
    let paths = fields.take("watch", |value| match value {
        Value::Bool(true) => Ok(Some(Vec::new())),
        Value::Bool(false) => Ok(None),
        // No path at all is nothing to watch; only `true` means the working directory.
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            words(value).map(|paths| (!paths.is_empty()).then_some(paths))
        }
    });
    // Read whether or not they matter, so that mistakes are told.
    let ignore = fields.take("ignore_watch", |value| {
        rules(value, IgnoreField::IgnoreWatch)
    });
    let delay = fields.take("watch_delay", duration).unwrap_or_default();
    let options = fields
        .inside("watch_options", WATCH_OPTIONS, Options::read)
        .unwrap_or(Options::NONE);
    paths.flatten().map(|paths| WatchPolicy {
        paths,
        ignore: match (ignore, options.ignored) {
            (None, None) => None,
            (first, second) => Some(first.into_iter().chain(second).flatten().collect()),
        },
        delay: delay.max(options.stable),
        links: options.links,
        polling: options.polling,
        depth: options.depth,
    })
}

/// What `watch_options` say.
struct Options {
    ignored: Option<Vec<IgnoreRule>>,
    links: Links,
    polling: Option<Duration>,
    depth: Option<u32>,
    stable: Duration,
}

impl Options {
    const NONE: Self = Self {
        ignored: None,
        links: Links::Followed,
        polling: None,
        depth: None,
        stable: Duration::ZERO,
    };

    fn read(fields: &mut Fields<'_>) -> Self {
        let polls = fields.take("usePolling", flag) == Some(true);
        let interval = fields.take("interval", duration);
        Self {
            ignored: fields.take("ignored", |value| rules(value, IgnoreField::WatchOptions)),
            links: match fields.take("followSymlinks", flag) {
                Some(true) | None => Links::Followed,
                Some(false) => Links::Plain,
            },
            polling: polls.then(|| interval.unwrap_or(POLLING)),
            depth: fields.take("depth", count),
            stable: fields.take("awaitWriteFinish", stable).unwrap_or_default(),
        }
    }
}

/// One rule, a list of them, or a text of patterns with blanks between them.
fn rules(value: &Value, field: IgnoreField) -> Reading<Vec<IgnoreRule>> {
    let rule = |what| IgnoreRule { what, field };
    let pattern = |text| rule(Ignored::Pattern(text));
    if let Some(expression) = value::expression(value) {
        return Ok(vec![rule(Ignored::Expression(expression?))]);
    }
    match value {
        Value::Array(items) => items.iter().map(|item| one(item, field)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            words(value).map(|words| words.into_iter().map(pattern).collect())
        }
    }
}

fn one(item: &Value, field: IgnoreField) -> Reading<IgnoreRule> {
    let what = match value::expression(item) {
        Some(expression) => Ignored::Expression(expression?),
        None => Ignored::Pattern(value::text(item)?),
    };
    Ok(IgnoreRule { what, field })
}

/// `awaitWriteFinish`: how long a file must rest.
fn stable(value: &Value) -> Reading<Duration> {
    match value {
        Value::Bool(true) => Ok(STABLE),
        Value::Bool(false) => Ok(Duration::ZERO),
        Value::Object(options) if !value::is_odd(value) => options
            .get("stabilityThreshold")
            .map_or(Ok(STABLE), duration),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(None)
        }
    }
}
