//! Log lines as text: `14:02:11.250 dev/mds-fetcher | 3 prices`.
//!
//! The label is as short as it can be and still tell the sources apart: the environment stands in it only when several are
//! in view, the slot only for apps that have several. It may grow while following; it never shrinks.
//!
//! For people, a record that is JSON is shown by [`super::record`], colours say how grave it is, and what belongs to the line
//! above it stands under it, without the same label again:
//!
//! ```text
//! 14:02:11.250 dev/api | ERROR request failed status=500
//!                      |     at handle (server.js:12:3)
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eco_proto::log::v1::{Level, Loss, Stream};
use jiff::tz::TimeZone;

use super::event::details;
use super::highlight::Highlight;
use super::quantity;
use super::record::{self, Pretty};
use super::stamp::{Form, Stamps};
use super::style::{bold, dim, error, of_level, of_source, paint};
use crate::view::event::Happened;
use crate::view::line::{LogGap, LogLine, Origin};

/// Where the bar stands at most: beyond it a long name pushes only its own lines.
const WIDEST: usize = 40;

/// The labels of the sources in view.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labels {
    environments: BTreeSet<String>,
    slots: BTreeMap<(String, String), BTreeSet<u32>>,
    width: usize,
    /// As they are shown, for as long as nothing new comes into view.
    painted: BTreeMap<Arc<Origin>, Arc<str>>,
    /// The one that was shown last: lines mostly come many from one source.
    newest: Option<(Arc<Origin>, Arc<str>)>,
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
        self.painted.clear();
        self.newest = None;
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

    fn of(&self, origin: &Origin) -> String {
        self.label(&origin.environment, &origin.app, origin.instance)
    }

    fn padded(&self, label: &str) -> String {
        paint(
            of_source(label),
            &format!("{label:<width$}", width = self.width),
        )
    }

    fn painted(&mut self, origin: &Arc<Origin>) -> Arc<str> {
        if let Some((of, shown)) = &self.newest
            && Arc::ptr_eq(of, origin)
        {
            return Arc::clone(shown);
        }
        let shown = if let Some(shown) = self.painted.get(origin) {
            Arc::clone(shown)
        } else {
            let shown: Arc<str> = self.padded(&self.of(origin)).into();
            self.painted.insert(Arc::clone(origin), Arc::clone(&shown));
            shown
        };
        self.newest = Some((Arc::clone(origin), Arc::clone(&shown)));
        shown
    }
}

/// Whether names stand in front of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// They do.
    Shown,
    /// They do not.
    Hidden,
}

/// For whom lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// People at a terminal.
    People,
    /// Whatever reads lines: each stands for itself, and is as it was written.
    Pipes,
}

/// How lines are shown.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// The labels of the sources.
    pub(crate) labels: Labels,
    /// The times; `None`: none are shown.
    pub(crate) stamps: Option<Stamps>,
    /// Whether names are shown.
    pub(crate) names: Names,
    /// For whom.
    pub(crate) readers: Readers,
    /// The words that stand out.
    pub(crate) highlight: Option<Highlight>,
    /// Whose line was shown last.
    pub(crate) above: Option<Arc<Origin>>,
}

impl Sheet {
    /// One with times of the day and names, and lines as they are.
    pub(crate) fn plain(zone: &TimeZone) -> Self {
        Self {
            stamps: Some(Stamps::new(Form::Clock, zone.clone())),
            names: Names::Shown,
            ..Self::bare()
        }
    }

    /// One that shows nothing but what is told.
    pub(crate) fn bare() -> Self {
        Self {
            labels: Labels::default(),
            stamps: None,
            names: Names::Hidden,
            readers: Readers::Pipes,
            highlight: None,
            above: None,
        }
    }

    /// Writes a log line to the end of `out`.
    pub(crate) fn line(&mut self, line: &LogLine, out: &mut String) {
        let bar = match line.origin.stream() {
            Some(Stream::Err) => Bar::Err,
            Some(Stream::Out | Stream::Unspecified) | None => Bar::Out,
        };
        let is_under = line.joined && self.readers == Readers::People && self.is_above(line);
        if is_under {
            self.blank(line.time_ns, bar, out);
        } else {
            self.prefix(line.time_ns, &line.origin, bar, out);
        }
        let text = String::from_utf8_lossy(&line.text);
        let text = text.strip_suffix('\r').unwrap_or(&text);
        let pretty = match self.readers {
            Readers::People if !line.continues => record::pretty(text, line.level),
            Readers::People | Readers::Pipes => None,
        };
        match pretty {
            Some(Pretty { head, more }) => {
                self.body(&head, out);
                for text in more {
                    out.push('\n');
                    self.blank(line.time_ns, bar, out);
                    self.body(&text, out);
                }
            }
            None => self.graded(text, line.level, out),
        }
        if line.continues {
            out.push_str(&dim("…"));
        }
        out.push('\n');
        self.above = Some(Arc::clone(&line.origin));
    }

