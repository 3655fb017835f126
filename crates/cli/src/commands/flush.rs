//! `eco flush`

use eco_proto::log::v1::FlushedFile;

use super::session::Session;
use super::sources::{PATIENCE, sources};
use crate::client::LogDaemon;
use crate::error::CliError;
use crate::render::{json, quantity};
use crate::view::flush::{Flushed, by_app};

/// Remove what apps wrote so far
///
/// The disk gets it back, also while the apps run, and what they write from then on is kept. What apps wrote that were
/// deleted is found by their names. Log files (`out_file` and the like) that hold lines of no other apps are made empty;
/// those that were put aside stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco flush                    what all apps wrote so far\n  \
    eco flush -E dev 'mds-*'\n  \
    eco flush dev/api --json | jq 'map(.freed_bytes) | add'")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment; everything if not given
    #[arg(value_name = "SELECTOR")]
    selectors: Vec<String>,
    /// Print an array of what was removed, by run and stream
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let matches = sources(session, &mut agent, &args.selectors).await?.matches;
    let mut daemon = LogDaemon::wait(&session.home, PATIENCE).await?;
    let reply = daemon.flush(matches).await?;
    let flushed: Vec<Flushed> = reply.flushed.into_iter().map(Flushed::from).collect();
    if args.json {
        session.ui.data(&json::document(&flushed))?;
    } else {
        tell(session, &flushed, &reply.files)?;
    }
    let of_files = reply.files.iter().filter(|file| !file.problem.is_empty());
    let of_files = of_files.map(|file| format!("{}: {}", file.path, file.problem));
    let mut problems = flushed
        .iter()
        .filter_map(problem)
        .chain(of_files)
        .peekable();
    if problems.peek().is_none() {
        return Ok(());
    }
    Err(CliError::user("remove all of it").detailed(problems))
}

fn tell(
    session: &mut Session<'_>,
    flushed: &[Flushed],
    files: &[FlushedFile],
) -> Result<(), CliError> {
    let apps = by_app(flushed);
    for (app, sum) in &apps {
        let (bytes, freed) = (quantity::bytes(sum.bytes), quantity::bytes(sum.freed));
        let text = format!("{app}: removed {bytes}, {freed} of the disk are free again\n");
        session.ui.data(&text)?;
    }
    let emptied = files.iter().filter(|file| file.bytes > 0);
    for file in emptied.clone() {
        let bytes = quantity::bytes(file.bytes);
        let text = format!("{}: removed {bytes}\n", file.path);
        session.ui.data(&text)?;
    }
    if apps.is_empty() && emptied.count() == 0 {
        session.ui.status("Nothing to remove.");
    }
    Ok(())
}

fn problem(one: &Flushed) -> Option<String> {
    let problem = one.problem.as_ref()?;
    let (environment, name) = (&one.environment, &one.name);
    Some(format!(
        "{environment}/{name}#{}, run {}: failed to {problem}",
        one.instance, one.run
    ))
}
