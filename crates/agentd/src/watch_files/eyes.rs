//! The thread that sees changes: reading folders and hearing the kernel would keep everybody else waiting.
//!
//! ```text
//!  orders (scopes to watch) ─┐                  ┌─▶ sights: scope ─▶ what changed first, and when last
//!  the kernel's events ──────┼─▶ trees, looks ──┤
//!  the time of the next look ┘                  └─▶ statuses: scope ─▶ how it is watched
//! ```
//!
//! It begins with the first scope and ends with whoever gives the orders. Where the kernel cannot tell of a whole scope, all
//! of it is looked at instead, as often as that is cheap, and the kernel is asked again now and then.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::kernel::Kernel;
use super::ours::Ours;
use super::rules::BadRule;
use super::scope::Scope;
use super::seer::Seer;
use super::tree::Source;
use crate::machine::Tick;

/// How long is rested where the kernel cannot tell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Between two looks.
    pub(super) look_every: Duration,
    /// Between two attempts to have the kernel tell after all.
    pub(super) ask_every: Duration,
}

const PACE: Pace = Pace {
    look_every: Duration::from_secs(2),
    ask_every: Duration::from_secs(60),
};
/// Orders that wait: more than there are apps, since who gives them must not wait for a thread that reads folders.
const ORDERS: usize = 65_536;

/// What is ordered.
pub(super) enum Order {
    /// Watch this.
    Watch(Arc<Scope>),
    /// Watch this no longer.
    Forget(Arc<Scope>),
    /// These files are eco's own, wherever they are.
    Ours(Arc<Ours>),
}

/// What was seen and not yet acted upon: of each scope the first change, and the time of the last.
#[derive(Debug, Default)]
pub(super) struct Sights {
    seen: Mutex<BTreeMap<Arc<Scope>, (PathBuf, Tick)>>,
    /// Something was seen, or nothing can be seen any more.
    pub(super) news: Notify,
}

impl Sights {
    /// Takes all of them.
    pub(super) fn take(&self) -> BTreeMap<Arc<Scope>, (PathBuf, Tick)> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds one.
    pub(super) fn add(&self, scope: &Arc<Scope>, path: PathBuf, at: Tick) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(Arc::clone(scope))
            .and_modify(|(_, last)| *last = at)
            .or_insert((path, at));
        self.news.notify_one();
    }
}

/// How a scope is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How many folders are watched, or looked at.
    pub folders: usize,
    /// Folders that may not be read, of which nothing is seen.
    pub denied: Vec<PathBuf>,
    /// How often they are looked at; `None`: the kernel tells.
    pub looks_every: Option<Duration>,
    /// Why they are looked at though nobody asked for it, as sentences.
    pub problem: Option<String>,
    /// Rules that mean nothing.
    pub bad: Vec<BadRule>,
}

/// How all scopes are watched.
pub type Statuses = BTreeMap<Arc<Scope>, Status>;

/// Tells of the thread's end, however it ends.
struct Farewell(Arc<Sights>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.news.notify_one();
    }
}

/// Gives orders. The thread ends when it is dropped.
#[derive(Debug)]
pub(super) struct Eyes {
    orders: SyncSender<Order>,
    bell: UnixStream,
}

impl Eyes {
    /// Begins the thread.
    pub(super) fn open(
        sights: Arc<Sights>,
        statuses: watch::Sender<Arc<Statuses>>,
    ) -> io::Result<Self> {
        Self::with(Kernel::default(), PACE, sights, statuses)
    }

    pub(super) fn with(
        source: impl Source + Send + 'static,
        pace: Pace,
        sights: Arc<Sights>,
        statuses: watch::Sender<Arc<Statuses>>,
    ) -> io::Result<Self> {
        let (orders, taken) = sync_channel(ORDERS);
        let (bell, heard) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        heard.set_nonblocking(true)?;
        let farewell = Farewell(Arc::clone(&sights));
        let seer = Seer::new(source, pace, (taken, heard), (sights, statuses));
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                // Told when the other end of the bell is closed.
                let _farewell = farewell;
                seer.run();
            })?;
        Ok(Self { orders, bell })
    }

    /// Whether the thread has ended, and nothing is watched any more. [`Sights::news`] tells of it.
    pub(super) fn are_shut(&self) -> bool {
        // Nothing is ever said to this end of the bell.
        match (&self.bell).read(&mut [0]) {
            Ok(count) => count == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    /// Gives an order.
    pub(super) fn order(&self, order: Order) {
        // A thread that has ended, and a bell that rings already, need nothing.
        drop(self.orders.send(order));
        drop((&self.bell).write(b"!"));
    }
}
