//! Keeping the room that logs take within bounds: sealing what is complete, and having the oldest go.
//!
//! ```text
//!   catalog ─▶ each stream: put aside what is junk, seal what is complete      hot::seal, one segment after the other
//!           └▶ all segments ─▶ retention ─▶ what goes, whole or its beginning  hot::part
//!           └▶ runs of which nothing is left, but each slot's newest           their numbers are counted on from it
//! ```
//!
//! - One thread at the lowest priority; a round is followed by 5 s of rest at least, by as long as it took if it sealed
//!   something and by many times that if it did not, and by a minute where nobody writes.
//! - What the disk refuses is told once and tried again, but not within a minute; apps and readers notice nothing.
//! - What is to be kept is read anew each round: [`crate::eco_toml`], and what apps have of their own.
//! - Replicas of other hosts' runs are looked after like our own: what grows last of one stays hot until its end has come.
//! - Bounds win over shipping, since the disk must never be full: what goes before it was shipped is told to the receiver as
//!   a gap, with its reason. Only the folder of a run of which nothing is left stays until the receiver has heard of its end.

mod retention;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eco_home::clock;
use eco_home::runs::{RunId, Stream};
use nix::libc;
use nix::sys::statvfs::statvfs;

use crate::catalog::{self, CatalogError, Filter};
use crate::cold::tell_once;
use crate::disk::{Disk, Real};
use crate::eco_toml::{EcoToml, LastGood};
use crate::hot::{self, Extent, HotError, Life, Piece, Place, Survey, survey};
use crate::settings::{Settings, Told};
use crate::ship::is_awaited;
use crate::tail::Bell;
use retention::{AppBounds, Choice, Item};

/// The shortest time between two rounds.
const REST: Duration = Duration::from_secs(5);
/// The longest time between two rounds while nothing is told of any run: only the clock and the disk change then.
const QUIET: Duration = Duration::from_secs(60);
/// Rounds after the last news before it counts as quiet: what has just ended is sealed a little later.
const FOLLOW_UPS: u32 = 2;
/// How many times as long as a round the rest after it is.
const SHARE: u32 = 20;
/// The same after a round that sealed something: there may be more, and what is written must not outrun it.
const SHARE_OF_WORK: u32 = 1;
/// How long nothing is sealed after the disk refused.
const PATIENCE: Duration = Duration::from_secs(60);
const LOWEST: libc::c_int = 19;
/// What is said where the disk refuses.
const ADVICE: &str = "free room on the disk, or look at the rights of the folder; it is tried again, and nothing is lost";

/// What is looked after.
pub struct Upkeep {
    runs: PathBuf,
    host: String,
    file: Arc<LastGood>,
    /// What that said at the beginning of this round.
    wanted: EcoToml,
    told: Arc<Told>,
    disk: Box<dyn Disk>,
    /// When the disk last refused, since boot.
    refused: Option<Duration>,
    /// Whether something was sealed in this round.
    has_sealed: bool,
}

/// A stream that was looked at.
struct Seen {
    place: Place,
    app: usize,
    pieces: Vec<Piece>,
}

/// Looks after the runs until the bell is closed.
pub fn run(mut upkeep: Upkeep, bell: &Bell) {
    #[expect(unsafe_code, reason = "there is no safe call for it")]
    // SAFETY: takes numbers and touches no memory. 0 is the calling thread.
    let set = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, LOWEST) };
    if set != 0 {
        tracing::debug!("segments are sealed at the daemon's own priority");
    }
    upkeep.clean();
    let is_over = || bell.heard().is_err();
    let mut quiet_rounds = 0;
    while let Ok(heard) = bell.heard() {
        let began = clock::since_boot();
        if let Err(error) = upkeep.round(&is_over) {
            say(&upkeep.runs, "the runs cannot be listed", &error);
        }
        let took = clock::since_boot().saturating_sub(began);
        let share = if upkeep.has_sealed {
            SHARE_OF_WORK
        } else {
            SHARE
        };
        if bell.rest(REST.max(took * share)).is_err() {
            return;
        }
        let is_quiet = bell.heard().is_ok_and(|now| now == heard);
        quiet_rounds = if is_quiet { quiet_rounds + 1 } else { 0 };
        if quiet_rounds > FOLLOW_UPS && bell.wait(heard, QUIET).is_err() {
            return;
        }
    }
}

