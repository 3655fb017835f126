//! How soon a line that is written is shown by who follows.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::scene::{self, Process, Word};
use super::tools::{self, Pm2, Tool};
use super::{Plan, Scale};
use crate::clock;
use crate::failure::Failure;
use crate::home::{self, Home, own_program};
use crate::page::{Section, row};
use crate::plot::{Bar, Panel, bars};
use crate::say;
use crate::spread::{Spread, percentile, real};
use crate::work::HELLO;

/// Milliseconds between two lines.
const EVERY: u64 = 20;
/// What is not shown for so long is not shown any more.
const PATIENCE: Duration = Duration::from_secs(10);
const APP: &str = "stamps";

const INTRODUCTION: &str = "\
A program writes a line every 20 ms, and in the line when that was; whoever reads the follower's output from a pipe looks at \
the clock when the line is there. `pipe` reads the writer itself, `tail -F` follows a file that the writer has for its \
stdout, `eco logs -f` and `pm2 logs` follow an app. Middle of the rounds, with the least and the most.
";

/// Who shows lines.
enum Side {
    Pipe,
    Tail,
    Eco,
    Pm2(Tool),
}

impl Side {
    const fn name(&self) -> &'static str {
        match self {
            Self::Pipe => "pipe",
            Self::Tail => "tail -F",
            Self::Eco => "eco logs -f",
            Self::Pm2(_) => "pm2 logs",
        }
    }

    /// Milliseconds from writing to reading of each line, sorted.
    fn run(&self, stage: &Stage) -> Result<Vec<f64>, Failure> {
        match self {
            Self::Pipe => {
                let mut writer = Process::new(stage.writer()?.stdout(Stdio::piped()))?;
                let delays = stage.watch(writer.output()?)?;
                writer.ended()?;
                Ok(delays)
            }
            Self::Tail => {
                let path = stage.folder.join("stamps.log");
                let file = File::create(&path).map_err(Failure::at("make", &path))?;
                let writer = Process::new(stage.writer()?.stdout(file))?;
                let delays = stage.follow(Command::new("tail").arg("-F").arg(&path))?;
                writer.ended()?;
                Ok(delays)
            }
            Self::Eco => {
                let home = Home::within(&stage.folder.join("eco"))?;
                home.start(&[stage.app()?])?;
                let delays = stage.follow(&mut home.command(&["logs", APP, "-f"]))?;
                home.take_down()?;
                Ok(delays)
            }
            Self::Pm2(tool) => {
                let pm2 = Pm2::new(&tool.program, &stage.folder);
                pm2.start(&[stage.app()?])?;
                stage.follow(&mut pm2.command(&["logs", APP]))
            }
        }
    }
}

/// What one measurement needs.
struct Stage {
    folder: PathBuf,
    lines: u64,
    word: Word,
}

impl Stage {
    fn words(&self) -> [String; 5] {
        [
            "work".into(),
            "stamps".into(),
            self.lines.to_string(),
            EVERY.to_string(),
            self.word.path(),
        ]
    }

    fn writer(&self) -> Result<Command, Failure> {
        let mut command = Command::new(own_program()?);
        command.args(self.words()).stdin(Stdio::null());
        Ok(command)
    }

    fn app(&self) -> Result<String, Failure> {
        home::app(APP, &self.words())
    }

    fn follow(&self, command: &mut Command) -> Result<Vec<f64>, Failure> {
        let mut follower = Process::new(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
        let delays = self.watch(follower.output()?);
        follower.end();
        delays
    }

    /// Gives the word once the follower shows the first line, and reads the others.
    fn watch(&self, output: ChildStdout) -> Result<Vec<f64>, Failure> {
        let lines = read(output);
        while !next(&lines)?.1.contains(HELLO) {}
        self.word.give(1)?;
        let mut delays = Vec::new();
        for number in 0..self.lines {
            // PM2 shows empty lines among the others.
            let (read, (shown, written)) = loop {
                let (read, line) = next(&lines)?;
                if let Some(stamp) = stamp(&line) {
                    break (read, stamp);
                }
            };
            if shown != number {
                return Err(Failure::new(
                    format!("follow line {number}"),
                    format!("line {shown} is there"),
                ));
            }
            delays.push(real(read.saturating_sub(written)) / 1e6);
        }
        delays.sort_by(f64::total_cmp);
        Ok(delays)
    }
}

/// Reads lines elsewhere, each with the time at which it was there.
fn read(output: ChildStdout) -> Receiver<(u64, String)> {
    let (to, lines) = sync_channel(1024);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if to.send((clock::ticks(), line)).is_err() {
                return;
            }
        }
    });
    lines
}

