//! `eco diff`

use eco_proto::agent::v1::{AppSpec, PlanRequest, Prune};

use super::plan::{Plan, Purpose, Reading, plan};
use super::session::Session;
use crate::client::Agent;
use crate::error::{CliError, Kind};
use crate::render::{changes as render, json};
use crate::view::changes::{Changes, changes};

/// Show what `eco apply` would change, and touch nothing
///
/// Exits with 0 when nothing would change, and with 2 when something would.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco diff dev\n  \
    eco diff production --prune --json > plan.json   then: eco apply production --prune --plan plan.json")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) comparison: Comparison,
    /// Print a plan as JSON, which `eco apply --plan` takes
    #[arg(long)]
    json: bool,
}

/// What is compared with what runs.
#[derive(Debug, clap::Args)]
pub(crate) struct Comparison {
    /// Ecosystem file, folder with one, or environment
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Only these apps of the file: names or globs, divided by commas
    #[arg(long, value_name = "NAMES", conflicts_with = "prune")]
    only: Vec<String>,
    /// Block of variables to apply: `env_NAME` (default: the environment's name)
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Count apps that the files in this folder defined once, and name no more, as to be deleted
    #[arg(long)]
    pub(crate) prune: bool,
}

/// What is asked for, and what that would change.
pub(crate) struct Compared {
    pub(crate) agent: Agent,
    pub(crate) apps: Vec<AppSpec>,
    pub(crate) needed: Vec<AppSpec>,
    pub(crate) prune: Vec<Prune>,
    pub(crate) changes: Changes,
}

pub(crate) async fn run(session: &mut Session<'_>, args: Args) -> Result<(), CliError> {
    let Compared { changes, .. } = compare(session, args.comparison).await?;
    if args.json {
        session.ui.data(&json::document(&changes))?;
    } else {
        for change in &changes.changes {
            session.ui.data(&render::block(change))?;
        }
    }
    if changes.changes.is_empty() {
        session.ui.status("No changes.");
        return Ok(());
    }
    Err(CliError::new(Kind::Differs, "find no difference"))
}

/// Asks the agent what applying would change.
pub(crate) async fn compare(
    session: &mut Session<'_>,
    comparison: Comparison,
) -> Result<Compared, CliError> {
    let reading = Reading {
        only: comparison.only,
        env_block: comparison.env,
        ..Reading::default()
    };
    let mut met = None;
    let targets = &comparison.targets;
    let Plan {
        apps,
        needed,
        selectors,
        scopes,
    } = plan(session, &mut met, targets, &reading, Purpose::Compare).await?;
    if let Some(selector) = selectors.first() {
        return Err(CliError::user("compare")
            .because(format!("{selector:?} is an app that runs, not a file"))
            .hinted("name an ecosystem file, a folder with one, or an environment"));
    }
    let mut agent = match met {
        Some(agent) => agent,
        None => session.agent().await?,
    };
    let prune = if comparison.prune { scopes } else { Vec::new() };
    let request = PlanRequest {
        apps: apps.clone(),
        needed: needed.clone(),
        prune: prune.clone(),
    };
    let changes = changes(agent.plan(request).await?);
    Ok(Compared {
        agent,
        apps,
        needed,
        prune,
        changes,
    })
}
