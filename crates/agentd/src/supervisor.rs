//! The one owner of the fleet: takes inputs one after the other, writes what they changed, and only then acts.
//!
//! ```text
//!  requests ─┐                    ┌─▶ store (flushed) ─▶ keeper, feed
//!  news ─────┼─▶ fleet ─▶ changes ┤
//!  ready ────┤                    └─▶ published ─▶ rpc, probes
//!  deadline ─┘                    └─▶ replies
//! ```
//!
//! All inputs that wait are taken together and written with one flush. When the disk refuses, supervision goes on from
//! memory, whoever asked is told that it is not on disk, and the write is tried again.

mod perform;
mod preparation;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use perform::run_dir;
pub use request::{Problems, Refusal, Reply, Request, Scaled, Word, unfit};

use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::Dependency;
use eco_home::clock;
use tokio::sync::{mpsc, watch};

use crate::feed::RunNews;
use crate::fleet::event;
use crate::fleet::{AppKey, Board, By, Changes, Fleet, Outside, Report, RunKey, Sign};
use crate::keeper::{News, Order};
use crate::message::Message;
use crate::store::{Store, StoreError};
use crate::voices::Voices;

use preparation::Preparations;

/// Inputs that are taken together.
const BATCH: usize = 256;
/// Telling of the fleet may take this long without being followed by a rest.
const UNNOTICED: Duration = Duration::from_micros(500);
/// The longest rest after it.
const MOST_REST: Duration = Duration::from_millis(50);
/// After a failed write, until the next attempt.
const WRITE_AGAIN: Duration = Duration::from_secs(1);
/// How long what is being looked for is still waited for in the end; the next agent looks for it again.
const LAST_LOOKS: Duration = Duration::from_millis(500);

/// What the supervisor takes.
#[derive(Debug)]
pub enum Input {
    /// Somebody asks.
    Request(Request),
    /// The keeper tells.
    News(News),
    /// A run shows that it is ready.
    Ready(RunKey, Sign),
    /// A probe counts a run as ill, for this reason.
    Ill(RunKey, String),
    /// A run holds more memory than it may: how much.
    TooLarge(RunKey, String),
    /// A run must be replaced: by whose doing, and for which reason.
    Replace(RunKey, By, String),
    /// The clock says that an app is due.
    Due(AppKey),
    /// Something outside that an app waits for was looked at.
    Outside(AppKey, Dependency, Outside),
}

/// An answer that waits for the write.
type Answer = Box<dyn FnOnce(Option<&Arc<StoreError>>) + Send>;

/// Owns the fleet.
pub struct Supervisor {
    fleet: Fleet,
    store: Store,
    /// Where runs keep their output.
    runs: std::path::PathBuf,
    host: String,
    /// The keeper connection that orders are for; 0: none met yet.
    epoch: u64,
    /// Up to which number of it what apps say was taken, and the keeper does not know yet.
    spoken: Option<u64>,
    orders: mpsc::Sender<(u64, Order)>,
    feed: mpsc::Sender<RunNews>,
    published: watch::Sender<Arc<Fleet>>,
    board: watch::Receiver<Board>,
    voices: watch::Receiver<Voices>,
    /// The fleet as it is on disk: what differs from it is told as events.
    written: Arc<Fleet>,
    /// Runs that are about to be ordered.
    preparations: Preparations,
    /// What could not be written yet.
    unwritten: Changes,
    answers: Vec<Answer>,
    /// Who waits until nothing runs.
    resting: Vec<(u32, Reply<u32>)>,
    /// How long those who are told of the fleet took for it the last time.
    told_in: Duration,
}

/// The ends that a supervisor speaks into, and one that it hears of.
#[derive(Debug)]
pub struct Ends {
    /// To the keeper.
    pub orders: mpsc::Sender<(u64, Order)>,
    /// To the log daemon.
    pub feed: mpsc::Sender<RunNews>,
    /// To everybody.
    pub published: watch::Sender<Arc<Fleet>>,
    /// From the probes.
    pub board: watch::Receiver<Board>,
    /// What the apps say.
    pub voices: watch::Receiver<Voices>,
}

