//! Measurements, by hand: `cargo test --release -p eco-logd -- --ignored --nocapture speed`.

use std::fmt::Write as _;

use eco_home::clock;
use eco_home::runs::Stream;
use eco_proto::log::v1 as pb;

use super::world::{Heard, Listener, Served, Writer, run_id};

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
