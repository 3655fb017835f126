//! eco: all daemons, until the last line is answered.

use std::io::{BufRead as _, BufReader, Cursor};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_home::notes;

use super::race::{Race, Sample};
use crate::clock;
use crate::failure::Failure;
use crate::home::Home;
use crate::logs::scene;
use crate::work::{Found, LINE};

/// How long sealing is given.
const SEALING: Duration = Duration::from_secs(120);
/// At rest is who uses less than this in half a second.
const REST: Duration = Duration::from_millis(5);

pub(super) fn run(race: &Race) -> Result<Sample, Failure> {
    let home = Home::within(&race.folder.join("eco"))?;
    let mut apps = Vec::new();
    for name in &race.names {
        let words = race.words(name)?;
        let (program, words) = words.split_first().ok_or_else(|| Failure::new("start apps", "no words"))?;
        apps.push(format!(
            r#"{{"name":"{name}","script":"{program}","interpreter":"none","args":{words:?},"autorestart":false}}"#
        ));
    }
    home.start(&apps)?;
    let daemons = home.daemons()?;
    let begun = race.begin()?;
    let before: Vec<Duration> = daemons.iter().map(|(_, pid)| clock::processor(*pid)).collect();
    let folders = home.run_folders();
    race.await_bytes(|| folders.iter().map(|folder| written(folder, race)).sum())?;
    await_last(&home, race)?;
    let seconds = Race::seconds_since(begun);
    let of_each: Vec<(&str, f64)> = daemons
        .iter()
        .zip(before)
        .map(|((name, pid), before)| (*name, clock::processor(*pid).saturating_sub(before).as_secs_f64()))
        .collect();
    let sealing = sealing(&home, &daemons)?;
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

fn segments(folder: &Path) -> Vec<PathBuf> {
    scene::files(folder, |name| {
        name.strip_prefix("out.").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// How far a run's stdout is written. What is sealed is gone from here, and what is left tells what was before it.
fn written(folder: &Path, race: &Race) -> u64 {
    let Some(last) = segments(folder).pop() else {
        // All of it is sealed, or none of it there yet.
        return if has_sealed(folder) { race.lines * LINE } else { 0 };
    };
    let head = fs::read(last.with_added_extension("times")).unwrap_or_default();
    let head = head.first_chunk().copied().and_then(notes::base);
    head.unwrap_or_default() + scene::size([&last])
}

fn has_sealed(folder: &Path) -> bool {
    !scene::files(folder, |name| name.ends_with(".sealed")).is_empty()
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

/// Waits until nothing more is sealed, and tells what that cost. `None`: nothing was.
fn sealing(home: &Home, daemons: &[(&str, u32)]) -> Result<Option<f64>, Failure> {
    let pids: Vec<u32> = daemons.iter().map(|(_, pid)| *pid).collect();
    let before = clock::processors(&pids);
    let mut last = before;
    clock::wait_until("sealing is done", SEALING, || {
        clock::pause(REST * 100);
        let now = clock::processors(&pids);
        let is_at_rest = now.saturating_sub(last) < REST;
        last = now;
        is_at_rest
    })?;
    let is_sealed = home.run_folders().iter().any(|folder| has_sealed(folder));
    Ok(is_sealed.then(|| last.saturating_sub(before).as_secs_f64()))
}

/// Counts in the files, or, where those are sealed, in what eco answers.
fn count(home: &Home, race: &Race) -> Result<Found, Failure> {
    let folders = home.run_folders();
    if folders.iter().any(|folder| has_sealed(folder)) {
        let mut sum = Found::default();
        for name in &race.names {
            let answer = home.eco(&["logs", name, "-n", "all", "--out"])?;
            let found = race.count_in(name, Cursor::new(without_prefix(&answer)))?;
            sum.lost += found.lost;
            sum.strange += found.strange;
        }
        return Ok(sum);
    }
    race.count_all(|name| {
        let of_app = |folder: &&PathBuf| folder.iter().rev().nth(2).is_some_and(|app| app == name);
        folders.iter().filter(of_app).flat_map(|folder| segments(folder)).collect()
    })
}

/// What stands before a line is of no interest.
fn without_prefix(answer: &[u8]) -> Vec<u8> {
    let length = usize::try_from(LINE).unwrap_or(usize::MAX);
    let mut lines = Vec::new();
    for line in BufReader::new(answer).split(b'\n').map_while(Result::ok) {
        let from = (line.len() + 1).saturating_sub(length);
        lines.extend_from_slice(line.get(from..).unwrap_or_default());
        lines.push(b'\n');
    }
    lines
}
