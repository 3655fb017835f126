//! Measurements, by hand: `cargo test --release -p eco-logd -- --ignored --nocapture speed`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use eco_home::clock;
use eco_home::runs::Stream;
use eco_proto::log::v1 as pb;

use super::world::{Heard, Listener, Served, Writer, run_id};
use crate::disk::Real;
use crate::hot;

fn write_lines(writer: &mut Writer, lines: u64, per_note: u64) {
    let line = [vec![b'x'; 99], vec![b'\n']].concat();
    let chunk = line.repeat(usize::try_from(per_note).expect("small"));
    for index in 0..lines / per_note {
        if index > 0 && index % (64 * 1024 * 1024 / chunk.len() as u64) == 0 {
            writer.rotate();
        }
        writer.write(&chunk, 1_000_000_000 + index);
    }
}

async fn count(listener: &mut Listener) -> u64 {
    let mut lines = 0;
    while let Some(heard) = listener.next().await.expect("goes on") {
        lines += u64::from(matches!(heard, Heard::Line(_)));
    }
    lines
}

#[tokio::test]
#[ignore = "a measurement"]
async fn speed_of_a_million_lines_over_the_socket() {
    let served = Served::start();
    let mut client = served.client().await;
    let mut writer = Writer::new(&served.home.runs(), &run_id("api", 1), Stream::Out);
    write_lines(&mut writer, 1_000_000, 100);
    writer.end();
    for _ in 0..3 {
        let start = clock::since_boot();
        let mut listener = Listener::ask(&mut client, pb::QueryRequest::default()).await;
        let lines = count(&mut listener).await;
        let took = clock::since_boot().saturating_sub(start);
        println!("{lines} lines in {took:?}");
    }
    served.stop();
}

#[tokio::test]
#[ignore = "a measurement"]
async fn speed_of_the_last_lines_of_a_gigabyte_and_of_thousands_of_runs() {
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let mut writer = Writer::new(&runs, &run_id("big", 1), Stream::Out);
    write_lines(&mut writer, 10_000_000, 1000);
    let last = pb::QueryRequest {
        last: Some(20),
        ..pb::QueryRequest::default()
    };
    for _ in 0..3 {
        let start = clock::since_boot();
        let mut listener = Listener::ask(&mut client, last.clone()).await;
        let lines = count(&mut listener).await;
        println!(
            "last {lines} of 1 GB in {:?}",
            clock::since_boot().saturating_sub(start)
        );
    }
    let start = clock::nanos(clock::unix());
    for run in 1..=5000 {
        let text = format!("crash {run}\n");
        let chunks: &[(&[u8], u64)] = &[(text.as_bytes(), start + run)];
        for stream in Stream::BOTH {
            Writer::ended(&runs, &run_id("crash", run), stream, &[chunks]);
        }
    }
    for request in [last, pb::QueryRequest::default()] {
        let start = clock::since_boot();
        let request = pb::QueryRequest {
            matches: vec![pb::Match {
                environment: "dev".to_owned(),
                app: "crash".to_owned(),
                ..pb::Match::default()
            }],
            ..request
        };
        let mut listener = Listener::ask(&mut client, request).await;
        let lines = count(&mut listener).await;
        println!(
            "{lines} lines of 5000 runs in {:?}",
            clock::since_boot().saturating_sub(start)
        );
    }
    served.stop();
}

/// Lines as services write them; a level every hundred lines, a word once, a trace now and then.
fn service_lines(block: u64) -> String {
    let mut text = String::new();
    for line in 0..10_000 {
        let id = block * 10_000 + line;
        let written = match line {
            77 if block == 500 => {
                writeln!(text, "2026-11-26 07:00:00 WARN zoo: zebrafish {id} escaped")
            }
            _ if line % 100 == 0 => writeln!(
                text,
                "2026-11-26 07:00:00 ERROR db: cannot load {id}\n    at load (db.js:7:1)"
            ),
            _ => writeln!(
                text,
                "{{\"level\":30,\"time\":{id},\"req\":{{\"id\":{id},\"url\":\"/users/{line}\"}},\"status\":200,\"msg\":\"request completed\"}}"
            ),
        };
        written.expect("memory takes it");
    }
    text
}

