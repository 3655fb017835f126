//! Events as text: `2026-05-01 14:02:11.250 dev/mds-fetcher#0 exited     run 3, killed by SIGKILL; restarted at once`.

use jiff::tz::TimeZone;

use super::moment::day;
use super::quantity::duration;
use super::style::{bold, dim, of_source, paint};
use crate::view::event::Happened;

/// How wide the column of names is at most: beyond it a long name pushes only its own line.
const WIDEST: usize = 40;

/// How wide the column of names is, which may grow while following and never shrinks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Column {
    width: usize,
}

impl Column {
    /// Makes room for the name of an instance.
    pub(crate) fn add(&mut self, environment: &str, name: &str, instance: Option<u32>) {
        let width = full_name(environment, name, instance).chars().count();
        self.width = self.width.max(width.min(WIDEST));
    }

    /// Makes a line of an event, at the times of `zone`.
    pub(crate) fn text(&mut self, event: &Happened, zone: &TimeZone) -> String {
        self.add(&event.env, &event.name, event.instance);
        let time = day(event.at_ns, zone).unwrap_or_default();
        let name = full_name(&event.env, &event.name, event.instance);
        let padded = format!("{name:<width$}", width = self.width);
        let kind = format!("{:<14}", event.event);
        format!(
            "{} {} {} {}\n",
            dim(&time),
            paint(of_source(&name), &padded),
            bold(&kind),
            details(event)
        )
    }
}

/// Which run, how long it lived, and why.
pub(crate) fn details(event: &Happened) -> String {
    let told = [what(event), event.cause.clone()];
    let told: Vec<_> = told.into_iter().flatten().collect();
    told.join(", ")
}

fn full_name(environment: &str, name: &str, instance: Option<u32>) -> String {
    let slot = instance.map_or_else(String::new, |instance| format!("#{instance}"));
    format!("{environment}/{name}{slot}")
}

fn what(event: &Happened) -> Option<String> {
    let run = event.run.map(|run| format!("run {run}"));
    let pid = event.pid.map(|pid| format!("pid {pid}"));
    let lived = event.lived_ms.map(|ms| format!("after {}", duration(ms)));
    let scaled = event
        .from
        .zip(event.to)
        .map(|(from, to)| format!("{from} → {to} instances"));
    let parts: Vec<_> = [run, pid, lived, scaled].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::exit::How;
    use eco_proto::agent::v1::{Event, EventKind, Exit};

    use super::*;
    use crate::view::event::happened;

    fn shown(event: Event) -> String {
        let event = Event {
            at_ns: 1_700_000_000_123_456_789,
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            ..event
        };
        let text = Column::default().text(&happened(event), &TimeZone::UTC);
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn an_end_tells_its_run_its_life_and_its_cause() {
        let event = Event {
            instance: Some(0),
            run: 3,
            kind: EventKind::Exited.into(),
            cause: "killed by SIGKILL; restarted at once".to_owned(),
            exit: Some(Exit {
                run: 3,
                how: Some(How::Signal(9)),
                lived_ms: 90_000,
                ..Exit::default()
            }),
            ..Event::default()
        };
        insta::assert_snapshot!(shown(event), @"2023-11-14 22:13:20.123 dev/api#0 exited         run 3, after 1m 30s, killed by SIGKILL; restarted at once");
    }

    #[test]
    fn a_change_of_numbers_tells_both() {
        let event = Event {
            kind: EventKind::Scaled.into(),
            from: Some(1),
            to: Some(3),
            cause: "scaled by ann".to_owned(),
            ..Event::default()
        };
        insta::assert_snapshot!(shown(event), @"2023-11-14 22:13:20.123 dev/api scaled         1 → 3 instances, scaled by ann");
    }

    #[test]
    fn names_stand_in_a_column_that_grows_up_to_a_bound() {
        let mut column = Column::default();
        column.add("dev", "mds-fetcher", Some(0));
        let mut shown = |name: &str| {
            let event = Event {
                at_ns: 1_700_000_000_123_456_789,
                environment: "dev".to_owned(),
                name: name.to_owned(),
                instance: Some(0),
                kind: EventKind::Started.into(),
                cause: "started by ann".to_owned(),
                ..Event::default()
            };
            let text = column.text(&happened(event), &TimeZone::UTC);
            anstream::adapter::strip_str(&text).to_string()
        };
        let lines = [shown("api"), shown(&"x".repeat(50)), shown("api")].concat();
        insta::assert_snapshot!(lines, @r"
        2023-11-14 22:13:20.123 dev/api#0         started        started by ann
        2023-11-14 22:13:20.123 dev/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx#0 started        started by ann
        2023-11-14 22:13:20.123 dev/api#0                                started        started by ann
        ");
    }
}