fn next(lines: &Receiver<(u64, String)>) -> Result<(u64, String), Failure> {
    lines.recv_timeout(PATIENCE).map_err(|error| match error {
        RecvTimeoutError::Timeout => {
            Failure::new("follow", format!("nothing is shown for {PATIENCE:?}"))
        }
        RecvTimeoutError::Disconnected => Failure::new("follow", "the follower has ended"),
    })
}

/// The number of a line and when it was written, whatever stands before it.
fn stamp(line: &str) -> Option<(u64, u64)> {
    let (_, stamp) = line.rsplit_once("stamp ")?;
    let (number, time) = stamp.trim_end().split_once(' ')?;
    Some((number.parse().ok()?, time.parse().ok()?))
}

pub(super) fn measure(plan: &Plan) -> Result<Section, Failure> {
    let mut sides = vec![Side::Pipe, Side::Tail, Side::Eco];
    let pm2 = tools::pm2(plan);
    let others = pm2
        .as_ref()
        .map_or_else(String::new, |tool| format!("\nOthers: {}.\n", tool.version));
    sides.extend(pm2.map(Side::Pm2));
    let lines = match plan.scale {
        Scale::Full => 400,
        Scale::Quick => 20,
    };
    let mut halves: Vec<Vec<f64>> = sides.iter().map(|_| Vec::new()).collect();
    let mut worst = halves.clone();
    for round in 0..plan.rounds {
        let mut order: Vec<_> = sides
            .iter()
            .zip(halves.iter_mut().zip(&mut worst))
            .collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for (side, (halves, worst)) in order {
            let folder = scene::folder(plan)?;
            let stage = Stage {
                folder: folder.path().to_owned(),
                lines,
                word: Word::new(folder.path())?,
            };
            let delays = side.run(&stage)?;
            let (half, most) = (percentile(&delays, 50), percentile(&delays, 99));
            say::line(&format!("{:<12}{half:>9.2} ms{most:>9.2} ms", side.name()));
            halves.push(half);
            worst.push(most);
        }
    }
    let results: Vec<Followed> = sides
        .iter()
        .zip(halves.into_iter().zip(worst))
        .map(|(side, (half, most))| (side.name(), Spread::of(half), Spread::of(most)))
        .collect();
    let text = format!("{INTRODUCTION}{others}\n{}", table(&results));
    Ok(Section::new("follow", "Following", text).with_plot("follow", plot(&results)))
}

/// A side, and half and almost all of its lines.
type Followed = (&'static str, Spread, Spread);

fn table(results: &[Followed]) -> String {
    let head = ["", "p50, ms", "p99, ms", "p50 beside tail -F"];
    let mut text = format!("{}{}", row(&head), row(&["---"; 4]));
    let floor = results.iter().find(|(name, ..)| *name == "tail -F");
    for (name, half, most) in results {
        let beside = floor.map_or_else(String::new, |(_, floor, _)| {
            format!("{:.1} ×", half.median / floor.median)
        });
        text.push_str(&row(&[
            &format!("`{name}`"),
            &half.shown(2),
            &most.shown(2),
            &beside,
        ]));
    }
    text
}

fn plot(results: &[Followed]) -> String {
    let panel = |title: &str, value: &dyn Fn(&Followed) -> Spread| Panel {
        title: title.to_owned(),
        bars: results
            .iter()
            .map(|result| Bar::new(result.0, value(result)))
            .collect(),
    };
    let panels = [
        panel("half of the lines (p50)", &|result| result.1),
        panel("99 of 100 (p99)", &|result| result.2),
    ];
    bars(
        "Milliseconds from a line written to the line shown: less is better",
        &panels,
        2,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_behind_any_prefix() {
        assert_eq!(stamp("14:02:05 stamps | stamp 3 77"), Some((3, 77)));
        assert_eq!(stamp("0|stamps   | stamp 3 77 "), Some((3, 77)));
        assert_eq!(stamp(HELLO), None);
    }
}
