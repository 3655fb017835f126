//! Taking away what apps wrote so far.
//!
//! ```text
//!  filter ─▶ catalog ─▶ runs that have ended ─▶ moved to runs/.flushed, whole ─▶ deleted
//!                    ├▶ runs that live ───────▶ hot::flush, stream by stream
//!                    ├▶ runs that another host has yet to hear the end of: the same
//!                    └▶ runs that are about to begin: nothing is there
//! ```
//!
//! - A run that has ended goes in one step: nobody meets half of it, and what a death in between leaves in the folder of
//!   the doomed is deleted the next time, whatever is flushed then.
//! - The ended ones go first: on a disk that is full they make room for the marks of those that live.
//! - One run's trouble is no other's: it is told beside what was done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use eco_home::runs::{RunId, Stream};

use crate::catalog::{self, CatalogError, Filter};
use crate::hot::{self, HotError, Life, Place, Removed, Survey, is_written, survey};

/// The folder of the doomed, below the runs: no host is called so, since names do not begin with a dot there.
const DOOMED: &str = ".flushed";

/// What was taken away of one stream.
#[derive(Debug)]
pub struct Flushed {
    /// Whose.
    pub run: RunId,
    /// Which of the two.
    pub stream: Stream,
    /// How much, and what is in the way of the rest.
    pub removed: Removed,
}

/// Why nothing, or nothing more, was taken away.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    /// The runs cannot be listed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// What was taken out of sight cannot be deleted.
    #[error("remove {path}")]
    Remove {
        /// The folder of the doomed.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Takes away what the runs below `runs` hold that `filter` chooses; tells of each stream that held something. The folder of a run
/// that `is_awaited` elsewhere stays, so that its end is told there. Not to be called twice at a time.
pub fn flush(
    runs: &Path,
    filter: &Filter,
    is_awaited: impl Fn(&RunId) -> bool,
) -> Result<Vec<Flushed>, FlushError> {
    let mut flushed = Vec::new();
    let mut staying = Vec::new();
    let mut doomed = Doomed::new(runs);
    for lives in catalog::list(runs, filter)? {
        for number in lives.runs {
            let run = lives.slot.run(number);
            match Fate::of(&run.folder(runs)) {
                Ok(Fate::Unborn) => {}
                Ok(Fate::Ended(_)) if is_awaited(&run) => staying.push(run),
                Ok(Fate::Ended(surveys)) => whole(run, surveys, &mut doomed, &mut flushed),
                Ok(Fate::Living) => staying.push(run),
                Err(error) => flushed.push(Flushed::failed(run, Stream::Out, error)),
            }
        }
    }
    doomed.delete()?;
    for run in staying {
        for stream in Stream::BOTH {
            let place = Place::new(run.folder(runs), stream);
            flushed.push(match hot::flush(&place) {
                Ok(removed) => Flushed {
                    run: run.clone(),
                    stream,
                    removed,
                },
                Err(error) => Flushed::failed(run.clone(), stream, error),
            });
        }
    }
    flushed
        .retain(|one| one.removed.bytes > 0 || one.removed.freed > 0 || one.removed.kept.is_some());
    flushed.sort_by(|left, right| (&left.run, left.stream).cmp(&(&right.run, right.stream)));
    Ok(flushed)
}

impl Flushed {
    fn failed(run: RunId, stream: Stream, error: HotError) -> Self {
        Self {
            run,
            stream,
            removed: Removed {
                kept: Some(error),
                ..Removed::default()
            },
        }
    }
}

/// What is to become of a run.
enum Fate {
    /// Nothing came yet.
    Unborn,
    /// More may come.
    Living,
    /// All of it may go; its streams look like this.
    Ended(Vec<(Place, Stream, Survey)>),
}

impl Fate {
    fn of(folder: &Path) -> Result<Self, HotError> {
        let place = |stream| Place::new(folder.to_owned(), stream);
        if Stream::BOTH
            .into_iter()
            .any(|stream| is_written(&place(stream)))
        {
            return Ok(Self::Living);
        }
        let surveys = Stream::BOTH
            .into_iter()
            .map(|stream| Ok((place(stream), stream, survey(&place(stream))?)))
            .collect::<Result<Vec<_>, HotError>>()?;
        // A stream that was silent may seem to be about to begin when the other one has ended.
        let has_ended = surveys
            .iter()
            .any(|(_, _, survey)| survey.life == Life::Ended);
        Ok(if has_ended {
            Self::Ended(surveys)
        } else {
            Self::Unborn
        })
    }
}

/// Takes a run away that has ended.
fn whole(
    run: RunId,
    surveys: Vec<(Place, Stream, Survey)>,
    doomed: &mut Doomed<'_>,
    flushed: &mut Vec<Flushed>,
) {
    let holding: Result<Vec<(Stream, Removed)>, HotError> = surveys
        .into_iter()
        .map(|(place, stream, survey)| Ok((stream, hot::holding(&place, &survey)?)))
        .collect();
    let taken = holding.and_then(|holding| {
        doomed.take(&run)?;
        Ok(holding)
    });
    match taken {
        Ok(holding) => flushed.extend(holding.into_iter().map(|(stream, removed)| Flushed {
            run: run.clone(),
            stream,
            removed,
        })),
        Err(error) => flushed.push(Flushed::failed(run, Stream::Out, error)),
    }
}

/// The folder of what is to be deleted.
struct Doomed<'a> {
    runs: &'a Path,
    folder: PathBuf,
    count: u64,
}

impl<'a> Doomed<'a> {
    fn new(runs: &'a Path) -> Self {
        Self {
            runs,
            folder: runs.join(DOOMED),
            count: 0,
        }
    }

    /// Moves the folder of a run here; deletes it where it is if there is no room for that.
    fn take(&mut self, run: &RunId) -> Result<(), HotError> {
        let folder = run.folder(self.runs);
        let moved = loop {
            self.count += 1;
            let moved = fs::create_dir_all(&self.folder)
                .and_then(|()| fs::rename(&folder, self.folder.join(self.count.to_string())));
            match moved {
                // Left by a flush that was killed.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
                moved => break moved,
            }
        };
        moved
            .or_else(|_| fs::remove_dir_all(&folder))
            .map_err(|source| HotError::Write {
                path: folder,
                source,
            })
    }

    fn delete(self) -> Result<(), FlushError> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FlushError::Remove {
                path: self.folder,
                source: error,
            }),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
