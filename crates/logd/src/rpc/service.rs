//! The service.

use std::convert::Infallible;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eco_home::runs::RunId;
use eco_proto::log::v1 as pb;
use eco_proto::log::v1::feed_item::Item as News;
use eco_proto::log::v1::log_server::Log;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::answer::{Answer, Answers};
use super::{convert, intake, settings};
use crate::eco_toml::{LastGood, Ship};
use crate::mirror::{self, Mirrors};
use crate::query::{AHEAD, Stop, stats};
use crate::replica::Receiver;
use crate::settings::Told;
use crate::tail::Bell;
use crate::{catalog, flush, query, ship};

/// Answers given at a time, each on a thread of its own.
const QUERIES: usize = 256;
/// Log daemons that ship at a time, each on a thread of its own.
const SENDERS: usize = 64;
/// Threads for them, for what is answered at once and for what we ship.
pub const THREADS: usize = QUERIES + SENDERS + 8;

/// How long a ping waits for the disk.
const GLANCE: Duration = Duration::from_millis(200);

/// Where clients come in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// The home's socket: only its owner gets there.
    #[default]
    Socket,
    /// A port of this machine: whoever runs something here gets there.
    Port,
}

/// What the daemon does for its clients.
#[derive(Clone, Debug)]
pub struct Service {
    runs: PathBuf,
    bell: Arc<Bell>,
    permits: Arc<Semaphore>,
    answers: Answers,
    /// Held while something is flushed.
    flushing: Arc<Mutex<()>>,
    mirrors: Arc<Mutex<Mirrors>>,
    told: Arc<Told>,
    shutdown: CancellationToken,
    /// Keeps what other hosts ship.
    receiver: Arc<Receiver>,
    file: Arc<LastGood>,
    senders: Arc<Semaphore>,
    /// What is shipped to whom, and the bell of who does it.
    shipping: Option<(Ship, Arc<Bell>)>,
    door: Door,
}

impl Service {
    /// Serves what is below `runs` and is copied to `mirrors`, and has `receiver` keep what others ship; ends the daemon by cancelling `shutdown`.
    #[must_use]
    pub fn new(
        runs: PathBuf,
        bell: Arc<Bell>,
        mirrors: Arc<Mutex<Mirrors>>,
        receiver: Arc<Receiver>,
        file: Arc<LastGood>,
        shutdown: CancellationToken,
    ) -> Self {
        let told = mirror::hold(&mirrors).told();
        Self {
            runs,
            bell,
            permits: Arc::new(Semaphore::new(QUERIES)),
            answers: Answers::default(),
            flushing: Arc::default(),
            mirrors,
            told,
            shutdown,
            receiver,
            file,
            senders: Arc::new(Semaphore::new(SENDERS)),
            shipping: None,
            door: Door::Socket,
        }
    }

    /// Has it ring `bell` too, for who ships as told by `ship`.
    #[must_use]
    pub fn shipping(self, ship: Ship, bell: Arc<Bell>) -> Self {
        Self {
            shipping: Some((ship, bell)),
            ..self
        }
    }

    /// The same service, for clients that come in there.
    #[must_use]
    pub fn at(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// How many answers are being given.
    #[must_use]
    pub fn answering(&self) -> usize {
        QUERIES.saturating_sub(self.permits.available_permits())
    }

    /// Refuses what only the home's owner may do.
    fn owner_only(&self, what: &str) -> Result<(), Status> {
        match self.door {
            Door::Socket => Ok(()),
            Door::Port => Err(Status::permission_denied(format!(
                "failed to {what}: that is only done through the socket of the log daemon's home"
            ))),
        }
    }

    /// Ends the answers that clients do not take.
    pub fn hang_up(&self) {
        self.answers.hang_up();
    }

    /// Answers on a thread of its own.
    fn answer<T: Send + 'static, W>(
        &self,
        convert: fn(T) -> W,
        work: impl FnOnce(&Path, &Bell, mpsc::Sender<Result<T, Stop>>) + Send + 'static,
    ) -> Result<Response<Answer<T, W>>, Status> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().map_err(|_| {
            Status::resource_exhausted(format!("{QUERIES} queries are being answered already"))
        })?;
        let (sender, items) = mpsc::channel(AHEAD);
        let (runs, bell) = (self.runs.clone(), Arc::clone(&self.bell));
        tokio::task::spawn_blocking(move || {
            work(&runs, &bell, sender);
            drop(permit);
        });
        let bell = Arc::clone(&self.bell);
        Ok(Response::new(self.answers.give(items, convert, bell)))
    }

    fn hear(&self, item: pb::FeedItem) {
        let ring = match item.item {
            Some(News::Growth(_)) => Bell::ring,
            Some(News::Logs(logs)) => {
                self.told.tell(settings::read(logs));
                Bell::ring_news
            }
            // News of a later version are worth a close look, too.
            Some(News::Started(_) | News::Ended(_)) | None => Bell::ring_news,
        };
        ring(&self.bell);
        if let Some((_, bell)) = &self.shipping {
            ring(bell);
        }
    }
}

/// Does what waits for the disk on a thread of its own.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Status>
where
    T: Send + 'static,
    E: Error + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(convert::failed(&error)),
        Err(panic) => Err(Status::internal(panic.to_string())),
    }
}

