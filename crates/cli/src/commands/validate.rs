//! `eco validate`

use std::path::Path;

use eco_proto::agent::v1::{AppSpec, Problem};

use super::desk::Desk;
use super::files::files;
use crate::client::Agent;
use crate::environment::of_file;
use crate::error::CliError;
use crate::render::{findings as render, json};
use crate::view::findings::{Count, Finding, Level};
use crate::{ecosystem, error};

/// Check ecosystem files, and touch nothing
///
/// Everything that is wrong or odd is told at once, with its place. Where an agent runs, it is asked whether scripts,
/// interpreters, folders and users are there; none is started for that. Exits with 1 when a file could not be started.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    eco validate dev\n  \
    eco validate --strict process-manager/*/ecosystem.config.js\n  \
    eco validate --json | jq -r '.[] | select(.level == \"error\") | .message'")]
pub(crate) struct Args {
    /// Ecosystem file, folder with one, or environment
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// Block of variables to apply: `env_NAME` (default: the environment's name)
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Exit with 1 for warnings, too
    #[arg(long)]
    strict: bool,
    /// Print an array of findings
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(desk: &mut Desk<'_>, args: Args) -> Result<(), CliError> {
    let files = files(desk.surroundings, &args.targets)?;
    let mut findings = Vec::new();
    let mut apps = Vec::new();
    for file in &files {
        let checked = check(desk, file, args.env.as_deref())?;
        let is_sound = checked.findings.iter().all(|one| one.level != Level::Error);
        if is_sound {
            apps.extend(checked.apps);
        }
        findings.extend(checked.findings);
    }
    findings.extend(asked(desk, apps).await);
    if args.json {
        desk.ui.data(&json::document(&findings))?;
    } else {
        for finding in &findings {
            desk.ui.data(&render::block(finding))?;
        }
    }
    conclude(desk, files.len(), Count::of(&findings), args.strict)
}

fn check(
    desk: &mut Desk<'_>,
    file: &Path,
    env_block: Option<&str>,
) -> Result<ecosystem::Checked, CliError> {
    let environment = of_file(file, desk.environment());
    let checked = ecosystem::check(file, &environment, env_block, desk.surroundings)?;
    for line in &checked.said {
        desk.ui
            .status(&format!("{}: {line}", ecosystem::shown(file)));
    }
    Ok(checked)
}

/// What a running agent finds wrong on its host.
async fn asked(desk: &mut Desk<'_>, apps: Vec<AppSpec>) -> Vec<Finding> {
    if apps.is_empty() {
        return Vec::new();
    }
    match ask(desk, apps).await {
        Ok(Some(problems)) => problems.into_iter().map(of_agent).collect(),
        Ok(None) => {
            desk.ui.status(
                "No agent runs: scripts, interpreters, folders and users were not looked for.",
            );
            Vec::new()
        }
        Err(error) => {
            let why = error::chain(&error);
            desk.ui.warning(&format!("the agent was not asked: {why}"));
            Vec::new()
        }
    }
}

async fn ask(desk: &Desk<'_>, apps: Vec<AppSpec>) -> Result<Option<Vec<Problem>>, CliError> {
    let Some(agent) = Agent::find(&desk.surroundings.home()?).await? else {
        return Ok(None);
    };
    agent.of_our_version()?.problems(apps).await.map(Some)
}

fn of_agent(problem: Problem) -> Finding {
    let some = |text: String| (!text.is_empty()).then_some(text);
    Finding {
        level: Level::Error,
        app: some(problem.app),
        field: some(problem.field),
        file: some(problem.file),
        line: None,
        column: None,
        message: problem.message,
        hint: some(problem.hint),
    }
}

fn conclude(desk: &mut Desk<'_>, files: usize, count: Count, strict: bool) -> Result<(), CliError> {
    let files = if files == 1 {
        "1 file".to_owned()
    } else {
        format!("{files} files")
    };
    let found = render::count(count);
    if count.errors > 0 || (strict && count.warnings > 0) {
        return Err(CliError::user(format!("validate {files}")).because(found));
    }
    desk.ui.status(&format!("Checked {files}: found {found}."));
    Ok(())
}
