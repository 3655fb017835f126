//! What logs cost on disk.

use super::corpus::Corpus;
use super::scene;
use super::tools::{self, Tool};
use super::{Plan, stored};
use crate::failure::Failure;
use crate::page::{Section, row};
use crate::plot::{Bar, Panel, bars};
use crate::spread::{Spread, real};

/// Of what is searched one part in so many is measured here.
const SHARE: f64 = 20.0;

const INTRODUCTION: &str = "\
Logs as the services in examples/ write them, made up with ids, prices and latencies. eco: all that is in the run's folder \
after sealing, indexes, times and checksums included; a plain file packed by `gzip -6` and by `zstd -3` keeps no times and \
has to be unpacked from its beginning. Blocks on disk count, as `du` has them. Bytes on disk for 100 bytes of log.
";

/// A way to pack, and the bytes of each app that it makes.
struct Packed {
    name: &'static str,
    sizes: Vec<u64>,
}

pub(super) fn measure(plan: &Plan) -> Result<Section, Failure> {
    let corpus = Corpus::new(plan, super::bytes(plan.gigabytes / SHARE))?;
    let folder = |app| {
        corpus
            .run_folder(app)
            .map_or_else(Vec::new, |folder| scene::files(&folder, |_| true))
    };
    let mut all = vec![Packed {
        name: "eco",
        sizes: corpus
            .apps
            .iter()
            .map(|app| stored::room(&folder(app)))
            .collect(),
    }];
    let mut versions = Vec::new();
    for (name, tool, level) in [
        ("gzip -6", tools::debian("gzip", "gzip"), "-6"),
        ("zstd -3", tools::debian("zstd", "zstd"), "-3"),
    ] {
        let Some(Tool { program, version }) = tool else {
            continue;
        };
        let packed = corpus.apps.iter().map(|app| {
            let path = app.packed(&program, &["-c", "-q", level], name)?;
            Ok(stored::room([&path]))
        });
        all.push(Packed {
            name,
            sizes: packed.collect::<Result<_, Failure>>()?,
        });
        versions.push(version);
    }
    let text = format!(
        "{INTRODUCTION}\n{}\n{}",
        tools::others(&versions),
        table(&corpus, &all)
    );
    let panel = Panel {
        title: "all apps".into(),
        bars: all
            .iter()
            .map(|packed| {
                Bar::new(
                    packed.name,
                    Spread::of([hundredths(packed.sizes.iter().sum(), corpus.size())]),
                )
            })
            .collect(),
    };
    let plot = bars(
        "Bytes on disk for 100 bytes of log: less is better",
        &[panel],
        1,
    );
    corpus.take_down()?;
    Ok(Section::new("storage", "On disk", text).with_plot("storage", plot))
}

fn hundredths(part: u64, of: u64) -> f64 {
    real(part) * 100.0 / real(of)
}

fn table(corpus: &Corpus, all: &[Packed]) -> String {
    let names = all.iter().map(|packed| packed.name);
    let head: Vec<&str> = ["", "MB"].into_iter().chain(names).collect();
    let mut text = format!("{}{}", row(&head), row(&vec!["---"; head.len()]));
    let mut add = |name: &str, size: u64, packed: Vec<u64>| {
        let mut cells = vec![name.to_owned(), format!("{:.0}", real(size) / 1e6)];
        cells.extend(
            packed
                .into_iter()
                .map(|packed| format!("{:.1}", hundredths(packed, size))),
        );
        text.push_str(&row(&cells.iter().map(String::as_str).collect::<Vec<_>>()));
    };
    for (at, app) in corpus.apps.iter().enumerate() {
        let name = format!("{}: {}", app.shape.name(), app.shape.described());
        let packed = all
            .iter()
            .map(|packed| packed.sizes.get(at).copied().unwrap_or_default());
        add(&name, app.size, packed.collect());
    }
    add(
        "all",
        corpus.size(),
        all.iter().map(|packed| packed.sizes.iter().sum()).collect(),
    );
    text
}
