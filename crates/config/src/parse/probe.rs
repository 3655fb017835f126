//! How an app is asked whether it is up, and whether it is still well.
//!
//! ```text
//! readiness: { http: …, interval: '1s', within: '60s' }
//!              └ exactly one check ┘ └ how often, how long, what counts
//! ```

use std::time::Duration;

use serde_json::Value;

use crate::error::Fault;
use crate::fields::{HTTP, LIVENESS, READINESS, Table};
use crate::raw::Written;
use crate::spec::{
    Address, Check, HttpUrl, IllAction, Liveness, Probe, Readiness, TemplateError, fill,
};

use super::fields::Fields;
use super::value::{self, Reading, duration, positive, some_duration, text, whole, words};

const READINESS_INTERVAL: Duration = Duration::from_secs(1);
const LIVENESS_INTERVAL: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(3);
const WITHIN: Duration = Duration::from_secs(60);
const SUCCESSES: u32 = 1;
const FAILURES: u32 = 3;

const READINESS_CHECK: &str = "exactly one of http, tcp, exec, log and notify";
const LIVENESS_CHECK: &str = "exactly one of http, tcp, exec, notify, output and silence";

/// When an instance counts as up.
pub(super) fn readiness(fields: &mut Fields<'_>) -> Option<Readiness> {
    of(fields, "readiness", READINESS, |fields| {
        let check = check(fields, &READINESS_CHECKS, READINESS_CHECK);
        let probe = probe(fields, READINESS_INTERVAL);
        let within = fields.take("within", duration).unwrap_or(WITHIN);
        Some(Readiness {
            probe: Probe {
                check: check?,
                ..probe
            },
            within: (!within.is_zero()).then_some(within),
        })
    })
}

/// Whether an instance is still well.
pub(super) fn liveness(fields: &mut Fields<'_>) -> Option<Liveness> {
    of(fields, "liveness", LIVENESS, |fields| {
        let check = check(fields, &LIVENESS_CHECKS, LIVENESS_CHECK);
        // Whoever says how long silence may last has said all about how often and how many.
        let silence = fields.take("silence", some_duration);
        let (interval, failures) = match silence {
            Some(silence) => (silence, 1),
            None => (LIVENESS_INTERVAL, FAILURES),
        };
        let probe = Probe {
            start_period: fields.take("start_period", duration).unwrap_or_default(),
            failures: fields.take("failures", positive).unwrap_or(failures),
            ..probe(fields, interval)
        };
        let action = fields.take("action", action).unwrap_or(IllAction::Restart);
        Some(Liveness {
            probe: Probe {
                check: check?,
                ..probe
            },
            action,
        })
    })
}

/// Reads a probe's object; `false` is none.
fn of<T>(
    fields: &mut Fields<'_>,
    name: &str,
    table: Table,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    if !fields.get(name).is_some_and(is_on) {
        return None;
    }
    fields.inside(name, table, read).flatten()
}

/// How often, how long, and how many answers; the check is put in by whoever asks.
fn probe(fields: &mut Fields<'_>, interval: Duration) -> Probe {
    Probe {
        check: Check::Notify,
        interval: fields.take("interval", some_duration).unwrap_or(interval),
        timeout: fields.take("timeout", some_duration).unwrap_or(TIMEOUT),
        start_period: Duration::ZERO,
        successes: fields.take("successes", positive).unwrap_or(SUCCESSES),
        failures: FAILURES,
    }
}

/// Reads one kind of check; nothing when its value will not do, or is `false`.
type ReadCheck = fn(&mut Fields<'_>) -> Option<Check>;

const READINESS_CHECKS: [(&str, ReadCheck); 5] = [
    ("http", http),
    ("tcp", tcp),
    ("exec", exec),
    ("log", log),
    ("notify", |fields| said(fields, "notify", Check::Notify)),
];

const LIVENESS_CHECKS: [(&str, ReadCheck); 6] = [
    ("http", http),
    ("tcp", tcp),
    ("exec", exec),
    ("notify", |fields| said(fields, "notify", Check::Notify)),
    ("output", |fields| said(fields, "output", Check::Output)),
    ("silence", |_| Some(Check::Output)),
];

fn check(
    fields: &mut Fields<'_>,
    checks: &[(&str, ReadCheck)],
    expected: &'static str,
) -> Option<Check> {
    let present: Vec<_> = checks
        .iter()
        .filter(|(name, _)| fields.get(name).is_some_and(is_on))
        .collect();
    if let [(_, read)] = present.as_slice() {
        return read(fields);
    }
    let names: Vec<_> = present.iter().map(|(name, _)| *name).collect();
    let found = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" and ")
    };
    let problem = fields.problem(None, Fault::Mismatch { found, expected });
    fields.problems.push(problem);
    None
}

/// Whether a check is asked for: `notify: false` does not.
fn is_on(written: &Written) -> bool {
    written.value != Value::Bool(false)
}

/// A check that is there or not.
fn said(fields: &mut Fields<'_>, name: &str, check: Check) -> Option<Check> {
    fields
        .take(name, value::flag)
        .filter(|on| *on)
        .map(|_| check)
}

