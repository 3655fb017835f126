//! How soon something is found in gigabytes of logs, by a command as a person types it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::corpus::{App, Corpus};
use super::scene::{Process, size};
use super::text::{PATTERN, RANGE, RARE, RARE_LINES, Shape};
use super::tools;
use super::{Plan, stored};
use crate::clock;
use crate::failure::Failure;
use crate::page::{Section, row};
use crate::plot::{Bar, Panel, bars};
use crate::say;
use crate::spread::{Spread, real};

const INTRODUCTION: &str = "\
Five apps' logs in eco, all of it sealed, beside the same lines in plain files and in files packed by `zstd -3`. The whole \
command is measured, from its start to its end, its output read from a pipe; everything is in the page cache. Every side \
finds the same lines, which is checked; the last lines are shown by `tail` in place of `rg`. eco finds ranges by when lines came, the others by the time that is written in them. \
Seconds; middle of the rounds, with the least and the most.
";

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quest {
    Range,
    Rare,
    Pattern,
    Last,
}

impl Quest {
    const ALL: [Self; 4] = [Self::Range, Self::Rare, Self::Pattern, Self::Last];

    const fn title(self) -> &'static str {
        match self {
            Self::Range => "three minutes of one app",
            Self::Rare => "a rare word in all apps",
            Self::Pattern => "a regex over everything",
            Self::Last => "the last 20 lines of one app",
        }
    }
}

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Eco,
    Plain,
    Packed,
}

impl Side {
    const ALL: [Self; 3] = [Self::Eco, Self::Plain, Self::Packed];

    const fn name(self) -> &'static str {
        match self {
            Self::Eco => "eco logs",
            Self::Plain => "rg, plain files",
            Self::Packed => "zstdcat, then rg",
        }
    }
}

/// Everything that is searched.
struct Library {
    corpus: Corpus,
    /// Packed files, in the order of the apps.
    packed: Vec<PathBuf>,
}

impl Library {
    fn command(&self, side: Side, quest: Quest) -> Result<Command, Failure> {
        match side {
            Side::Eco => self.by_eco(quest),
            Side::Plain => Ok(shell(
                &by_plain(quest),
                self.corpus.apps.iter().map(|app| &app.plain),
                quest,
            )),
            Side::Packed => Ok(shell(&by_packed(quest), &self.packed, quest)),
        }
    }

    fn by_eco(&self, quest: Quest) -> Result<Command, Failure> {
        let app = self.corpus.ranged()?;
        let name = app.shape.name();
        let [since, until] = self.corpus.range_of(app)?;
        let words = match quest {
            Quest::Range => vec!["logs", name, "--since", &since, "--until", &until, "--raw"],
            Quest::Rare => vec!["logs", "-n", "all", "--grep", RARE, "--raw"],
            Quest::Pattern => vec!["logs", "-n", "all", "--grep", PATTERN, "--raw"],
            Quest::Last => vec!["logs", name, "-n", "20", "--raw"],
        };
        Ok(self.corpus.home.command(&words))
    }
}

/// What is done with plain files; they are the words behind it.
fn by_plain(quest: Quest) -> String {
    match quest {
        Quest::Range => format!("rg --no-config -NI '{RANGE}' \"$@\""),
        Quest::Rare => format!("rg --no-config -NI {RARE} \"$@\""),
        Quest::Pattern => format!("rg --no-config -NI '{PATTERN}' \"$@\""),
        Quest::Last => "tail -n 20 \"$@\"".to_owned(),
    }
}

fn by_packed(quest: Quest) -> String {
    let filter = match quest {
        Quest::Range => format!("rg --no-config -N '{RANGE}'"),
        Quest::Rare => format!("rg --no-config -N {RARE}"),
        Quest::Pattern => format!("rg --no-config -N '{PATTERN}'"),
        Quest::Last => "tail -n 20".to_owned(),
    };
    format!("zstdcat \"$@\" | {filter}")
}

/// A line of the shell about files: of the first app alone where only that is asked about.
fn shell<'a>(line: &str, files: impl IntoIterator<Item = &'a PathBuf>, quest: Quest) -> Command {
    let files = files.into_iter().take(match quest {
        Quest::Range | Quest::Last => 1,
        Quest::Rare | Quest::Pattern => Shape::ALL.len(),
    });
    let mut command = Command::new("sh");
    command.args(["-c", line, "sh"]).args(files);
    command
}

/// What was found, in whatever order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Finding {
    lines: u64,
    bytes: u64,
    sum: u64,
}

/// Runs a command to its end: seconds, and what it found.
fn run(mut command: Command) -> Result<(f64, Finding), Failure> {
    let begun = clock::ticks();
    let mut process = Process::new(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let mut output = BufReader::with_capacity(64 << 10, process.output()?);
    let mut finding = Finding::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = output.read_until(b'\n', &mut line);
        if read.map_err(Failure::run("a search"))? == 0 {
            break;
        }
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        finding.lines += 1;
        finding.bytes += line.len() as u64;
        finding.sum = finding.sum.wrapping_add(hasher.finish());
    }
    process.ended()?;
    let seconds = std::time::Duration::from_nanos(clock::ticks() - begun).as_secs_f64();
    Ok((seconds, finding))
}