#[tokio::test]
#[ignore = "a measurement"]
async fn speed_of_a_search_through_a_gigabyte() {
    let served = Served::start();
    let mut client = served.client().await;
    let mut writer = Writer::new(&served.home.runs(), &run_id("api", 1), Stream::Out);
    let mut bytes = 0;
    for block in 0..1000 {
        if block % 64 == 0 {
            writer.rotate();
        }
        let text = service_lines(block);
        bytes += text.len();
        writer.write(text.as_bytes(), 1_000_000_000 + block);
    }
    writer.end();
    let grep = |pattern: &str| pb::QueryRequest {
        grep: vec![pattern.to_owned()],
        ..pb::QueryRequest::default()
    };
    let questions = [
        ("a rare word", grep("zebrafish")),
        (
            "the last of a rare word",
            pb::QueryRequest {
                last: Some(15),
                ..grep("zebrafish")
            },
        ),
        ("a regex", grep(r"/users/\d*77\d.*9{3}")),
        (
            "a level",
            pb::QueryRequest {
                level: pb::Level::Warn.into(),
                ..pb::QueryRequest::default()
            },
        ),
    ];
    for (name, request) in questions {
        for _ in 0..3 {
            let start = clock::since_boot();
            let mut listener = Listener::ask(&mut client, request.clone()).await;
            let lines = count(&mut listener).await;
            let took = clock::since_boot().saturating_sub(start);
            println!("{name}: {lines} lines in {bytes} bytes in {took:?}");
        }
    }
    served.stop();
}

/// Random enough to make up logs.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// A megabyte of lines of several services, with numbers and ids that do not come again.
fn many_services(dice: &mut Dice, time: &mut u64) -> String {
    const WORDS: [&str; 8] = [
        "user", "order", "cache", "payment", "session", "invoice", "queue", "worker",
    ];
    let mut text = String::with_capacity(1 << 20);
    while text.len() < 1 << 20 {
        *time += dice.roll(20);
        let clock = format!(
            "2026-11-26T{:02}:{:02}:{:02}.{:03}Z",
            *time / 3_600_000 % 24,
            *time / 60_000 % 60,
            *time / 1000 % 60,
            *time % 1000
        );
        let word = WORDS[usize::try_from(dice.roll(8)).expect("small")];
        let (kind, number, order) = (
            dice.roll(100),
            dice.roll(100_000),
            40_000_000 + dice.roll(50_000_000),
        );
        let written = match kind {
            0..40 => writeln!(
                text,
                "{{\"level\":30,\"time\":1764140{time},\"req\":{{\"id\":{order},\"method\":\"GET\",\"url\":\"/api/{word}s/{number}\"}},\"status\":200,\"responseTime\":{},\"msg\":\"request completed\"}}",
                number % 400
            ),
            40..70 => writeln!(
                text,
                "{clock} INFO  [{word}] {word} {order} accepted in {} ms",
                number % 400
            ),
            70..90 => writeln!(
                text,
                "10.0.{}.{} - - [{clock}] \"GET /static/{word}.js HTTP/1.1\" 200 {number}",
                number % 256,
                order % 256
            ),
            90..97 => writeln!(
                text,
                "{clock} DEBUG [queue] job {:08x}-{:04x}-4{:03x}-{:04x}-{:012x} finished",
                dice.roll(1 << 32),
                dice.roll(1 << 16),
                dice.roll(1 << 12),
                dice.roll(1 << 16),
                dice.roll(1 << 48)
            ),
            _ => writeln!(
                text,
                "{clock} ERROR [db] cannot load order {order}: connection refused\n    at Pool.connect (/app/node_modules/pg/pool.js:{}:13)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)",
                number % 300
            ),
        };
        written.expect("memory takes it");
    }
    text
}

/// How long this thread had a processor.
fn processor() -> Duration {
    let time =
        nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).expect("known");
    Duration::from(time)
}

/// Runs a command of the shell, and returns how long that took.
fn shell(command: &str) -> Duration {
    let start = clock::since_boot();
    let ended = Command::new("sh").args(["-c", command]).output();
    ended.expect("run");
    clock::since_boot().saturating_sub(start)
}

/// Segments of a search through all that is sealed.
const SEGMENTS: u64 = 80;

