//! `eco events`

use eco_proto::agent::v1::{Event, EventsRequest};
use jiff::tz::TimeZone;

use super::selection::selection;
use super::session::Session;
use crate::error::CliError;
use crate::last::Last;
use crate::render::event::Column;
use crate::render::json;
use crate::ui::Ui;
use crate::view::event::{Happened, happened};

/// Show what happened: starts, ends, restarts, changes, each with its cause and who asked
///
/// The last 10,000 events are kept. Apps that were deleted are selected by their names, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco events\n  \
    eco events -f 'mds-*'\n  \
    eco events -n all --json | jq 'select(.event == \"exited\" and .code != 0)'")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// Go on with what happens from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Show the last N events, or 'all'
    #[arg(short = 'n', long, value_name = "N", default_value = "50", value_parser = Last::parse)]
    lines: Last,
    /// Print an object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let mut column = Column::default();
    // Apps that were deleted are not among them; where nothing else is meant, the question below is the one that counts.
    if let Ok(reply) = agent.list(selection.clone()).await {
        for one in &reply.instances {
            column.add(&one.environment, &one.name, Some(one.instance));
        }
    }
    let request = EventsRequest {
        selection: Some(selection),
        last: args.lines.count(),
        after: None,
        follow: args.follow,
    };
    let reading = async {
        let mut request = request;
        loop {
            let mut cursor = request.after;
            let mut take = |event: Event| {
                cursor = Some(event.number);
                show(session.ui, &mut column, &happened(event), args.json)
            };
            let is_over = agent.events(request.clone(), &mut take).await?;
            if is_over {
                return Ok(());
            }
            // The agent went away: what it had not told yet is on its disk.
            request.after = cursor;
            request.last = cursor.map_or(request.last, |_| None);
            agent = session.agent().await?;
        }
    };
    if !args.follow {
        return reading.await;
    }
    tokio::select! {
        ended = reading => ended,
        // Ctrl-C is how following ends.
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn show(ui: &mut Ui, column: &mut Column, told: &Happened, as_json: bool) -> Result<(), CliError> {
    let text = if as_json {
        json::one_line(told)
    } else {
        column.text(told, &TimeZone::system())
    };
    ui.data(&text)?;
    ui.flush()?;
    Ok(())
}
