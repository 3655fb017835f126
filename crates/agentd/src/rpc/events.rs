//! What happened, to those who ask: from the store, which every event is in before anybody is told.

use std::collections::BTreeSet;
use std::sync::Arc;

use eco_proto::agent::v1 as pb;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::fleet::event::Event;
use crate::fleet::select::{Names, Refused, Selection, select};
use crate::fleet::{AppKey, Fleet};
use crate::store::{Events, KEPT, Numbered, StoreError, of_event};

/// Events that are read at once.
const BATCH: usize = 500;

/// Which events are asked for.
#[derive(Debug)]
pub(super) struct Filter {
    names: Names,
    /// Apps that are there and meant by an id or a namespace.
    apps: BTreeSet<AppKey>,
}

impl Filter {
    /// Reads a selection. What it means among the apps that are there is settled now, what it means by name for all time.
    pub(super) fn new(
        fleet: &Fleet,
        selection: &Selection,
        events: &Events,
    ) -> Result<Self, Asked> {
        let names = Names::new(selection)?;
        let there = select(fleet, selection);
        let mut filter = Self {
            names,
            apps: BTreeSet::new(),
        };
        match there {
            Ok(slots) => filter.apps = slots.into_iter().map(|slot| slot.app).collect(),
            Err(refused @ Refused::NotFound { .. }) => {
                if !filter.has_any(events)? {
                    return Err(refused.into());
                }
            }
            Err(refused) => return Err(refused.into()),
        }
        Ok(filter)
    }

    fn has_any(&self, events: &Events) -> Result<bool, StoreError> {
        let mut cursor = 0;
        loop {
            let batch = read(events, cursor)?;
            let Some(last) = batch.last() else {
                return Ok(false);
            };
            cursor = last.number;
            if batch.iter().any(|one| self.matches(&one.event)) {
                return Ok(true);
            }
        }
    }

    fn matches(&self, event: &Event) -> bool {
        self.names.matches(&event.app) || self.apps.contains(&event.app)
    }
}

/// Why events cannot be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum Asked {
    /// The selection means nothing.
    #[error(transparent)]
    Selection(#[from] Refused),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Tells one caller.
#[derive(Debug)]
pub(super) struct Teller {
    pub(super) events: Events,
    pub(super) filter: Filter,
    pub(super) host: String,
    pub(super) tell: mpsc::Sender<Result<pb::Event, Status>>,
}

impl Teller {
    /// Tells the past after `after`, of that the `last` so many, and then, with `published`, what comes.
    pub(super) async fn run(
        self,
        after: u64,
        last: Option<u64>,
        published: Option<watch::Receiver<Arc<Fleet>>>,
        end: CancellationToken,
    ) {
        let told = async {
            let mut cursor = self.past(after, last).await?;
            let Some(mut published) = published else {
                return Ok(());
            };
            // The fleet is published when its changes are written, and so are their events.
            while published.changed().await.is_ok() {
                cursor = self.tell_after(cursor).await?;
            }
            Ok(())
        };
        tokio::select! {
            told = told => if let Err(Stopped::Store(error)) = told {
                let status = Status::data_loss(error.to_string());
                // Who hung up meanwhile needs no answer.
                drop(self.tell.send(Err(status)).await);
            },
            () = self.tell.closed() => {}
            () = end.cancelled() => {}
        }
    }

    async fn past(&self, after: u64, last: Option<u64>) -> Result<u64, Stopped> {
        let after = match last {
            None => after,
            Some(count) => after.max(self.start_of_last(count)?),
        };
        self.tell_after(after).await
    }

    /// The number after which exactly the last `count` events that match are.
    fn start_of_last(&self, count: u64) -> Result<u64, Stopped> {
        let mut numbers = Vec::new();
        let mut cursor = self.events.last()?.saturating_sub(KEPT);
        loop {
            let batch = read(&self.events, cursor)?;
            let Some(last) = batch.last() else { break };
            cursor = last.number;
            let matching = batch.iter().filter(|one| self.filter.matches(&one.event));
            numbers.extend(matching.map(|one| one.number));
        }
        let skipped = numbers
            .len()
            .saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        Ok(match numbers.get(skipped) {
            Some(first) => first - 1,
            None => cursor,
        })
    }

    /// Tells all after `cursor`, and returns the number of the last.
    async fn tell_after(&self, mut cursor: u64) -> Result<u64, Stopped> {
        loop {
            let batch = read(&self.events, cursor)?;
            let Some(last) = batch.last() else {
                return Ok(cursor);
            };
            cursor = last.number;
            for one in batch.iter().filter(|one| self.filter.matches(&one.event)) {
                let event = pb::Event {
                    number: one.number,
                    host: self.host.clone(),
                    ..of_event(&one.event)
                };
                self.tell
                    .send(Ok(event))
                    .await
                    .map_err(|_| Stopped::HungUp)?;
            }
        }
    }
}

/// Why a caller is told no more.
enum Stopped {
    HungUp,
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The next events; those that are not understood are reported and left out.
fn read(events: &Events, after: u64) -> Result<Vec<Numbered>, StoreError> {
    let mut cursor = after;
    loop {
        let batch = events.after(cursor, BATCH)?;
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let mut understood = Vec::with_capacity(batch.len());
        for one in batch {
            match one {
                Ok(event) => understood.push(event),
                Err(record) => tracing::warn!(%record, "left out"),
            }
        }
        if !understood.is_empty() || count == 0 {
            return Ok(understood);
        }
        cursor = cursor.saturating_add(count);
    }
}
