//! From the words of `start` and `restart` to specifications and selectors.

use std::path::Path;

use eco_proto::agent::v1::dependency::On;
use eco_proto::agent::v1::{AppSpec, Dependency, Prune};

use super::fields::Fields;
use super::files;
use super::selection::names_app;
use super::session::Session;
use crate::client::Agent;
use crate::environment::{DEFAULT, of_file};
use crate::error::CliError;
use crate::nearness::did_you_mean;
use crate::only::{OnlyError, choose};
use crate::target::{Facts, Known, OnPath, Target, TargetError, elsewhere, on_disk};
use crate::{ecosystem, lookup};

/// How the words are to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// Which apps of the files.
    pub(crate) only: Vec<String>,
    /// Which `env_NAME` block.
    pub(crate) env_block: Option<String>,
    /// What a script or command is to be called.
    pub(crate) name: Option<String>,
    /// What a script or command is given.
    pub(crate) arguments: Vec<String>,
    /// How a script or command is to run.
    pub(crate) fields: Fields,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Apps to be as specified.
    pub(crate) apps: Vec<AppSpec>,
    /// Apps of the same files that those depend on.
    pub(crate) needed: Vec<AppSpec>,
    /// Apps that the agent knows.
    pub(crate) selectors: Vec<String>,
    /// Where the apps of the files belong.
    pub(crate) scopes: Vec<Prune>,
}

/// What the words are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To start what they name, commands on PATH included.
    Start,
    /// To restart what is there: a known name is the app, whatever folder is called like it.
    Restart,
    /// To compare what files say with what is there.
    Compare,
}

/// Makes the plan, and says on stderr what each word was taken for.
pub(crate) async fn plan(
    session: &mut Session<'_>,
    agent: &mut Option<Agent>,
    words: &[String],
    reading: &Reading,
    purpose: Purpose,
) -> Result<Plan, CliError> {
    let mut targets = Vec::new();
    for word in words {
        targets.push(target(session, agent, word, purpose).await?);
    }
    if words.is_empty() {
        targets.push(here(session)?);
    }
    fits(reading, &targets)?;
    let mut plan = Plan::default();
    for target in targets {
        match target {
            Target::Ecosystem(file) => {
                plan.apps.extend(evaluate(session, &file, reading)?);
                plan.scopes.push(scope(session, &file));
            }
            Target::Script(file) => {
                plan.apps.push(script(
                    session,
                    file.to_string_lossy().into_owned(),
                    reading,
                )?);
            }
            Target::Command { line, program } => {
                let line = if line.contains(char::is_whitespace) {
                    line
                } else {
                    program.to_string_lossy().into_owned()
                };
                plan.apps.push(script(session, line, reading)?);
            }
            Target::Selector(selector) => plan.selectors.push(selector),
        }
    }
    let (chosen, others) = chosen(plan.apps, &reading.only)?;
    plan.needed = needed(&chosen, others);
    plan.apps = chosen;
    Ok(plan)
}

async fn target(
    session: &mut Session<'_>,
    agent: &mut Option<Agent>,
    word: &str,
    purpose: Purpose,
) -> Result<Target, CliError> {
    let mut facts = lookup::facts(word, session.surroundings);
    match purpose {
        Purpose::Start => {}
        Purpose::Restart | Purpose::Compare => facts.on_path = OnPath::NotMeant,
    }
    if let (Purpose::Restart, Some(agent)) = (purpose, agent.as_mut())
        && facts.is_folder()
        && names_app(session, agent, word).await?
    {
        return Ok(Target::Selector(word.to_owned()));
    }
    if let Some(target) = on_disk(word, &facts).map_err(refused)? {
        return Ok(target);
    }
    let known = known(session, agent, word, &facts).await?;
    elsewhere(word, &facts, known).map_err(refused)
}

async fn known(
    session: &mut Session<'_>,
    agent: &mut Option<Agent>,
    word: &str,
    facts: &Facts,
) -> Result<Known, CliError> {
    // A command line is no selector, and neither is a path that leads nowhere.
    let is_line = word.contains(char::is_whitespace) && matches!(facts.on_path, OnPath::Found(_));
    if is_line || word.starts_with("./") || word.starts_with("../") {
        return Ok(Known::Nothing {
            closest: Vec::new(),
        });
    }
    let selection = session.select(vec![word.to_owned()]);
    let agent = match agent {
        Some(agent) => agent,
        None => agent.insert(session.agent().await?),
    };
    Ok(match agent.selects(selection).await? {
        Ok(_) => Known::Apps,
        Err(closest) => Known::Nothing { closest },
    })
}

fn here(session: &Session<'_>) -> Result<Target, CliError> {
    files::here(session.surroundings).map(Target::Ecosystem)
}

