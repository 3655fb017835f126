//! What the thread does: takes orders, hears the kernel, looks where it cannot tell.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use eco_home::clock;
use tokio::sync::watch;

use super::eyes::{Order, Pace, Sights, Status, Statuses};
use super::judge::Judge;
use super::limit::{Limits, message};
use super::look::Look;
use super::ours::Ours;
use super::rules::BadRule;
use super::scope::Scope;
use super::tree::{Extent, ScopeId, Source, Trees};
use crate::machine::Tick;
use crate::os::inotify::{self, Refusal, What};

/// A look is followed by this many times the time it took, at least, so that looking is never most of what is done.
const REST_FACTOR: u32 = 20;
/// Readings of the kernel's news until orders are looked at again.
const READINGS: usize = 1024;
/// Files may be this much older than the moment they were written: the clock of a file system is coarse.
const COARSE: Duration = Duration::from_secs(1);

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
pub(super) struct Seer<S: Source> {
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
    /// One that takes orders, and is told of them by a bell; it tells what it sees, and how.
    pub(super) fn new(
        source: S,
        pace: Pace,
        (orders, bell): (Receiver<Order>, UnixStream),
        (sights, statuses): (Arc<Sights>, watch::Sender<Arc<Statuses>>),
    ) -> Self {
        Self {
            orders,
            bell,
            sights,
            statuses,
            trees: Trees::new(source),
            watched: BTreeMap::new(),
            last_id: 0,
            ours: Arc::default(),
            pace,
            heard_all_at: clock::unix(),
        }
    }

    /// Goes on until nobody can give orders any more.
    pub(super) fn run(mut self) {
        while self.take_orders() {
            self.hear();
            self.look_where_due();
            self.publish();
            if let Err(error) = self.rest() {
                tracing::error!(%error, "no changed files are heard of until this is begun again");
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
