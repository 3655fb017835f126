//! Where things are, whatever folder the task was asked for in.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The four programs of eco.
pub(crate) const PROGRAMS: [&str; 4] = ["eco", "eco-agentd", "eco-keeper", "eco-logd"];

/// The top of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The services that the examples start.
pub(crate) fn example_apps() -> PathBuf {
    root().join("examples/apps")
}

/// The folder of the release build. This program is in its sibling, wherever cargo was told to put both.
pub(crate) fn release() -> Result<PathBuf, Failure> {
    build("release")
}

/// The folder of the build for development.
pub(crate) fn debug() -> Result<PathBuf, Failure> {
    build("debug")
}

fn build(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| Failure::new("find this program", error))?;
    own.ancestors()
        .nth(2)
        .map(|target| target.join(name))
        .ok_or_else(|| {
            Failure::new(
                format!("find the {name} build"),
                "this program is in no target folder",
            )
        })
}