/// Whether the options are about what the words stand for.
fn fits(reading: &Reading, targets: &[Target]) -> Result<(), CliError> {
    let is_file = |target: &Target| matches!(target, Target::Ecosystem(_));
    if let (Some(block), false) = (&reading.env_block, targets.iter().all(is_file)) {
        return Err(CliError::user(format!("apply --env {block}"))
            .because("it chooses a block of an ecosystem file, and what is named is no file")
            .hinted("name the file, or its environment"));
    }
    if !reading.only.is_empty() && !targets.iter().any(is_file) {
        return Err(CliError::user("apply --only")
            .because("it chooses among the apps of an ecosystem file, and none is named"));
    }
    let is_one_script = matches!(targets, [Target::Script(_) | Target::Command { .. }]);
    let is_about_one = reading.name.is_some() || !reading.arguments.is_empty();
    if (is_about_one || !reading.fields.is_empty()) && !is_one_script {
        return Err(CliError::user("apply --name, fields or arguments after --")
            .because("they are for a single script or command")
            .hinted("say it in the ecosystem file"));
    }
    Ok(())
}

/// The apps that belong to `file`: those of its environment that are defined in its folder.
fn scope(session: &Session<'_>, file: &Path) -> Prune {
    let folder = file.parent().unwrap_or(file);
    Prune {
        environment: of_file(file, session.environment()),
        folder: folder.to_string_lossy().into_owned(),
    }
}

/// Evaluates a file, and says its environment and what is odd about it.
pub(crate) fn evaluate(
    session: &mut Session<'_>,
    file: &Path,
    reading: &Reading,
) -> Result<Vec<AppSpec>, CliError> {
    let environment = of_file(file, session.environment());
    session.ui.status(&format!(
        "Environment {environment}: {}",
        ecosystem::shown(file)
    ));
    let ecosystem = ecosystem::load(
        file,
        &environment,
        reading.env_block.as_deref(),
        session.surroundings,
    )?;
    for line in ecosystem.said {
        session
            .ui
            .status(&format!("{}: {line}", ecosystem::shown(file)));
    }
    for warning in &ecosystem.warnings {
        session.ui.warning(warning);
    }
    Ok(ecosystem.apps)
}

fn script(session: &mut Session<'_>, line: String, reading: &Reading) -> Result<AppSpec, CliError> {
    let environment = session.environment().unwrap_or(DEFAULT).to_owned();
    session
        .ui
        .status(&format!("Environment {environment}: script {line}"));
    let script = ecosystem::Script {
        line,
        name: reading.name.clone(),
        arguments: reading.arguments.clone(),
        fields: reading.fields.as_map().clone(),
    };
    ecosystem::single(script, &environment, session.surroundings)
}

/// The apps that are meant, and the others.
pub(crate) fn chosen(
    apps: Vec<AppSpec>,
    only: &[String],
) -> Result<(Vec<AppSpec>, Vec<AppSpec>), CliError> {
    let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
    let chosen = choose(&names, only).map_err(|error| {
        let hint = match &error {
            OnlyError::NoMatch { closest, .. } => did_you_mean(closest),
            OnlyError::Pattern { .. } => None,
        };
        let error = CliError::user(error.to_string()).because_of(std::error::Error::source(&error));
        match hint {
            Some(hint) => error.hinted(hint),
            None => error,
        }
    })?;
    let (chosen, others): (Vec<_>, Vec<_>) = apps
        .into_iter()
        .zip(chosen)
        .partition(|(_, is_chosen)| *is_chosen);
    let bare = |apps: Vec<(AppSpec, bool)>| apps.into_iter().map(|(app, _)| app).collect();
    Ok((bare(chosen), bare(others)))
}

/// Those of `others` that `apps` depend on, directly or by what they depend on.
fn needed(apps: &[AppSpec], others: Vec<AppSpec>) -> Vec<AppSpec> {
    let mut left = others;
    let mut needed: Vec<AppSpec> = Vec::new();
    let mut callers: Vec<AppSpec> = apps.to_vec();
    while let Some(caller) = callers.pop() {
        let (called, rest): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|app| needs(&caller, app));
        left = rest;
        callers.extend(called.iter().cloned());
        needed.extend(called);
    }
    needed
}

fn needs(app: &AppSpec, on: &AppSpec) -> bool {
    let is_it = |dependency: &Dependency| match &dependency.on {
        Some(On::App(needed)) => needed.name == on.name,
        Some(On::Tcp(_) | On::Http(_)) | None => false,
    };
    app.environment == on.environment && app.depends_on.iter().any(is_it)
}

/// Turns the verdict on a word into what the person is told.
pub(crate) fn refused(error: TargetError) -> CliError {
    let tried = error.to_string();
    match error {
        TargetError::Ambiguous { files, .. } => CliError::user(tried)
            .detailed(files.iter().map(|file| file.display().to_string()))
            .hinted("name one of these files"),
        TargetError::Nothing {
            tried: places,
            closest,
            ..
        } => {
            let error = CliError::user(tried).detailed(places);
            let hint = did_you_mean(&closest);
            error.hinted(hint.as_deref().unwrap_or(
                "eco list shows the apps there are, and eco init writes an ecosystem file",
            ))
        }
    }
}