/// Writes and seals segments below `runs`, with a rare line in one of them, and packs the same text into `plain`.
fn seal_five_gigabytes(runs: &Path, plain: &Path) -> Writer {
    let mut writer = Writer::new(runs, &run_id("api", 1), Stream::Out);
    let packing = Command::new("zstd")
        .args(["-q", "-3", "-o"])
        .arg(plain)
        .stdin(Stdio::piped())
        .spawn();
    let mut packing = packing.expect("begun");
    let mut pipe = packing.stdin.take().expect("piped");
    let (mut dice, mut time) = (Dice(12_345), 0);
    let (mut took, mut raw, mut packed) = (Duration::ZERO, 0, 0);
    for segment in 0..=SEGMENTS {
        writer.rotate();
        for megabyte in 0..64 {
            let mut text = many_services(&mut dice, &mut time);
            if (segment, megabyte) == (SEGMENTS / 3, 9) {
                text += "2026-11-26T00:00:00.000Z WARN  [zoo] zebrafish 31415926 escaped\n";
            }
            pipe.write_all(text.as_bytes()).expect("written");
            let second = 1_000_000_000 * (segment * 64 + megabyte + 1);
            writer.write(text.as_bytes(), second);
        }
        let start = processor();
        let place = writer.place();
        let found = hot::survey(&place).expect("surveyed");
        for extent in hot::sealable(&found) {
            hot::seal(&Real, &place, extent, &|| false).expect("sealed");
            let path = place.folder().join(Stream::Out.sealed(extent.number));
            packed += std::fs::metadata(path).expect("there").len();
            raw += extent.length;
        }
        took += processor().saturating_sub(start);
    }
    drop(pipe);
    packing.wait().expect("packed");
    let zstd = std::fs::metadata(plain).expect("there").len();
    let for_100_mb = took.as_micros() * 100_000_000 / u128::from(raw);
    println!(
        "sealed {raw} bytes into {packed}, of which zstd -3 makes about {zstd}: {for_100_mb} CPU µs for 100 MB"
    );
    writer
}

/// What is asked, and how that is called.
fn questions() -> Vec<(&'static str, pb::QueryRequest)> {
    let grep = |pattern: &str| pb::QueryRequest {
        grep: vec![pattern.to_owned()],
        ..pb::QueryRequest::default()
    };
    let last = |request| pb::QueryRequest {
        last: Some(15),
        ..request
    };
    let level = pb::QueryRequest {
        level: pb::Level::Fatal.into(),
        ..pb::QueryRequest::default()
    };
    let time = pb::QueryRequest {
        since_ns: Some(2_000_000_000_000),
        until_ns: Some(2_001_000_000_000),
        ..pb::QueryRequest::default()
    };
    let id = "3f2c9a4e-11aa-4bcd-8123-0123456789ab";
    vec![
        ("a rare word", grep("zebrafish")),
        ("a rare number", grep("31415926")),
        ("a number that is not there", grep("order 11415926")),
        ("an id that is not there", grep(id)),
        ("the last of a rare word", last(grep("zebrafish"))),
        ("the last of a frequent word", last(grep("refused"))),
        ("a level that is not there", level),
        ("a second", time),
        ("a regex", grep(r"/users/\d*77\d .*9{3}|refused.*77")),
        ("a regex without a text", grep(r"[0-9]{3}\.[0-9]{3}Z W")),
    ]
}

#[tokio::test]
#[ignore = "a measurement, which needs zstd, rg and 7 GB"]
async fn speed_of_a_search_through_five_gigabytes_that_are_sealed() {
    let served = Served::start();
    let mut client = served.client().await;
    // Out of sight of the one who seals there.
    let aside = tempfile::tempdir().expect("a folder");
    let plain = aside.path().join("plain.zst");
    let writer = seal_five_gigabytes(aside.path(), &plain);
    let folder = run_id("api", 1).folder(&served.home.runs());
    std::fs::create_dir_all(folder.parent().expect("in one")).expect("made");
    std::fs::rename(writer.place().folder(), folder).expect("moved");
    for (name, request) in questions() {
        for _ in 0..3 {
            let start = clock::since_boot();
            let mut listener = Listener::ask(&mut client, request.clone()).await;
            let lines = count(&mut listener).await;
            let took = clock::since_boot().saturating_sub(start);
            println!("{name}: {lines} lines in {took:?}");
            if let (Some(pattern), true) = (request.grep.first(), name.starts_with("a regex")) {
                let command = format!("zstdcat '{}' | rg -c '{pattern}'", plain.display());
                println!("  zstdcat | rg: {:?}", shell(&command));
            }
        }
    }
    served.stop();
}
