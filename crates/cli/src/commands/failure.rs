//! The last lines of an app that did not do as asked.

use jiff::tz::TimeZone;

use super::session::Session;
use super::tail::tail;
use crate::render::line::Sheet;
use crate::render::style::bold;
use crate::selector;
use crate::settle::{Awaited, Goal, Verdict};

/// Lines shown.
const LINES: u16 = 15;

/// Shows the lines, of both streams, that the failed runs of an instance wrote last.
pub(crate) async fn tell(session: &mut Session<'_>, failed: &Awaited) {
    match failed.goal {
        Goal::Up => {}
        Goal::Down | Goal::Gone => return,
    }
    if matches!(failed.verdict, Some(Verdict::Blocked { .. })) {
        return;
    }
    let wanted = selector::instance(&failed.environment, &failed.name, failed.instance);
    let name = instance_name(failed);
    let Some(mut lines) = tail(session, wanted, LINES).await else {
        session.ui.note(&format!(
            "Its last lines cannot be read: see eco logs {name}"
        ));
        return;
    };
    // Only those of the runs that the request began.
    lines.retain(|line| line.origin.run >= failed.run);
    if lines.is_empty() {
        session.ui.note(&format!("{name} wrote nothing."));
        return;
    }
    let mut sheet = Sheet::plain(&TimeZone::system());
    for line in &lines {
        let origin = &line.origin;
        sheet
            .labels
            .add(&origin.environment, &origin.app, origin.instance);
    }
    session
        .ui
        .note(&bold(&format!("The last lines of {name}:")));
    for line in &lines {
        let mut text = String::new();
        sheet.line(line, &mut text);
        session.ui.note(text.trim_end());
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
