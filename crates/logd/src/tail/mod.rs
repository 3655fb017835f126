//! Following: what comes after the history.
//!
//! ```text
//!   agent ── Feed ──▶ bell ──ring──▶ follower: look (one fstat per stream) ─▶ merge what is new ─▶ outlet
//!                       ▲                 │  at least every 200 ms without a ring: the agent may be dead
//!                       │                 └─ every second, or told of news: the folders, for new runs
//!      client gone, end of the daemon
//! ```
//!
//! Bytes that wait for their note ([`hot`](crate::hot)) are looked at again before that, when they are old enough to need
//! none at the latest: the note rings no bell.
//!
//! A line is passed on when it is complete. Whoever asks for it is told before that what is there of it, each byte once:
//! that is for people who wait for a program's question, and takes nothing from the line.
//!
//! Whoever reads too slowly holds up his own thread and nobody else: it stops when [`AHEAD`](crate::query::AHEAD) batches wait for him,
//! and goes on in the files when they are taken. So he falls behind by what is kept on disk at most; what is taken away there
//! before he read it is a counted gap, and no line waits for him in memory but those batches.
//!
//! The bell says that it is worth looking, never what there is to see: a lost ring costs 200 ms, and a false one a few
//! system calls.

mod bell;
mod live;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use eco_home::clock;

pub use bell::{Bell, Closed, Heard};

use crate::catalog::{self, Lives, Slot};
use crate::hot::Item;
use crate::query::merge::merge;
use crate::query::{After, Attention, Outlet, Query, Seed, Source, Stop};
use live::{Depth, Live};

/// The longest time without a look.
const TICK: Duration = Duration::from_millis(200);
/// The longest time without a look for new runs, and the shortest.
const LISTING: Duration = Duration::from_secs(1);
const LISTING_REST: Duration = Duration::from_millis(50);
/// The shortest time between two looks: what comes meanwhile goes as one batch.
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
    let mut follower = Follower::new(query, runs, known, seeds, &attention);
    loop {
        // Heard before the look: a ring during it makes for another one.
        let heard = bell.heard()?;
        outlet.check()?;
        let is_over = clock::nanos(clock::unix()) >= query.until;
        follower.look(heard)?;
        follower.pass(outlet)?;
        outlet.flush()?;
        let patience = follower.patience();
        if is_over && patience.is_none() {
            return Ok(());
        }
        // Before the wait: the first line after a silence is not to wait for others.
        bell.rest(REST)?;
        bell.wait(heard, patience.unwrap_or(TICK))?;
    }
}

struct Follower<'a> {
    query: &'a Query,
    runs: &'a Path,
    /// Runs that are or were followed, or were history.
    known: HashMap<Rc<Slot>, HashSet<u64>>,
    lives: Vec<Live<'a>>,
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
        attention: &'a Attention<'a>,
    ) -> Self {
        let live = |seed| Live::new(seed, query.sieve.as_ref(), attention);
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
            attention,
            listed_at: None,
            looked_at: None,
            news: 0,
        }
    }

    fn look(&mut self, heard: Heard) -> Result<(), Stop> {
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
        let depth = if is_due(self.looked_at, TICK) {
            self.looked_at = Some(now);
            Depth::Look
        } else {
            Depth::Glance
        };
        for live in &mut self.lives {
            live.look(depth)?;
        }
        Ok(())
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
                        self.lives
                            .push(Live::begin(source, self.runs, sieve, self.attention));
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

    fn pass(&mut self, outlet: &mut Outlet) -> Result<(), Stop> {
        let query = self.query;
        merge(&mut self.lives, |live, head| match &head.item.item {
            Item::Line { time, .. } if !query.covers(*time) => Ok(()),
            Item::Line { .. } | Item::Gap { .. } => outlet.pass(live.source(), head.item),
        })?;
        self.lives.retain(|live| !live.has_ended());
        if query.after == After::LiveAndBegun && query.chooses().is_none() {
            for live in &mut self.lives {
                if let Some((offset, text)) = live.begun() {
                    outlet.begun(live.source(), offset, text)?;
                }
            }
        }
        Ok(())
    }
}
