//! `cargo xtask demo`: the example environment, up and talking, from nothing but a clone.
//!
//! ```text
//!  setup ─▶ build ─▶ eco start dev ─▶ eco list ─▶ eco logs -f ─┬─ Ctrl-C ─▶ how to go on; all stays up
//!                                                              └─ N lines ─▶ eco kill; nothing stays
//! ```

mod interrupt;
mod stage;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::failure::Failure;
use crate::{run, say, setup};
use stage::Stage;

/// How long the next line may take: the slowest service speaks every two seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// Lines that may wait to be shown.
const LINES: usize = 64;

/// Shows the environment until Ctrl-C, in the ordinary home, and leaves it up.
pub(crate) fn until_interrupted() -> Result<(), Failure> {
    setup::run()?;
    let stage = Stage::ordinary()?;
    build()?;
    run::run(&mut stage.eco(["start", "dev"]))?;
    run::run(&mut stage.eco(["list"]))?;
    say::step("eco logs -f (Ctrl-C ends the watching, and nothing else)");
    interrupt::survive();
    run::status(&mut stage.eco(["logs", "-f"]), "eco logs -f")?;
    let eco = stage.program().display();
    say::plain(&format!(
        "\nThe environment is still up. From examples/, or any folder below it:\n\n  \
         {eco} list\n  \
         {eco} logs -f 'mds-*'\n  \
         {eco} restart mds-fetcher\n  \
         {eco} kill        stops all of it, and eco itself\n\n\
         cargo xtask install puts eco where your shell finds it.\n"
    ));
    Ok(())
}

/// Shows `count` lines and takes everything down again, also when something fails.
pub(crate) fn lines(count: &str) -> Result<(), Failure> {
    let count: usize = count
        .parse()
        .map_err(|error| Failure::new(format!("read the number of lines {count:?}"), error))?;
    setup::run()?;
    build()?;
    let stage = Stage::passing()?;
    interrupt::survive();
    let shown = play(&stage, count);
    // What failed first is what counts.
    let taken_down = stage.take_down();
    shown.and(taken_down)?;
    say::line(&format!(
        "The demo works: {count} lines seen, and nothing is left of it."
    ));
    Ok(())
}

fn build() -> Result<(), Failure> {
    run::run(&mut run::cargo([
        "build",
        "--release",
        "--workspace",
        "--bins",
    ]))
}

fn play(stage: &Stage, count: usize) -> Result<(), Failure> {
    run::run(&mut stage.eco(["start", "dev"]))?;
    run::run(&mut stage.eco(["list"]))?;
    say::step(&format!("eco logs -f, {count} lines of it"));
    let mut follow = stage.eco(["logs", "-f", "-n", "all"]);
    let mut child = follow
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new("run eco logs -f", error))?;
    let seen = child
        .stdout
        .take()
        .ok_or_else(|| Failure::new("read eco logs -f", "it has no stdout"))
        .and_then(|out| see(&receive(BufReader::new(out)), count));
    end(&mut child)?;
    seen
}

/// Reads lines in a thread of their own, so that whoever waits for them need not wait for ever.
fn receive(out: BufReader<std::process::ChildStdout>) -> Receiver<String> {
    let (sender, lines) = sync_channel(LINES);
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn see(lines: &Receiver<String>, count: usize) -> Result<(), Failure> {
    for seen in 0..count {
        let line = lines.recv_timeout(PATIENCE).map_err(|error| {
            Failure::new(
                "follow the lines",
                format!("after {seen} of {count} lines: {error}"),
            )
        })?;
        say::line(&line);
    }
    Ok(())
}

fn end(child: &mut Child) -> Result<(), Failure> {
    child
        .kill()
        .and_then(|()| child.wait())
        .map(drop)
        .map_err(|error| Failure::new("end eco logs -f", error))
}

/// A command that says nothing on the terminal, whether it succeeds.
fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
