//! Running other programs: shown before they run, and their failure is ours.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use crate::failure::Failure;
use crate::{place, say};

/// Cargo, as it runs this task, in the workspace.
pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(place::root());
    command
}

/// npm, in the folder of the example services.
pub(crate) fn npm<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(place::example_apps());
    command
}

/// Runs a command to its good end.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    say::step(&shown);
    let began = Instant::now();
    let status = status(command, &shown)?;
    if status.success() {
        say::took(&shown, began.elapsed());
        return Ok(());
    }
    Err(Failure::new(shown, status))
}

/// Runs a command and tells how it ended.
pub(crate) fn status(command: &mut Command, shown: &str) -> Result<ExitStatus, Failure> {
    command
        .status()
        .map_err(|error| Failure::new(format!("run {shown}"), error))
}

/// What a command says, if it runs and ends well.
pub(crate) fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
