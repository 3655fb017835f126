//! Following what a query's conditions choose, over the socket.

use eco_home::runs::Stream;
use eco_proto::log::v1 as pb;

use super::world::{Heard, Listener, Served, Writer, run_id};

fn follow(request: pb::QueryRequest) -> pb::QueryRequest {
    pb::QueryRequest {
        follow: true,
        ..request
    }
}

async fn line(listener: &mut Listener) -> (String, pb::Level, bool) {
    match listener.next().await.expect("goes on") {
        Some(Heard::Line(line)) => {
            let level = line.level();
            let text = String::from_utf8(line.text).expect("text");
            (text, level, line.joined)
        }
        other => panic!("{other:?} is no line"),
    }
}

fn told(text: &str, level: pb::Level, joined: bool) -> (String, pb::Level, bool) {
    (text.to_owned(), level, joined)
}

/// When the last line came that a query passes, so that what joins it is near it.
fn now() -> u64 {
    eco_home::clock::nanos(eco_home::clock::unix())
}

#[tokio::test]
async fn a_record_that_begins_in_the_history_goes_on_live() {
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let mut writer = Writer::new(&runs, &run_id("api", 1), Stream::Out);
    let time = now();
    writer.write(b"INFO: a\nERROR: b\n", time);
    let request = pb::QueryRequest {
        level: pb::Level::Error.into(),
        last: Some(10),
        begun: true,
        ..pb::QueryRequest::default()
    };
    let mut listener = Listener::ask(&mut client, follow(request)).await;
    let error = pb::Level::Error;
    assert_eq!(line(&mut listener).await, told("ERROR: b", error, false));
    listener.caught_up().await;
    writer.write(b"  at c\n", time + 1);
    assert_eq!(line(&mut listener).await, told("  at c", error, true));
    writer.rotate();
    writer.write(b"INFO: d\n  at e\nERR", time + 2);
    writer.write(b"OR: f\n", time + 3);
    assert_eq!(line(&mut listener).await, told("ERROR: f", error, false));
    writer.write(b"INFO: g\nFATAL: h", time + 4);
    writer.end();
    assert_eq!(
        line(&mut listener).await,
        told("FATAL: h", pb::Level::Fatal, false)
    );
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn a_line_that_nothing_follows_comes_though_another_one_might_have_excluded_it() {
    let served = Served::start();
    let mut client = served.client().await;
    let mut writer = Writer::new(&served.home.runs(), &run_id("api", 1), Stream::Out);
    let request = pb::QueryRequest {
        exclude: vec!["health".to_owned()],
        last: Some(0),
        ..pb::QueryRequest::default()
    };
    let mut listener = Listener::ask(&mut client, follow(request)).await;
    listener.caught_up().await;
    writer.write(b"GET /health\nGET /\n", now());
    assert_eq!(line(&mut listener).await.0, "GET /");
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn lines_are_told_with_their_level_where_that_is_all_that_is_asked_for() {
    let served = Served::start();
    let mut client = served.client().await;
    let mut writer = Writer::new(&served.home.runs(), &run_id("api", 1), Stream::Out);
    let request = pb::QueryRequest {
        recognise: true,
        begun: true,
        ..pb::QueryRequest::default()
    };
    let mut listener = Listener::ask(&mut client, follow(request)).await;
    listener.caught_up().await;
    writer.write(b"{\"level\":40}\n  x\nna", now());
    assert_eq!(
        line(&mut listener).await,
        told("{\"level\":40}", pb::Level::Warn, false)
    );
    assert_eq!(
        line(&mut listener).await,
        told("  x", pb::Level::Warn, true)
    );
    let Some(Heard::Begun(begun)) = listener.next().await.expect("goes on") else {
        panic!("nothing was begun");
    };
    assert_eq!(begun.text, b"na");
    drop(listener);
    served.stop();
}

#[tokio::test]
async fn a_condition_that_is_none_is_refused_with_its_cause() {
    let served = Served::start();
    let mut client = served.client().await;
    let mut refused = async |request: pb::QueryRequest| {
        let status = client.query(request).await.expect_err("refused");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        status.message().to_owned()
    };
    let grep = |pattern: &str| pb::QueryRequest {
        grep: vec![pattern.to_owned()],
        ..pb::QueryRequest::default()
    };
    assert_eq!(
        refused(grep("a(b")).await,
        "failed to read the pattern \"a(b\": unclosed group, at character 2"
    );
    assert!(
        refused(grep(r"\w{1000}{100}"))
            .await
            .contains("it is too large")
    );
    let condition = |comparison: pb::Comparison, value: &str| pb::QueryRequest {
        r#where: vec![pb::Condition {
            path: vec!["a".to_owned()],
            comparison: comparison.into(),
            value: value.to_owned(),
        }],
        ..pb::QueryRequest::default()
    };
    assert!(
        refused(condition(pb::Comparison::Found, "["))
            .await
            .contains("unclosed character class")
    );
    assert_eq!(
        refused(condition(pb::Comparison::Unspecified, "")).await,
        "failed to know the comparison 0"
    );
    let many = pb::QueryRequest {
        exclude: vec!["x".to_owned(); 33],
        ..pb::QueryRequest::default()
    };
    assert!(refused(many).await.contains("33 conditions at once"));
    let level = pb::QueryRequest {
        level: 9,
        ..pb::QueryRequest::default()
    };
    assert!(
        refused(level)
            .await
            .starts_with("failed to know the level 9")
    );
    served.stop();
}
