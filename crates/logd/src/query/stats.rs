//! How much was written when.
//!
//! ```text
//! catalog ─▶ plan ─▶ chapters, sifted ─▶ merge by time ─▶ counts of the bucket whose turn it is ─▶ bounded channel ─▶ rpc
//! ```
//!
//! Memory is one count for each app. A line whose time lies before the bucket's, since a clock was set back, is counted in it all
//! the same: buckets only go forwards.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::outlet::Attention;
use super::{PATIENCE, Query, Stop, merge, plan};
use crate::catalog::{self, Slot};
use crate::hot::Item;
use crate::record::Level;
use crate::sieve::{Mark, Sieve};
use crate::tail::Bell;

/// What an app wrote in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The host, the environment and the app.
    pub app: App,
    /// When the bucket begins and ends, unix ns; without buckets, the first line and the last.
    pub from: u64,
    /// When it ends.
    pub to: u64,
    /// How much it was.
    pub count: Count,
}

/// Whose lines are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct App {
    /// Where it runs.
    pub host: String,
    /// In which environment.
    pub environment: String,
    /// Its name.
    pub app: String,
}

/// Lines, and what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Lines.
    pub lines: u64,
    /// Bytes, newlines included.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Records without a level, and those of each, by its number.
    pub levels: [u64; Level::ALL.len() + 1],
    /// Times of the first line and the last.
    first: u64,
    last: u64,
}

/// Counts what `query` finds below `runs` in buckets of `length` ns, 0: in one; into `sender`. What the query says of the last
/// lines, and of what comes after the history, means nothing.
pub fn count(
    query: &Query,
    length: u64,
    runs: &Path,
    bell: &Bell,
    sender: &mpsc::Sender<Result<Tally, Stop>>,
) {
    let attention = Attention::new(sender, bell);
    let mut buckets = Buckets::new(length, sender);
    match run(query, runs, &attention, &mut buckets) {
        // There is nobody to be told.
        Ok(()) | Err(Stop::Gone) => {}
        Err(stop @ (Stop::Closing(_) | Stop::Catalog(_) | Stop::Hot(_))) => {
            sender.blocking_send(Err(stop)).ok();
        }
    }
}

fn run(
    query: &Query,
    runs: &Path,
    attention: &Attention<'_>,
    buckets: &mut Buckets<'_>,
) -> Result<(), Stop> {
    let query = Query {
        last: None,
        after: super::After::Nothing,
        sieve: Some(
            query
                .sieve
                .clone()
                .unwrap_or_else(|| Arc::new(Sieve::default())),
        ),
        ..query.clone()
    };
    let lives = catalog::list(runs, &query.filter)?;
    let mut chapters = plan::plan(&query, runs, &lives, attention)?.chapters;
    let mut passed = 0_u32;
    merge::merge(&mut chapters, |chapter, head| {
        passed = passed.wrapping_add(1);
        if passed.is_multiple_of(PATIENCE) {
            attention.check()?;
        }
        match head.item.item {
            Item::Line {
                time, continues, ..
            } => {
                let slot = &chapter.source().slot;
                buckets.line(slot, time, continues, head.item.mark)
            }
            Item::Gap { .. } => Ok(()),
        }
    })?;
    buckets.end()
}

struct Buckets<'a> {
    length: u64,
    /// When the bucket begins whose turn it is.
    begins: Option<u64>,
    counts: Vec<(App, Count)>,
    /// Which of them hold something.
    touched: Vec<usize>,
    /// Which of them is a slot's; and that of the last line.
    slots: HashMap<Rc<Slot>, usize>,
    latest: Option<(Rc<Slot>, usize)>,
    sender: &'a mpsc::Sender<Result<Tally, Stop>>,
}

impl<'a> Buckets<'a> {
    fn new(length: u64, sender: &'a mpsc::Sender<Result<Tally, Stop>>) -> Self {
        Self {
            length,
            begins: None,
            counts: Vec::new(),
            touched: Vec::new(),
            slots: HashMap::new(),
            latest: None,
            sender,
        }
    }

    /// Counts a line that came then, or a piece of one.
    fn line(
        &mut self,
        slot: &Rc<Slot>,
        time: u64,
        continues: bool,
        mark: Mark,
    ) -> Result<(), Stop> {
        let bucket = time.checked_div(self.length).map_or(0, |n| n * self.length);
        if self.begins.is_some_and(|begins| bucket > begins) {
            self.end()?;
        }
        self.begins = self.begins.max(Some(bucket));
        let index = self.index(slot);
        let Some((_, count)) = self.counts.get_mut(index) else {
            return Ok(());
        };
        if *count == Count::default() {
            self.touched.push(index);
            (count.first, count.last) = (time, time);
        }
        count.add(time, continues, mark);
        Ok(())
    }

    /// Returns which count is that of a slot's app.
    fn index(&mut self, slot: &Rc<Slot>) -> usize {
        if let Some((latest, index)) = &self.latest
            && Rc::ptr_eq(latest, slot)
        {
            return *index;
        }
        let index = if let Some(index) = self.slots.get(slot) {
            *index
        } else {
            let app = App {
                host: slot.host.clone(),
                environment: slot.environment.clone(),
                app: slot.app.clone(),
            };
            let known = self.counts.iter().position(|(known, _)| *known == app);
            known.unwrap_or_else(|| {
                self.counts.push((app, Count::default()));
                self.counts.len() - 1
            })
        };
        self.slots.insert(Rc::clone(slot), index);
        self.latest = Some((Rc::clone(slot), index));
        index
    }

    /// Tells what was counted, and begins anew.
    fn end(&mut self) -> Result<(), Stop> {
        let mut tallies = Vec::new();
        for index in self.touched.drain(..) {
            let Some((app, count)) = self.counts.get_mut(index) else {
                continue;
            };
            let count = std::mem::take(count);
            let (from, to) = match self.begins {
                Some(begins) if self.length > 0 => (begins, begins.saturating_add(self.length)),
                Some(_) | None => (count.first, count.last),
            };
            let app = app.clone();
            tallies.push(Tally {
                app,
                from,
                to,
                count,
            });
        }
        self.begins = None;
        tallies.sort_by(|left, right| left.app.cmp(&right.app));
        for tally in tallies {
            let sent = self.sender.blocking_send(Ok(tally));
            sent.map_err(|_| Stop::Gone)?;
        }
        Ok(())
    }
}

impl Count {
    fn add(&mut self, time: u64, continues: bool, mark: Mark) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.lines += u64::from(!continues);
        self.bytes += mark.bytes;
        if mark.begins {
            self.records += 1;
            let index = mark.level.map_or(0, |level| level as usize);
            if let Some(level) = self.levels.get_mut(index) {
                *level += 1;
            }
        }
    }
}
