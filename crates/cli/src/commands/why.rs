//! `eco why`

use eco_proto::log::v1::Match;
use jiff::tz::TimeZone;

use super::selection::selection;
use super::session::Session;
use super::tail::tail;
use crate::error::CliError;
use crate::last::Last;
use crate::number;
use crate::render::{json, why};
use crate::selector;
use crate::view::why::{History, Run, history, line};

/// Tell why apps began and ended: every run with its causes, who asked, its exit code or signal, and its last lines
///
/// The last 20 runs of each instance are remembered.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco why dev/mds-fetcher\n  \
    eco why 'mds-*' --runs 1 --lines 20\n  \
    eco why api --runs all --json | jq '.[].runs[].ended.code'")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR", required = true)]
    selectors: Vec<String>,
    /// Show the last N runs of each instance, or 'all'
    #[arg(long, value_name = "N", default_value = "5", value_parser = Last::parse)]
    runs: Last,
    /// Show the last N lines of each run that ended
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = number::count::<u16>)]
    lines: u16,
    /// Print an array of instances
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &args.selectors).await?;
    let most = args.runs.count().unwrap_or(u64::MAX);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let descriptions = agent.describe(selection).await?.into_iter();
    let mut histories: Vec<_> = descriptions.map(|one| history(one, most)).collect();
    histories.sort_by(|left, right| {
        (&left.env, &left.name, left.instance).cmp(&(&right.env, &right.name, right.instance))
    });
    if args.lines > 0 {
        for history in &mut histories {
            read_lines(session, history, args.lines).await;
        }
    }
    let text = if args.json {
        json::document(&histories)
    } else {
        let zone = TimeZone::system();
        let blocks: Vec<_> = histories.iter().map(|one| why::block(one, &zone)).collect();
        blocks.join("\n")
    };
    session.ui.data(&text)?;
    Ok(())
}

/// Reads what the runs that ended wrote last. A log daemon that does not answer is asked once per instance.
async fn read_lines(session: &Session<'_>, history: &mut History, count: u16) {
    let instance = selector::instance(&history.env, &history.name, history.instance);
    let mut answers = true;
    for run in history.runs.iter_mut().filter(|run| has_lines(run)) {
        let wanted = Match {
            run: Some(run.number),
            ..instance.clone()
        };
        let lines = if answers {
            tail(session, wanted, count).await
        } else {
            None
        };
        answers = lines.is_some();
        run.last_lines = lines.map(|lines| lines.into_iter().map(line).collect());
    }
}

/// Whether a run has ended, and had begun.
fn has_lines(run: &Run) -> bool {
    run.ended
        .as_ref()
        .is_some_and(|ended| ended.spawn_failed.is_none())
}
