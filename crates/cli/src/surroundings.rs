//! What a command knows of the process it runs in.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Child;

use eco_home::launch::{LaunchError, launch};
use eco_home::{Daemon, Home, HomeError};

/// Starts a daemon that is missing.
pub type Launch = Box<dyn Fn(&Home, Daemon) -> Result<Child, LaunchError> + Send + Sync>;

/// Opens what comes in.
pub type Input = Box<dyn Fn() -> Box<dyn Read> + Send + Sync>;

/// The process, as far as a command may see it.
pub struct Surroundings {
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// Where the command was typed, absolute.
    pub working_directory: PathBuf,
    /// Starts a daemon that is missing.
    pub launch: Launch,
    /// What is piped into the command, read only when a word says so.
    pub stdin: Input,
}

impl Surroundings {
    /// Reads those of this process. Variables that are not UTF-8 are left out: they could not be sent to an agent.
    #[must_use]
    pub fn of_this_process() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            working_directory: working_directory(variables.get("PWD").map(Path::new)),
            variables,
            launch: Box::new(launch),
            stdin: Box::new(|| Box::new(std::io::stdin())),
        }
    }

    /// The home that is meant.
    pub(crate) fn home(&self) -> Result<Home, HomeError> {
        Home::find(
            self.variable("ECO_HOME").map(Path::new),
            self.variable("HOME").map(Path::new),
        )
    }

    /// The value of a variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

/// Prefers the shell's own name of the folder, so that symbolic links stay as the person sees them.
fn working_directory(shell: Option<&Path>) -> PathBuf {
    let real = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    shell
        .filter(|path| path.is_absolute())
        .filter(|path| path.canonicalize().ok() == real.canonicalize().ok())
        .map_or_else(|| real.clone(), Path::to_owned)
}
