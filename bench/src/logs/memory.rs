//! What memory the daemons need while everything is written to them that loggers do not expect.

use std::process::Stdio;
use std::time::Duration;

use super::scene::{self, Process, Word};
use super::tools::{self, Pm2, Tool};
use super::{Plan, Scale, stored};
use crate::failure::Failure;
use crate::home::{self, Home};
use crate::page::{Section, row};
use crate::plot::{Bar, Panel, bars};
use crate::spread::{Spread, real};
use crate::work::KINDS;
use crate::{clock, say, usage};

/// Two gigabytes a minute, over all runs.
const RATE: u64 = 2_000_000_000 / 60;
const RUNS: u64 = 200;
/// PM2 gets a quarter of both.
const PM2_PART: u64 = 4;
/// Who follows all runs, and does not read what it is told.
const FOLLOWERS: usize = 10;
/// How long daemons rest before they are looked at.
const REST: Duration = Duration::from_secs(3);

const INTRODUCTION: &str = "\
Apps that write lines, bytes without any newline, binary bytes, broken UTF-8, and lines of 2 MiB, a fifth of them each. Ten \
`eco logs -f` follow all of them, and nobody reads what these print. RSS is the most that a process had at any moment (VmHWM), \
from the moment the apps begin to write; PSS, in which what is shared counts in parts, is looked at once a second. MB.
";

/// A process that is watched.
struct Watched {
    name: &'static str,
    pid: u32,
    at_rest: u64,
    most: u64,
}

impl Watched {
    fn new(name: &'static str, pid: u32) -> Self {
        usage::forget_peak(pid);
        let at_rest = usage::proportional(pid);
        Self {
            name,
            pid,
            at_rest,
            most: at_rest,
        }
    }

    fn look(&mut self) {
        self.most = self.most.max(usage::proportional(self.pid));
    }

    fn told(&self) -> Told {
        Told {
            name: self.name,
            at_rest: self.at_rest,
            most: self.most,
            peak: usage::peak(self.pid),
        }
    }
}

/// What is told of one process, in bytes.
struct Told {
    name: &'static str,
    at_rest: u64,
    most: u64,
    peak: u64,
}

/// A load, and what it needed.
struct Outcome {
    name: &'static str,
    runs: u64,
    /// A second, as it was stored.
    stored: f64,
    processes: Vec<Told>,
}

/// Apps of all kinds, which wait for the word.
fn apps(runs: u64, rate: u64, seconds: u64, word: &Word) -> Result<Vec<String>, Failure> {
    let (share, seconds) = ((rate / runs).to_string(), seconds.to_string());
    let app = |(number, kind): (u64, &&str)| {
        let words = ["work", "noise", kind, &share, &seconds, &word.path()].map(str::to_owned);
        home::app(&format!("noise-{number}"), &words)
    };
    (0..runs).zip(KINDS.iter().cycle()).map(app).collect()
}

/// Gives the word, and looks each second at all processes; tells what was stored each second.
fn watch(
    processes: &mut [Watched],
    runs: u64,
    seconds: u64,
    word: &Word,
    stored: impl Fn() -> u64,
) -> Result<f64, Failure> {
    word.give(usize::try_from(runs).unwrap_or(usize::MAX))?;
    let begun = clock::ticks();
    let mut speed = 0.0;
    for second in 1..=seconds {
        clock::pause(Duration::from_secs(1));
        for process in &mut *processes {
            process.look();
        }
        if second == seconds {
            speed = real(stored()) / Duration::from_nanos(clock::ticks() - begun).as_secs_f64();
        }
    }
    Ok(speed)
}