    /// Writes what is told of a gap to the end of `out`.
    pub(crate) fn gap(&mut self, gap: &LogGap, out: &mut String) {
        let label = self.labels.of(&gap.origin);
        self.prefix(0, &Arc::new(gap.origin.clone()), Bar::Err, out);
        let size = quantity::bytes(gap.bytes);
        let told = match gap.loss {
            Loss::Retention => format!("{size} of {label} are no longer kept (retention)"),
            Loss::Flushed => format!("{size} of {label} were removed (flushed)"),
            Loss::Damaged => {
                format!("{size} of {label} were damaged on disk and put aside (damaged)")
            }
            Loss::Overflow => format!("{size} of {label} found no room on the disk (overflow)"),
            Loss::Behind => {
                format!("{size} of {label} were passed over: this reader is too slow (behind)")
            }
            Loss::Unspecified => format!("{size} of {label} are no longer there"),
        };
        out.push_str(&dim(&format!("… {told}")));
        out.push('\n');
        self.above = None;
    }

    /// Writes what happened to an app to the end of `out`.
    pub(crate) fn event(&mut self, event: &Happened, out: &mut String) {
        let label = match event.instance {
            Some(instance) => self.labels.label(&event.env, &event.name, instance),
            None => self.labels.label(&event.env, &event.name, 0),
        };
        self.stamp(event.at_ns, out);
        if self.names == Names::Shown {
            out.push_str(&self.labels.padded(&label));
            out.push(' ');
        }
        let details = details(event);
        let sign = dim("*");
        let kind = bold(event.event);
        let told = match self.names {
            Names::Shown => [sign, kind].join(" "),
            Names::Hidden => [sign, label, kind].join(" "),
        };
        out.push_str(&told);
        if !details.is_empty() {
            out.push_str(": ");
            out.push_str(&details);
        }
        out.push('\n');
        self.above = None;
    }

    fn is_above(&self, line: &LogLine) -> bool {
        let above = self.above.as_ref();
        above.is_some_and(|above| Arc::ptr_eq(above, &line.origin) || *above == line.origin)
    }

    fn stamp(&mut self, time_ns: u64, out: &mut String) {
        if let Some(stamps) = &mut self.stamps {
            out.push_str(DIM);
            stamps.write(time_ns, out);
            out.push_str(PLAIN);
            out.push(' ');
        }
    }

    fn prefix(&mut self, time_ns: u64, origin: &Arc<Origin>, bar: Bar, out: &mut String) {
        self.stamp(time_ns, out);
        if self.names == Names::Shown {
            out.push_str(&self.labels.painted(origin));
            out.push(' ');
            bar.write(out);
        }
    }

    /// Room as wide as what stands in front of the line of that time.
    fn blank(&mut self, time_ns: u64, bar: Bar, out: &mut String) {
        let mut width = 0;
        if let Some(stamps) = &mut self.stamps {
            let mut stamp = String::new();
            stamps.write(time_ns, &mut stamp);
            width += stamp.chars().count() + 1;
        }
        if self.names == Names::Shown {
            width += self.labels.width + 1;
        }
        out.extend(std::iter::repeat_n(' ', width));
        if self.names == Names::Shown {
            bar.write(out);
        }
    }

    /// Writes a text in the colour of its level, unless it has colours of its own.
    fn graded(&self, text: &str, level: Option<Level>, out: &mut String) {
        match (self.readers, level) {
            (Readers::People, Some(level)) if !text.contains('\x1b') => {
                let style = of_level(level);
                out.push_str(&style.render().to_string());
                self.body(text, out);
                out.push_str(&style.render_reset().to_string());
            }
            (Readers::People | Readers::Pipes, Some(_) | None) => self.body(text, out),
        }
    }

    fn body(&self, text: &str, out: &mut String) {
        match &self.highlight {
            Some(highlight) => highlight.write(text, out),
            None => out.push_str(text),
        }
    }
}

/// What stands between a label and its line.
#[derive(Clone, Copy, Debug)]
enum Bar {
    Out,
    Err,
}

impl Bar {
    fn write(self, out: &mut String) {
        match self {
            Self::Out => {
                out.push_str(DIM);
                out.push('|');
                out.push_str(PLAIN);
            }
            Self::Err => out.push_str(&error("|")),
        }
        out.push(' ');
    }
}

/// What [`dim`] writes around a text: a line has it twice.
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

#[cfg(test)]
mod tests;
