//! `eco apply`

use std::error::Error;
use std::path::{Path, PathBuf};

use eco_proto::agent::v1::ApplyRequest;

use super::conclude::{Conclusion, conclude};
use super::diff::{Compared, Comparison, compare};
use super::session::Session;
use crate::error::CliError;
use crate::render::changes as render;
use crate::view::changes::{Action, Changes};

/// Make what runs be as a file says
///
/// Touches only what `eco diff` lists, and shows it. With --plan it refuses when that is no longer what the plan says.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco apply dev\n  \
    eco apply production --prune\n  \
    eco diff production --json > plan.json; eco apply production --plan plan.json")]
pub(crate) struct Args {
    #[command(flatten)]
    comparison: Comparison,
    /// A plan of `eco diff --json`, for the same TARGET and options
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Delete all apps when the file names none
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    conclusion: Conclusion,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let planned = args.plan.as_deref().map(read).transpose()?;
    let Compared {
        mut agent,
        apps,
        needed,
        prune,
        changes,
    } = compare(session, args.comparison).await?;
    if let Some(planned) = planned {
        is_meant(&planned, &changes)?;
    }
    let deletes = |changes: &Changes| {
        let mut all = changes.changes.iter();
        all.any(|change| change.action == Action::Delete)
    };
    if apps.is_empty() && deletes(&changes) && !args.force {
        return Err(CliError::user("apply a file without apps")
            .detailed(changes.changes.iter().map(told))
            .hinted("--force, if all of them are to go"));
    }
    for change in &changes.changes {
        session.ui.status(&told(change));
    }
    let request = ApplyRequest {
        apps,
        needed,
        prune,
        fingerprint: Some(changes.fingerprint),
        ..ApplyRequest::default()
    };
    let outcomes = agent.apply("apply apps", request).await?;
    conclude(session, &mut agent, "apply", &outcomes, &args.conclusion).await
}

fn told(change: &crate::view::changes::AppChange) -> String {
    render::block(change).trim_end().to_owned()
}

/// Refuses what the plan does not say.
fn is_meant(planned: &Changes, now: &Changes) -> Result<(), CliError> {
    if planned.fingerprint == now.fingerprint {
        return Ok(());
    }
    let details = if now.changes.is_empty() {
        vec!["now nothing would change".to_owned()]
    } else {
        let head = "now these changes would be made:".to_owned();
        std::iter::once(head)
            .chain(now.changes.iter().map(told))
            .collect()
    };
    Err(CliError::user("apply the plan")
        .because("what runs, or the file, has changed since it was made")
        .detailed(details)
        .hinted("eco diff --json makes a new plan"))
}

fn read(file: &Path) -> Result<Changes, CliError> {
    let tried = format!("read the plan {}", file.display());
    let no_plan = |why: Box<dyn Error + Send + Sync>| {
        CliError::user(&tried)
            .because(why)
            .hinted("eco diff --json makes one")
    };
    let text = std::fs::read_to_string(file).map_err(|error| no_plan(error.into()))?;
    serde_json::from_str(&text).map_err(|error| no_plan(error.into()))
}
