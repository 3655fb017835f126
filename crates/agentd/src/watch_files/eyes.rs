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
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eco_home::clock;
use tokio::sync::{Notify, watch};

use super::judge::Judge;
use super::kernel::Kernel;
use super::limit::{Limits, message};
use super::look::Look;
use super::ours::Ours;
use super::rules::BadRule;
use super::scope::Scope;
use super::tree::{Extent, ScopeId, Source, Trees};
use crate::machine::Tick;
use crate::os::inotify::{self, Refusal, What};

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
/// A look is followed by this many times the time it took, at least, so that looking is never most of what is done.
const REST_FACTOR: u32 = 20;
/// Orders that wait: more than there are apps, since who gives them must not wait for a thread that reads folders.
const ORDERS: usize = 65_536;
/// Readings of the kernel's news until orders are looked at again.
const READINGS: usize = 1024;
/// Files may be this much older than the moment they were written: the clock of a file system is coarse.
const COARSE: Duration = Duration::from_secs(1);

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
    /// Something was seen.
    pub(super) news: Notify,
}

impl Sights {
    /// Takes all of them.
    pub(super) fn take(&self) -> BTreeMap<Arc<Scope>, (PathBuf, Tick)> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, scope: &Arc<Scope>, path: PathBuf, at: Tick) {
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
        let seer = Seer {
            orders: taken,
            bell: heard,
            sights,
            statuses,
            trees: Trees::new(source),
            watched: BTreeMap::new(),
            last_id: 0,
            ours: Arc::default(),
            pace,
            heard_all_at: clock::unix(),
        };
        std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || seer.run())?;
        Ok(Self { orders, bell })
    }

    /// Gives an order.
    pub(super) fn order(&self, order: Order) {
        // A thread that has ended, and a bell that rings already, need nothing.
        drop(self.orders.send(order));
        drop((&self.bell).write(b"!"));
    }
}

/// A scope, and how it is watched.
struct Watched {
    scope: Arc<Scope>,
    judge: Arc<Judge>,
    bad: Vec<BadRule>,
    way: Way,
}

/// How changes of a scope are seen.
enum Way {
    /// The kernel tells.
    Told,
    /// It is looked at.
    Looked {
        last: Look,
        every: Duration,
        due: Tick,
        /// Why, where nobody asked for it.
        problem: Option<String>,
        /// When the kernel is asked again.
        ask_at: Option<Tick>,
    },
}

/// The thread's own.
struct Seer<S: Source> {
    orders: Receiver<Order>,
    bell: UnixStream,
    sights: Arc<Sights>,
    statuses: watch::Sender<Arc<Statuses>>,
    trees: Trees<S>,
    watched: BTreeMap<ScopeId, Watched>,
    last_id: u32,
    ours: Arc<Ours>,
    pace: Pace,
    /// When nothing was left that the kernel had not told, since 1970.
    heard_all_at: Duration,
}

impl<S: Source> Seer<S> {
    fn run(mut self) {
        while self.take_orders() {
            self.hear();
            self.look_where_due();
            self.publish();
            if let Err(error) = self.rest() {
                tracing::error!(%error, "files are not watched any more");
                return;
            }
        }
    }

