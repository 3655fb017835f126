//! `eco logs`

use std::time::Duration;

use eco_proto::agent::v1::Instance;
use eco_proto::log::v1::{Match, QueryRequest, Stream};
use jiff::tz::TimeZone;

use super::selection::{Meaning, meanings};
use super::session::Session;
use crate::client::{Agent, Reader, Told, read};
use crate::error::CliError;
use crate::last::Last;
use crate::render::line::Labels;
use crate::render::{json, line};
use crate::selector;
use crate::ui::Ui;

/// How long the agent may take to start the log daemon.
const PATIENCE: Duration = Duration::from_secs(10);

/// Show what apps wrote, and follow it
///
/// Lines of all apps are merged by time. A glob also follows apps that appear later.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(after_help = "Examples:\n  \
    eco logs                     the last lines of everything\n  \
    eco logs -f 'mds-*'          follow\n  \
    eco logs dev/api -n all --err\n  \
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
    let mut labels = Labels::default();
    let matches = matches(session, &mut agent, &args.selectors, &mut labels).await?;
    // From here on only the log daemon is needed: the agent may come and go.
    drop(agent);
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
        form: if args.json { Form::Json } else { Form::Text },
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

/// Has the agent resolve the words, and says the result in the log daemon's terms.
async fn matches(
    session: &mut Session<'_>,
    agent: &mut Agent,
    words: &[String],
    labels: &mut Labels,
) -> Result<Vec<Match>, CliError> {
    if words.is_empty() {
        let instances = agent.list(session.select(Vec::new())).await?.instances;
        bring_into_view(labels, &instances);
        return Ok(selector::everything(session.environment()));
    }
    let mut matches = Vec::new();
    for meaning in meanings(session, agent, words).await? {
        match meaning {
            Meaning::Selector(word) => {
                let selection = session.select(vec![word.clone()]);
                let instances = agent.list(selection).await?.instances;
                bring_into_view(labels, &instances);
                matches.extend(selector::matches(&word, &instances));
            }
            Meaning::Apps(apps) => {
                let instances = agent.list(session.select(apps)).await?.instances;
                bring_into_view(labels, &instances);
                matches.extend(selector::apps(&instances));
            }
        }
    }
    Ok(matches)
}

fn bring_into_view(labels: &mut Labels, instances: &[Instance]) {
    for one in instances {
        labels.add(&one.environment, &one.name, one.instance);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Json,
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
