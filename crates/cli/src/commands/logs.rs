//! `eco logs`
//!
//! ```text
//!  question (selectors, times, conditions) ─┬─▶ show ─▶ client::read ─▶ printer ─▶ one line after the other
//!                                           │              ▲             └ timeline: what happened, among them
//!                                           │            cursor: how far the last command came
//!                                           ├─▶ stats ─▶ a table
//!                                           └─▶ export ─▶ a file
//! ```

mod conditions;
mod cursor;
mod export;
mod printer;
mod question;
mod show;
mod stats;
mod timeline;
mod times;

use std::path::PathBuf;

use super::session::Session;
use crate::error::CliError;
use crate::last::Last;
use crate::render::stamp::Pattern;
use question::Question;

/// What is shown of the past where nobody says how much.
const LAST: u64 = 15;

/// Show what apps wrote, and follow it
///
/// Lines of all apps are merged by time. A glob also follows apps that appear later. What apps wrote that were deleted is
/// found by their names. On a terminal, records that are JSON are shown as LEVEL message key=value.
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_precedence_over_arg = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
    eco logs                                    the last lines of everything\n  \
    eco logs -f 'mds-*'                         follow\n  \
    eco logs dev/api -n all --err\n  \
    eco logs api --since 14:02 --until 14:05    what was written between the two\n  \
    eco logs --since '1 hour ago' --level warn  what went wrong lately\n  \
    eco logs api --grep timeout -v healthz -i   with one word and without the other\n  \
    eco logs api --where 'status>=500' --where req.method=POST\n  \
    eco logs api --run -2                       the run before the last one\n  \
    eco logs -f --events                        with starts, exits and restarts among the lines\n  \
    eco logs --cursor seen.json                 what came since the last time\n  \
    eco logs --stats --by 1m --since 1h         how much was written when\n  \
    eco logs --json -n 1000 | jq -r .line\n  \
    eco logs export --format parquet --since today --output today.parquet\n\n\
    export is the verb right behind logs, and a selector everywhere else. An app that is called so: eco logs -- export, or \
    eco logs ./export"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    question: Question,
    /// Go on with what comes, until Ctrl-C
    #[arg(short, long, conflicts_with_all = ["run", "until"])]
    follow: bool,
    /// Lines of the past, over all apps together; or 'all' [default: 15; with --since all]
    #[arg(short = 'n', long, value_name = "N", value_parser = Last::parse)]
    lines: Option<Last>,
    /// Tell also what happened to the apps: starts, exits, restarts
    #[arg(long)]
    events: bool,
    /// Go on where the last command with this file ended, and note in it how far this one came; -n and --since count for the
    /// first one only
    #[arg(long, value_name = "FILE")]
    cursor: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Print what was written, byte for byte, and nothing else
    #[arg(long, conflicts_with_all = ["json", "events"])]
    raw: bool,
    /// Print as PM2 does with this option: timestamp=… app=… id=… type=… message=…
    #[arg(long, conflicts_with_all = ["json", "raw"])]
    format: bool,
    /// Leave out times and names
    #[arg(long, conflicts_with_all = ["json", "raw", "format"])]
    no_prefix: bool,
    /// Show whole dates, with the zone
    #[arg(long, conflicts_with_all = ["json", "raw"])]
    timestamps: bool,
    /// Show times in a form of strftime's or Day.js: '%H:%M', 'HH:mm:ss' [default: YYYY-MM-DDTHH:mm:ss]
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, default_missing_value = "YYYY-MM-DDTHH:mm:ss",
        conflicts_with_all = ["json", "raw", "timestamps"], value_parser = Pattern::parse)]
    timestamp: Option<Pattern>,
    /// Make a word stand out; can be given several times
    #[arg(long, value_name = "WORD", conflicts_with_all = ["json", "raw", "format"])]
    highlight: Vec<String>,
    /// Do not go on with what comes: so it is without --follow; for those used to PM2
    #[arg(long, visible_alias = "no-stream", conflicts_with = "follow")]
    nostream: bool,
    /// Count lines, bytes and levels of each app instead
    #[arg(long, conflicts_with_all = ["follow", "lines", "events", "cursor", "raw", "format", "no_prefix", "timestamps",
        "timestamp", "highlight"])]
    stats: bool,
    /// Count in spans of this length: 10s, 1m, 1h
    #[arg(long, value_name = "SPAN", requires = "stats", value_parser = stats::span)]
    by: Option<u64>,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Export(export::Args),
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    match args.verb {
        Some(Verb::Export(args)) => export::run(session, args).await,
        None if args.stats => stats::run(session, &args).await,
        None => show::run(session, args).await,
    }
}