#[tonic::async_trait]
impl Log for Service {
    async fn ping(&self, _: Request<pb::PingRequest>) -> Result<Response<pb::PingReply>, Status> {
        // Read anew, for whoever has just changed it, unless the disk takes its time.
        let file = Arc::clone(&self.file);
        let reading = tokio::task::spawn_blocking(move || file.read());
        drop(tokio::time::timeout(GLANCE, reading).await);
        Ok(Response::new(pb::PingReply {
            version: eco_proto::VERSION.to_owned(),
            pid: std::process::id().cast_signed(),
            problem: self.file.problem().unwrap_or_default(),
        }))
    }

    type QueryStream = Answer<query::Item, pb::QueryItem>;

    async fn query(
        &self,
        request: Request<pb::QueryRequest>,
    ) -> Result<Response<Self::QueryStream>, Status> {
        let query =
            convert::query(request.into_inner()).map_err(|error| convert::invalid(&error))?;
        self.answer(convert::item, move |runs, bell, sender| {
            query::answer(&query, runs, bell, sender);
        })
    }

    async fn runs(
        &self,
        request: Request<pb::RunsRequest>,
    ) -> Result<Response<pb::RunsReply>, Status> {
        let filter = convert::filter(&request.into_inner().matches)
            .map_err(|error| convert::invalid(&error))?;
        let runs = self.runs.clone();
        let lives = blocking(move || catalog::list(&runs, &filter)).await?;
        Ok(Response::new(pb::RunsReply {
            slots: lives.into_iter().map(convert::slot).collect(),
        }))
    }

    type StatsStream = Answer<stats::Tally, pb::StatsItem>;

    async fn stats(
        &self,
        request: Request<pb::StatsRequest>,
    ) -> Result<Response<Self::StatsStream>, Status> {
        let (query, length) =
            convert::stats(request.into_inner()).map_err(|error| convert::invalid(&error))?;
        self.answer(convert::tally, move |runs, bell, sender| {
            stats::count(&query, length, runs, bell, &sender);
        })
    }

    async fn flush(
        &self,
        request: Request<pb::FlushRequest>,
    ) -> Result<Response<pb::FlushReply>, Status> {
        self.owner_only("flush")?;
        let filter = convert::filter(&request.into_inner().matches)
            .map_err(|error| convert::invalid(&error))?;
        let (runs, flushing) = (self.runs.clone(), Arc::clone(&self.flushing));
        let mirrors = Arc::clone(&self.mirrors);
        let receiver = Arc::clone(&self.receiver);
        let ship = self.shipping.as_ref().map(|(ship, _)| ship.clone());
        let flushed = blocking(move || {
            let is_awaited =
                |run: &RunId| ship::is_awaited(run, &runs, receiver.host(), ship.as_ref());
            // It guards the disk and no value: a panic of another thread spoils nothing.
            let _held = flushing.lock().unwrap_or_else(PoisonError::into_inner);
            let (flushed, emptied) =
                mirror::hold(&mirrors).empty(&filter, || flush::flush(&runs, &filter, is_awaited));
            flushed.map(|flushed| (flushed, emptied))
        });
        let (flushed, emptied) = flushed.await?;
        Ok(Response::new(pb::FlushReply {
            flushed: flushed.into_iter().map(convert::flushed).collect(),
            files: emptied.into_iter().map(settings::emptied).collect(),
        }))
    }

    async fn reopen(
        &self,
        _: Request<pb::ReopenRequest>,
    ) -> Result<Response<pb::ReopenReply>, Status> {
        self.owner_only("open log files again")?;
        let mirrors = Arc::clone(&self.mirrors);
        let reopened = blocking(move || Ok::<_, Infallible>(mirror::hold(&mirrors).reopen()));
        Ok(Response::new(pb::ReopenReply {
            files: reopened
                .await?
                .into_iter()
                .map(settings::reopened)
                .collect(),
        }))
    }

    async fn feed(
        &self,
        request: Request<Streaming<pb::FeedItem>>,
    ) -> Result<Response<pb::FeedSummary>, Status> {
        self.owner_only("take news")?;
        let mut items = request.into_inner();
        loop {
            let item = tokio::select! {
                item = items.message() => item?,
                () = self.shutdown.cancelled() => {
                    return Err(Status::unavailable("the log daemon is ending"));
                }
            };
            match item {
                Some(item) => self.hear(item),
                None => return Ok(Response::new(pb::FeedSummary {})),
            }
        }
    }

    type ShipStream = ReceiverStream<Result<pb::ChunkAck, Status>>;

    async fn ship(
        &self,
        request: Request<Streaming<pb::Chunk>>,
    ) -> Result<Response<Self::ShipStream>, Status> {
        let receiver = Arc::clone(&self.receiver);
        let permit = Arc::clone(&self.senders).try_acquire_owned().map_err(|_| {
            Status::resource_exhausted(format!("{SENDERS} log daemons ship to this one already"))
        })?;
        let shutdown = self.shutdown.clone();
        let acks = intake::take_in(receiver, request.into_inner(), shutdown, permit);
        Ok(Response::new(ReceiverStream::new(acks)))
    }

    async fn shutdown(
        &self,
        _: Request<pb::ShutdownRequest>,
    ) -> Result<Response<pb::ShutdownReply>, Status> {
        self.owner_only("end")?;
        self.shutdown.cancel();
        Ok(Response::new(pb::ShutdownReply {}))
    }
}
