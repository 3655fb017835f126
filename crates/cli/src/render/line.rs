//! Log lines as text: `14:02:11.250 dev/mds-fetcher | 3 prices`.
//!
//! The label is as short as it can be and still tell the sources apart: the environment stands in it only when several are
//! in view, the slot only for apps that have several. It may grow while following; it never shrinks.

use std::collections::{BTreeMap, BTreeSet};

use eco_proto::log::v1::Stream;
use jiff::tz::TimeZone;

use super::moment::clock;
use super::style::{dim, error, of_source, paint};
use crate::render::quantity;
use crate::view::line::{LogGap, LogLine, Origin};

/// Where the bar stands at most: beyond it a long name pushes only its own lines.
const WIDEST: usize = 40;

/// The labels of the sources in view.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    environments: BTreeSet<String>,
    slots: BTreeMap<(String, String), BTreeSet<u32>>,
    width: usize,
}

impl Labels {
    /// Brings a source into view.
    pub(crate) fn add(&mut self, environment: &str, app: &str, instance: u32) {
        self.environments.insert(environment.to_owned());
        let slots = self
            .slots
            .entry((environment.to_owned(), app.to_owned()))
            .or_default();
        slots.insert(instance);
        self.width = self
            .slots
            .iter()
            .flat_map(|((environment, app), slots)| {
                slots
                    .iter()
                    .map(|slot| self.label(environment, app, *slot).chars().count())
            })
            .max()
            .unwrap_or(0)
            .clamp(self.width, WIDEST.max(self.width));
    }

    fn label(&self, environment: &str, app: &str, instance: u32) -> String {
        let slots = self.slots.get(&(environment.to_owned(), app.to_owned()));
        let prefix = if self.environments.len() > 1 {
            format!("{environment}/")
        } else {
            String::new()
        };
        if slots.is_some_and(|slots| slots.len() > 1) || instance > 0 {
            format!("{prefix}{app}#{instance}")
        } else {
            format!("{prefix}{app}")
        }
    }

    fn padded(&self, origin: &Origin) -> String {
        let label = self.label(&origin.environment, &origin.app, origin.instance);
        let style = of_source(&label);
        paint(style, &format!("{label:<width$}", width = self.width))
    }
}

/// Makes a text line of a log line, at the times of `zone`.
pub(crate) fn text(line: &LogLine, labels: &Labels, zone: &TimeZone) -> String {
    let time = clock(line.time_ns, zone);
    let bar = match line.origin.stream() {
        Some(Stream::Err) => error("|"),
        Some(Stream::Out | Stream::Unspecified) | None => dim("|"),
    };
    let text = String::from_utf8_lossy(&line.text);
    let text = text.strip_suffix('\r').unwrap_or(&text);
    let more = if line.continues {
        dim("…")
    } else {
        String::new()
    };
    format!(
        "{} {} {bar} {text}{more}\n",
        dim(&time),
        labels.padded(&line.origin)
    )
}

/// Makes a text line of a gap.
pub(crate) fn gap(gap: &LogGap, labels: &Labels) -> String {
    format!(
        "{} {} {} {}\n",
        dim("--:--:--.---"),
        labels.padded(&gap.origin),
        error("|"),
        dim(&format!(
            "({} are no longer there)",
            quantity::bytes(gap.bytes)
        ))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(environment: &str, app: &str, instance: u32, text: &str) -> LogLine {
        LogLine {
            origin: Origin {
                host: "box".to_owned(),
                environment: environment.to_owned(),
                app: app.to_owned(),
                instance,
                run: 1,
                stream: 1,
            },
            offset: 0,
            time_ns: 1_700_000_000_123_456_789,
            text: text.as_bytes().to_vec(),
            continues: false,
        }
    }

    fn shown(lines: &[LogLine]) -> String {
        let mut labels = Labels::default();
        for line in lines {
            let origin = &line.origin;
            labels.add(&origin.environment, &origin.app, origin.instance);
        }
        let text: String = lines
            .iter()
            .map(|line| super::text(line, &labels, &TimeZone::UTC))
            .collect();
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn one_environment_needs_no_prefix() {
        let lines = [
            line("dev", "api", 0, "up"),
            line("dev", "mds-fetcher", 0, "3 prices\r"),
        ];
        insta::assert_snapshot!(shown(&lines), @r"
        22:13:20.123 api         | up
        22:13:20.123 mds-fetcher | 3 prices
        ");
    }

    #[test]
    fn several_environments_and_slots_are_told_apart() {
        let lines = [
            line("dev", "api", 0, "a"),
            line("production", "api", 0, "b"),
            line("production", "api", 1, "c"),
        ];
        insta::assert_snapshot!(shown(&lines), @r"
        22:13:20.123 dev/api          | a
        22:13:20.123 production/api#0 | b
        22:13:20.123 production/api#1 | c
        ");
    }
}
