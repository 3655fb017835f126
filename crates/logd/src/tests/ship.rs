//! Two daemons, one of which ships to the other.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use eco_home::runs::{RunId, SHIPPED, Stream};
use eco_proto::log::v1 as pb;
use eco_proto::log::v1::log_client::LogClient;
use tonic::Code;
use tonic::transport::Endpoint;

use super::world::{Heard, Listener, PATIENCE, Served, Writer, read_all, wait_until};
use crate::daemon::{self, DaemonError, Manner};
use crate::disk::Real;
use crate::hot::{self, Item, Loss, Place, survey};

fn run_on(host: &str, app: &str) -> RunId {
    RunId {
        host: host.to_owned(),
        environment: "dev".to_owned(),
        app: app.to_owned(),
        instance: 0,
        run: 1,
    }
}

/// A port that nobody listens at.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    listener.local_addr().expect("known")
}

fn central(listen: SocketAddr) -> Served {
    let manner = Manner {
        host: "central".to_owned(),
        listen: Some(listen),
        ..Manner::default()
    };
    Served::start_as(manner, None)
}

fn shipping(host: &str, to: SocketAddr) -> Served {
    let manner = Manner {
        host: host.to_owned(),
        ..Manner::default()
    };
    Served::start_as(manner, Some(&format!("[ship]\nto = \"http://{to}\"\n")))
}

fn everything() -> pb::QueryRequest {
    pb::QueryRequest::default()
}

fn follow() -> pb::QueryRequest {
    pb::QueryRequest {
        follow: true,
        ..everything()
    }
}

/// (host, offset, time, text) of all lines of a whole answer.
async fn lines(served: &Served) -> Vec<(String, u64, u64, String)> {
    let mut client = served.client().await;
    let mut listener = Listener::ask(&mut client, everything()).await;
    let mut lines = Vec::new();
    while let Some(heard) = listener.next().await.expect("answered") {
        if let Heard::Line(line) = heard {
            let host = listener.sources[&line.source].host.clone();
            let text = String::from_utf8(line.text).expect("text");
            lines.push((host, line.offset, line.time_ns, text));
        }
    }
    lines
}

fn is_shipped(home: &Path, run: &RunId) -> bool {
    run.folder(&home.join("runs")).join(SHIPPED).exists()
}

#[tokio::test]
async fn what_is_written_here_is_read_there_with_its_host_and_times_and_followed() {
    let port = free();
    let central = central(port);
    let mut client = central.client().await;
    let mut listener = Listener::ask(&mut client, follow()).await;
    listener.caught_up().await;
    let edge = shipping("edge", port);
    let run = run_on("edge", "api");
    let mut out = Writer::new(&edge.home.runs(), &run, Stream::Out);
    let mut err = Writer::new(&edge.home.runs(), &run, Stream::Err);
    out.write(b"one\n", 1_000);
    assert_eq!(listener.text().await, "one");
    err.write(b"oh\n", 2_000);
    assert_eq!(listener.text().await, "oh");
    out.rotate();
    out.write(b"two\nthr", 3_000);
    assert_eq!(listener.text().await, "two");
    out.write(b"ee", 4_000);
    out.end();
    err.end();
    assert_eq!(listener.text().await, "three", "the end completes it");
    wait_until(|| is_shipped(edge.home.root(), &run));
    let there = lines(&central).await;
    assert_eq!(there, lines(&edge).await);
    let told: Vec<_> = there
        .iter()
        .map(|(host, offset, time, text)| (host.as_str(), *offset, *time, text.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("edge", 0, 1_000, "one"),
            ("edge", 0, 2_000, "oh"),
            ("edge", 4, 3_000, "two"),
            ("edge", 8, 4_000, "three"),
        ]
    );
    edge.stop();
    central.stop();
}

