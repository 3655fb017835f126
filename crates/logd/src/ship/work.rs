//! The streams of this host, shipped in turn, as long as one call lasts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eco_home::clock;
use eco_home::runs::{RunId, SHIPPED, Stream};

use super::mailbox::Mailbox;
use super::outgoing::{Depth, Outgoing};
use crate::catalog::{self, Filter, Lives, Slot};
use crate::chunk::{Chunk, StreamId};
use crate::eco_toml::Ship;
use crate::hot::Place;
use crate::tail::{Bell, Closed, Heard};

/// The longest time without a look at files that are known, for new ones and for ends, and for new runs.
const TICK: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_secs(1);
const LISTING: Duration = Duration::from_secs(1);
/// The shortest time between two listings, and between two looks at all.
const LISTING_REST: Duration = Duration::from_millis(50);
const REST: Duration = Duration::from_millis(5);
/// How long what is refused or cannot be read is left alone.
const RETRY: Duration = Duration::from_secs(5);

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The call is over.
    Call,
    /// This daemon ends.
    Daemon,
}

/// What is to be shipped, and how far it has come in this call.
#[derive(Debug)]
pub struct Work {
    runs: PathBuf,
    host: String,
    to: String,
    bell: Arc<Bell>,
    known: HashMap<Slot, HashSet<u64>>,
    /// Runs that are not complete there.
    shipments: BTreeMap<RunId, [Outgoing; 2]>,
    listed_at: Option<Duration>,
    looked_at: Option<Duration>,
    retried_at: Duration,
    news: u64,
}

impl Work {
    /// Begins anew: ships the runs that `host` has below `runs` to the log daemon at `to`, and looks when `bell` rings.
    #[must_use]
    pub fn new(runs: PathBuf, host: String, to: String, bell: Arc<Bell>) -> Self {
        Self {
            runs,
            host,
            to,
            bell,
            known: HashMap::new(),
            shipments: BTreeMap::new(),
            listed_at: None,
            looked_at: None,
            retried_at: clock::since_boot(),
            news: 0,
        }
    }

    /// Hands chunks to `post`, which waits for as long as it takes and says false when nobody takes them any more.
    pub fn run(&mut self, mailbox: &Mailbox, mut post: impl FnMut(Chunk) -> bool) -> Over {
        let bell = Arc::clone(&self.bell);
        loop {
            // Heard before the look: a ring during it makes for another one.
            let Ok(heard) = bell.heard() else {
                return Over::Daemon;
            };
            let Some(answers) = mailbox.take() else {
                return Over::Call;
            };
            for (id, (end, standing)) in answers {
                let Some(shipment) = self.shipments.get_mut(&id.run) else {
                    continue;
                };
                for stream in shipment.iter_mut().filter(|stream| *stream.id() == id) {
                    stream.hear(end, standing.clone());
                }
            }
            let depth = self.look(heard);
            match self.pass(depth, &mut post) {
                Pass::Nothing => {}
                Pass::Something => continue,
                Pass::Over => return Over::Call,
            }
            if let Err(Closed) = bell
                .wait(heard, self.patience())
                .and_then(|_| bell.rest(REST))
            {
                return Over::Daemon;
            }
        }
    }

    /// Finds out what is due.
    fn look(&mut self, heard: Heard) -> Depth {
        let now = clock::since_boot();
        let is_due =
            |at: Option<Duration>, after| at.is_none_or(|at| now.saturating_sub(at) >= after);
        let is_told = heard.news != self.news && is_due(self.listed_at, LISTING_REST);
        if is_told || is_due(self.listed_at, LISTING) {
            (self.listed_at, self.news) = (Some(now), heard.news);
            self.looked_at = None;
            if let Err(error) = self.list() {
                tracing::warn!(error = &error as &dyn Error, "no new runs are shipped");
            }
        }
        if now.saturating_sub(self.retried_at) >= RETRY {
            self.retried_at = now;
            self.shipments
                .values_mut()
                .flatten()
                .for_each(Outgoing::retry);
        }
        if is_due(self.looked_at, LOOK) {
            self.looked_at = Some(now);
            return Depth::Look;
        }
        Depth::Glance
    }

    /// Adds the runs that are new, and forgets those that are gone.
    fn list(&mut self) -> Result<(), catalog::CatalogError> {
        let mut known = HashMap::new();
        for Lives { slot, runs } in catalog::list(&self.runs, &Filter::default())? {
            if slot.host != self.host {
                continue;
            }
            let before = self.known.remove(&slot).unwrap_or_default();
            for number in runs.iter().filter(|number| !before.contains(number)) {
                self.add(slot.run(*number));
            }
            known.insert(slot, runs.into_iter().collect());
        }
        self.known = known;
        Ok(())
    }

    fn add(&mut self, run: RunId) {
        let folder = run.folder(&self.runs);
        if is_shipped(&folder, &self.to) {
            return;
        }
        let outgoing = |stream| {
            let place = Place::new(folder.clone(), stream);
            let run = run.clone();
            Outgoing::new(StreamId { run, stream }, place)
        };
        let streams = Stream::BOTH.map(outgoing);
        self.shipments.insert(run, streams);
    }

    /// Gives each stream its turn.
    fn pass(&mut self, depth: Depth, post: &mut impl FnMut(Chunk) -> bool) -> Pass {
        let mut passed = Pass::Nothing;
        for stream in self.shipments.values_mut().flatten() {
            match stream.next(depth) {
                Ok(Some(chunk)) => {
                    if !post(chunk) {
                        return Pass::Over;
                    }
                    passed = Pass::Something;
                }
                Ok(None) => {}
                Err(error) => {
                    let cause = error.source().map(ToString::to_string).unwrap_or_default();
                    stream.leave(format!("{error}: {cause}"));
                }
            }
        }
        let (runs, to) = (&self.runs, &self.to);
        self.shipments.retain(|run, streams| {
            let is_kept = streams.iter().all(Outgoing::is_kept);
            if is_kept && let Err(error) = mark(&run.folder(runs), to) {
                tracing::warn!(%error, ?run, "what was shipped is asked for again later");
            }
            !is_kept
        });
        passed
    }

    fn patience(&self) -> Duration {
        let now = clock::nanos(clock::unix());
        let held = self.shipments.values().flatten();
        held.filter_map(|stream| stream.rest(now))
            .fold(TICK, Duration::min)
    }
}

/// What a turn of all streams came to.
enum Pass {
    Nothing,
    Something,
    /// Nobody takes it any more.
    Over,
}

/// Whether all of the run in `folder` is kept at `to`.
#[must_use]
pub fn is_shipped(folder: &Path, to: &str) -> bool {
    fs::read_to_string(folder.join(SHIPPED)).is_ok_and(|text| text.strip_suffix('\n') == Some(to))
}

/// Whether a log daemon elsewhere has yet to hear how `run` ended, one of the runs that `host` has below `runs` and ships as told.
#[must_use]
pub fn is_awaited(run: &RunId, runs: &Path, host: &str, ship: Option<&Ship>) -> bool {
    run.host == host && ship.is_some_and(|ship| !is_shipped(&run.folder(runs), &ship.to))
}

/// Notes that a run is kept at `to`. One whose folder is gone needs no note.
fn mark(folder: &Path, to: &str) -> io::Result<()> {
    match fs::write(folder.join(SHIPPED), format!("{to}\n")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
