//! From the words of the verbs about known apps to selectors.
//!
//! A config file, a folder with one or an environment stands for those of its apps that the agent knows; every other word
//! is for the agent to judge. So is the name of an app, also where a folder is called like it: a project's folder mostly
//! has the name of one of its apps.

use std::collections::BTreeSet;

use eco_proto::agent::v1::{AppSpec, Instance, Selection};

use super::plan::{Reading, evaluate, refused};
use super::session::Session;
use crate::client::Agent;
use crate::error::CliError;
use crate::kept::App;
use crate::lookup;
use crate::target::{Target, on_disk};

/// Reads words into one selection.
pub(crate) async fn selection(
    session: &mut Session<'_>,
    agent: &mut Agent,
    words: &[String],
) -> Result<Selection, CliError> {
    heed_environment(session, agent).await?;
    let mut known: Option<Vec<Instance>> = None;
    let mut selectors = Vec::new();
    for word in words {
        let Some(apps) = file_apps(session, agent, word).await? else {
            selectors.push(word.clone());
            continue;
        };
        let instances = match &known {
            Some(instances) => instances,
            None => known.insert(agent.list(everything()).await?.instances),
        };
        let before = selectors.len();
        let is_known = |app: &App| instances.iter().any(|one| app.is_of(one));
        selectors.extend(apps.iter().filter(|app| is_known(app)).map(App::to_string));
        if selectors.len() == before {
            selectors.push(word.clone());
        }
    }
    Ok(session.select(selectors))
}

/// The apps that the file defines which a word stands for; `None`: it stands for none.
pub(crate) async fn file_apps(
    session: &mut Session<'_>,
    agent: &mut Agent,
    word: &str,
) -> Result<Option<Vec<App>>, CliError> {
    let facts = lookup::facts(word, session.surroundings);
    if facts.is_folder() && names_app(session, agent, word).await? {
        return Ok(None);
    }
    let Some(Target::Ecosystem(file)) = on_disk(word, &facts).map_err(refused)? else {
        return Ok(None);
    };
    let apps = evaluate(session, &file, &Reading::default())?;
    let app = |app: AppSpec| App {
        environment: app.environment,
        name: app.name,
    };
    Ok(Some(apps.into_iter().map(app).collect()))
}

/// Whether a word is the name of an app that the agent knows, in the chosen environment if one is chosen.
pub(crate) async fn names_app(
    session: &Session<'_>,
    agent: &mut Agent,
    word: &str,
) -> Result<bool, CliError> {
    let instances = agent.list(session.select(Vec::new())).await?.instances;
    Ok(instances.iter().any(|one| one.name == word))
}

/// Warns where the chosen environment has no app: its name may be mistyped, and an empty answer would be taken for all.
pub(crate) async fn heed_environment(
    session: &mut Session<'_>,
    agent: &mut Agent,
) -> Result<(), CliError> {
    let Some(chosen) = session.environment().map(str::to_owned) else {
        return Ok(());
    };
    let instances = agent.list(everything()).await?.instances;
    let names: BTreeSet<&str> = instances
        .iter()
        .map(|one| one.environment.as_str())
        .collect();
    if names.contains(chosen.as_str()) {
        return Ok(());
    }
    let names: Vec<&str> = names.into_iter().collect();
    let others = if names.is_empty() {
        String::new()
    } else {
        format!("; there are apps in {}", names.join(", "))
    };
    let warning = format!("no app is in the environment {chosen}{others}");
    session.ui.warning(&warning);
    Ok(())
}

/// Everything there is.
pub(crate) fn everything() -> Selection {
    Selection {
        every_environment: true,
        ..Selection::default()
    }
}
