//! The events, by their numbers: only the last of them are kept.
//!
//! ```text
//! tree "events"   number, u64 big-endian, from 1   what happened
//! ```

use std::time::Duration;

use eco_home::clock::nanos;
use eco_proto::agent::v1::{self as pb, EventKind};
use sled::Tree;

use super::database::{Part, Write};
use super::record::{self, of_by, of_exit, to_by, to_exit};
use super::{BadRecord, Store, StoreError};
use crate::fleet::AppKey;
use crate::fleet::event::{Event, What};

/// How many are kept.
pub const KEPT: u64 = 10_000;

/// What happened, to be read by anybody; one task writes.
#[derive(Clone, Debug)]
pub struct Events {
    store: Store,
}

/// An event and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// One more than that of the event before, from 1.
    pub number: u64,
    /// What happened.
    pub event: Event,
}

impl Events {
    pub(super) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// The number of the latest; 0: there is none.
    pub fn last(&self) -> Result<u64, StoreError> {
        self.store
            .using(|database| last(database.events()).map_err(|error| database.unread(error)))
    }

    /// Those after the number `after`, oldest first, at most `most`. What is not understood is told apart.
    pub fn after(
        &self,
        after: u64,
        most: usize,
    ) -> Result<Vec<Result<Numbered, BadRecord>>, StoreError> {
        let first = after.saturating_add(1).to_be_bytes();
        self.store.using(|database| {
            let entries = database.events().range(first..).take(most);
            entries
                .map(|entry| {
                    let (key, value) = entry.map_err(|error| database.unread(error))?;
                    let number = number(&key);
                    Ok(read(number, &value))
                })
                .collect()
        })
    }
}

/// What there is to write to the tree so that `events` are added, and the oldest go.
pub(super) fn writes(tree: &Tree, events: &[Event]) -> sled::Result<Vec<Write>> {
    let mut number = last(tree)?;
    let mut writes = Vec::new();
    let mut write = |number: u64, value| {
        writes.push(Write {
            part: Part::Events,
            key: number.to_be_bytes().to_vec(),
            value,
        });
    };
    for event in events {
        number += 1;
        write(number, Some(record::versioned(&of_event(event))));
        if let Some(old) = number.checked_sub(KEPT) {
            write(old, None);
        }
    }
    Ok(writes)
}

fn read(number: u64, value: &[u8]) -> Result<Numbered, BadRecord> {
    let key = format!("event {number}");
    let event = record::decode(key.as_bytes(), value)?;
    let event =
        to_event(event).ok_or_else(|| BadRecord::new(key.as_bytes(), "its kind is not known"))?;
    Ok(Numbered { number, event })
}

fn last(tree: &Tree) -> sled::Result<u64> {
    Ok(tree.last()?.map_or(0, |(key, _)| number(&key)))
}

/// A key that is no number comes from nobody: it counts as before all others.
fn number(key: &[u8]) -> u64 {
    key.try_into().map_or(0, u64::from_be_bytes)
}

/// An event as it is kept, and, with its number and its host, as it is told.
#[must_use]
pub(crate) fn of_event(event: &Event) -> pb::Event {
    let (kind, pid, exit, counts) = match &event.what {
        What::Registered => (EventKind::Registered, None, None, None),
        What::ConfigChanged => (EventKind::ConfigChanged, None, None, None),
        What::Scaled { from, to } => (EventKind::Scaled, None, None, Some((*from, *to))),
        What::Deleted => (EventKind::Deleted, None, None, None),
        What::Started { pid } => (EventKind::Started, Some(*pid), None, None),
        What::Ready => (EventKind::Ready, None, None, None),
        What::Exited(exit) => (EventKind::Exited, None, Some(of_exit(exit)), None),
        What::Restarted => (EventKind::Restarted, None, None, None),
        What::Stopped => (EventKind::Stopped, None, None, None),
        What::Errored => (EventKind::Errored, None, None, None),
    };
    pb::Event {
        at_ns: nanos(event.at_unix),
        environment: event.app.environment.clone(),
        name: event.app.name.clone(),
        instance: event.instance,
        run: event.run,
        kind: kind.into(),
        cause: event.cause.clone(),
        by: Some(of_by(&event.by)),
        pid,
        exit,
        from: counts.map(|(from, _)| from),
        to: counts.map(|(_, to)| to),
        ..pb::Event::default()
    }
}

/// `None`: an event of a kind that a later version knows.
fn to_event(event: pb::Event) -> Option<Event> {
    let what = match event.kind() {
        EventKind::Unspecified => return None,
        EventKind::Registered => What::Registered,
        EventKind::ConfigChanged => What::ConfigChanged,
        EventKind::Scaled => What::Scaled {
            from: event.from?,
            to: event.to?,
        },
        EventKind::Deleted => What::Deleted,
        EventKind::Started => What::Started { pid: event.pid? },
        EventKind::Ready => What::Ready,
        EventKind::Exited => What::Exited(to_exit(event.exit?)),
        EventKind::Restarted => What::Restarted,
        EventKind::Stopped => What::Stopped,
        EventKind::Errored => What::Errored,
    };
    Some(Event {
        at_unix: Duration::from_nanos(event.at_ns),
        app: AppKey {
            environment: event.environment,
            name: event.name,
        },
        instance: event.instance,
        run: event.run,
        what,
        cause: event.cause,
        by: to_by(event.by),
    })
}
