//! What the verbs work with that are about files, and need neither a home nor a daemon.

use crate::args::Global;
use crate::surroundings::Surroundings;
use crate::ui::Ui;

/// One command line being carried out.
pub(crate) struct Desk<'a> {
    /// The way to the terminal.
    pub(crate) ui: &'a mut Ui,
    /// The process.
    pub(crate) surroundings: &'a Surroundings,
    environment: Option<String>,
}

impl<'a> Desk<'a> {
    /// Begins.
    pub(crate) fn new(global: &Global, surroundings: &'a Surroundings, ui: &'a mut Ui) -> Self {
        Self {
            environment: global.environment(surroundings),
            surroundings,
            ui,
        }
    }

    /// The environment that the person chose.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }
}
