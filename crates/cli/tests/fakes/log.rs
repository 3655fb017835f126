//! A log daemon with lines to tell.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use eco_home::{Daemon, Home};
use eco_proto::log::v1::log_server::{Log, LogServer};
use eco_proto::log::v1::query_item::Item;
use eco_proto::log::v1::*;
use tokio_stream::{Stream as Items, StreamExt as _};
use tonic::{Request, Response, Streaming};

use super::Server;

/// A line of an app's stdout.
#[derive(Clone, Copy)]
pub struct Written {
    pub app: &'static str,
    pub run: u64,
    pub offset: u64,
    pub time: u64,
    pub text: &'static str,
    /// Told where somebody asks to recognise.
    pub level: i32,
    pub joined: bool,
}

/// The daemon, and what it was asked.
#[derive(Clone, Default)]
pub struct FakeLog {
    pub history: Vec<Written>,
    pub live: Vec<Written>,
    pub asked: Arc<Mutex<Vec<QueryRequest>>>,
    pub flushed: Vec<Flushed>,
    pub flushes: Arc<Mutex<Vec<FlushRequest>>>,
    /// What is told after the history of the first line's source.
    pub gap: Option<Gap>,
    pub counted: Vec<StatsItem>,
    pub counts: Arc<Mutex<Vec<StatsRequest>>>,
    /// What it answers to every query instead.
    pub refusal: Option<tonic::Status>,
}

impl FakeLog {
    pub fn start(&self, home: &Home) -> Server {
        let router = tonic::transport::Server::builder().add_service(LogServer::new(self.clone()));
        Server::start(home, Daemon::Log, router)
    }

    fn items(&self, request: &QueryRequest) -> Vec<QueryItem> {
        let since = request.since_ns.unwrap_or(0);
        let until = request.until_ns.unwrap_or(u64::MAX);
        let mut history: Vec<Written> = self
            .history
            .iter()
            .filter(|line| {
                (since..until).contains(&line.time)
                    && request.matches.iter().all(|one| fits(one, line))
            })
            .copied()
            .collect();
        let last = request.last.map(|last| usize::try_from(last).unwrap());
        let skipped = last.map_or(0, |last| history.len().saturating_sub(last));
        history.drain(..skipped);
        let mut ids = BTreeMap::new();
        let mut items = Vec::new();
        for line in &history {
            tell(line, request.recognise, &mut ids, &mut items);
        }
        let source = ids.values().next().copied();
        if let (Some(gap), Some(source)) = (self.gap, source) {
            items.push(Item::Gap(Gap { source, ..gap }));
        }
        items.push(Item::CaughtUp(CaughtUp {}));
        if request.follow {
            for line in &self.live {
                tell(line, request.recognise, &mut ids, &mut items);
            }
        }
        items
            .into_iter()
            .map(|item| QueryItem { item: Some(item) })
            .collect()
    }
}

fn tell(
    line: &Written,
    recognise: bool,
    ids: &mut BTreeMap<(&'static str, u64), u32>,
    items: &mut Vec<Item>,
) {
    let next = u32::try_from(ids.len()).unwrap() + 7;
    let id = *ids.entry((line.app, line.run)).or_insert_with(|| {
        items.push(Item::Source(Source {
            id: next,
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: line.app.to_owned(),
            run: line.run,
            stream: Stream::Out.into(),
            ..Source::default()
        }));
        next
    });
    items.push(Item::Lines(Lines {
        lines: vec![Line {
            source: id,
            offset: line.offset,
            time_ns: line.time,
            text: line.text.into(),
            level: if recognise { line.level } else { 0 },
            joined: recognise && line.joined,
            ..Line::default()
        }],
    }));
}

/// Knows names and runs.
fn fits(one: &Match, line: &Written) -> bool {
    let is_app = ["", "*", line.app].contains(&one.app.as_str());
    is_app && one.run.is_none_or(|run| run == line.run)
}

type Answer<T> = Result<T, tonic::Status>;

#[tonic::async_trait]
impl Log for FakeLog {
    type QueryStream = Pin<Box<dyn Items<Item = Answer<QueryItem>> + Send>>;
    type StatsStream = Pin<Box<dyn Items<Item = Answer<StatsItem>> + Send>>;
    type ShipStream = Pin<Box<dyn Items<Item = Answer<ChunkAck>> + Send>>;

    async fn ping(&self, _: Request<PingRequest>) -> Answer<Response<PingReply>> {
        Ok(Response::new(PingReply::default()))
    }

    async fn query(&self, request: Request<QueryRequest>) -> Answer<Response<Self::QueryStream>> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        let request = request.into_inner();
        let items = tokio_stream::iter(self.items(&request)).map(Ok);
        let follow = request.follow;
        self.asked.lock().unwrap().push(request);
        Ok(Response::new(if follow {
            Box::pin(items.chain(tokio_stream::pending()))
        } else {
            Box::pin(items)
        }))
    }

    async fn runs(&self, request: Request<RunsRequest>) -> Answer<Response<RunsReply>> {
        let request = request.into_inner();
        let mut runs: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
        for line in &self.history {
            if request.matches.iter().all(|one| fits(one, line)) {
                runs.entry(line.app).or_default().insert(line.run);
            }
        }
        let slot = |(app, runs): (&str, BTreeSet<u64>)| Slot {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: app.to_owned(),
            instance: 0,
            runs: runs.into_iter().rev().collect(),
        };
        Ok(Response::new(RunsReply {
            slots: runs.into_iter().map(slot).collect(),
        }))
    }

    async fn stats(&self, request: Request<StatsRequest>) -> Answer<Response<Self::StatsStream>> {
        self.counts.lock().unwrap().push(request.into_inner());
        let items = tokio_stream::iter(self.counted.clone()).map(Ok);
        Ok(Response::new(Box::pin(items)))
    }

    async fn flush(&self, request: Request<FlushRequest>) -> Answer<Response<FlushReply>> {
        self.flushes.lock().unwrap().push(request.into_inner());
        Ok(Response::new(FlushReply {
            flushed: self.flushed.clone(),
            ..FlushReply::default()
        }))
    }

    async fn reopen(&self, _: Request<ReopenRequest>) -> Answer<Response<ReopenReply>> {
        Err(tonic::Status::unimplemented("not in this test"))
    }

    async fn feed(&self, _: Request<Streaming<FeedItem>>) -> Answer<Response<FeedSummary>> {
        Err(tonic::Status::unimplemented("not in this test"))
    }

    async fn ship(&self, _: Request<Streaming<Chunk>>) -> Answer<Response<Self::ShipStream>> {
        Err(tonic::Status::unimplemented("not in this test"))
    }

    async fn shutdown(&self, _: Request<ShutdownRequest>) -> Answer<Response<ShutdownReply>> {
        Ok(Response::new(ShutdownReply {}))
    }
}
