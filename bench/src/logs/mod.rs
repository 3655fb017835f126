//! The log engine beside others: how fast it takes lines in, how soon a follower has them, what they cost on disk, how
//! soon one is found, and what memory all of that takes.
//!
//! Sides are measured in the same run, in an order that alternates, and the middle of several rounds is told. No time
//! makes a benchmark fail; a lost line does.

mod corpus;
mod follow;
mod ingest;
mod memory;
mod scene;
mod search;
mod storage;
mod stored;
mod text;
mod tools;

use std::path::PathBuf;

use crate::failure::Failure;
use crate::home::programs;
use crate::options::{unknown, value};
use crate::page::{Page, Section};
use crate::{machine, say};

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Ingest,
    Follow,
    Storage,
    Search,
    Memory,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Ingest,
        Self::Follow,
        Self::Storage,
        Self::Search,
        Self::Memory,
    ];

    fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == word)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Follow => "follow",
            Self::Storage => "storage",
            Self::Search => "search",
            Self::Memory => "memory",
        }
    }

    fn measure(self, plan: &Plan) -> Result<Section, Failure> {
        match self {
            Self::Ingest => ingest::measure(plan),
            Self::Follow => follow::measure(plan),
            Self::Storage => storage::measure(plan),
            Self::Search => search::measure(plan),
            Self::Memory => memory::measure(plan),
        }
    }
}

/// How much work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    /// So much that differences show.
    Full,
    /// So little that it is over in seconds.
    Quick,
}

/// What is measured, and where to.
#[derive(Debug)]
pub(crate) struct Plan {
    parts: Vec<Part>,
    scale: Scale,
    rounds: usize,
    /// Lines of the fast sides, all writers together.
    lines: u64,
    gigabytes: f64,
    seconds: u64,
    /// Names of sides of ingest; all without one.
    only: Vec<String>,
    /// Numbers of loads of ingest; all without one.
    loads: Vec<usize>,
    pm2: Option<PathBuf>,
    out: PathBuf,
    dir: PathBuf,
}

impl Plan {
    /// Reads the options.
    pub(crate) fn read(options: &[&str]) -> Result<Self, Failure> {
        let scale = if options.contains(&"--quick") {
            Scale::Quick
        } else {
            Scale::Full
        };
        let mut plan = Self::of(scale);
        let mut left = options;
        loop {
            left = match left {
                [] => break,
                ["--quick", rest @ ..] => rest,
                [option, value, rest @ ..] if option.starts_with("--") => {
                    plan.set(option, value)?;
                    rest
                }
                [word, rest @ ..] => {
                    plan.parts
                        .push(Part::read(word).ok_or_else(|| unknown(word))?);
                    rest
                }
            };
        }
        if plan.parts.is_empty() {
            plan.parts = Part::ALL.to_vec();
        }
        Ok(plan)
    }

    fn of(scale: Scale) -> Self {
        let (rounds, lines, gigabytes, seconds) = match scale {
            Scale::Full => (3, 12_000_000, 5.0, 60),
            Scale::Quick => (1, 40_000, 0.01, 2),
        };
        Self {
            parts: Vec::new(),
            scale,
            rounds,
            lines,
            gigabytes,
            seconds,
            only: Vec::new(),
            loads: Vec::new(),
            pm2: std::env::var_os("ECO_BENCH_PM2")
                .map(PathBuf::from)
                .or_else(|| machine::find("pm2")),
            out: "docs".into(),
            dir: std::env::temp_dir(),
        }
    }

    fn set(&mut self, option: &str, text: &str) -> Result<(), Failure> {
        match option {
            "--runs" => self.rounds = value(option, text)?,
            "--lines" => self.lines = value::<u64>(option, text)? * 1_000_000,
            "--gigabytes" => self.gigabytes = value(option, text)?,
            "--seconds" => self.seconds = value(option, text)?,
            "--only" => self.only = text.split(',').map(str::to_owned).collect(),
            "--loads" => {
                let numbers = text.split(',').map(|number| value(option, number));
                self.loads = numbers.collect::<Result<_, _>>()?;
            }
            "--pm2" => self.pm2 = Some(text.into()),
            "--out" => self.out = text.into(),
            "--dir" => self.dir = text.into(),
            _ => return Err(unknown(option)),
        }
        Ok(())
    }
}

/// Bytes of so many gigabytes, and no fewer than show something.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a size that somebody typed"
)]
fn bytes(gigabytes: f64) -> u64 {
    ((gigabytes * 1e9) as u64).max(5_000_000)
}

/// Measures one part after the other, and puts each on the page as soon as it is there.
pub(crate) fn run(plan: &Plan) -> Result<(), Failure> {
    for part in &plan.parts {
        say::step(part.name());
        let mut section = part.measure(plan)?;
        section.machine = format!("{} · {}", machine::described(), own_version()?);
        say::line(&section.text);
        match plan.scale {
            Scale::Full => Page::at(&plan.out).put(&section)?,
            Scale::Quick => {}
        }
    }
    Ok(())
}

/// `eco 0.1.0`, as eco says it.
fn own_version() -> Result<String, Failure> {
    let version = machine::said(programs()?.join("eco"), &["--version"]);
    version.ok_or_else(|| Failure::new("run eco --version", "it says nothing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_options_are_read_and_others_refused() {
        let plan = Plan::read(&["search", "--gigabytes", "0.5", "follow"]).expect("known");
        assert_eq!(plan.parts, [Part::Search, Part::Follow]);
        assert!((plan.gigabytes - 0.5).abs() < f64::EPSILON);
        let plan = Plan::read(&["--quick", "--only", "eco,cat"]).expect("known");
        assert_eq!((plan.parts.len(), plan.rounds), (5, 1));
        assert_eq!(plan.only, ["eco", "cat"]);
        for wrong in [
            &["--loud"][..],
            &["--runs", "many"],
            &["speed"],
            &["--runs"],
        ] {
            Plan::read(wrong).expect_err("refused");
        }
    }
}
