//! From the words of the verbs about output to what the log daemon is to choose.
//!
//! ```text
//!  word ─▶ a file, a folder with one, an environment: its apps, those that are known or of which output is kept
//!       └▶ a selector ─▶ the agent knows apps ─▶ these; a glob stays one
//!                    └─▶ it knows none ─▶ apps that were deleted, of which output is kept ─▶ none: an error
//! ```

use std::time::Duration;

use eco_proto::agent::v1::Instance;
use eco_proto::log::v1::{Match, Slot};

use super::selection::{everything, file_apps, heed_environment};
use super::session::Session;
use crate::client::{Agent, LogDaemon};
use crate::error::CliError;
use crate::kept::{self, App, Choice};
use crate::nearness::{WHAT_THERE_IS, did_you_mean};
use crate::run::{Run, span};
use crate::selector;

/// How long the agent may take to start the log daemon.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What is meant.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// In the log daemon's terms.
    pub(crate) matches: Vec<Match>,
    /// Those that the agent knows.
    pub(crate) known: Vec<Instance>,
}

impl Sources {
    fn of_apps(apps: &[App], known: Vec<Instance>) -> Self {
        let app = |app: &App| selector::app(&app.environment, &app.name);
        Self {
            matches: apps.iter().map(app).collect(),
            known,
        }
    }
}

/// Reads words; none at all mean everything, or everything of the chosen environment.
pub(crate) async fn sources(
    session: &mut Session<'_>,
    agent: &mut Agent,
    words: &[String],
) -> Result<Sources, CliError> {
    heed_environment(session, agent).await?;
    if words.is_empty() {
        return Ok(Sources {
            matches: selector::everything(session.environment()),
            known: agent.list(session.select(Vec::new())).await?.instances,
        });
    }
    let mut sources = Sources::default();
    for word in words {
        let of_file = match file_apps(session, agent, word).await? {
            Some(apps) => of_file(session, agent, apps).await?,
            None => None,
        };
        let found = match of_file {
            Some(found) => found,
            None => of_selector(session, agent, word).await?,
        };
        sources.matches.extend(found.matches);
        sources.known.extend(found.known);
    }
    Ok(sources)
}

/// The apps of a file; `None`: neither agent nor log daemon knows any.
async fn of_file(
    session: &Session<'_>,
    agent: &mut Agent,
    apps: Vec<App>,
) -> Result<Option<Sources>, CliError> {
    let mut known = agent.list(everything()).await?.instances;
    known.retain(|one| apps.iter().any(|app| app.is_of(one)));
    let kept = kept::apps(&runs(session, Vec::new()).await?);
    let there: Vec<App> = apps
        .into_iter()
        .filter(|app| kept.contains(app) || known.iter().any(|one| app.is_of(one)))
        .collect();
    Ok((!there.is_empty()).then(|| Sources::of_apps(&there, known)))
}

async fn of_selector(
    session: &Session<'_>,
    agent: &mut Agent,
    word: &str,
) -> Result<Sources, CliError> {
    let mut close = match agent.selects(session.select(vec![word.to_owned()])).await? {
        Ok(known) => {
            let matches = selector::matches(word, &known);
            return Ok(Sources { matches, known });
        }
        Err(close) => close,
    };
    let kept = kept::apps(&runs(session, Vec::new()).await?);
    match kept::choose(word, session.environment(), kept) {
        Choice::Apps(apps) => Ok(Sources::of_apps(&apps, Vec::new())),
        Choice::Ambiguous(apps) => Err(ambiguous(word, &apps)),
        Choice::Nothing { closest } => {
            close.extend(closest);
            close.sort();
            close.dedup();
            Err(nothing(word, &close))
        }
    }
}

fn ambiguous(word: &str, apps: &[App]) -> CliError {
    let error = CliError::user(format!("find {word}"))
        .because("it was the name of apps in several environments")
        .detailed(apps.iter().map(App::to_string));
    if word == "all" || word.starts_with('/') {
        error.hinted("choose an environment with -E")
    } else {
        error.hinted(format!(
            "choose an environment with -E; '*/{word}' means all"
        ))
    }
}

fn nothing(word: &str, close: &[String]) -> CliError {
    let error = CliError::user(format!("find {word}")).detailed([
        format!("app {word}: the agent knows none"),
        format!("output of an app {word} that was deleted: none is kept"),
    ]);
    match did_you_mean(close) {
        Some(hint) => error.hinted(hint),
        None => error.hinted(WHAT_THERE_IS),
    }
}

/// Narrows `matches` down to one run of each instance; an error where none of them has it.
pub(crate) async fn of_run(
    session: &Session<'_>,
    matches: Vec<Match>,
    run: Run,
) -> Result<Vec<Match>, CliError> {
    let slots = runs(session, matches).await?;
    let narrowed: Vec<Match> = slots
        .iter()
        .filter_map(|slot| {
            Some(Match {
                run: Some(run.pick(&slot.runs)?),
                ..selector::instance(&slot.environment, &slot.app, slot.instance)
            })
        })
        .collect();
    if !narrowed.is_empty() {
        return Ok(narrowed);
    }
    let kept = |slot: &Slot| {
        let (environment, app, instance) = (&slot.environment, &slot.app, slot.instance);
        format!("{environment}/{app}#{instance}: {}", span(&slot.runs))
    };
    let error = CliError::user(format!("find run {run}"));
    Err(if slots.is_empty() {
        error.because("nothing of these apps is kept")
    } else {
        error.detailed(slots.iter().map(kept))
    })
}

async fn runs(session: &Session<'_>, matches: Vec<Match>) -> Result<Vec<Slot>, CliError> {
    let mut daemon = LogDaemon::wait(&session.home, PATIENCE).await?;
    daemon.runs(matches).await
}
