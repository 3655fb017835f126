//! After a request: wait until it has come about, tell, and show.

use std::collections::BTreeSet;
use std::time::Duration;

use eco_proto::agent::v1::{Action, Instance, Outcome};

use super::failure;
use super::selection::everything;
use super::session::Session;
use super::spoken::Form;
use crate::client::Agent;
use crate::error::CliError;
use crate::number;
use crate::render::style::{dim, error, success};
use crate::render::{json, table};
use crate::settle::{Awaited, Goal, Settling, Verdict};
use crate::ui::Ui;
use crate::view::list::{Metrics, rows};

/// Agents that may go away while we wait.
const SUCCESSORS: u32 = 10;

/// How to wait, and how to show.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Conclusion {
    /// Wait at most this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = number::count::<u64>)]
    timeout: u64,
    /// Return when the agent knows, not when it is done
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
    /// Print the instances as JSON
    #[arg(long)]
    json: bool,
}

impl Conclusion {
    /// There is nothing to wait for.
    pub(super) const fn at_once(form: Form) -> Self {
        Self {
            timeout: 0,
            no_wait: true,
            json: matches!(form, Form::Json),
        }
    }
}

/// Concludes a request to `verb` apps.
pub(crate) async fn conclude(
    session: &mut Session<'_>,
    agent: &mut Agent,
    verb: &str,
    outcomes: &[Outcome],
    how: &Conclusion,
) -> Result<(), CliError> {
    tell_at_once(session.ui, outcomes);
    let awaited = if how.no_wait {
        Vec::new()
    } else {
        outcomes.iter().filter_map(awaited).collect()
    };
    let mut settling = Settling::new(awaited);
    let instances = if settling.awaited().is_empty() {
        agent.list(everything()).await?.instances
    } else {
        settle(
            session,
            agent,
            &mut settling,
            Duration::from_secs(how.timeout),
        )
        .await?
    };
    show(session, agent, outcomes, &instances, how)?;
    let failed: Vec<&Awaited> = settling
        .awaited()
        .iter()
        .filter(|awaited| awaited.verdict.as_ref().is_some_and(Verdict::is_failure))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    for awaited in &failed {
        failure::tell(session, awaited).await;
    }
    let names: BTreeSet<String> = failed.iter().map(|one| one.app()).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let missed = CliError::user(format!("{verb} {}", all.join(", ")));
    let hint = way_out(&failed, &names).unwrap_or_else(|| more(&failed, &all));
    Err(missed.hinted(hint))
}

/// Where there is more to learn.
fn more(failed: &[&Awaited], names: &[&str]) -> String {
    let name = names.first().copied().unwrap_or("APP");
    let is_late = |one: &&Awaited| matches!(one.verdict, Some(Verdict::TimedOut(_)));
    if failed.iter().any(is_late) {
        format!(
            "eco goes on with it: --timeout SECONDS waits longer, and eco why {name} tells more"
        )
    } else {
        format!("eco why {name} tells more")
    }
}

/// How to go on where apps wait for one that nobody asked to come up.
fn way_out(failed: &[&Awaited], names: &BTreeSet<String>) -> Option<String> {
    failed.iter().find_map(|one| match &one.verdict {
        Some(Verdict::Blocked { on, .. }) if !names.contains(on) => Some(format!(
            "eco start {on} brings up what it waits for; eco start {} --no-deps does without",
            one.app()
        )),
        Some(
            Verdict::Up
            | Verdict::Ended(_)
            | Verdict::Down
            | Verdict::Gone
            | Verdict::Failed(_)
            | Verdict::KeepsFailing(_)
            | Verdict::Blocked { .. }
            | Verdict::TimedOut(_),
        )
        | None => None,
    })
}

/// Waits; an agent that dies meanwhile costs nothing: what was asked for is on its disk, and its successor goes on.
async fn settle(
    session: &mut Session<'_>,
    agent: &mut Agent,
    settling: &mut Settling,
    patience: Duration,
) -> Result<Vec<Instance>, CliError> {
    for _ in 0..SUCCESSORS {
        let ui = &mut *session.ui;
        let mut tell = |settled: &Awaited| tell(ui, settled);
        if let Some(instances) = agent.settle(settling, patience, &mut tell).await? {
            return Ok(instances);
        }
        *agent = session.agent().await?;
    }
    Err(CliError::daemon("follow the apps")
        .because(format!("{SUCCESSORS} agents went away one after the other")))
}