impl Upkeep {
    /// Looks after `runs`, those of `host` and of others, as `file` says and the agent has `told`.
    #[must_use]
    pub fn new(runs: PathBuf, host: String, file: Arc<LastGood>, told: Arc<Told>) -> Self {
        Self {
            runs,
            host,
            file,
            wanted: EcoToml::default(),
            told,
            disk: Box::new(Real),
            refused: None,
            has_sealed: false,
        }
    }

    /// Takes away what a daemon that was killed left half done.
    fn clean(&self) {
        let Ok(all) = catalog::list(&self.runs, &Filter::default()) else {
            return;
        };
        for lives in all {
            for number in lives.runs {
                for place in places(&lives.slot.run(number), &self.runs) {
                    if let Err(error) = hot::clean(&*self.disk, &place) {
                        say(place.folder(), "what was left half done stays", &error);
                    }
                }
            }
        }
    }

    /// Does what there is to do, unless `is_over`.
    pub fn round(&mut self, is_over: &dyn Fn() -> bool) -> Result<(), CatalogError> {
        self.wanted = self.file.read();
        self.has_sealed = false;
        let told = self.told.now();
        let mut apps: Vec<AppBounds> = Vec::new();
        let mut numbers = BTreeMap::new();
        let mut seen = Vec::new();
        for lives in catalog::list(&self.runs, &Filter::default())? {
            let newest = lives.runs.first().copied();
            let key = (lives.slot.environment.clone(), lives.slot.app.clone());
            let app = *numbers.entry(key).or_insert_with_key(|(environment, app)| {
                apps.push(self.app_bounds(&told, environment, app));
                apps.len() - 1
            });
            for number in lives.runs {
                if is_over() {
                    return Ok(());
                }
                let run = lives.slot.run(number);
                match self.attend(&run, app, Some(number) == newest, is_over) {
                    Ok(streams) => seen.extend(streams),
                    Err(error) => {
                        say(
                            &run.folder(&self.runs),
                            "a run cannot be looked after",
                            &error,
                        );
                    }
                }
            }
        }
        self.retain(&seen, &apps);
        Ok(())
    }

