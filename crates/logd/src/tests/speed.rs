//! Measurements, by hand: `cargo test --release -p eco-logd -- --ignored --nocapture speed`.

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
