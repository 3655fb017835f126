//! What to replace an app at a change of.
//!
//! PM2 hands `watch_options` to chokidar. What of it says something about which changes count is taken over; what says how
//! chokidar is to go about it has nobody to say it to, and is warned of unless it asks for what is so anyway.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Fault;
use crate::raw::Written;
use crate::spec::{IgnoreField, IgnoreRule, Ignored, Links, WatchPolicy};

use super::fields::Fields;
use super::value::{self, Reading, count, duration, flag, shown, words};
use super::{BOOLEAN, DURATION};

const RULES: &str = "patterns such as \"logs/\" or \"*.tmp\", or regular expressions";
/// How often files are looked at where polling is asked for and nothing more.
const POLLING: Duration = Duration::from_millis(100);
/// How long chokidar waits for a file that is being written.
const STABLE: Duration = Duration::from_secs(2);
/// What is so anyway: it asks for nothing.
const ANYWAY: [&str; 5] = [
    "alwaysStat",
    "atomic",
    "binaryInterval",
    "ignoreInitial",
    "persistent",
];

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
    let ignore = fields.take("ignore_watch", RULES, |value| {
        rules(value, IgnoreField::IgnoreWatch)
    });
    let delay = fields
        .take("watch_delay", DURATION, duration)
        .unwrap_or_default();
    let options = Options::read(fields);
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
    fn read(fields: &mut Fields<'_>) -> Self {
        let given = fields.take("watch_options", "an object of options", object);
        let mut given = Given {
            options: given.unwrap_or_default(),
            fields,
        };
        let ignored = given.take("ignored", RULES, |value| {
            rules(value, IgnoreField::WatchOptions)
        });
        let links = given.take("followSymlinks", BOOLEAN, flag);
        let interval = given.take("interval", DURATION, duration);
        let polls = given.take("usePolling", BOOLEAN, flag) == Some(true);
        let depth = given.take("depth", "a number from 0", count);
        let stable = given.take("awaitWriteFinish", "true, false or an object", stable);
        given.warn_of_the_rest();
        Self {
            ignored,
            links: match links {
                Some(true) | None => Links::Followed,
                Some(false) => Links::Plain,
            },
            polling: polls.then(|| interval.unwrap_or(POLLING)),
            depth,
            stable: stable.unwrap_or_default(),
        }
    }
}

/// Options while they are read: what is left was not understood.
struct Given<'a, 'b> {
    options: Map<String, Value>,
    fields: &'a mut Fields<'b>,
}

impl Given<'_, '_> {
    fn take<T>(
        &mut self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&Value) -> Reading<T>,
    ) -> Option<T> {
        let value = self.options.remove(name).filter(|value| !value.is_null())?;
        match read(&value) {
            Ok(read) => Some(read),
            Err(hint) => {
                let key = self.key()?;
                let (inside, found) = (format!(".{name}"), shown(&value));
                self.fields
                    .mismatch(&key, Some(&inside), found, expected, hint);
                None
            }
        }
    }

    fn key(&self) -> Option<String> {
        let Written { key, .. } = self.fields.raw.get("watch_options")?;
        Some(key.clone())
    }

    fn warn_of_the_rest(&mut self) {
        let Some(key) = self.key() else { return };
        let rest = self.options.keys();
        let fields: Vec<String> = rest
            .filter(|name| !ANYWAY.contains(&name.as_str()))
            .map(|name| format!("{key}.{name}"))
            .collect();
        if !fields.is_empty() {
            let fault = Fault::NotActedOn { fields };
            let problem = self.fields.problem(Some(&key), fault);
            self.fields.warnings.push(problem);
        }
    }
}

fn object(value: &Value) -> Reading<Map<String, Value>> {
    value.as_object().cloned().ok_or(None)
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
        Value::Object(options) => options
            .get("stabilityThreshold")
            .map_or(Ok(STABLE), duration),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(None),
    }
}
