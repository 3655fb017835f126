//! From the words of the verbs about known apps to selectors.
//!
//! A config file, a folder with one or an environment stands for those of its apps that the agent knows; every other word
//! is for the agent to judge.

use eco_proto::agent::v1::{Instance, Selection};

use super::plan::{Reading, evaluate, refused};
use super::session::Session;
use crate::client::Agent;
use crate::error::CliError;
use crate::lookup;
use crate::target::{Target, on_disk};

/// One word, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A selector, as typed.
    Selector(String),
    /// The apps of a file, `environment/name`.
    Apps(Vec<String>),
}

/// Reads words.
pub(crate) async fn meanings(
    session: &mut Session<'_>,
    agent: &mut Agent,
    words: &[String],
) -> Result<Vec<Meaning>, CliError> {
    let mut known: Option<Vec<Instance>> = None;
    let mut meanings = Vec::new();
    for word in words {
        let facts = lookup::facts(word, session.surroundings);
        let Some(Target::Ecosystem(file)) = on_disk(word, &facts).map_err(refused)? else {
            meanings.push(Meaning::Selector(word.clone()));
            continue;
        };
        let instances = match &known {
            Some(instances) => instances,
            None => known.insert(agent.list(everything()).await?.instances),
        };
        let apps: Vec<String> = evaluate(session, &file, &Reading::default())?
            .into_iter()
            .filter(|app| {
                instances
                    .iter()
                    .any(|one| one.environment == app.environment && one.name == app.name)
            })
            .map(|app| format!("{}/{}", app.environment, app.name))
            .collect();
        meanings.push(if apps.is_empty() {
            Meaning::Selector(word.clone())
        } else {
            Meaning::Apps(apps)
        });
    }
    Ok(meanings)
}

/// Reads words into one selection.
pub(crate) async fn selection(
    session: &mut Session<'_>,
    agent: &mut Agent,
    words: &[String],
) -> Result<Selection, CliError> {
    let selectors = meanings(session, agent, words)
        .await?
        .into_iter()
        .flat_map(|meaning| match meaning {
            Meaning::Selector(selector) => vec![selector],
            Meaning::Apps(apps) => apps,
        })
        .collect();
    Ok(session.select(selectors))
}

/// Everything there is.
pub(crate) fn everything() -> Selection {
    Selection {
        every_environment: true,
        ..Selection::default()
    }
}
