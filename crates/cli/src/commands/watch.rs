//! `eco watch`

use std::path::Path;

use super::selection::selection;
use super::session::Session;
use crate::error::CliError;
use crate::render::json;
use crate::render::watch::{Detail, block};
use crate::view::watch::watched;

/// Tell how the files of an app are watched, and what counts as a change
///
/// With --explain: by which rules, and whether a change of each PATH would restart the app. It is the app's file that says
/// what is watched: `watch`, `ignore_watch`, `watch_delay` and `watch_options`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco watch dev/api\n  \
    eco watch --explain api                          the rules, and where they come from\n  \
    eco watch --explain api src/a.ts dist/a.js       does a change of these count, and why (not)\n  \
    eco watch 'mds-*' --json | jq '.[].watching.state'")]
pub(crate) struct Args {
    /// Selector, config file, folder or environment
    #[arg(value_name = "SELECTOR")]
    selector: String,
    /// Files or folders, which need not be there; one that ends with / is a folder
    #[arg(value_name = "PATH", requires = "explain")]
    paths: Vec<String>,
    /// Tell the rules, and what they make of each PATH
    #[arg(long)]
    explain: bool,
    /// Print an array of apps
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let mut agent = session.agent().await?;
    let selection = selection(session, &mut agent, &[args.selector]).await?;
    let here = session.surroundings.working_directory.clone();
    let paths = args.paths.iter().map(|path| absolute(&here, path));
    let all = watched(agent.explain_watch(selection, paths.collect()).await?);
    let detail = if args.explain {
        Detail::Explained
    } else {
        Detail::Summary
    };
    let text = if args.json {
        json::document(&all)
    } else {
        let blocks: Vec<String> = all.iter().map(|one| block(one, detail)).collect();
        blocks.join("\n")
    };
    session.ui.data(&text)?;
    Ok(())
}

/// The agent knows nothing of where the person is. A slash at the end stays, since it says that a folder is meant.
fn absolute(here: &Path, path: &str) -> String {
    here.join(path).display().to_string()
}
