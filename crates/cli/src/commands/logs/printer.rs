//! Shows what the log daemon tells, in the form that was asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use eco_proto::agent::v1::{Event, Instance};

use super::cursor::{Cursor, Keep, Noted};
use super::timeline::Timeline;
use crate::client::{Reader, Told};
use crate::error::CliError;
use crate::render::json;
use crate::render::line::Sheet;
use crate::render::stamp::Stamps;
use crate::render::{event, pm2};
use crate::resume::Progress;
use crate::ui::Ui;
use crate::view::event::Happened;
use crate::view::line::{LogGap, LogLine, Origin};

/// The forms in which lines are shown.
#[derive(Debug)]
pub(super) enum Form {
    /// For people.
    Text(Sheet),
    /// An object each.
    Json,
    /// As they were written.
    Raw(Raw),
    /// As PM2 does.
    Pm2(Pm2),
}

/// What is known of raw output.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// Whose line the output is within.
    within: Option<Arc<Origin>>,
}

/// What PM2's form needs.
#[derive(Debug)]
pub(super) struct Pm2 {
    stamps: Stamps,
    ids: BTreeMap<(String, String, u32), u64>,
}

impl Pm2 {
    /// With the ids of the instances that are known.
    pub(super) fn new(stamps: Stamps, known: &[Instance]) -> Self {
        let id = |one: &Instance| {
            let key = (one.environment.clone(), one.name.clone(), one.instance);
            (key, u64::from(one.id))
        };
        Self {
            stamps,
            ids: known.iter().map(id).collect(),
        }
    }

    fn id(&self, environment: &str, app: &str, instance: u32) -> Option<u64> {
        let key = (environment.to_owned(), app.to_owned(), instance);
        self.ids.get(&key).copied()
    }
}

/// Shows lines and what happened among them, and notes how far that came.
pub(super) struct Printer<'a> {
    ui: &'a mut Ui,
    form: Form,
    timeline: Option<Timeline>,
    cursor: Option<Cursor>,
    has_caught_up: bool,
    /// What is written to next; kept for its room.
    text: String,
}

impl<'a> Printer<'a> {
    /// Begins.
    pub(super) const fn new(
        ui: &'a mut Ui,
        form: Form,
        timeline: Option<Timeline>,
        cursor: Option<Cursor>,
    ) -> Self {
        Self {
            ui,
            form,
            timeline,
            cursor,
            has_caught_up: false,
            text: String::new(),
        }
    }

    /// Whether what happens to apps is shown, too; and the newest that was.
    pub(super) fn newest_event(&self) -> Option<u64> {
        self.timeline.as_ref().and_then(Timeline::newest)
    }

    /// Takes what happens now.
    pub(super) fn happen(&mut self, event: Event) -> Result<(), CliError> {
        let shown = self.timeline.as_mut().and_then(|line| line.take(event));
        if let Some(event) = shown {
            self.event(&event)?;
            self.ui.flush()?;
        }
        Ok(())
    }

    /// All was shown that is to be: notes how far it came.
    pub(super) fn finish(&mut self, progress: &Progress) -> Result<(), CliError> {
        self.ui.flush()?;
        self.note(progress, Keep::Surely)
    }

    fn note(&self, progress: &Progress, keep: Keep) -> Result<(), CliError> {
        let Some(cursor) = &self.cursor else {
            return Ok(());
        };
        let Some(position) = progress.position() else {
            return Ok(());
        };
        let noted = Noted {
            position,
            events: self.newest_event(),
        };
        cursor.note(&noted, keep)
    }

    fn line(&mut self, line: &LogLine) -> Result<(), CliError> {
        while let Some(event) = self
            .timeline
            .as_mut()
            .and_then(|timeline| timeline.before(line.time_ns))
        {
            self.event(&event)?;
        }
        self.text.clear();
        match &mut self.form {
            Form::Text(sheet) => sheet.line(line, &mut self.text),
            Form::Json => self.text.push_str(&json::line(line)),
            Form::Raw(raw) => return raw.line(line, self.ui),
            Form::Pm2(pm2) => {
                let origin = &line.origin;
                let id = pm2.id(&origin.environment, &origin.app, origin.instance);
                pm2::line(line, id, &mut pm2.stamps, &mut self.text);
            }
        }
        Ok(self.ui.data(&self.text)?)
    }

    fn gap(&mut self, gap: &LogGap) -> Result<(), CliError> {
        self.text.clear();
        match &mut self.form {
            Form::Text(sheet) => sheet.gap(gap, &mut self.text),
            Form::Json => self.text.push_str(&json::gap(gap)),
            // What was written, and nothing else, is for stdout.
            Form::Raw(_) | Form::Pm2(_) => {
                let mut sheet = Sheet::bare();
                sheet.gap(gap, &mut self.text);
                self.ui.flush()?;
                self.ui.warning(self.text.trim_end());
                return Ok(());
            }
        }
        Ok(self.ui.data(&self.text)?)
    }

    fn event(&mut self, event: &Happened) -> Result<(), CliError> {
        self.text.clear();
        match &mut self.form {
            Form::Text(sheet) => sheet.event(event, &mut self.text),
            Form::Json => self.text.push_str(&json::one_line(event)),
            // They are not asked for together.
            Form::Raw(_) => {}
            Form::Pm2(pm2) => {
                let id = pm2.id(&event.env, &event.name, event.instance.unwrap_or(0));
                let details = event::details(event);
                pm2::event(event, &details, id, &mut pm2.stamps, &mut self.text);
            }
        }
        Ok(self.ui.data(&self.text)?)
    }
}

impl Raw {
    fn line(&mut self, line: &LogLine, ui: &mut Ui) -> Result<(), CliError> {
        // A piece of a long line is gone on with by the next one of its source, and by nobody else's.
        if self
            .within
            .take()
            .is_some_and(|within| within != line.origin)
        {
            ui.bytes(b"\n")?;
        }
        ui.bytes(&line.text)?;
        if line.continues {
            self.within = Some(Arc::clone(&line.origin));
            return Ok(());
        }
        Ok(ui.bytes(b"\n")?)
    }
}

impl Reader for Printer<'_> {
    fn take(&mut self, told: Told) -> Result<(), CliError> {
        match told {
            Told::Source(origin) => {
                if let Form::Text(sheet) = &mut self.form {
                    sheet
                        .labels
                        .add(&origin.environment, &origin.app, origin.instance);
                }
                Ok(())
            }
            Told::Line(line) => self.line(&line),
            // Lines are shown when they are complete.
            Told::Begun(_) => Ok(()),
            Told::Gap(gap) => self.gap(&gap),
            Told::Pause => Ok(self.ui.flush()?),
            Told::Lost => {
                self.ui.flush()?;
                self.ui
                    .status("The log daemon went away; waiting for the next one.");
                Ok(())
            }
        }
    }

    fn reached(&mut self, progress: &Progress) -> Result<(), CliError> {
        if progress.is_caught_up() && !self.has_caught_up {
            self.has_caught_up = true;
            let rest = self.timeline.as_mut().map(Timeline::catch_up);
            for event in rest.unwrap_or_default() {
                self.event(&event)?;
            }
            self.ui.flush()?;
        }
        self.note(progress, Keep::ForNow)
    }
}
