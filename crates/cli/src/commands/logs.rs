//! `eco logs`

use eco_proto::log::v1::{QueryRequest, Stream};
use jiff::tz::TimeZone;

use super::session::Session;
use super::sources::{PATIENCE, Sources, of_run, sources};
use super::spoken::Form;
use crate::client::{Reader, Told, read};
use crate::error::CliError;
use crate::last::Last;
use crate::render::line::Labels;
use crate::render::{json, line};
use crate::run::Run;
use crate::ui::Ui;

/// Show what apps wrote, and follow it
///
/// Lines of all apps are merged by time. A glob also follows apps that appear later. What apps wrote that were deleted is
/// found by their names.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(after_help = "Examples:\n  \
    eco logs                     the last lines of everything\n  \
    eco logs -f 'mds-*'          follow\n  \
    eco logs dev/api -n all --err\n  \
    eco logs api --run -2        the run before the last one\n  \
    eco logs --json -n 1000 | jq -r .line")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment (default: everything)
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Lines of the past, over all apps together; or 'all'
    #[arg(short = 'n', long, value_name = "N", default_value = "15", value_parser = Last::parse)]
    lines: Last,
    /// Only this run of each instance: its number, or -1 for the last one, -2 for the one before it
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        conflicts_with = "follow"
    )]
    run: Option<Run>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Only stdout
    #[arg(long, conflicts_with = "err")]
    out: bool,
    /// Only stderr
    #[arg(long)]
    err: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let Sources { matches, known } = sources(session, &mut agent, &args.selectors).await?;
    // From here on only the log daemon is needed: the agent may come and go.
    drop(agent);
    for one in known.iter().filter(|one| one.discards) {
        let text = format!(
            "{}/{}#{} keeps nothing of what it writes, as its disable_logs says.",
            one.environment, one.name, one.instance
        );
        session.ui.status(&text);
    }
    let matches = match args.run {
        Some(run) => of_run(session, matches, run).await?,
        None => matches,
    };
    let mut labels = Labels::default();
    for one in &known {
        labels.add(&one.environment, &one.name, one.instance);
    }
    let mut streams = Vec::new();
    if args.out {
        streams.push(Stream::Out.into());
    }
    if args.err {
        streams.push(Stream::Err.into());
    }
    let request = QueryRequest {
        matches,
        streams,
        last: args.lines.count(),
        follow: args.follow,
        ..QueryRequest::default()
    };
    let mut printer = Printer {
        ui: &mut *session.ui,
        labels,
        zone: TimeZone::system(),
        form: Form::of_flag(args.json),
    };
    let reading = read(&session.home, request, PATIENCE, &mut printer);
    if !args.follow {
        return reading.await;
    }
    tokio::select! {
        ended = reading => ended,
        // Ctrl-C is how following ends, and the apps are not meant by it.
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

struct Printer<'a> {
    ui: &'a mut Ui,
    labels: Labels,
    zone: TimeZone,
    form: Form,
}

impl Reader for Printer<'_> {
    fn take(&mut self, told: Told) -> Result<(), CliError> {
        match (told, self.form) {
            (Told::Source(origin), Form::Text | Form::Json) => {
                self.labels
                    .add(&origin.environment, &origin.app, origin.instance);
            }
            (Told::Line(line), Form::Json) => self.ui.data(&json::line(&line))?,
            (Told::Line(line), Form::Text) => {
                let text = line::text(&line, &self.labels, &self.zone);
                self.ui.data(&text)?;
            }
            // Lines are shown when they are complete.
            (Told::Begun(_), Form::Text | Form::Json) => {}
            (Told::Gap(gap), Form::Json) => self.ui.data(&json::gap(&gap))?,
            (Told::Gap(gap), Form::Text) => self.ui.data(&line::gap(&gap, &self.labels))?,
            (Told::Pause, Form::Text | Form::Json) => self.ui.flush()?,
            (Told::Lost, Form::Text | Form::Json) => {
                self.ui.flush()?;
                self.ui
                    .status("The log daemon went away; waiting for the next one.");
            }
        }
        Ok(())
    }
}