#[tokio::test]
async fn what_was_written_while_nobody_was_there_is_caught_up_with() {
    let port = free();
    let edge = shipping("edge", port);
    let run = run_on("edge", "api");
    // Longer than a chunk, and more notes than one takes.
    let mut writer = Writer::new(&edge.home.runs(), &run, Stream::Out);
    let text: Vec<u8> = (0..100_000)
        .flat_map(|n| format!("line {n}\n").into_bytes())
        .collect();
    writer.write(&text, 1_000);
    writer.end();
    let old = run_on("edge", "old");
    Writer::ended(&edge.home.runs(), &old, Stream::Out, &[&[(b"x\n", 5)]]);
    // Of other hosts nothing is passed on.
    let foreign = run_on("third", "api");
    Writer::ended(&edge.home.runs(), &foreign, Stream::Out, &[&[(b"y\n", 5)]]);
    let central = central(port);
    for app in ["api", "old"] {
        let folder = run_on("edge", app).folder(&central.home.runs());
        wait_until(|| folder.join(Stream::Out.ended()).exists());
    }
    let there = lines(&central).await;
    let of_host = |all: Vec<(String, u64, u64, String)>| {
        all.into_iter()
            .filter(|line| line.0 == "edge")
            .collect::<Vec<_>>()
    };
    assert_eq!(there.len(), 100_001);
    assert_eq!(there, of_host(lines(&edge).await));
    edge.stop();
    central.stop();
}

#[tokio::test]
async fn what_was_flushed_there_does_not_come_back() {
    let port = free();
    let central = central(port);
    let run = run_on("edge", "api");
    let edge = shipping("edge", port);
    for stream in Stream::BOTH {
        Writer::ended(&edge.home.runs(), &run, stream, &[&[(b"x\n", 5)]]);
    }
    wait_until(|| is_shipped(edge.home.root(), &run));
    let mut client = central.client().await;
    client
        .flush(pb::FlushRequest::default())
        .await
        .expect("done");
    assert_eq!(lines(&central).await, []);
    // Another run arrives after the first would have.
    let next = RunId {
        run: 2,
        ..run.clone()
    };
    for stream in Stream::BOTH {
        Writer::ended(&edge.home.runs(), &next, stream, &[&[(b"y\n", 6)]]);
    }
    wait_until(|| is_shipped(edge.home.root(), &next));
    assert_eq!(lines(&central).await.len(), 2);
    edge.stop();
    central.stop();
}

#[tokio::test]
async fn the_end_of_a_run_that_was_flushed_before_it_was_told_is_told_all_the_same() {
    let port = free();
    let run = run_on("edge", "api");
    let edge = shipping("edge", port);
    let mut writers = Stream::BOTH.map(|stream| {
        let mut writer = Writer::new(&edge.home.runs(), &run, stream);
        writer.write(b"x\n", 5);
        writer
    });
    let central = central(port);
    let there = run.folder(&central.home.runs());
    let is_kept = |stream: &Stream| {
        let kept = std::fs::metadata(there.join(stream.segment(1)));
        kept.is_ok_and(|kept| kept.len() == 2)
    };
    wait_until(|| Stream::BOTH.iter().all(is_kept));
    // While nobody receives anything, the run ends, is flushed, and its sender begins anew.
    let mut edges = vec![edge];
    let central = central.renew(|| {
        for writer in &mut writers {
            writer.write(b"y\n", 6);
            writer.end();
        }
        let edge = edges.pop().expect("there");
        let flushed = std::thread::scope(|scope| scope.spawn(|| flushed(&edge)).join());
        assert_eq!(flushed.expect("no panic"), 2);
        edges.push(edge.renew(|| {}));
    });
    let edge = edges.pop().expect("there");
    wait_until(|| is_shipped(edge.home.root(), &run));
    assert!(
        Stream::BOTH
            .iter()
            .all(|stream| there.join(stream.ended()).exists())
    );
    let texts = |lines: Vec<(String, u64, u64, String)>| {
        lines.into_iter().map(|line| line.3).collect::<Vec<_>>()
    };
    assert_eq!(texts(lines(&central).await), ["x", "x"]);
    assert_eq!(texts(lines(&edge).await), Vec::<String>::new());
    edge.stop();
    central.stop();
}

/// Has a daemon flush all it has; tells how many streams held something.
fn flushed(served: &Served) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut client = served.client().await;
        let reply = client.flush(pb::FlushRequest::default()).await;
        reply.expect("done").into_inner().flushed.len()
    })
}

