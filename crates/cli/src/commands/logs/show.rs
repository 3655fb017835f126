//! Reads lines and shows them, to the end of the history or on and on.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eco_home::{Home, clock};
use eco_proto::agent::v1::{EventsRequest, Instance, Selection};
use eco_proto::log::v1::QueryRequest;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tokio::signal::unix::{SignalKind, signal};

use super::cursor::{Cursor, Noted};
use super::printer::{Form, Pm2, Printer, Raw};
use super::timeline::{Reach, Timeline};
use super::{Args, LAST};
use crate::client::{Agent, Reader, Told, read_on};
use crate::commands::selection::selection;
use crate::commands::session::Session;
use crate::commands::sources::{PATIENCE, Sources};
use crate::error::{CliError, Kind};
use crate::last::Last;
use crate::render::highlight::{Case, Highlight};
use crate::render::line::{Labels, Names, Readers, Sheet};
use crate::render::stamp::{self, Stamps};
use crate::resume::{Ends, Progress};
use crate::ui::Ui;

/// Rest before an agent is looked for again.
const REST: Duration = Duration::from_millis(200);

pub(super) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let cursor = cursor(session, &args);
    let noted = match &cursor {
        Some(cursor) => cursor.read()?,
        None => None,
    };
    let Sources { matches, known } = args.question.sources(session).await?;
    tell_who_keeps_nothing(session.ui, &known);
    let now = now();
    let form = form(&args, session.ui, &known);
    let request = QueryRequest {
        last: last(&args).count(),
        follow: args.follow,
        recognise: recognises(&form),
        ..args.question.request(matches, &now)?
    };
    let happenings = happenings(session, &args, &request, noted.as_ref()).await?;
    let (timeline, events) = happenings.unzip();
    let home = session.home.clone();
    // What is noted is shown no more: a line that is not complete is left to the next command.
    let ends = if cursor.is_some() && !args.follow {
        Ends::AtPresent
    } else {
        Ends::WithAnswer
    };
    let mut progress = begin(request, noted, ends);
    let printer = Mutex::new(Printer::new(session.ui, form, timeline, cursor));
    let mut shared = Shared(&printer);
    let reading = read_on(&home, &mut progress, PATIENCE, &mut shared);
    if args.follow {
        tokio::select! {
            ended = reading => ended?,
            ended = follow_events(&home, events, &printer) => ended?,
            // Ctrl-C is how following ends, and the apps are not meant by it.
            () = told_to_end() => {}
        }
    } else {
        reading.await?;
    }
    lock(&printer).finish(&progress)
}

fn tell_who_keeps_nothing(ui: &mut Ui, known: &[Instance]) {
    for one in known.iter().filter(|one| one.discards) {
        let text = format!(
            "{}/{}#{} keeps nothing of what it writes, as its disable_logs says.",
            one.environment, one.name, one.instance
        );
        ui.status(&text);
    }
}

/// The time, where the person is.
pub(super) fn now() -> Zoned {
    let nanos = i128::from(clock::nanos(clock::unix()));
    Timestamp::from_nanosecond(nanos)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::system())
}

fn cursor(session: &Session<'_>, args: &Args) -> Option<Cursor> {
    let path = session
        .surroundings
        .working_directory
        .join(args.cursor.as_ref()?);
    let question = args.question.fingerprint(session.environment());
    Some(Cursor::new(path, question))
}

/// How much of the past is meant.
fn last(args: &Args) -> Last {
    let is_range = args.question.since.is_some();
    args.lines.unwrap_or(if is_range {
        Last::All
    } else {
        Last::Some(LAST)
    })
}

fn begin(request: QueryRequest, noted: Option<Noted>, ends: Ends) -> Progress {
    let progress = match noted {
        Some(noted) => Progress::resumed(request, noted.position),
        None => Progress::new(request, clock::nanos(clock::unix())),
    };
    match ends {
        Ends::WithAnswer => progress,
        Ends::AtPresent => progress.up_to_present(),
    }
}

/// Whether the form shows what is recognised in lines.
fn recognises(form: &Form) -> bool {
    match form {
        Form::Text(sheet) => sheet.readers == Readers::People,
        Form::Json => true,
        Form::Raw(_) | Form::Pm2(_) => false,
    }
}

