//! Where a demo plays: which programs, which home, and how all of it goes away again.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::succeeds;
use crate::failure::Failure;
use crate::{place, run};

/// The programs and their home.
pub(super) struct Stage {
    program: PathBuf,
    home: Home,
}

enum Home {
    /// What `ECO_HOME` says, else `~/.eco`: the programs know it themselves.
    Ordinary,
    /// A folder of our own, which goes away with the demo.
    Temporary(PathBuf),
}

impl Stage {
    /// For a demo that stays.
    pub(super) fn ordinary() -> Result<Self, Failure> {
        Ok(Self {
            program: place::release()?.join("eco"),
            home: Home::Ordinary,
        })
    }

    /// For a demo that goes away: in a home of its own, unless `ECO_HOME` names one where nothing runs.
    pub(super) fn passing() -> Result<Self, Failure> {
        let stage = Self::ordinary()?;
        if std::env::var_os("ECO_HOME").is_some_and(|home| !home.is_empty()) {
            if succeeds(&mut stage.eco(["ping"])) {
                return Err(Failure::new(
                    "use ECO_HOME",
                    "an agent runs there, and the demo would end its apps",
                )
                .hinted("unset ECO_HOME, and the demo takes a home of its own"));
            }
            return Ok(stage);
        }
        let folder = std::env::temp_dir().join(format!("eco-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(Failure::at("make the folder", &folder))?;
        Ok(Self {
            home: Home::Temporary(folder),
            ..stage
        })
    }

    /// The program that is shown.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// eco, in the examples' folder.
    pub(super) fn eco<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(place::root().join("examples"))
            .env_remove("ECO_ENVIRONMENT");
        match &self.home {
            Home::Ordinary => {}
            Home::Temporary(folder) => {
                command.env("ECO_HOME", folder);
            }
        }
        command
    }

    /// Ends every app and daemon of the home, and removes the home if it is ours.
    pub(super) fn take_down(&self) -> Result<(), Failure> {
        run::run(&mut self.eco(["kill"]))?;
        match &self.home {
            Home::Ordinary => Ok(()),
            Home::Temporary(folder) => {
                std::fs::remove_dir_all(folder).map_err(Failure::at("remove", folder))
            }
        }
    }
}