    /// Looks after one run; returns its streams.
    fn attend(
        &mut self,
        run: &RunId,
        app: usize,
        is_newest: bool,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Vec<Seen>, HotError> {
        let mut seen = Vec::new();
        let mut surveys = Vec::new();
        for place in places(run, &self.runs) {
            hot::put_aside(&*self.disk, &place)?;
            let mut found = survey(&place)?;
            if self.seal(&place, &found, is_over) {
                found = survey(&place)?;
            }
            let pieces = hot::pieces(&place, &found)?;
            surveys.push(found);
            seen.push(Seen { place, app, pieces });
        }
        let is_awaited = || is_awaited(run, &self.runs, &self.host, self.wanted.ship.as_ref());
        if !is_newest && is_emptied(&surveys) && !is_awaited() {
            let folder = run.folder(&self.runs);
            std::fs::remove_dir_all(&folder).map_err(|source| HotError::Write {
                path: folder,
                source,
            })?;
        }
        Ok(seen)
    }

    /// Seals what is complete of a stream; returns whether anything changed.
    fn seal(&mut self, place: &Place, found: &Survey, is_over: &dyn Fn() -> bool) -> bool {
        let mut changed = false;
        for extent in hot::sealable(found) {
            let is_early = self
                .refused
                .is_some_and(|refused| clock::since_boot().saturating_sub(refused) < PATIENCE);
            if is_early || is_over() {
                break;
            }
            match hot::seal(&*self.disk, place, extent, is_over) {
                Ok(sealed) => changed |= sealed,
                Err(_) if is_over() => break,
                Err(error) => {
                    self.refused = Some(clock::since_boot());
                    let what = "a complete segment cannot be sealed: it stays as it is";
                    say(place.folder(), what, &error);
                }
            }
        }
        self.has_sealed |= changed;
        changed
    }

    /// Has go what is too much.
    fn retain(&self, seen: &[Seen], apps: &[AppBounds]) {
        let all: Vec<(&Place, &Piece, Item)> = seen
            .iter()
            .flat_map(|one| {
                one.pieces.iter().map(|piece| {
                    let item = Item {
                        app: one.app,
                        room: piece.room,
                        time: piece.time,
                        is_complete: piece.is_complete,
                    };
                    (&one.place, piece, item)
                })
            })
            .collect();
        let items: Vec<_> = all.iter().map(|(_, _, item)| *item).collect();
        let Choice {
            whole,
            aged,
            beginnings,
        } = retention::choose(
            &items,
            apps,
            self.wanted.bounds.max_total_size,
            self.missing(),
        );
        let mut freed = 0;
        let mut add = |place: &Place, gone: Result<u64, HotError>| match gone {
            Ok(bytes) => freed += bytes,
            Err(error) => say(place.folder(), "old output stays", &error),
        };
        for (place, piece, _) in whole.iter().filter_map(|index| all.get(*index)) {
            add(place, hot::drop_piece(&*self.disk, place, piece.number));
        }
        for (place, _, item) in aged.iter().filter_map(|index| all.get(*index)) {
            let since = apps.get(item.app).map_or(0, |app| app.since);
            add(place, hot::drop_older(&*self.disk, place, since));
        }
        for (index, room) in &beginnings {
            if let Some((place, _, _)) = all.get(*index) {
                add(place, hot::drop_oldest(&*self.disk, place, *room));
            }
        }
        if freed > 0 {
            let segments = whole.len() + beginnings.len();
            tracing::info!(
                bytes = freed,
                segments,
                "old output went, to keep within bounds"
            );
        }
    }

    /// The bytes that the disk lacks to have free what it must.
    fn missing(&self) -> u64 {
        let Ok(disk) = statvfs(&self.runs) else {
            return 0;
        };
        let bytes = |blocks: u64| blocks.saturating_mul(disk.fragment_size());
        let floor = self.wanted.bounds.floor(bytes(disk.blocks()));
        floor.saturating_sub(bytes(disk.blocks_available()))
    }

    fn app_bounds(&self, told: &Settings, environment: &str, app: &str) -> AppBounds {
        let limits = told.limits(environment, app);
        let age = limits
            .age
            .unwrap_or(Duration::from_secs(self.wanted.bounds.max_age));
        AppBounds {
            size: limits.size.unwrap_or(self.wanted.bounds.max_app_size),
            since: clock::nanos(clock::unix().saturating_sub(age)),
        }
    }
}

fn say(path: &Path, what: &str, error: &dyn Error) {
    let mut text = format!("{what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    tell_once(path, &text, ADVICE);
}

fn places(run: &RunId, runs: &Path) -> [Place; 2] {
    Stream::BOTH.map(|stream| Place::new(run.folder(runs), stream))
}

/// Whether a run held something, of which nothing is left.
fn is_emptied(streams: &[Survey]) -> bool {
    // A stream that was silent may seem to be about to begin when the other one has ended.
    let is_empty = |one: &Survey| {
        let is_left = |extent: &Extent| extent.length > 0 && extent.end() > one.marked;
        one.life != Life::Written && !one.extents.iter().any(is_left)
    };
    let was_taken = |one: &Survey| {
        let mut all = one.losses.all().iter();
        all.any(|lost| matches!(lost.why, hot::Loss::Retention | hot::Loss::Flushed))
    };
    streams.iter().all(is_empty) && streams.iter().any(was_taken)
}