fn form(args: &Args, ui: &mut Ui, known: &[Instance]) -> Form {
    let zone = TimeZone::system();
    let stamps = |otherwise| {
        let form = match (&args.timestamp, args.timestamps) {
            (Some(pattern), _) => Some(stamp::Form::Custom(pattern.clone())),
            (None, true) => Some(stamp::Form::Full),
            (None, false) => otherwise,
        };
        form.map(|form| Stamps::new(form, zone.clone()))
    };
    if args.json {
        return Form::Json;
    }
    if args.raw {
        ui.pass_everything();
        return Form::Raw(Raw::default());
    }
    if args.format {
        let stamps = stamps(Some(stamp::Form::Full));
        let stamps = stamps.unwrap_or_else(|| Stamps::new(stamp::Form::Full, zone.clone()));
        return Form::Pm2(Pm2::new(stamps, known));
    }
    let mut labels = Labels::default();
    for one in known {
        labels.add(&one.environment, &one.name, one.instance);
    }
    let case = if args.question.ignore_case {
        Case::Ignored
    } else {
        Case::Heeded
    };
    let (names, otherwise) = if args.no_prefix {
        (Names::Hidden, None)
    } else {
        (Names::Shown, Some(stamp::Form::Clock))
    };
    Form::Text(Sheet {
        labels,
        stamps: stamps(otherwise),
        names,
        readers: if ui.is_terminal() {
            Readers::People
        } else {
            Readers::Pipes
        },
        highlight: Highlight::new(&args.highlight, case),
        above: None,
    })
}

/// What happened so far to the apps that are meant, and how to hear what happens from now on; `None`: nobody asks.
async fn happenings(
    session: &mut Session<'_>,
    args: &Args,
    request: &QueryRequest,
    noted: Option<&Noted>,
) -> Result<Option<(Timeline, Selection)>, CliError> {
    if !args.events {
        return Ok(None);
    }
    let mut agent = session.agent().await?;
    let words = args.question.words(session);
    let selection = selection(session, &mut agent, &words).await?;
    let reach = match noted {
        Some(_) => Reach {
            since: None,
            until: request.until_ns,
            last: None,
        },
        None => Reach {
            since: request.since_ns,
            until: request.until_ns,
            last: request.last,
        },
    };
    let after = noted.and_then(|noted| noted.events);
    loop {
        let mut events = Vec::new();
        let asked = EventsRequest {
            selection: Some(selection.clone()),
            last: None,
            after,
            follow: false,
        };
        let mut take = |event| {
            events.push(event);
            Ok(())
        };
        match agent.events(asked, &mut take).await {
            Ok(true) => return Ok(Some((Timeline::new(events, after, reach), selection))),
            // The agent went away, and has told a part.
            Ok(false) => agent = session.agent().await?,
            // Of apps that were deleted long ago there may be output, and nothing that happened.
            Err(error) if error.kind() == Kind::User => {
                return Ok(Some((Timeline::new(Vec::new(), after, reach), selection)));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Hears what happens, from whichever agent there is; never ends by itself. None is started: following touches nothing.
async fn follow_events(
    home: &Home,
    selection: Option<Selection>,
    printer: &Mutex<Printer<'_>>,
) -> Result<(), CliError> {
    let Some(selection) = selection else {
        return std::future::pending().await;
    };
    loop {
        if let Some(mut agent) = Agent::find(home).await? {
            let request = EventsRequest {
                selection: Some(selection.clone()),
                last: None,
                // Numbers begin with 1.
                after: Some(lock(printer).newest_event().unwrap_or(0)),
                follow: true,
            };
            let mut take = |event| lock(printer).happen(event);
            match agent.events(request, &mut take).await {
                Ok(_) => {}
                // Nothing is there yet that is meant.
                Err(error) if error.kind() == Kind::User => {}
                Err(error) => return Err(error),
            }
        }
        tokio::time::sleep(REST).await;
    }
}

/// Waits for Ctrl-C or a request to end.
async fn told_to_end() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// A printer that also hears of events.
struct Shared<'a, 'b>(&'a Mutex<Printer<'b>>);

impl Reader for Shared<'_, '_> {
    fn take(&mut self, told: Told) -> Result<(), CliError> {
        lock(self.0).take(told)
    }

    fn reached(&mut self, progress: &Progress) -> Result<(), CliError> {
        lock(self.0).reached(progress)
    }
}

fn lock<'a, 'b>(printer: &'a Mutex<Printer<'b>>) -> MutexGuard<'a, Printer<'b>> {
    printer.lock().unwrap_or_else(PoisonError::into_inner)
}