/// A question, what is found, and the seconds of each side.
struct Answer {
    quest: Quest,
    finding: Finding,
    seconds: Vec<Spread>,
}

pub(super) fn measure(plan: &Plan) -> Result<Section, Failure> {
    let mut sides = Side::ALL.to_vec();
    let rg = tools::debian("rg", "ripgrep");
    let zstd = tools::debian("zstd", "zstd");
    if rg.is_none() {
        sides.retain(|side| *side == Side::Eco);
    }
    if zstd.is_none() {
        sides.retain(|side| *side != Side::Packed);
    }
    let corpus = Corpus::new(plan, super::bytes(plan.gigabytes))?;
    let pack = |app: &App| {
        zstd.as_ref()
            .map(|tool| app.packed(&tool.program, &["-3", "-q", "-c"], "zst"))
    };
    let packed = corpus
        .apps
        .iter()
        .filter_map(pack)
        .collect::<Result<_, Failure>>()?;
    let library = Library { corpus, packed };
    let mut answers = Vec::new();
    for quest in Quest::ALL {
        answers.push(ask(plan, &library, &sides, quest)?);
    }
    let versions: Vec<String> = [rg, zstd]
        .into_iter()
        .flatten()
        .map(|tool| tool.version)
        .collect();
    let text = format!(
        "{INTRODUCTION}\n{}{}\n\n{}",
        sizes(&library),
        tools::others(&versions),
        table(&sides, &answers)
    );
    library.corpus.take_down()?;
    Ok(Section::new("search", "Searching", text).with_plot("search", plot(&sides, &answers)))
}

/// Asks all sides: once to have everything in memory and the findings compared, then to be measured.
fn ask(plan: &Plan, library: &Library, sides: &[Side], quest: Quest) -> Result<Answer, Failure> {
    say::step(quest.title());
    let mut finding = None;
    for side in sides {
        let (_, found) = run(library.command(*side, quest)?)?;
        let expected = *finding.get_or_insert(found);
        let is_told = match quest {
            Quest::Rare => found.lines == (RARE_LINES * Shape::ALL.len()) as u64,
            Quest::Last => found.lines == 20,
            Quest::Range | Quest::Pattern => found.lines > 0,
        };
        if found != expected || !is_told {
            let why = format!(
                "{} finds {found:?}, {} {expected:?}",
                side.name(),
                Side::Eco.name()
            );
            return Err(Failure::new(format!("find {} alike", quest.title()), why));
        }
    }
    let mut seconds: Vec<Vec<f64>> = sides.iter().map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        let mut order: Vec<_> = sides.iter().zip(&mut seconds).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for (side, seconds) in order {
            let (took, _) = run(library.command(*side, quest)?)?;
            say::line(&format!("{:<18}{took:>9.3} s", side.name()));
            seconds.push(took);
        }
    }
    Ok(Answer {
        quest,
        finding: finding.unwrap_or_default(),
        seconds: seconds.into_iter().map(Spread::of).collect(),
    })
}

fn sizes(library: &Library) -> String {
    let folders = library.corpus.home.run_folders();
    let sealed: u64 = folders
        .iter()
        .map(|folder| stored::room(&super::scene::files(folder, |_| true)))
        .sum();
    let gigabytes = |bytes: u64| real(bytes) / 1e9;
    let sealing = library.corpus.sealing.map_or_else(String::new, |seconds| {
        // A million lines of a hundred bytes are a tenth of that.
        format!("Sealing took {seconds:.2} CPU s for a gigabyte, that is {:.2} for a million lines of 100 bytes. ", seconds / 10.0)
    });
    format!(
        "Plain {:.2} GB, eco {:.2} GB, packed files {:.2} GB. {sealing}",
        gigabytes(library.corpus.size()),
        gigabytes(sealed),
        gigabytes(size(&library.packed)),
    )
}

fn table(sides: &[Side], answers: &[Answer]) -> String {
    let names = sides.iter().map(|side| side.name());
    let head: Vec<&str> = ["", "lines found"].into_iter().chain(names).collect();
    let mut text = format!("{}{}", row(&head), row(&vec!["---"; head.len()]));
    for answer in answers {
        let mut cells = vec![
            answer.quest.title().to_owned(),
            answer.finding.lines.to_string(),
        ];
        cells.extend(answer.seconds.iter().map(|seconds| seconds.shown(3)));
        text.push_str(&row(&cells.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    text
}

fn plot(sides: &[Side], answers: &[Answer]) -> String {
    let panels: Vec<Panel> = answers
        .iter()
        .map(|answer| Panel {
            title: answer.quest.title().to_owned(),
            bars: sides
                .iter()
                .zip(&answer.seconds)
                .map(|(side, seconds)| Bar::new(side.name(), *seconds))
                .collect(),
        })
        .collect();
    bars(
        "Seconds until everything is found: less is better",
        &panels,
        3,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_in_another_order_are_the_same_and_others_are_not() {
        let found = |text: &str| {
            let mut command = Command::new("printf");
            command.arg(text);
            run(command).expect("printf runs").1
        };
        assert_eq!(found("a\\nb\\n"), found("b\\na\\n"));
        assert_ne!(found("a\\nb\\n"), found("a\\nc\\n"));
        assert_eq!(found("a\\nb\\n").lines, 2);
    }
}
