//! How an app is asked whether it is up, and whether it is still well.
//!
//! ```text
//! readiness: { http: …, interval: '1s', within: '60s' }
//!              └ exactly one check ┘ └ how often, how long, what counts
//! ```

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Fault;
use crate::raw::{Field, HTTP, LIVENESS, READINESS, Written};
use crate::spec::{
    Address, Check, HttpUrl, IllAction, Liveness, Probe, Readiness, TemplateError, fill,
};

use super::fields::Fields;
use super::value::{self, Reading, duration, positive, some_duration, text, whole, words};
use super::{BOOLEAN, DURATION};

const READINESS_INTERVAL: Duration = Duration::from_secs(1);
const LIVENESS_INTERVAL: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(3);
const WITHIN: Duration = Duration::from_secs(60);
const SUCCESSES: u32 = 1;
const FAILURES: u32 = 3;

const COUNT: &str = "a number from 1";
const READINESS_OBJECT: &str = "an object such as { http: 'http://127.0.0.1:3000/health' }";
const LIVENESS_OBJECT: &str =
    "an object such as { http: 'http://127.0.0.1:3000/health', action: 'restart' }";
const READINESS_CHECK: &str = "exactly one of http, tcp, exec, log and notify";
const LIVENESS_CHECK: &str = "exactly one of http, tcp, exec, notify, output and silence";
const URL: &str = "a URL such as \"http://127.0.0.1:3000/health\"";
const PATH: &str = "a path such as \"/health\"";
const STATUS: &str = "a status such as 200, a range such as \"200-299\", or a list of them";
const TCP: &str = "a port, or a text such as \"127.0.0.1:5432\"";
const COMMAND: &str = "a program and its arguments";
const LOG: &str = "a regular expression";

/// When an instance counts as up.
pub(super) fn readiness(fields: &mut Fields<'_>) -> Option<Readiness> {
    of(fields, "readiness", READINESS, READINESS_OBJECT, |fields| {
        let check = check(fields, &READINESS_CHECKS, READINESS_CHECK);
        let probe = probe(fields, READINESS_INTERVAL, FAILURES);
        let within = fields.take("within", DURATION, duration).unwrap_or(WITHIN);
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
    of(fields, "liveness", LIVENESS, LIVENESS_OBJECT, |fields| {
        let check = check(fields, &LIVENESS_CHECKS, LIVENESS_CHECK);
        // Whoever says how long silence may last has said all about how often and how many.
        let silence = fields.take("silence", DURATION, some_duration);
        let probe = match silence {
            Some(silence) => probe(fields, silence, 1),
            None => probe(fields, LIVENESS_INTERVAL, FAILURES),
        };
        let action = fields
            .take("action", "\"restart\", \"stop\" or \"mark\"", action)
            .unwrap_or(IllAction::Restart);
        Some(Liveness {
            probe: Probe {
                check: check?,
                ..probe
            },
            action,
        })
    })
}

fn of<T>(
    fields: &mut Fields<'_>,
    name: &str,
    table: &'static [Field],
    expected: &'static str,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let Written { key, value } = fields.get(name)?;
    match value {
        Value::Object(object) if !value::is_odd(value) => {
            fields.object(table, (key, ""), object, read)
        }
        Value::Bool(false) => None,
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            fields.mismatch(key, None, value::shown(value), expected, None);
            None
        }
    }
}

/// How often, how long and how many; the check is put in by whoever asks.
fn probe(fields: &mut Fields<'_>, interval: Duration, failures: u32) -> Probe {
    Probe {
        check: Check::Notify,
        interval: fields
            .take("interval", DURATION, some_duration)
            .unwrap_or(interval),
        timeout: fields
            .take("timeout", DURATION, some_duration)
            .unwrap_or(TIMEOUT),
        start_period: fields
            .take("start_period", DURATION, duration)
            .unwrap_or_default(),
        successes: fields
            .take("successes", COUNT, positive)
            .unwrap_or(SUCCESSES),
        failures: fields.take("failures", COUNT, positive).unwrap_or(failures),
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
        .take(name, BOOLEAN, value::flag)
        .filter(|on| *on)
        .map(|_| check)
}

fn tcp(fields: &mut Fields<'_>) -> Option<Check> {
    fields.take("tcp", TCP, address).map(Check::Tcp)
}

fn address(value: &Value) -> Reading<String> {
    let text = port_or_text(value)?;
    let filled = tried(&text)?;
    let address = filled.parse::<Address>();
    address.map_err(|error| Some(error.to_string()))?;
    Ok(text)
}

fn exec(fields: &mut Fields<'_>) -> Option<Check> {
    fields.take("exec", COMMAND, command).map(Check::Exec)
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
    fields.take("log", LOG, pattern).map(Check::Log)
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
    let Written { key, value } = fields.get("http")?;
    let check = |url| Check::Http {
        url,
        statuses: Vec::new(),
    };
    match value {
        Value::Object(object) if !value::is_odd(value) => http_object(fields, key, object),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => fields.take("http", URL, url).map(check),
    }
}

fn http_object(fields: &mut Fields<'_>, key: &str, object: &Map<String, Value>) -> Option<Check> {
    fields.object(HTTP, (key, ""), object, |fields| {
        let statuses = fields.take("status", STATUS, statuses).unwrap_or_default();
        let whole = fields.take("url", URL, url);
        let path = fields.take("path", PATH, path);
        let port = fields.take("port", "a port", port);
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
    })
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
