//! Counts: as facts, and against what the lines themselves say.

use eco_home::runs::Stream;
use eco_proto::log::v1 as pb;
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::tempdir;
use tokio::sync::mpsc;

use super::world::{Served, Writer, everything, run_id};
use crate::query::Query;
use crate::query::stats::{self, Tally};
use crate::tail::Bell;

fn count(runs: &std::path::Path, query: &Query, length: u64) -> Vec<Tally> {
    let (sender, mut tallies) = mpsc::channel(10_000);
    stats::count(query, length, runs, &Bell::default(), &sender);
    std::iter::from_fn(|| tallies.try_recv().ok())
        .map(|tally| tally.expect("complete"))
        .collect()
}

#[tokio::test]
async fn what_apps_wrote_is_counted_by_bucket_app_and_level() {
    let served = Served::start();
    let mut client = served.client().await;
    let runs = served.home.runs();
    let chunks: &[(&[u8], u64)] = &[(b"ERROR: a\n  at b\n", 5), (b"c\n", 19), (b"WARN: d", 40)];
    Writer::ended(&runs, &run_id("web", 1), Stream::Err, &[chunks]);
    Writer::ended(
        &runs,
        &run_id("web", 2),
        Stream::Out,
        &[&[(b"INFO: e\n", 41)]],
    );
    Writer::ended(&runs, &run_id("api", 1), Stream::Out, &[&[(b"f\n", 6)]]);
    let mut ask = async |query: Option<pb::QueryRequest>, bucket_ns| {
        let request = pb::StatsRequest { query, bucket_ns };
        let mut items = client.stats(request).await.expect("answered").into_inner();
        let mut told = Vec::new();
        while let Some(item) = items.message().await.expect("goes on") {
            assert_eq!(
                (item.host.as_str(), item.environment.as_str()),
                ("box", "dev")
            );
            let levels = item.levels.iter().map(u64::to_string).collect::<String>();
            told.push(format!(
                "{} {}..{} {} lines {} bytes {} records {levels}",
                item.app, item.from_ns, item.to_ns, item.lines, item.bytes, item.records
            ));
        }
        told
    };
    assert_eq!(
        ask(None, 20).await,
        [
            "api 0..20 1 lines 2 bytes 1 records 1000000",
            "web 0..20 3 lines 18 bytes 2 records 1000010",
            "web 40..60 2 lines 15 bytes 2 records 0001100",
        ]
    );
    assert_eq!(
        ask(None, 0).await,
        [
            "api 6..6 1 lines 2 bytes 1 records 1000000",
            "web 5..41 5 lines 33 bytes 4 records 1001110",
        ]
    );
    let errors = pb::QueryRequest {
        level: pb::Level::Error.into(),
        last: Some(0),
        follow: true,
        ..pb::QueryRequest::default()
    };
    assert_eq!(
        ask(Some(errors), 0).await,
        ["web 5..5 2 lines 16 bytes 1 records 0000010"]
    );
    served.stop();
}

#[tokio::test]
async fn a_condition_that_is_none_is_refused_where_it_counts_too() {
    let served = Served::start();
    let mut client = served.client().await;
    let broken = pb::StatsRequest {
        query: Some(pb::QueryRequest {
            grep: vec!["(".to_owned()],
            ..pb::QueryRequest::default()
        }),
        bucket_ns: 0,
    };
    let refused = client.stats(broken).await.expect_err("refused");
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    served.stop();
}

#[test]
fn whoever_goes_is_not_counted_for() {
    let home = tempdir().expect("a folder");
    let lines = "x\n".repeat(100);
    for run in 1..=3 {
        Writer::ended(
            home.path(),
            &run_id("api", run),
            Stream::Out,
            &[&[(lines.as_bytes(), run)]],
        );
    }
    let (sender, tallies) = mpsc::channel(1);
    drop(tallies);
    // It would wait for ever for room in the channel.
    stats::count(&everything(), 1, home.path(), &Bell::default(), &sender);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn buckets_go_forwards_and_together_hold_every_line_once(
        scripts in vec(vec((0_u64..30, 1_usize..20), 0..30), 1..4), length in 0_u64..50
    ) {
        let home = tempdir().expect("a folder");
        let (mut lines, mut bytes) = (0, 0);
        for (index, script) in scripts.iter().enumerate() {
            let mut writer = Writer::new(home.path(), &run_id(&format!("app{}", index % 2), index as u64), Stream::Out);
            // Also clocks that are set back.
            for (time, size) in script {
                writer.write(format!("{}\n", "x".repeat(*size)).as_bytes(), *time + 1);
                lines += 1;
                bytes += *size as u64 + 1;
            }
            writer.end();
        }
        let tallies = count(home.path(), &everything(), length);
        prop_assert_eq!(tallies.iter().map(|tally| tally.count.lines).sum::<u64>(), lines);
        prop_assert_eq!(tallies.iter().map(|tally| tally.count.bytes).sum::<u64>(), bytes);
        for tally in &tallies {
            prop_assert_eq!(tally.count.levels.iter().sum::<u64>(), tally.count.records);
            prop_assert!(length == 0 || tally.to - tally.from == length && tally.from % length == 0);
        }
        for pair in tallies.windows(2) {
            prop_assert!((length > 0 && pair[0].from < pair[1].from) || pair[0].app < pair[1].app);
        }
    }
}