#[tokio::test]
async fn of_two_senders_of_one_stream_the_second_goes_on_when_the_first_has_gone() {
    let port = free();
    let central = central(port);
    let mut client = central.client().await;
    let mut listener = Listener::ask(&mut client, follow()).await;
    listener.caught_up().await;
    let run = run_on("edge", "api");
    let first = shipping("edge", port);
    let mut left = Writer::new(&first.home.runs(), &run, Stream::Out);
    left.write(b"x\n", 1);
    assert_eq!(listener.text().await, "x");
    let second = shipping("edge", port);
    let mut right = Writer::new(&second.home.runs(), &run, Stream::Out);
    right.write(b"x\ny\n", 1);
    // Asked about after the other one: that was answered by then.
    let mut other = Writer::new(&second.home.runs(), &run_on("edge", "web"), Stream::Out);
    other.write(b"of the second\n", 2);
    assert_eq!(listener.text().await, "of the second");
    left.write(b"y\n", 3);
    assert_eq!(listener.text().await, "y");
    first.stop();
    right.write(b"z\n", 4);
    assert_eq!(listener.text().await, "z");
    let api: Vec<_> = lines(&central)
        .await
        .into_iter()
        .filter(|line| line.3.len() == 1)
        .collect();
    let told: Vec<_> = api
        .iter()
        .map(|line| (line.1, line.2, line.3.as_str()))
        .collect();
    assert_eq!(told, [(0, 1, "x"), (2, 3, "y"), (4, 4, "z")]);
    second.stop();
    central.stop();
}

async fn outside(port: SocketAddr) -> LogClient<tonic::transport::Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{port}")).expect("an address");
    let connect = async {
        loop {
            match endpoint.connect().await {
                Ok(channel) => return LogClient::new(channel),
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, connect)
        .await
        .expect("listens")
}

#[tokio::test]
async fn at_the_port_lines_are_read_and_nothing_is_taken_away() {
    let port = free();
    let central = central(port);
    let run = run_on("central", "api");
    Writer::ended(&central.home.runs(), &run, Stream::Out, &[&[(b"x\n", 5)]]);
    let mut client = outside(port).await;
    let mut listener = Listener::ask(&mut client, everything()).await;
    assert_eq!(listener.text().await, "x");
    let flush = client.flush(pb::FlushRequest::default()).await;
    let end = client.shutdown(pb::ShutdownRequest {}).await;
    let feed = client.feed(tokio_stream::pending()).await;
    let reopen = client.reopen(pb::ReopenRequest::default()).await;
    for status in [
        flush.map(drop).expect_err("refused"),
        end.map(drop).expect_err("refused"),
        feed.map(drop).expect_err("refused"),
        reopen.map(drop).expect_err("refused"),
    ] {
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        assert!(status.message().contains("through the socket"), "{status}");
    }
    assert_eq!(lines(&central).await.len(), 1);
    central.stop();
}

fn named(host: &str) -> pb::Chunk {
    pb::Chunk {
        run: Some(pb::RunId {
            host: host.to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance: 0,
            run: 1,
        }),
        stream: pb::Stream::Out.into(),
        ..pb::Chunk::default()
    }
}

/// Chunks that are refused, how, and why.
fn nonsense() -> Vec<(pb::Chunk, Code, &'static str)> {
    let of_no_stream = pb::Chunk {
        stream: 9,
        ..named("edge")
    };
    let without_notes = pb::Chunk {
        bytes: b"no note".to_vec(),
        ..named("edge")
    };
    let invalid = Code::InvalidArgument;
    vec![
        (pb::Chunk::default(), invalid, "names no run"),
        (of_no_stream, invalid, "names no stream"),
        (named(""), invalid, "names no host"),
        (without_notes, invalid, "failed to believe the notes"),
        (
            named("central"),
            Code::FailedPrecondition,
            "serves that host itself",
        ),
    ]
}

#[tokio::test]
async fn a_sender_of_nonsense_is_told_so_and_others_go_on() {
    let port = free();
    let central = central(port);
    let honest = |offset, bytes: &[u8], ended| pb::Chunk {
        offset,
        bytes: bytes.to_vec(),
        notes: vec![pb::Note {
            end: offset + bytes.len() as u64,
            time_ns: 1,
        }],
        ended,
        ..named("edge")
    };
    let mut client = outside(port).await;
    let (chunks, sent) = tokio::sync::mpsc::channel(4);
    let sent = tokio_stream::wrappers::ReceiverStream::new(sent);
    let mut acks = client.ship(sent).await.expect("taken").into_inner();
    chunks.send(honest(0, b"x\n", false)).await.expect("sent");
    assert_eq!(acks.message().await.expect("kept").expect("an ack").end, 2);
    for (nonsense, code, told) in nonsense() {
        let mut client = outside(port).await;
        let answer = client.ship(tokio_stream::once(nonsense)).await;
        let mut acks = answer.expect("taken").into_inner();
        let status = acks.message().await.expect_err("refused");
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(told), "{status}");
    }
    chunks.send(honest(2, b"y\n", true)).await.expect("sent");
    let ack = acks.message().await.expect("kept").expect("an ack");
    assert!(ack.ended && ack.end == 4, "{ack:?}");
    assert_eq!(lines(&central).await.len(), 2);
    central.stop();
}

