//! Following, over the socket.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use eco_home::runs::{RunId, Stream};
use eco_proto::log::v1 as pb;
use tokio::sync::mpsc;

use super::world::{Heard, Listener, Served, Writer, everything, run_id, wait_until};
use crate::line::LONGEST;
use crate::query::{self, After, Query};
use crate::tail::Bell;

fn follow(last: Option<u64>) -> pb::QueryRequest {
    pb::QueryRequest {
        last,
        follow: true,
        ..pb::QueryRequest::default()
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Writes numbered lines in pieces of any size, with rotations; the last line has no newline.
fn chatter(runs: &std::path::Path, run: &RunId, stream: Stream, lines: u64) {
    let mut dice = Dice(run.run + u64::from(stream.descriptor()));
    let mut text = String::new();
    for line in 0..lines {
        let padding = "x".repeat(usize::try_from(dice.below(60)).expect("small"));
        writeln!(text, "{line} {padding}").expect("memory takes it");
    }
    let mut rest = text.trim_end().as_bytes();
    let mut writer = Writer::new(runs, run, stream);
    while !rest.is_empty() {
        let size = usize::try_from(1 + dice.below(700))
            .expect("small")
            .min(rest.len());
        let (piece, after) = rest.split_at(size);
        rest = after;
        if dice.below(20) == 0 {
            writer.rotate();
        }
        writer.write(piece, eco_home::clock::nanos(eco_home::clock::unix()));
        std::thread::yield_now();
    }
    writer.end();
}

#[tokio::test]
async fn every_line_comes_once_and_in_order_while_it_is_written() {
    const LINES: u64 = 4000;
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let writers: Vec<_> = [
        ("api", 1, Stream::Out),
        ("api", 1, Stream::Err),
        ("web", 4, Stream::Out),
    ]
    .into_iter()
    .map(|(app, run, stream)| {
        let runs = runs.clone();
        std::thread::spawn(move || chatter(&runs, &run_id(app, run), stream, LINES))
    })
    .collect();
    wait_until(|| run_id("api", 1).folder(&runs).join("out.0001").exists());

    let mut listener = Listener::ask(&mut client, follow(None)).await;
    let mut next: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let mut caught_up = 0;
    while next.len() < 3 || next.values().any(|(line, _)| *line < LINES) {
        match listener.next().await.expect("goes on").expect("more") {
            Heard::CaughtUp => caught_up += 1,
            Heard::Gap(gap) => panic!("{gap:?}"),
            Heard::Begun(begun) => panic!("{begun:?} was not asked for"),
            Heard::Line(line) => {
                let (number, offset) = next.entry(line.source).or_default();
                let text = String::from_utf8(line.text).expect("text");
                assert_eq!(text.split(' ').next(), Some(number.to_string().as_str()));
                assert_eq!(line.offset, *offset, "no byte is passed over");
                *number += 1;
                *offset += text.len() as u64 + 1;
            }
        }
    }
    assert_eq!(caught_up, 1);
    for writer in writers {
        writer.join().expect("no panic");
    }
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn what_is_there_of_a_line_is_told_once_where_it_is_asked_for_and_the_line_comes_all_the_same()
 {
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let mut writer = Writer::new(&runs, &run_id("api", 1), Stream::Out);
    writer.write(b"one\nna", 1);
    let request = pb::QueryRequest {
        begun: true,
        ..follow(Some(0))
    };
    let mut listener = Listener::ask(&mut client, request).await;
    listener.caught_up().await;
    let mut told = async || match listener.next().await.expect("goes on").expect("more") {
        Heard::Begun(begun) => (begun.offset, String::from_utf8(begun.text).expect("text")),
        Heard::Line(line) => (
            line.offset,
            String::from_utf8(line.text).expect("text") + "\n",
        ),
        Heard::CaughtUp => panic!("a second time"),
        Heard::Gap(gap) => panic!("{gap:?}"),
    };
    assert_eq!(told().await, (4, "na".to_owned()));
    writer.write(b"me? ", 2);
    assert_eq!(told().await, (6, "me? ".to_owned()));
    writer.write(b"hello\nn", 3);
    assert_eq!(told().await, (4, "name? hello\n".to_owned()));
    assert_eq!(told().await, (16, "n".to_owned()));
    writer.end();
    assert_eq!(told().await, (16, "n\n".to_owned()));
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn a_tail_is_held_until_it_is_complete_or_its_run_has_ended() {
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let mut writer = Writer::new(&runs, &run_id("api", 1), Stream::Out);
    writer.write(b"one\ntw", 1);
    let plain = pb::QueryRequest::default();
    let mut at_once = Listener::ask(&mut client, plain).await;
    assert_eq!(at_once.text().await, "one");
    assert_eq!(at_once.text().await, "tw");
    at_once.caught_up().await;
    assert_eq!(at_once.next().await.expect("complete"), None);

    let mut listener = Listener::ask(&mut client, follow(Some(5))).await;
    assert_eq!(listener.text().await, "one");
    listener.caught_up().await;
    writer.write(b"o\nthree", 2);
    assert_eq!(listener.text().await, "two");
    writer.end();
    assert_eq!(listener.text().await, "three");
    assert_eq!(listener.sources.len(), 1);
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn bytes_that_no_note_comes_for_are_told_with_the_time_of_the_file() {
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let mut writer = Writer::new(&runs, &run_id("api", 1), Stream::Out);
    writer.write(b"one\n", 1);
    let mut listener = Listener::ask(&mut client, follow(Some(0))).await;
    listener.caught_up().await;
    writer.write_bytes(b"two\n");
    let Some(Heard::Line(line)) = listener.next().await.expect("goes on") else {
        panic!("no line");
    };
    assert_eq!((line.offset, line.time_ns), (4, writer.changed()));
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn a_run_that_appears_is_followed_from_its_first_byte() {
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let filtered = pb::QueryRequest {
        matches: vec![pb::Match {
            environment: "dev".to_owned(),
            app: "a*".to_owned(),
            ..pb::Match::default()
        }],
        ..follow(Some(0))
    };
    Writer::ended(&runs, &run_id("api", 1), Stream::Out, &[&[(b"old\n", 1)]]);
    let mut listener = Listener::ask(&mut client, filtered).await;
    listener.caught_up().await;
    Writer::ended(
        &runs,
        &run_id("web", 1),
        Stream::Out,
        &[&[(b"not meant\n", 2)]],
    );
    Writer::ended(
        &runs,
        &run_id("api", 2),
        Stream::Out,
        &[&[(b"first\n", 2)], &[(b"second", 3)]],
    );
    assert_eq!(listener.text().await, "first");
    assert_eq!(listener.text().await, "second");
    assert_eq!(listener.sources[&1].run, 2);

    // Told of it, it is there sooner; the news themselves carry nothing.
    let mut writer = Writer::new(&runs, &run_id("api", 3), Stream::Err);
    let started = pb::FeedItem {
        item: Some(pb::feed_item::Item::Started(pb::RunStarted { run: None })),
    };
    client
        .feed(tokio_stream::iter([started]))
        .await
        .expect("taken");
    writer.write(b"third\n", 4);
    assert_eq!(listener.text().await, "third");
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn a_segment_that_appears_is_read_on() {
    let served = Served::start();
    let mut client = served.client().await;
    let mut writer = Writer::new(&served.home.runs(), &run_id("api", 1), Stream::Out);
    let mut listener = Listener::ask(&mut client, follow(None)).await;
    listener.caught_up().await;
    writer.write(b"a\nb", 1);
    assert_eq!(listener.text().await, "a");
    writer.rotate();
    writer.rotate();
    writer.write(b"b\nc\n", 2);
    assert_eq!(listener.text().await, "bb");
    assert_eq!(listener.text().await, "c");
    drop(listener);
    served.stop();
}

#[test]
fn a_follower_ends_when_its_client_goes_though_no_line_ever_comes() {
    let home = tempfile::tempdir().expect("a folder");
    let bell = Bell::default();
    let query = Query {
        after: After::Live,
        ..everything()
    };
    std::thread::scope(|scope| {
        let (sender, mut items) = mpsc::channel(4);
        let follower = scope.spawn(|| query::answer(&query, home.path(), &bell, sender));
        assert!(matches!(
            items.blocking_recv(),
            Some(Ok(query::Item::CaughtUp))
        ));
        drop(items);
        bell.ring();
        wait_until(|| follower.is_finished());
    });
}

#[test]
fn whoever_never_reads_costs_a_few_batches_however_much_is_written() {
    let home = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::new(home.path(), &run_id("api", 1), Stream::Out);
    let bell = Bell::default();
    let query = Query {
        after: After::Live,
        ..everything()
    };
    let long = [vec![b'x'; LONGEST], vec![b'\n']].concat();
    std::thread::scope(|scope| {
        let (sender, mut items) = mpsc::channel(query::AHEAD);
        let follower = scope.spawn(|| query::answer(&query, home.path(), &bell, sender));
        assert!(matches!(
            items.blocking_recv(),
            Some(Ok(query::Item::CaughtUp))
        ));
        for time in 1..=64 {
            writer.write(&long, time);
        }
        bell.ring();
        wait_until(|| items.len() == query::AHEAD);
        let mut waiting = 0;
        for _ in 0..query::AHEAD {
            if let Some(Ok(query::Item::Lines(lines))) = items.blocking_recv() {
                let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
                assert!(bytes <= 2 * LONGEST, "{bytes}");
                waiting += bytes;
            }
        }
        assert!(waiting <= 4 << 20, "{waiting}");
        // The rest comes when it is asked for, and nothing of it is missing.
        let mut lines = waiting / LONGEST;
        while lines < 64 {
            if let Some(Ok(query::Item::Lines(more))) = items.blocking_recv() {
                lines += more.len();
            }
        }
        drop(items);
        bell.ring();
        wait_until(|| follower.is_finished());
    });
}

#[test]
fn a_follower_ends_when_nothing_that_is_asked_for_can_come() {
    let home = tempfile::tempdir().expect("a folder");
    let query = Query {
        after: After::Live,
        until: 1000,
        ..everything()
    };
    let (sender, mut items) = mpsc::channel(4);
    query::answer(&query, home.path(), &Bell::default(), sender);
    assert!(matches!(items.try_recv(), Ok(Ok(query::Item::CaughtUp))));
    assert!(matches!(
        items.try_recv(),
        Err(mpsc::error::TryRecvError::Disconnected)
    ));
}
