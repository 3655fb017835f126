//! What apps that do nothing cost: the processor time of each daemon while `N` of them sleep, beside as many processes that
//! nobody looks after.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clock::pause;
use crate::failure::Failure;
use crate::home::Home;
use crate::options::{unknown, value};
use crate::say;
use crate::usage::Usage;

/// How long the daemons may take to come to rest after the start.
const SETTLING: u32 = 60;
/// At rest is who uses less than this in a second.
const REST: Duration = Duration::from_millis(10);

/// What is measured.
pub(crate) struct Plan {
    apps: usize,
    seconds: u64,
}

impl Plan {
    /// Reads the options.
    pub(crate) fn read(options: &[&str]) -> Result<Self, Failure> {
        let mut plan = Self {
            apps: 500,
            seconds: 60,
        };
        let mut left = options;
        loop {
            left = match left {
                [] => return Ok(plan),
                ["--apps", count, rest @ ..] => {
                    plan.apps = value("--apps", count)?;
                    rest
                }
                ["--seconds", count, rest @ ..] => {
                    plan.seconds = value("--seconds", count)?;
                    rest
                }
                [other, ..] => return Err(unknown(other)),
            };
        }
    }
}

/// Measures, and takes everything down again, also when something fails.
pub(crate) fn run(plan: &Plan) -> Result<(), Failure> {
    let home = Home::new()?;
    let floor = Floor::new(plan.apps)?;
    say::step(&format!("{} apps that sleep", plan.apps));
    home.start(&apps(plan.apps))?;
    let daemons = home.daemons()?;
    settle(&daemons)?;
    say::step(&format!("{} s of rest", plan.seconds));
    let groups = groups(&daemons, &floor);
    let before: Vec<Usage> = groups.iter().map(|(_, pids)| Usage::of(pids)).collect();
    pause(Duration::from_secs(plan.seconds));
    let after = groups.iter().map(|(_, pids)| Usage::of(pids));
    say::line(&format!(
        "{:<28}{:>12}{:>14}{:>12}",
        "", "CPU s", "wakeups/s", "resident"
    ));
    for (((name, _), before), after) in groups.iter().zip(before).zip(after) {
        say::line(&row(name, &before, &after, plan.seconds));
    }
    drop(floor);
    home.take_down()
}

fn apps(count: usize) -> Vec<String> {
    let app = |number| {
        format!(
            r#"{{"name":"idle-{number}","script":"sleep","interpreter":"none","args":["infinity"]}}"#
        )
    };
    (0..count).map(app).collect()
}

/// Waits until nobody has anything left to do from the start.
fn settle(daemons: &[(&'static str, u32)]) -> Result<(), Failure> {
    let pids: Vec<u32> = daemons.iter().map(|(_, pid)| *pid).collect();
    for _ in 0..SETTLING {
        let before = Usage::of(&pids);
        pause(Duration::from_secs(1));
        if Usage::of(&pids).cpu.saturating_sub(before.cpu) < REST {
            return Ok(());
        }
    }
    Err(Failure::new(
        "measure rest",
        format!("the daemons are still busy after {SETTLING} s"),
    ))
}

fn groups(daemons: &[(&'static str, u32)], floor: &Floor) -> Vec<(String, Vec<u32>)> {
    let daemons = daemons
        .iter()
        .map(|(name, pid)| ((*name).to_owned(), vec![*pid]));
    let floor_pids: Vec<u32> = floor.0.iter().map(Child::id).collect();
    let name = format!("{} processes by themselves", floor_pids.len());
    daemons.chain([(name, floor_pids)]).collect()
}

fn row(name: &str, before: &Usage, after: &Usage, seconds: u64) -> String {
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
    let wakeups = after.wakeups.saturating_sub(before.wakeups);
    // One decimal, without a float for a count.
    let tenths = wakeups * 10 / seconds.max(1);
    let rate = format!("{}.{}", tenths / 10, tenths % 10);
    let resident = format!("{} MiB", after.resident_bytes >> 20);
    format!("{name:<28}{cpu:>12.4}{rate:>14}{resident:>12}")
}

/// Processes that nobody looks after; they end with it.
struct Floor(Vec<Child>);

impl Floor {
    fn new(count: usize) -> Result<Self, Failure> {
        let mut floor = Self(Vec::with_capacity(count));
        for _ in 0..count {
            let mut sleep = Command::new("sleep");
            sleep
                .arg("infinity")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            let child = sleep.spawn();
            let child = child.map_err(|error| Failure::new("run sleep", error))?;
            floor.0.push(child);
        }
        Ok(floor)
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that is gone needs no ending.
            drop(child.kill().and_then(|()| child.wait()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_others_refused() {
        let plan = Plan::read(&["--seconds", "5", "--apps", "20"]);
        let plan = plan.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((plan.apps, plan.seconds), (20, 5));
        assert!(Plan::read(&["--apps", "many"]).is_err());
        assert!(Plan::read(&["--apps"]).is_err());
    }

    #[test]
    fn a_row_tells_the_difference() {
        let usage = |cpu, wakeups| Usage {
            cpu: Duration::from_millis(cpu),
            wakeups,
            resident_bytes: 3 << 20,
        };
        let row = row("eco-agentd", &usage(100, 7), &usage(350, 52), 30);
        assert_eq!(
            row,
            "eco-agentd                        0.2500           1.5       3 MiB"
        );
    }
}