fn tcp(fields: &mut Fields<'_>) -> Option<Check> {
    fields.take("tcp", address).map(Check::Tcp)
}

fn address(value: &Value) -> Reading<String> {
    let text = port_or_text(value)?;
    let filled = tried(&text)?;
    let address = filled.parse::<Address>();
    address.map_err(|error| Some(error.to_string()))?;
    Ok(text)
}

fn exec(fields: &mut Fields<'_>) -> Option<Check> {
    fields.take("exec", command).map(Check::Exec)
}

fn command(value: &Value) -> Reading<Vec<String>> {
    let command = words(value)?;
    match command.first() {
        Some(program) if !program.trim().is_empty() => {}
        Some(_) | None => return Err(Some("the program is missing".to_owned())),
    }
    for word in &command {
        tried(word)?;
    }
    Ok(command)
}

fn log(fields: &mut Fields<'_>) -> Option<Check> {
    fields.take("log", pattern).map(Check::Log)
}

/// A regular expression as a text, or as JavaScript has one: `/listening on \d+/i`.
fn pattern(value: &Value) -> Reading<String> {
    let pattern = value::expression(value).unwrap_or_else(|| value::some_text(value))?;
    match regex::Regex::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(error) => {
            let said = error.to_string();
            let last = said.lines().last().unwrap_or_default();
            let why = last.trim().trim_start_matches("error: ");
            Err(Some(why.to_owned()))
        }
    }
}

fn http(fields: &mut Fields<'_>) -> Option<Check> {
    if fields
        .get("http")
        .is_some_and(|written| value::object(&written.value).is_some())
    {
        return http_object(fields);
    }
    fields.take("http", url).map(|url| Check::Http {
        url,
        statuses: Vec::new(),
    })
}

fn http_object(fields: &mut Fields<'_>) -> Option<Check> {
    let check = fields.inside("http", HTTP, |fields| {
        let statuses = fields.take("status", statuses).unwrap_or_default();
        let whole = fields.take("url", url);
        let path = fields.take("path", path);
        let port = fields.take("port", port);
        let told = |name| fields.get(name).is_some();
        let found = match (told("url"), told("port"), told("path")) {
            (true, false, false) => return whole.map(|url| Check::Http { url, statuses }),
            (false, true, _) => {
                let path = path.unwrap_or_else(|| "/".to_owned());
                return port.map(|port| Check::Http {
                    url: format!("http://127.0.0.1:{port}{path}"),
                    statuses,
                });
            }
            (true, _, _) => "url beside port or path",
            (false, false, true) => "path alone",
            (false, false, false) => "neither",
        };
        let expected = "either url, or port with or without path";
        let found = found.to_owned();
        let problem = fields.problem(None, Fault::Mismatch { found, expected });
        fields.problems.push(problem);
        None
    });
    check.flatten()
}

fn url(value: &Value) -> Reading<String> {
    let url = text(value)?;
    let filled = tried(&url)?;
    let read = filled.parse::<HttpUrl>();
    read.map_err(|error| Some(error.to_string()))?;
    Ok(url)
}

fn path(value: &Value) -> Reading<String> {
    let path = text(value)?;
    let filled = tried(&path)?;
    if !filled.starts_with('/') || filled.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(None);
    }
    Ok(path)
}

/// A port, which may be `${PORT}`.
fn port(value: &Value) -> Reading<String> {
    let port = port_or_text(value)?;
    match tried(&port)?.parse::<u16>() {
        Ok(number) if number > 0 => Ok(port),
        Ok(_) | Err(_) => Err(None),
    }
}

fn port_or_text(value: &Value) -> Reading<String> {
    if value.is_number() {
        whole(value).map(|port| port.to_string())
    } else {
        value::some_text(value)
    }
}

/// The text with some value in the place of each variable, to see whether it would do then.
fn tried(text: &str) -> Reading<String> {
    fill(text, |_| Some("1".to_owned())).map_err(|error: TemplateError| Some(error.to_string()))
}

fn statuses(value: &Value) -> Reading<Vec<(u16, u16)>> {
    let list = match value {
        Value::Array(list) if !list.is_empty() => list.as_slice(),
        Value::Array(_) => return Err(None),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    };
    list.iter().map(range).collect()
}

fn range(value: &Value) -> Reading<(u16, u16)> {
    let (first, last) =
        if let Some((first, last)) = value.as_str().and_then(|text| text.split_once('-')) {
            (status(&first.into())?, status(&last.into())?)
        } else {
            let one = status(value)?;
            (one, one)
        };
    if first > last {
        return Err(Some(format!("{first} is more than {last}")));
    }
    Ok((first, last))
}

fn status(value: &Value) -> Reading<u16> {
    u16::try_from(whole(value)?)
        .ok()
        .filter(|status| (100..=599).contains(status))
        .ok_or_else(|| Some("statuses are numbered from 100 to 599".to_owned()))
}

fn action(value: &Value) -> Reading<IllAction> {
    match value.as_str() {
        Some("restart") => Ok(IllAction::Restart),
        Some("stop") => Ok(IllAction::Stop),
        Some("mark") => Ok(IllAction::Mark),
        Some(_) | None => Err(None),
    }
}