/// What an outcome makes us wait for.
fn awaited(outcome: &Outcome) -> Option<Awaited> {
    let goal = match outcome.action() {
        Action::Created | Action::Started | Action::Restarted => Goal::Up,
        Action::Stopped => Goal::Down,
        Action::Deleted => Goal::Gone,
        Action::Unchanged
        | Action::Registered
        | Action::LeftDown
        | Action::Reset
        | Action::Unspecified => {
            return None;
        }
    };
    Some(Awaited::new(
        &outcome.environment,
        &outcome.name,
        outcome.instance,
        goal,
        outcome.run,
    ))
}

/// Tells what needs no waiting, and the notes; each once per app.
fn tell_at_once(ui: &mut Ui, outcomes: &[Outcome]) {
    let is_nothing = |outcome: &Outcome| outcome.action() == Action::Unchanged;
    let name = |outcome: &Outcome| format!("{}/{}", outcome.environment, outcome.name);
    // What is told of those of its instances that change says enough.
    let done = outcomes.iter().filter(|outcome| !is_nothing(outcome));
    let changed: BTreeSet<String> = done.map(name).collect();
    let mut told = BTreeSet::new();
    for outcome in outcomes {
        let name = name(outcome);
        let said = match outcome.action() {
            Action::Unchanged if changed.contains(&name) => None,
            Action::Unchanged => Some("unchanged"),
            Action::Registered => Some("registered, not started (autostart: false)"),
            Action::LeftDown => Some("added, and not started: the app is stopped"),
            Action::Reset => Some("restarts and failures count from zero"),
            Action::Created
            | Action::Started
            | Action::Restarted
            | Action::Stopped
            | Action::Deleted
            | Action::Unspecified => None,
        };
        if let Some(said) = said {
            let line = format!("{name}: {said}");
            if told.insert(line.clone()) {
                ui.status(&line);
            }
        }
        for note in &outcome.notes {
            let line = format!("{name}: {note}");
            if told.insert(line.clone()) {
                ui.note(&line);
            }
        }
    }
    if outcomes.iter().all(is_nothing) {
        ui.status("Nothing to do.");
    }
}

/// Tells what became of one instance.
fn tell(ui: &mut Ui, awaited: &Awaited) {
    let name = failure::instance_name(awaited);
    let line = match &awaited.verdict {
        None => match awaited.waits_for() {
            Some(answer) => format!("{} {name}: not ready yet: {answer}", dim("…")),
            None => return,
        },
        Some(Verdict::Up) => match &awaited.remark {
            Some(remark) => format!("{} {name}: online; {remark}", success("✓")),
            None => format!("{} {name}: online", success("✓")),
        },
        Some(Verdict::Down) => format!("{} {name}: stopped", success("✓")),
        Some(Verdict::Gone) => format!("{} {name}: deleted", success("✓")),
        Some(Verdict::Ended(cause)) => format!("{} {name}: {cause}", success("✓")),
        Some(Verdict::Failed(cause)) => format!("{} {name}: {cause}", error("✗")),
        Some(Verdict::KeepsFailing(cause)) => {
            format!(
                "{} {name}: keeps failing ({cause}); eco goes on trying",
                error("✗")
            )
        }
        Some(Verdict::Blocked { cause, .. }) => {
            format!(
                "{} {name}: {cause}; it begins as soon as that is so",
                error("✗")
            )
        }
        Some(Verdict::TimedOut(seen)) => {
            format!("{} {name}: not there in time ({seen})", error("✗"))
        }
    };
    if awaited.verdict.as_ref().is_some_and(Verdict::is_failure) {
        ui.note(&line);
    } else {
        ui.status(&line);
    }
}

/// Shows the instances that were touched.
fn show(
    session: &mut Session<'_>,
    agent: &Agent,
    outcomes: &[Outcome],
    instances: &[Instance],
    how: &Conclusion,
) -> Result<(), CliError> {
    let touched: BTreeSet<(&str, &str, u32)> = outcomes
        .iter()
        .map(|outcome| {
            (
                outcome.environment.as_str(),
                outcome.name.as_str(),
                outcome.instance,
            )
        })
        .collect();
    let shown: Vec<Instance> = instances
        .iter()
        .filter(|one| {
            touched.contains(&(one.environment.as_str(), one.name.as_str(), one.instance))
        })
        .cloned()
        .collect();
    let rows = rows(&agent.who().host, &shown);
    let text = if how.json {
        json::document(&rows)
    } else if rows.is_empty() {
        String::new()
    } else {
        table::table(&rows, Metrics::Cheap, session.ui.width())
    };
    session.ui.data(&text)?;
    session.ui.flush()?;
    Ok(())
}