/// Lets the other tasks run that are ready to; tells how long that took.
async fn time_of_others() -> Duration {
    let before = clock::since_boot();
    tokio::task::yield_now().await;
    clock::since_boot().saturating_sub(before)
}

impl Supervisor {
    /// A supervisor of `fleet`, which is what `store` holds.
    #[must_use]
    pub fn new(
        fleet: Fleet,
        store: Store,
        runs: std::path::PathBuf,
        host: String,
        ends: Ends,
    ) -> Self {
        let Ends {
            orders,
            feed,
            published,
            board,
            voices,
        } = ends;
        let written = Arc::new(fleet.clone());
        Self {
            fleet,
            store,
            runs,
            host,
            epoch: 0,
            spoken: None,
            orders,
            feed,
            published,
            board,
            voices,
            preparations: Preparations::default(),
            unwritten: Changes::default(),
            written,
            answers: Vec::new(),
            resting: Vec::new(),
            told_in: Duration::ZERO,
        }
    }

    /// Takes inputs until nobody can send any more.
    pub async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            // Those who are told of the fleet look at all of it: what comes one by one meanwhile is told of together.
            if self.told_in > UNNOTICED {
                tokio::time::sleep(self.told_in.min(MOST_REST)).await;
            }
            let (has_deadline, pause) = (self.has_deadline(), self.pause());
            tokio::select! {
                count = inputs.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                }
                prepared = self.preparations.next() => self.launch(prepared),
                () = tokio::time::sleep(pause), if has_deadline => {}
            }
            // What was prepared changes only what it marks as changed.
            let has_inputs = !batch.is_empty();
            for input in batch.drain(..) {
                self.take(input);
            }
            self.fleet.wake(clock::since_boot(), &self.board.borrow());
            self.settle(has_inputs).await;
        }
        // What is not ready by then, the next agent looks for.
        drop(tokio::time::timeout(LAST_LOOKS, self.launch_the_last()).await);
        if let Err(error) = self.write(Changes::default()).await {
            tracing::error!(
                error = &*error as &dyn std::error::Error,
                "the last changes are lost"
            );
        }
    }

    async fn launch_the_last(&mut self) {
        while !self.preparations.are_done() {
            let prepared = self.preparations.next().await;
            self.launch(prepared);
            self.settle(false).await;
        }
    }

    fn has_deadline(&self) -> bool {
        !self.unwritten.is_clean() || self.fleet.deadline().is_some()
    }

    fn pause(&self) -> Duration {
        let due = self
            .fleet
            .deadline()
            .map(|due| due.saturating_sub(clock::since_boot()));
        let write = (!self.unwritten.is_clean()).then_some(WRITE_AGAIN);
        due.into_iter().chain(write).min().unwrap_or(WRITE_AGAIN)
    }

    fn take(&mut self, input: Input) {
        let now = clock::since_boot();
        match input {
            Input::Request(request) => self.request(now, request),
            Input::Ready(key, sign) => self.fleet.report(now, &key, Report::Ready(sign)),
            Input::Ill(key, why) => self.fleet.ill(now, &key, &why),
            Input::TooLarge(key, cause) => self.fleet.too_large(now, &key, cause),
            Input::Replace(key, by, cause) => self.fleet.replace_run(now, &key, &by, cause),
            Input::Due(app) => self.fleet.due(now, &app),
            Input::Outside(app, what, answer) => self.fleet.outside(now, &app, &what, answer),
            Input::News(News::Met {
                epoch, greeting, ..
            }) => {
                self.epoch = epoch;
                // A number of an earlier conversation, maybe with another keeper: what it was about is said again.
                self.spoken = None;
                // Decided before the greeting was heard: what of it is still missing, the comparison asks for again.
                self.fleet.drop_tasks();
                self.preparations.forget();
                for key in self.fleet.unheard_of(&greeting) {
                    if let Some(identity) = self.find(&key, &greeting.boot_id) {
                        self.fleet.report(now, &key, Report::Spawned(identity));
                    }
                }
                for stranger in self.fleet.reconcile(now, &greeting) {
                    tracing::warn!(run = %stranger, "the keeper has a run that belongs to no known app");
                }
            }
            Input::News(News::Report(key, report)) => self.report(now, &key, report),
            Input::News(News::Said(key, Message::Ready)) => {
                self.fleet.report(now, &key, Report::Ready(Sign::Message));
            }
            Input::News(News::Notified(key, notification)) => {
                if notification.is_ready {
                    self.fleet.report(now, &key, Report::Ready(Sign::Notice));
                }
            }
            Input::News(News::Spoken(number)) => self.spoken = Some(number),
            // What else apps say changes no instance: see `voices`.
            Input::News(News::Said(..) | News::Channel(..)) => {}
        }
    }

    fn report(&mut self, now: Duration, key: &RunKey, report: Report) {
        let news = match &report {
            Report::Spawned(_) => Some(RunNews::Started(key.clone())),
            Report::Gone => Some(RunNews::Ended(key.clone())),
            Report::SpawnFailed { .. } | Report::Ready(_) | Report::Exited { .. } => None,
        };
        if let Some(news) = news {
            // A wake-up: a log daemon that is behind looks by itself.
            drop(self.feed.try_send(news));
        }
        self.fleet.report(now, key, report);
    }

    /// Answers when the changes are written.
    fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, answer: Result<T, Refusal>) {
        self.answers.push(Box::new(move |failed| {
            let answer = match (answer, failed) {
                (Ok(_), Some(error)) => Err(Refusal::NotWritten(Arc::clone(error))),
                (answer, _) => answer,
            };
            // Who hung up meanwhile needs no answer.
            drop(reply.send(answer));
        }));
    }

    /// Writes, acts, publishes, answers; until nothing follows any more. Publishes also what needs no writing if `has_news`.
    async fn settle(&mut self, mut has_news: bool) {
        let mut failed = None;
        loop {
            let mut changes = self.fleet.take_changes();
            let tasks = std::mem::take(&mut changes.tasks);
            if tasks.is_empty() && changes.is_clean() && self.unwritten.is_clean() {
                break;
            }
            has_news = true;
            failed = self.write(changes).await.err();
            self.perform(tasks);
            if failed.is_some() {
                break;
            }
        }
        if failed.is_none()
            && let Some(number) = self.spoken.take()
        {
            self.order(Order::Heard(number));
        }
        if has_news {
            self.published.send_replace(Arc::new(self.fleet.clone()));
        }
        for answer in self.answers.drain(..) {
            answer(failed.as_ref());
        }
        if self.fleet.is_at_rest() {
            for (count, reply) in self.resting.drain(..) {
                // Who hung up meanwhile needs no answer.
                drop(reply.send(match &failed {
                    Some(error) => Err(Refusal::NotWritten(Arc::clone(error))),
                    None => Ok(count),
                }));
            }
        }
        if has_news {
            self.told_in = time_of_others().await;
        }
    }

    /// Writes `changes` and what could not be written before.
    async fn write(&mut self, changes: Changes) -> Result<(), Arc<StoreError>> {
        self.unwritten.apps.extend(changes.apps);
        self.unwritten.slots.extend(changes.slots);
        self.unwritten.gone.extend(changes.gone);
        if self.unwritten.is_clean() {
            return Ok(());
        }
        let fleet = Arc::new(self.fleet.clone());
        let events = event::events(&self.written, &fleet, &self.unwritten, clock::unix());
        let (store, unwritten) = (self.store.clone(), self.unwritten.clone());
        let to_write = Arc::clone(&fleet);
        let commit = move || store.commit(&to_write, &unwritten, &events);
        let written = tokio::task::spawn_blocking(commit).await;
        match written.expect("a commit does not panic and is not cancelled") {
            Ok(()) => {
                self.unwritten = Changes::default();
                self.written = fleet;
                Ok(())
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "not on disk");
                Err(Arc::new(error))
            }
        }
    }
}
