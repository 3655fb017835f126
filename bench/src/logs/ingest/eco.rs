//! eco: all daemons, until the last line is answered.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::race::{Race, Sample};
use crate::clock;
use crate::failure::Failure;
use crate::home::{self, Home};
use crate::logs::scene::Process;
use crate::logs::stored;
use crate::spread::real;
use crate::usage;
use crate::work::{Found, LINE};

/// How long sealing is given.
const SEALING: Duration = Duration::from_secs(60);
/// How long nothing is used by who has nothing left to seal.
const REST: Duration = Duration::from_millis(300);

pub(super) fn run(race: &Race, seals: Seals) -> Result<Sample, Failure> {
    let home = Home::within(&race.folder.join("eco"))?;
    let app = |name: &String| home::app(name, &race.words(name));
    let apps = race
        .names
        .iter()
        .map(app)
        .collect::<Result<Vec<_>, Failure>>()?;
    home.start(&apps)?;
    let daemons = home.daemons()?;
    let begun = race.begin()?;
    let before: Vec<Duration> = daemons.iter().map(|(_, pid)| taking_in(*pid)).collect();
    let folders = home.run_folders();
    race.await_bytes(|| folders.iter().map(|folder| stored::written(folder)).sum())?;
    await_last(&home, race)?;
    let seconds = Race::seconds_since(begun);
    let of_each: Vec<(&str, f64)> = daemons
        .iter()
        .zip(before)
        .map(|((name, pid), before)| (*name, taking_in(*pid).saturating_sub(before).as_secs_f64()))
        .collect();
    let sealing = match seals {
        Seals::Measured => sealing(&home, &folders)?,
        Seals::LeftOut => None,
    };
    let found = count(&home, race)?;
    home.take_down()?;
    Ok(Sample {
        seconds,
        cpu: of_each.iter().map(|(_, cpu)| cpu).sum(),
        of_each,
        found,
        sealing,
    })
}

/// Whether it is told what sealing costs: that takes a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seals {
    Measured,
    LeftOut,
}

/// What a daemon has used, without sealing, which it may have begun with.
fn taking_in(pid: u32) -> Duration {
    clock::processor(pid).saturating_sub(usage::yielding(pid))
}

/// Asks for the last line until it is there.
fn await_last(home: &Home, race: &Race) -> Result<(), Failure> {
    let Some(name) = race.names.last() else {
        return Ok(());
    };
    let last = format!("{name} {:012} ", race.lines);
    clock::wait_until("the last line is answered", Duration::from_secs(30), || {
        let answer = home.eco(&["logs", name, "-n", "1"]).unwrap_or_default();
        String::from_utf8_lossy(&answer).contains(&last)
    })
}

/// Has a new log daemon seal what can be sealed, and tells what that costs: processor seconds for a million lines. `None`:
/// there is nothing to seal.
fn sealing(home: &Home, folders: &[PathBuf]) -> Result<Option<f64>, Failure> {
    let sealed = || {
        folders
            .iter()
            .map(|folder| stored::sealed_bytes(folder))
            .sum::<u64>()
    };
    clock::wait_until("the apps have ended", SEALING, || {
        folders.iter().all(|folder| stored::is_ended(folder))
    })?;
    clock::pause(stored::SETTLED);
    let before = sealed();
    home.renew_logd()?;
    let pid = home.logd()?;
    let is_rest_left = || folders.iter().any(|folder| !stored::is_all_sealed(folder));
    let (mut last, mut at) = (Duration::ZERO, clock::ticks());
    clock::wait_until("sealing is done", SEALING, || {
        let now = usage::yielding(pid);
        if now > last || is_rest_left() {
            (last, at) = (now, clock::ticks());
        }
        Duration::from_nanos(clock::ticks() - at) > REST
    })?;
    let lines = real(sealed().saturating_sub(before)) / real(LINE);
    Ok((lines > 0.0).then(|| last.as_secs_f64() / lines * 1e6))
}

/// Counts in what eco answers.
fn count(home: &Home, race: &Race) -> Result<Found, Failure> {
    let mut sum = Found::default();
    for name in &race.names {
        let mut reader = Process::new(
            home.command(&["logs", name, "-n", "all", "--out", "--raw"])
                .stdout(Stdio::piped()),
        )?;
        let found = race.count_in(name, reader.output()?)?;
        reader.ended()?;
        sum.lost += found.lost;
        sum.strange += found.strange;
    }
    Ok(sum)
}
