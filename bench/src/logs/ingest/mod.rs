//! How fast lines are taken in, what that costs, and whether all of them arrive.

mod eco;
mod piped;
mod race;
mod supervised;

use crate::failure::Failure;
use crate::page::{Section, row};
use crate::plot::{Bar, Panel, bars};
use crate::say;
use crate::spread::{Spread, real};
use crate::work::Form;

use super::tools::{self, Tool};
use super::{Plan, scene};
use eco::Seals;
use piped::Collector;
use race::{Race, Sample};

/// Loads: writers, and how they write.
const LOADS: [(u64, Form, &str); 4] = [
    (1, Form::Block, "one writer, 64 KiB a write"),
    (10, Form::Block, "ten writers, 64 KiB a write"),
    (1, Form::Line, "one writer, a line a write"),
    (10, Form::Line, "ten writers, a line a write"),
];

/// Who is measured.
struct Side {
    name: &'static str,
    version: Option<String>,
    kind: Kind,
}

enum Kind {
    Piped(Collector),
    Supervisord(Tool),
    Pm2(Tool),
    Eco,
}

impl Side {
    fn run(&self, race: &Race, seals: Seals) -> Result<Sample, Failure> {
        match &self.kind {
            Kind::Piped(collector) => collector.run(race),
            Kind::Supervisord(tool) => supervised::supervisord(&tool.program, race),
            Kind::Pm2(tool) => supervised::pm2(&tool.program, race),
            Kind::Eco => eco::run(race, seals),
        }
    }

    /// Whether a sixth of the lines says as much, in the same time.
    fn is_slow(&self) -> bool {
        matches!(self.name, "pm2" | "s6-log" | "svlogd" | "multilog")
    }
}

/// All sides that are there.
fn sides(plan: &Plan) -> Result<Vec<Side>, Failure> {
    let own = |name, collector| Side {
        name,
        version: None,
        kind: Kind::Piped(collector),
    };
    let mut sides = vec![
        own("file", Collector::File),
        own("cat", Collector::Filter(vec!["cat".to_owned()])),
        own("splice", Collector::splice()?),
        Side {
            name: "eco",
            version: None,
            kind: Kind::Eco,
        },
    ];
    let mut add = |name, tool: Option<Tool>, kind: &dyn Fn(Tool) -> Kind| {
        sides.extend(tool.map(|tool| Side {
            name,
            version: Some(tool.version.clone()),
            kind: kind(tool),
        }));
    };
    add(
        "supervisord",
        tools::debian("supervisord", "supervisor"),
        &Kind::Supervisord,
    );
    add("pm2", tools::pm2(plan), &Kind::Pm2);
    for (name, package, words) in [
        ("s6-log", "s6", &["n1000", "s268435455"][..]),
        ("multilog", "daemontools", &["n1000", "s16777215"]),
        ("svlogd", "runit", &[]),
    ] {
        add(name, tools::debian(name, package), &|tool| {
            let program = tool.program.display().to_string();
            let words = words.iter().map(|word| (*word).to_owned());
            Kind::Piped(Collector::Keeper(
                [program].into_iter().chain(words).collect(),
            ))
        });
    }
    sides.retain(|side| plan.only.is_empty() || plan.only.iter().any(|name| name == side.name));
    Ok(sides)
}

/// Measures all loads, and fails where eco lost a line.
pub(super) fn measure(plan: &Plan) -> Result<Section, Failure> {
    let sides = sides(plan)?;
    let mut text = String::from(INTRODUCTION);
    let versions: Vec<String> = sides
        .iter()
        .filter_map(|side| side.version.clone())
        .collect();
    text.push('\n');
    text.push_str(&tools::others(&versions));
    let (mut speeds, mut costs) = (Vec::new(), Vec::new());
    for (at, (writers, form, title)) in LOADS.into_iter().enumerate() {
        if !plan.loads.is_empty() && !plan.loads.contains(&(at + 1)) {
            continue;
        }
        say::step(title);
        let samples = rounds(plan, &sides, writers, form)?;
        let results: Vec<Line> = sides
            .iter()
            .zip(&samples)
            .map(|(side, samples)| Line::of(side.name, samples))
            .collect();
        text.push_str(&table(title, &results));
        let panel = |value: &dyn Fn(&Line) -> Spread| Panel {
            title: title.to_owned(),
            bars: results
                .iter()
                .map(|line| Bar::new(line.name, value(line)))
                .collect(),
        };
        speeds.push(panel(&|line| line.speed));
        costs.push(panel(&|line| line.cpu));
        check(&results)?;
    }
    Ok(Section::new("ingest", "Taking lines in", text)
        .with_plot(
            "ingest-speed",
            bars("Million lines per second: more is better", &speeds, 2),
        )
        .with_plot(
            "ingest-cpu",
            bars(
                "CPU seconds of the collectors per million lines: less is better",
                &costs,
                2,
            ),
        ))
}

