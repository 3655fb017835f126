//! Following: what comes after the history.
//!
//! ```text
//!   kernel ── what is written in the folders of the runs ──▶ watch ─┐
//!                                                                   ▼
//!   agent ── Feed ──▶ bell ──────────── ring ─────────────────▶ follower: look (one fstat) ─▶ merge what is new ─▶ outlet
//!                       ▲                                           │  every 200 ms at all streams, whatever was told
//!      client gone, end of the daemon                               └─ every second, or told of news: for new runs
//! ```
//!
//! The watch is there for haste: the bell is rung by the agent, which the keeper tells a little later. And it tells which streams
//! to look at. The bell is for those in no hurry, and for streams that cannot be watched. Both say that it is worth looking,
//! never what there is to see: what they do not tell costs 200 ms, and what they tell for nothing a few system calls.
//!
//! Bytes that wait for their note ([`hot`](crate::hot)) are looked at at each wake-up, and when they are old enough to need none
//! at the latest: the note rings no bell, and may never come.
//!
//! A line is passed on when it is complete. Whoever asks for it is told before that what is there of it, each byte once:
//! that is for people who wait for a program's question, and takes nothing from the line.
//!
//! Whoever reads too slowly holds up his own thread and nobody else: it stops when [`AHEAD`](crate::query::AHEAD) batches wait for him,
//! and goes on in the files when they are taken. So he falls behind by what is kept on disk at most; what is taken away there
//! before he read it is a counted gap, and no line waits for him in memory but those batches.

mod bell;
mod live;
mod watch;

use std::collections::{HashMap, HashSet};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use eco_home::clock;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use bell::{Bell, Closed, Heard};

use crate::catalog::{self, Lives, Slot};
use crate::hot::Item;
use crate::query::merge::merge;
use crate::query::{After, Attention, Outlet, Query, Seed, Source, Stop};
use bell::Ear;
use live::{Depth, Live};
use watch::{Touched, Watch};

/// The longest time without a look.
const TICK: Duration = Duration::from_millis(200);
/// The longest time without a look for new runs, and the shortest.
const LISTING: Duration = Duration::from_secs(1);
const LISTING_REST: Duration = Duration::from_millis(50);
/// The shortest time between a look that found something and the next, and between one in vain that came as soon after the one
/// before it: what comes meanwhile goes as one batch.
const REST: Duration = Duration::from_millis(5);

/// Passes on what is written after the history: what `seeds` grow by, and all of the runs that are not in `known`. Returns
/// when nothing that is asked for can come any more.
pub fn follow(
    query: &Query,
    runs: &Path,
    known: &[Lives],
    seeds: Vec<Seed>,
    bell: &Bell,
    outlet: &mut Outlet,
) -> Result<(), Stop> {
    let attention = outlet.attention(bell);
    let senses = Senses::of(bell);
    let watch = senses.as_ref().map(|senses| &senses.watch);
    let mut follower = Follower::new(query, runs, known, seeds, watch, &attention);
    let mut woken_at = Duration::ZERO;
    loop {
        // Heard before the look: a ring during it makes for another one.
        let heard = bell.heard()?;
        outlet.check()?;
        let is_over = clock::nanos(clock::unix()) >= query.until;
        let touched = watch.map(Watch::touched).unwrap_or_default();
        follower.look(heard, &touched)?;
        let was_read = follower.pass(outlet)?;
        outlet.flush()?;
        let patience = follower.patience();
        if is_over && patience.is_none() {
            return Ok(());
        }
        let now = clock::since_boot();
        let is_hasty = now.saturating_sub(woken_at) < REST && !follower.is_held();
        woken_at = now;
        // Before the wait: the first line after a silence is not to wait for others, nor for its own note.
        if was_read || is_hasty {
            bell.rest(REST)?;
        }
        let patience = patience.unwrap_or(TICK);
        match &senses {
            Some(Senses { watch, ear, .. }) => bell.wait_or(ear, watch.as_fd(), heard, patience)?,
            None => bell.wait(heard, patience)?,
        };
    }
}

/// Followers that watch at a time. The kernel has 128 instances for all programs of a user, and the agent watches files too.
const WATCHING: usize = 32;

/// What a follower has to be told by the kernel, and by the bell meanwhile.
struct Senses<'a> {
    watch: Watch,
    ear: Ear,
    _seat: SemaphorePermit<'a>,
}

impl Senses<'_> {
    /// `None`: there are no more of them.
    fn of(bell: &Bell) -> Option<Self> {
        static SEATS: Semaphore = Semaphore::const_new(WATCHING);
        let seat = SEATS.try_acquire().ok()?;
        let (watch, ear) = Watch::begin().zip(bell.ear())?;
        Some(Self {
            watch,
            ear,
            _seat: seat,
        })
    }
}

