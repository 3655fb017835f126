//! The daemon's life, and its clients'.

use std::sync::{Arc, Mutex};

use eco_home::runs::Stream;
use eco_home::{Daemon, Home};
use eco_proto::log::v1 as pb;
use eco_proto::log::v1::log_client::LogClient;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::world::{Listener, PATIENCE, Served, Writer, run_id};
use crate::daemon::{self, Ended, Manner};
use crate::eco_toml::LastGood;
use crate::mirror::Mirrors;
use crate::replica::{Durability, Receiver};
use crate::rpc::Service;
use crate::tail::Bell;

fn follow() -> pb::QueryRequest {
    pb::QueryRequest {
        follow: true,
        ..pb::QueryRequest::default()
    }
}

#[tokio::test]
async fn a_second_daemon_leaves_and_the_socket_goes_with_the_first() {
    let served = Served::start();
    let mut client = served.client().await;
    let reply = client
        .ping(pb::PingRequest {})
        .await
        .expect("there")
        .into_inner();
    assert_eq!(reply.pid, std::process::id().cast_signed());
    let home = served.home.clone();
    let ended = daemon::run(&home, &Manner::default(), std::future::pending()).await;
    assert_eq!(ended.expect("no error"), Ended::Taken);
    served.stop();
    assert!(!home.socket(Daemon::Log).exists());
}

#[tokio::test]
async fn shutdown_ends_followers_and_feeds_and_says_so() {
    let served = Served::start();
    let mut client = served.client().await;
    let mut listener = Listener::ask(&mut client, follow()).await;
    listener.caught_up().await;
    let mut feeding = client.clone();
    let feed = tokio::spawn(async move { feeding.feed(tokio_stream::pending()).await });
    client
        .shutdown(pb::ShutdownRequest {})
        .await
        .expect("taken");
    let status = listener.next().await.expect_err("not complete");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let status = feed.await.expect("no panic").expect_err("broken off");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    served.stop();
}

#[tokio::test]
async fn a_client_that_does_not_read_does_not_hold_up_the_end() {
    let served = Served::start();
    let mut client = served.client().await;
    let text = [vec![b'x'; 99], vec![b'\n']].concat().repeat(300_000);
    Writer::ended(
        &served.home.runs(),
        &run_id("api", 1),
        Stream::Out,
        &[&[(&text, 1)]],
    );
    let mut listener = Listener::ask(&mut client, follow()).await;
    listener.text().await;
    served.stop();
}

#[tokio::test]
async fn the_runs_that_there_are_are_told() {
    let served = Served::start();
    let mut client = served.client().await;
    for (app, run) in [("api", 9), ("api", 10), ("web", 1)] {
        let runs = served.home.runs();
        Writer::ended(&runs, &run_id(app, run), Stream::Out, &[&[(b"x\n", 1)]]);
    }
    let matches = vec![pb::Match {
        app: "a*".to_owned(),
        ..pb::Match::default()
    }];
    let reply = client.runs(pb::RunsRequest { matches }).await;
    let [slot] = &reply.expect("answered").into_inner().slots[..] else {
        panic!("one app matches");
    };
    assert_eq!(
        (slot.app.as_str(), slot.runs.as_slice()),
        ("api", &[10, 9][..])
    );
    served.stop();
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let served = Served::start();
    let mut client = served.client().await;
    let request = pb::QueryRequest {
        matches: vec![pb::Match {
            environment: "{".to_owned(),
            app: String::new(),
            ..pb::Match::default()
        }],
        ..pb::QueryRequest::default()
    };
    let status = client.query(request).await.expect_err("a broken pattern");
    assert_eq!(status.code(), Code::InvalidArgument);
    served.stop();
}

#[tokio::test]
async fn an_answer_ends_with_its_client() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::find(Some(folder.path()), None).expect("a home");
    home.prepare().expect("prepared");
    let path = home.socket(Daemon::Log);
    let listener = UnixListener::bind(&path).expect("bound");
    let (shutdown, bell) = (CancellationToken::new(), Arc::new(Bell::default()));
    let mirrors = Mirrors::load(home.mirrors(), home.runs());
    let mirrors = Arc::new(Mutex::new(mirrors));
    let receiver = Receiver::new(
        home.runs(),
        "box".to_owned(),
        Durability::Process,
        Arc::clone(&bell),
    );
    let receiver = Arc::new(receiver);
    let service = Service::new(
        home.runs(),
        Arc::clone(&bell),
        mirrors,
        receiver,
        Arc::new(LastGood::new(home.root())),
        shutdown.clone(),
    );
    let watched = service.clone();
    let served = {
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            daemon::serve(listener, service, &bell, shutdown, std::future::pending()).await
        })
    };
    let channel = eco_home::connect::unix(path).await.expect("connected");
    let mut client = LogClient::new(channel);
    let mut first = Listener::ask(&mut client, follow()).await;
    let mut second = Listener::ask(&mut client, follow()).await;
    first.caught_up().await;
    second.caught_up().await;
    assert_eq!(watched.answering(), 2);
    drop(first);
    reaches(&watched, 1).await;
    drop((second, client));
    reaches(&watched, 0).await;
    shutdown.cancel();
    served.await.expect("no panic").expect("served");
}

async fn reaches(service: &Service, answers: usize) {
    let reached = async {
        while service.answering() != answers {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, reached)
        .await
        .expect("in time");
}
