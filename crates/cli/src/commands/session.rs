//! What every verb works with.

use eco_home::Home;
use eco_proto::agent::v1::Selection;

use crate::args::Global;
use crate::client::{Agent, NoAgent, launch_agent};
use crate::error::CliError;
use crate::surroundings::Surroundings;
use crate::ui::Ui;

/// One command line being carried out.
pub(crate) struct Session<'a> {
    /// The way to the terminal.
    pub(crate) ui: &'a mut Ui,
    /// The process.
    pub(crate) surroundings: &'a Surroundings,
    /// The home that is meant.
    pub(crate) home: Home,
    environment: Option<String>,
}

impl<'a> Session<'a> {
    /// Begins.
    pub(crate) fn new(
        global: &Global,
        surroundings: &'a Surroundings,
        ui: &'a mut Ui,
    ) -> Result<Self, CliError> {
        Ok(Self {
            home: surroundings.home()?,
            environment: global.environment(surroundings),
            surroundings,
            ui,
        })
    }

    /// The environment that the person chose.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// The agent, started when none runs.
    pub(crate) async fn agent(&mut self) -> Result<Agent, CliError> {
        if let Some(agent) = Agent::find(&self.home).await? {
            return agent.of_our_version();
        }
        self.launch().await?.of_our_version()
    }

    /// Starts the agent.
    pub(crate) async fn launch(&mut self) -> Result<Agent, NoAgent> {
        self.ui.status("Starting the eco agent.");
        launch_agent(&self.home, self.surroundings).await
    }

    /// Selects by words as they are, within the chosen environment.
    pub(crate) fn select(&self, selectors: Vec<String>) -> Selection {
        Selection {
            every_environment: selectors.is_empty() && self.environment.is_none(),
            environment: self.environment.clone(),
            selectors,
        }
    }
}