const INTRODUCTION: &str = "\
Writers of 100-byte lines, the collectors behind them, and the time until the last line is in the file; for eco, until \
`eco logs` answers with it. `file` is the writer with the file itself for its stdout, `cat` a `cat > file` behind a pipe, \
`splice` a loop around splice(2) and nothing else. CPU counts all processes of the collector (eco: keeper, agent and log \
daemon), not the writers. What eco's log daemon spends on sealing, which it does later and behind everybody else, is told \
apart. supervisord, PM2, s6-log, multilog and svlogd keep no times as they are run here; eco does. \
Writers of PM2, s6-log, multilog and svlogd write a sixth of the lines. What is sealed here is one letter, mostly; what it \
costs with lines as services write them stands below Searching. Lost and strange lines are counted by their numbers. Middle \
of the rounds, with the least and the most.
";

/// The samples of each side.
fn rounds(
    plan: &Plan,
    sides: &[Side],
    writers: u64,
    form: Form,
) -> Result<Vec<Vec<Sample>>, Failure> {
    let mut samples: Vec<Vec<Sample>> = sides.iter().map(|_| Vec::new()).collect();
    for round in 0..plan.rounds {
        let mut order: Vec<_> = sides.iter().zip(&mut samples).collect();
        // Whoever came first comes last.
        if round % 2 == 1 {
            order.reverse();
        }
        for (side, samples) in order {
            let folder = scene::folder(plan)?;
            let lines = if side.is_slow() {
                plan.lines / 6
            } else {
                plan.lines
            };
            // Each write is a system call: a quarter takes as long.
            let lines = if form == Form::Line { lines / 4 } else { lines };
            let race = Race::new(folder.path(), writers, lines, form)?;
            // Once is enough for what takes ten times as long.
            let seals = if round == 0 {
                Seals::Measured
            } else {
                Seals::LeftOut
            };
            let sample = side.run(&race, seals)?;
            let per_million = |value: f64| value / race.million_lines();
            let parts = sample.of_each.iter();
            let parts: Vec<String> = parts
                .map(|(name, cpu)| format!("{name} {:.3}", per_million(*cpu)))
                .collect();
            say::line(&format!(
                "{:<12}{:>8.2} M lines/s{:>8.3} CPU s/M  {}",
                side.name,
                race.million_lines() / sample.seconds,
                per_million(sample.cpu),
                parts.join(", "),
            ));
            samples.push(Sample {
                seconds: race.million_lines() / sample.seconds,
                cpu: per_million(sample.cpu),
                ..sample
            });
        }
    }
    Ok(samples)
}

/// One side in one load.
struct Line {
    name: &'static str,
    speed: Spread,
    cpu: Spread,
    sealing: Option<Spread>,
    lost: u64,
    strange: u64,
}

impl Line {
    fn of(name: &'static str, samples: &[Sample]) -> Self {
        let sealing: Vec<f64> = samples.iter().filter_map(|sample| sample.sealing).collect();
        Self {
            name,
            speed: Spread::of(samples.iter().map(|sample| sample.seconds)),
            cpu: Spread::of(samples.iter().map(|sample| sample.cpu)),
            sealing: (!sealing.is_empty()).then(|| Spread::of(sealing)),
            lost: samples.iter().map(|sample| sample.found.lost).sum(),
            strange: samples.iter().map(|sample| sample.found.strange).sum(),
        }
    }
}

fn table(title: &str, results: &[Line]) -> String {
    let head = [
        "",
        "million lines/s",
        "CPU s per million",
        "beside splice",
        "sealing, CPU s per million",
        "lost",
        "strange",
    ];
    let floor = results.iter().find(|line| line.name == "splice");
    let mut text = format!("\n### {title}\n\n{}{}", row(&head), row(&["---"; 7]));
    for line in results {
        let beside = floor.map_or_else(String::new, |floor| {
            let speed = line.speed.median / floor.speed.median;
            let cpu = line.cpu.median / floor.cpu.median;
            format!("{speed:.2} × speed, {cpu:.2} × CPU")
        });
        let sealing = line
            .sealing
            .map_or_else(|| "–".to_owned(), |sealing| sealing.shown(2));
        text.push_str(&row(&[
            line.name,
            &line.speed.shown(2),
            &line.cpu.shown(3),
            &beside,
            &sealing,
            &line.lost.to_string(),
            &line.strange.to_string(),
        ]));
    }
    text
}

/// A benchmark of something that loses lines would measure nothing.
fn check(results: &[Line]) -> Result<(), Failure> {
    let wrong = results
        .iter()
        .find(|line| line.name == "eco" && real(line.lost + line.strange) > 0.0);
    wrong.map_or(Ok(()), |line| {
        Err(Failure::new(
            "keep every line",
            format!(
                "eco lost {} lines and has {} that nobody wrote once",
                line.lost, line.strange
            ),
        ))
    })
}
