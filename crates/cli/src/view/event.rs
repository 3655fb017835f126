//! What happened.

use eco_proto::agent::v1::by::Who;
use eco_proto::agent::v1::{By, Event, EventKind};
use serde::Serialize;

use super::how_ended;
use super::line::time;

/// One event. The names of the fields are the contract of `eco events --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Happened {
    pub(crate) number: u64,
    pub(crate) time: Option<String>,
    pub(crate) host: String,
    pub(crate) env: String,
    pub(crate) name: String,
    pub(crate) instance: Option<u32>,
    pub(crate) run: Option<u64>,
    pub(crate) event: &'static str,
    pub(crate) cause: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) pid: Option<i32>,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) lived_ms: Option<u64>,
    pub(crate) from: Option<u32>,
    pub(crate) to: Option<u32>,
    #[serde(skip)]
    pub(crate) at_ns: u64,
}

/// Makes a view of an event.
pub(crate) fn happened(event: Event) -> Happened {
    let how = event.exit.as_ref().and_then(|exit| exit.how.clone());
    let (code, signal, _) = how_ended(how);
    Happened {
        event: kind(event.kind()),
        by: event.by.and_then(by),
        number: event.number,
        time: time(event.at_ns),
        at_ns: event.at_ns,
        host: event.host,
        env: event.environment,
        name: event.name,
        instance: event.instance,
        run: Some(event.run).filter(|run| *run > 0),
        cause: Some(event.cause).filter(|cause| !cause.is_empty()),
        pid: event.pid,
        code,
        signal,
        lived_ms: event.exit.map(|exit| exit.lived_ms),
        from: event.from,
        to: event.to,
    }
}

const fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Registered => "registered",
        EventKind::ConfigChanged => "config changed",
        EventKind::Scaled => "scaled",
        EventKind::Deleted => "deleted",
        EventKind::Started => "started",
        EventKind::Ready => "ready",
        EventKind::Exited => "exited",
        EventKind::Restarted => "restarted",
        EventKind::Stopped => "stopped",
        EventKind::Errored => "errored",
        EventKind::Unspecified => "unknown",
    }
}

/// Whose doing something is, in a word or two: a person's name, or what of eco did it.
pub(crate) fn by(by: By) -> Option<String> {
    let word = match by.who() {
        Who::Person => return Some(by.person),
        Who::Watch => "watch",
        Who::Memory => "memory limit",
        Who::Schedule => "schedule",
        Who::Probe => "probe",
        Who::Boot => "boot",
        Who::Itself => "itself",
        Who::Unspecified => return None,
    };
    Some(word.to_owned())
}