fn eco(plan: &Plan, runs: u64) -> Result<Outcome, Failure> {
    let folder = scene::folder(plan)?;
    let word = Word::new(folder.path())?;
    let home = Home::within(&folder.path().join("eco"))?;
    home.start(&apps(runs, RATE, plan.seconds, &word)?)?;
    let mut followers = Vec::new();
    for _ in 0..FOLLOWERS {
        let mut command = home.command(&["logs", "-f"]);
        followers.push(Process::new(command.stdout(Stdio::piped()))?);
    }
    clock::pause(REST);
    let mut processes: Vec<Watched> = home
        .daemons()?
        .into_iter()
        .map(|(name, pid)| Watched::new(name, pid))
        .collect();
    processes.extend(
        followers
            .first()
            .map(|follower| Watched::new("one eco logs -f", follower.pid())),
    );
    let folders = home.run_folders();
    let sum = || folders.iter().map(|folder| stored::written(folder)).sum();
    let speed = watch(&mut processes, runs, plan.seconds, &word, sum)?;
    let told = processes.iter().map(Watched::told).collect();
    drop(followers);
    home.take_down()?;
    Ok(Outcome {
        name: "eco",
        runs,
        stored: speed,
        processes: told,
    })
}

fn pm2(plan: &Plan, tool: &Tool, runs: u64) -> Result<Outcome, Failure> {
    let folder = scene::folder(plan)?;
    let word = Word::new(folder.path())?;
    let pm2 = Pm2::new(&tool.program, folder.path());
    pm2.start(&apps(runs, RATE / PM2_PART, plan.seconds, &word)?)?;
    clock::pause(REST);
    let mut processes = [Watched::new("PM2", pm2.daemon()?)];
    let logs = folder.path().join("pm2/logs");
    let sum = || scene::size(&scene::files(&logs, |_| true));
    let speed = watch(&mut processes, runs, plan.seconds, &word, sum)?;
    Ok(Outcome {
        name: "pm2",
        runs,
        stored: speed,
        processes: processes.iter().map(Watched::told).collect(),
    })
}

pub(super) fn measure(plan: &Plan) -> Result<Section, Failure> {
    let runs = match plan.scale {
        Scale::Full => RUNS,
        Scale::Quick => 20,
    };
    say::step(&format!("{runs} runs, {} s", plan.seconds));
    let mut outcomes = vec![eco(plan, runs)?];
    let mut others = String::new();
    if let Some(tool) = tools::pm2(plan) {
        outcomes.push(pm2(plan, &tool, runs / PM2_PART)?);
        others = format!(
            "Others: {}, with a quarter of the runs and of the bytes, and nobody who follows.\n\n",
            tool.version
        );
    }
    let text = format!("{INTRODUCTION}\n{others}{}", table(&outcomes));
    Ok(Section::new("memory", "Memory", text).with_plot("memory", plot(&outcomes)))
}

fn megabytes(bytes: u64) -> f64 {
    real(bytes) / 1e6
}

fn table(outcomes: &[Outcome]) -> String {
    let head = [
        "",
        "runs",
        "MB/s stored",
        "PSS at rest",
        "PSS at most",
        "RSS at most",
    ];
    let mut text = format!("{}{}", row(&head), row(&["---"; 6]));
    for outcome in outcomes {
        for process in &outcome.processes {
            let shown = |bytes| format!("{:.1}", megabytes(bytes));
            text.push_str(&row(&[
                process.name,
                &outcome.runs.to_string(),
                &format!("{:.1}", outcome.stored / 1e6),
                &shown(process.at_rest),
                &shown(process.most),
                &shown(process.peak),
            ]));
        }
    }
    text
}

fn plot(outcomes: &[Outcome]) -> String {
    let panels: Vec<Panel> = outcomes
        .iter()
        .map(|outcome| Panel {
            title: format!(
                "{}: {} runs, {:.0} MB/s",
                outcome.name,
                outcome.runs,
                outcome.stored / 1e6
            ),
            bars: outcome
                .processes
                .iter()
                .map(|process| Bar::new(process.name, Spread::of([megabytes(process.peak)])))
                .collect(),
        })
        .collect();
    bars("MB of memory (RSS) at most: less is better", &panels, 1)
}