#[tokio::test]
async fn addresses_that_others_reach_and_taken_ones_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = eco_home::Home::find(Some(folder.path()), None).expect("a home");
    let listen = |address: SocketAddr| {
        let home = home.clone();
        async move {
            let manner = Manner {
                listen: Some(address),
                ..Manner::default()
            };
            let ended = daemon::run(&home, &manner, std::future::pending()).await;
            ended.expect_err("refused")
        }
    };
    let open = listen("0.0.0.0:1".parse().expect("an address")).await;
    assert!(matches!(open, DaemonError::Open(_)), "{open}");
    assert!(open.to_string().contains("Certificates come"), "{open}");
    let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
    let taken = listen(taken.local_addr().expect("known")).await;
    assert!(matches!(taken, DaemonError::Port { .. }), "{taken}");
}

#[tokio::test]
async fn what_went_at_the_source_before_it_was_shipped_is_a_gap_with_its_reason() {
    let port = free();
    let edge = shipping("edge", port);
    let run = run_on("edge", "api");
    let mut writer = Writer::new(&edge.home.runs(), &run, Stream::Out);
    writer.write(b"old\n", 1_000);
    writer.rotate();
    writer.write(b"new\n", 2_000);
    hot::drop_piece(&Real, &writer.place(), 1).expect("dropped");
    let central = central(port);
    let place = Place::new(run.folder(&central.home.runs()), Stream::Out);
    wait_until(|| survey(&place).is_ok_and(|found| found.end() == 8));
    let gap = Item::Gap {
        offset: 0,
        bytes: 4,
        loss: Loss::Retention,
    };
    assert_eq!(read_all(&place).first(), Some(&gap));
    assert_eq!(read_all(&place).len(), 2);
    edge.stop();
    central.stop();
}

#[tokio::test]
async fn other_daemons_are_served_as_eco_toml_says_and_what_is_wrong_with_it_is_told() {
    let port = free();
    let told = format!("listen = \"{port}\"\ndurability = \"power\"\n");
    let central = Served::start_as(Manner::default(), Some(&told));
    let mut client = outside(port).await;
    let problem = |reply: pb::PingReply| reply.problem;
    let ping = client.ping(pb::PingRequest {}).await.expect("answered");
    assert_eq!(problem(ping.into_inner()), "");
    let path = central.home.root().join("eco.toml");
    std::fs::write(&path, "[logs]\nmax_agee = \"1d\"\n").expect("written");
    let ping = client.ping(pb::PingRequest {}).await.expect("answered");
    let said = problem(ping.into_inner());
    let place = format!("{}: line 2: `logs.max_agee` is not known", path.display());
    assert!(said.contains(&place), "{said}");
    // Another home cannot have the same port, and serves its own all the same.
    let second = Served::start_as(Manner::default(), Some(&told));
    let mut client = second.client().await;
    let ping = client.ping(pb::PingRequest {}).await.expect("answered");
    let said = problem(ping.into_inner());
    assert!(said.contains(&format!("listen at {port}")), "{said}");
    second.stop();
    central.stop();
}
