//! The last lines of an app that did not do as asked.

use std::collections::VecDeque;
use std::time::Duration;

use eco_proto::log::v1::{QueryRequest, Stream};
use jiff::tz::TimeZone;

use super::session::Session;
use crate::client::{Reader, Told, read};
use crate::error::CliError;
use crate::render::line::{Labels, text};
use crate::render::style::bold;
use crate::selector;
use crate::settle::{Awaited, Goal};
use crate::view::line::LogLine;

/// Lines shown.
const LINES: u16 = 15;
/// How long the log daemon may take to be there: the apps' failure is the news, not its lines.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows the lines, of both streams, that the failed runs of an instance wrote last.
pub(crate) async fn tell(session: &mut Session<'_>, failed: &Awaited) {
    match failed.goal {
        Goal::Up => {}
        Goal::Down | Goal::Gone => return,
    }
    let request = QueryRequest {
        matches: vec![selector::instance(
            &failed.environment,
            &failed.name,
            failed.instance,
        )],
        last: Some(u64::from(LINES)),
        ..QueryRequest::default()
    };
    let mut last = Last {
        from: failed.run,
        lines: VecDeque::new(),
    };
    let name = instance_name(failed);
    let reading = read(&session.home, request, PATIENCE, &mut last);
    let answer = tokio::time::timeout(PATIENCE * 2, reading).await;
    if !matches!(answer, Ok(Ok(()))) && last.lines.is_empty() {
        session.ui.note(&format!(
            "Its last lines cannot be read: see eco logs {name}"
        ));
        return;
    }
    if last.lines.is_empty() {
        session.ui.note(&format!("{name} wrote nothing."));
        return;
    }
    let zone = TimeZone::system();
    let mut labels = Labels::default();
    for line in &last.lines {
        let origin = &line.origin;
        labels.add(&origin.environment, &origin.app, origin.instance);
    }
    session
        .ui
        .note(&bold(&format!("The last lines of {name}:")));
    for line in &last.lines {
        session.ui.note(text(line, &labels, &zone).trim_end());
    }
}

/// `environment/name`, and the slot unless it is the first.
pub(crate) fn instance_name(awaited: &Awaited) -> String {
    let name = format!("{}/{}", awaited.environment, awaited.name);
    match awaited.instance {
        0 => name,
        slot => format!("{name}#{slot}"),
    }
}

/// Keeps the last lines of the runs that the request began.
struct Last {
    from: u64,
    lines: VecDeque<LogLine>,
}

impl Reader for Last {
    fn take(&mut self, told: Told) -> Result<(), CliError> {
        match told {
            Told::Line(line) if line.origin.run >= self.from => {
                // Only what is written to the two streams is of use here.
                if line.origin.stream() != Some(Stream::Unspecified) {
                    self.lines.push_back(line);
                }
                if self.lines.len() > usize::from(LINES) {
                    self.lines.pop_front();
                }
            }
            Told::Line(_) | Told::Source(_) | Told::Gap(_) | Told::Pause | Told::Lost => {}
        }
        Ok(())
    }
}
