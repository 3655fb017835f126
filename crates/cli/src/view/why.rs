//! The runs of an instance: why each began, and why it ended.

use eco_proto::agent::v1::{Beginning, Description, Exit, Instance};
use serde::Serialize;

use super::event::by;
use super::line::{LogLine, time};
use super::list::status_name;
use super::{how_ended, some};

/// An instance and its runs, the latest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct History {
    pub(crate) env: String,
    pub(crate) name: String,
    pub(crate) instance: u32,
    pub(crate) status: &'static str,
    pub(crate) cause: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) runs: Vec<Run>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Run {
    #[serde(rename = "run")]
    pub(crate) number: u64,
    pub(crate) pid: Option<i32>,
    pub(crate) began: Option<Began>,
    /// `None`: it lives.
    pub(crate) ended: Option<Ended>,
    pub(crate) lived_ms: Option<u64>,
    /// `None`: they cannot be read.
    pub(crate) last_lines: Option<Vec<Line>>,
}

/// Why a run began.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Began {
    pub(crate) at: Option<String>,
    pub(crate) cause: String,
    pub(crate) by: Option<String>,
}

/// How and why a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Ended {
    pub(crate) at: Option<String>,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) spawn_failed: Option<String>,
    pub(crate) cause: String,
    pub(crate) by: Option<String>,
}

/// One of the last lines.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) time: Option<String>,
    pub(crate) stream: Option<&'static str>,
    #[serde(rename = "line")]
    pub(crate) text: String,
    #[serde(skip)]
    pub(crate) log: LogLine,
}

/// Makes a view of the last `most` runs of what is described, without their lines.
pub(crate) fn history(description: Description, most: usize) -> History {
    let instance = description.instance.unwrap_or_default();
    let ended = description.exits.into_iter().map(run_that_ended);
    let runs = living(&instance).into_iter().chain(ended);
    History {
        runs: runs.take(most).collect(),
        status: status_name(instance.status()),
        cause: some(instance.cause),
        by: instance.by.and_then(by),
        env: instance.environment,
        name: instance.name,
        instance: instance.instance,
    }
}

fn living(instance: &Instance) -> Option<Run> {
    let pid = instance.pid?;
    Some(Run {
        number: instance.run,
        pid: Some(pid),
        began: instance.began.clone().map(began),
        ended: None,
        lived_ms: instance.uptime_ms,
        last_lines: Some(Vec::new()),
    })
}

fn run_that_ended(exit: Exit) -> Run {
    let (code, signal, spawn_failed) = how_ended(exit.how);
    let ended = Ended {
        at: time(exit.at_ns),
        code,
        signal,
        spawn_failed,
        cause: exit.cause,
        by: exit.by.and_then(by),
    };
    Run {
        number: exit.run,
        pid: None,
        began: exit.began.map(began),
        ended: Some(ended),
        lived_ms: Some(exit.lived_ms),
        last_lines: Some(Vec::new()),
    }
}

fn began(beginning: Beginning) -> Began {
    Began {
        at: time(beginning.at_ns),
        cause: beginning.cause,
        by: beginning.by.and_then(by),
    }
}

/// Makes a view of a line.
pub(crate) fn line(log: LogLine) -> Line {
    Line {
        time: time(log.time_ns),
        stream: log.origin.stream_name(),
        text: String::from_utf8_lossy(&log.text).into_owned(),
        log,
    }
}