struct Follower<'a> {
    query: &'a Query,
    runs: &'a Path,
    /// Runs that are or were followed, or were history.
    known: HashMap<Rc<Slot>, HashSet<u64>>,
    lives: Vec<Live<'a>>,
    watch: Option<&'a Watch>,
    attention: &'a Attention<'a>,
    listed_at: Option<Duration>,
    looked_at: Option<Duration>,
    news: u64,
}

impl<'a> Follower<'a> {
    fn new(
        query: &'a Query,
        runs: &'a Path,
        known: &[Lives],
        seeds: Vec<Seed>,
        watch: Option<&'a Watch>,
        attention: &'a Attention<'a>,
    ) -> Self {
        let live = |seed| Live::new(seed, query.sieve.as_ref(), watch, attention);
        let known = known.iter().map(|lives| {
            (
                Rc::new(lives.slot.clone()),
                lives.runs.iter().copied().collect(),
            )
        });
        Self {
            query,
            runs,
            known: known.collect(),
            lives: seeds.into_iter().map(live).collect(),
            watch,
            attention,
            listed_at: None,
            looked_at: None,
            news: 0,
        }
    }

    fn look(&mut self, heard: Heard, touched: &Touched) -> Result<(), Stop> {
        let now = clock::since_boot();
        let is_due =
            |at: Option<Duration>, after| at.is_none_or(|at| now.saturating_sub(at) >= after);
        let is_told = heard.news != self.news && is_due(self.listed_at, LISTING_REST);
        if is_told || is_due(self.listed_at, LISTING) {
            self.listed_at = Some(now);
            self.looked_at = None;
            self.news = heard.news;
            self.list()?;
        }
        let is_turn = is_due(self.looked_at, TICK);
        if is_turn {
            self.looked_at = Some(now);
        }
        let depth = is_turn.then_some(Depth::Look);
        for live in &mut self.lives {
            if let Some(depth) = live.depth(touched).max(depth) {
                live.look(depth)?;
            }
        }
        Ok(())
    }

    /// Whether bytes are there that have no note yet.
    fn is_held(&self) -> bool {
        self.lives.iter().any(|live| live.held().is_some())
    }

    /// How long to wait for bytes that are there and have no note yet, and for what may belong to a record that waits for it;
    /// `None`: there are none.
    fn patience(&self) -> Option<Duration> {
        let now = clock::nanos(clock::unix());
        let held = self.lives.iter().filter_map(Live::held);
        let held = held.map(|held| held.rest(now).min(TICK));
        let now = clock::since_boot();
        let waiting = self.lives.iter().filter_map(|live| live.rest_for(now));
        held.chain(waiting).min()
    }

    /// Adds the runs that are new.
    fn list(&mut self) -> Result<(), Stop> {
        let before = self.lives.len();
        for Lives { slot, runs } in catalog::list(self.runs, &self.query.filter)? {
            let slot = match self.known.get_key_value(&slot) {
                Some((slot, _)) => Rc::clone(slot),
                None => Rc::new(slot),
            };
            let known = self.known.entry(Rc::clone(&slot)).or_default();
            for run in runs {
                if known.insert(run) {
                    for &stream in &self.query.streams {
                        let source = Rc::new(Source::new(Rc::clone(&slot), run, stream));
                        let sieve = self.query.sieve.as_ref();
                        self.lives.push(Live::begin(
                            source,
                            self.runs,
                            sieve,
                            self.watch,
                            self.attention,
                        ));
                    }
                }
            }
        }
        if self.lives.len() > before {
            self.lives
                .sort_by(|left, right| left.source().key().cmp(&right.source().key()));
        }
        Ok(())
    }

    /// Passes on what is new; tells whether anything was read, whatever came of it.
    fn pass(&mut self, outlet: &mut Outlet) -> Result<bool, Stop> {
        let query = self.query;
        merge(&mut self.lives, |live, head| match &head.item.item {
            Item::Line { time, .. } if !query.covers(*time) => Ok(()),
            Item::Line { .. } | Item::Gap { .. } => outlet.pass(live.source(), head.item),
        })?;
        let was_read = self
            .lives
            .iter_mut()
            .fold(false, |was_read, live| live.was_read() | was_read);
        let ended: Vec<_> = self.lives.extract_if(.., |live| live.has_ended()).collect();
        for watched in ended.iter().filter_map(Live::watched) {
            let is_needed = self
                .lives
                .iter()
                .any(|live| live.watched() == Some(watched));
            if let (Some(watch), false) = (self.watch, is_needed) {
                watch.forget(watched);
            }
        }
        if query.after == After::LiveAndBegun && query.chooses().is_none() {
            for live in &mut self.lives {
                if let Some((offset, text)) = live.begun() {
                    outlet.begun(live.source(), offset, text)?;
                }
            }
        }
        Ok(was_read)
    }
}
