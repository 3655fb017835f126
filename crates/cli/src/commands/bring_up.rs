//! What `start` and `restart` share: apps by specification and apps by selector, in one request each.

use eco_proto::agent::v1::{ActRequest, ApplyRequest, Verb};

use super::conclude::{Conclusion, conclude};
use super::plan::Plan;
use super::session::Session;
use crate::client::Agent;
use crate::error::CliError;

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BringUp {
    /// What is up and unchanged is left alone.
    Start,
    /// What is up is replaced.
    Restart,
}

impl BringUp {
    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Restart => "restart",
        }
    }

    const fn verb(self) -> Verb {
        match self {
            Self::Start => Verb::Start,
            Self::Restart => Verb::Restart,
        }
    }
}

/// What is done about the apps that others depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Needs {
    /// Start nothing that they depend on, and wait for nothing
    #[arg(long)]
    pub(super) no_deps: bool,
}

/// Asks for what is planned, by the agent that was met while planning or else by one that is met now, and concludes.
pub(crate) async fn bring_up(
    session: &mut Session<'_>,
    met: Option<Agent>,
    plan: Plan,
    how: BringUp,
    needs: Needs,
    conclusion: &Conclusion,
) -> Result<(), CliError> {
    let mut agent = match met {
        Some(agent) => agent,
        None => session.agent().await?,
    };
    let tried = format!("{} apps", how.name());
    let mut outcomes = Vec::new();
    if !plan.apps.is_empty() {
        let request = ApplyRequest {
            apps: plan.apps,
            needed: plan.needed,
            no_dependencies: needs.no_deps,
            restart: how == BringUp::Restart,
            ..ApplyRequest::default()
        };
        outcomes.extend(agent.apply(&tried, request).await?);
    }
    if !plan.selectors.is_empty() {
        let request = ActRequest {
            verb: how.verb().into(),
            selection: Some(session.select(plan.selectors)),
            no_dependencies: needs.no_deps,
        };
        outcomes.extend(agent.act(&tried, request).await?);
    }
    conclude(session, &mut agent, how.name(), &outcomes, conclusion).await
}