    /// Returns whether more may come.
    fn take_orders(&mut self) -> bool {
        let mut rung = [0; 64];
        while matches!((&self.bell).read(&mut rung), Ok(count) if count > 0) {}
        loop {
            match self.orders.try_recv() {
                Ok(Order::Watch(scope)) => self.watch(scope),
                Ok(Order::Forget(scope)) => self.forget(&scope),
                Ok(Order::Ours(files)) => self.ours = files,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn watch(&mut self, scope: Arc<Scope>) {
        self.last_id += 1;
        let id = ScopeId(self.last_id);
        let (judge, bad) = Judge::new(Arc::clone(&scope));
        let judge = Arc::new(judge);
        for rule in &bad {
            tracing::warn!(
                rule = rule.text,
                why = rule.why,
                "a rule of what to watch means nothing"
            );
        }
        let way = match scope.polling {
            Some(every) => self.looked(&judge, every, None),
            None => match self.trees.watch(id, &judge) {
                Ok(()) => Way::Told,
                Err(error) => self.refused(&judge, &error),
            },
        };
        let watched = Watched {
            scope,
            judge,
            bad,
            way,
        };
        self.watched.insert(id, watched);
    }

    fn forget(&mut self, scope: &Scope) {
        let ids: Vec<ScopeId> = self
            .watched
            .iter()
            .filter(|(_, watched)| *watched.scope == *scope)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.trees.forget(id);
            self.watched.remove(&id);
        }
    }

    /// The kernel does not tell of all of a scope: it is looked at instead.
    fn refused(&self, judge: &Judge, error: &io::Error) -> Way {
        let problem = message(&Refusal::of(error), Limits::read());
        let root = judge.scope().roots.first().map(|root| root.path.display());
        tracing::error!(
            root = root.map(tracing::field::display),
            "{problem} Until then its files are looked at every {} s or more",
            self.pace.look_every.as_secs()
        );
        self.looked(judge, self.pace.look_every, Some(problem))
    }

    fn looked(&self, judge: &Judge, every: Duration, problem: Option<String>) -> Way {
        let began = clock::since_boot();
        let last = Look::at(judge, &|path| !self.ours.covers(path));
        let now = clock::since_boot();
        Way::Looked {
            last,
            every,
            due: next_look(every, began, now),
            ask_at: problem.as_ref().map(|_| now + self.pace.ask_every),
            problem,
        }
    }

    /// Takes what the kernel tells, some of it where there is no end.
    fn hear(&mut self) {
        for _ in 0..READINGS {
            let events = match self.trees.source_mut().read() {
                Ok(events) => events,
                Err(error) => {
                    tracing::error!(%error, "cannot hear of changed files");
                    return;
                }
            };
            if events.is_empty() {
                self.heard_all_at = clock::unix();
                return;
            }
            for event in events {
                if event.what == What::Lost {
                    self.lost();
                    continue;
                }
                let taken = self.trees.take(&event);
                for (id, path) in taken.changes {
                    self.tell(id, path);
                }
                for (id, error) in taken.failed {
                    self.look_instead(id, &error);
                }
            }
        }
    }

    /// More happened than the kernel remembers: looks what has changed since it was last all told.
    fn lost(&mut self) {
        tracing::warn!(
            "more files changed at once than the kernel remembers: looking at all of them"
        );
        let since = self.heard_all_at.saturating_sub(COARSE);
        for id in self.watched.keys().copied().collect::<Vec<_>>() {
            let Some(watched) = self.watched.get(&id) else {
                continue;
            };
            if !matches!(watched.way, Way::Told) {
                continue;
            }
            let judge = Arc::clone(&watched.judge);
            if let Err(error) = self.trees.watch(id, &judge) {
                self.look_instead(id, &error);
            }
            let look = Look::at(&judge, &|path| !self.ours.covers(path));
            if let Some(path) = look.newer(since) {
                self.tell(id, path);
            }
        }
    }

    fn look_instead(&mut self, id: ScopeId, error: &io::Error) {
        let Some(judge) = self.watched.get(&id).map(|it| Arc::clone(&it.judge)) else {
            return;
        };
        let way = self.refused(&judge, error);
        if let Some(watched) = self.watched.get_mut(&id) {
            watched.way = way;
        }
    }

    fn look_where_due(&mut self) {
        let began = clock::since_boot();
        for id in self.watched.keys().copied().collect::<Vec<_>>() {
            let Some(watched) = self.watched.get_mut(&id) else {
                continue;
            };
            let Way::Looked {
                last,
                every,
                due,
                problem,
                ask_at,
            } = &mut watched.way
            else {
                continue;
            };
            if began < *due {
                continue;
            }
            let judge = Arc::clone(&watched.judge);
            // Watched before it is looked at, so that nothing falls between.
            let is_told =
                ask_at.is_some_and(|at| at <= began) && self.trees.watch(id, &judge).is_ok();
            let look = Look::at(&judge, &|path| !self.ours.covers(path));
            let changed = look.difference(last);
            let now = clock::since_boot();
            if is_told {
                tracing::info!(problem, "the kernel tells of changed files again");
                watched.way = Way::Told;
            } else {
                *last = look;
                *due = next_look(*every, began, now);
                *ask_at = ask_at.map(|at| {
                    if at <= began {
                        now + self.pace.ask_every
                    } else {
                        at
                    }
                });
            }
            if let Some(path) = changed {
                self.tell(id, path);
            }
        }
    }

    fn tell(&self, id: ScopeId, path: PathBuf) {
        let Some(watched) = self.watched.get(&id) else {
            return;
        };
        if !self.ours.covers(&path) {
            self.sights.add(&watched.scope, path, clock::since_boot());
        }
    }

    fn publish(&self) {
        let statuses: Statuses = self
            .watched
            .iter()
            .map(|(id, watched)| (Arc::clone(&watched.scope), self.status(*id, watched)))
            .collect();
        self.statuses.send_if_modified(|published| {
            let has_changed = **published != statuses;
            if has_changed {
                *published = Arc::new(statuses);
            }
            has_changed
        });
    }

    fn status(&self, id: ScopeId, watched: &Watched) -> Status {
        let Extent { folders, denied } = self.trees.extent(id).unwrap_or_default();
        let bad = watched.bad.clone();
        match &watched.way {
            Way::Told => Status {
                folders,
                denied,
                looks_every: None,
                problem: None,
                bad,
            },
            Way::Looked {
                last,
                every,
                problem,
                ..
            } => Status {
                folders: last.folders(),
                denied,
                looks_every: Some(*every),
                problem: problem.clone(),
                bad,
            },
        }
    }

    /// Rests until something is told or ordered, or a look is due.
    fn rest(&self) -> io::Result<()> {
        let due = self.watched.values().filter_map(|it| match &it.way {
            Way::Told => None,
            Way::Looked { due, .. } => Some(*due),
        });
        let time = due.min().map(|due| due.saturating_sub(clock::since_boot()));
        let mut ends = vec![self.bell.as_fd()];
        ends.extend(self.trees.source().end());
        inotify::rest(&ends, time)
    }
}

/// When to look again after a look: as often as asked, and seldom enough to be cheap.
fn next_look(every: Duration, began: Tick, now: Tick) -> Tick {
    now + every.max(now.saturating_sub(began) * REST_FACTOR)
}
