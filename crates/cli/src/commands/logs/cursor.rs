//! How far a command came, in a file, so that the next one goes on there.
//!
//! One JSON object:
//!
//! ```text
//!  kind      "eco logs cursor"
//!  version   1
//!  question  what was asked: a cursor is of no use to another question, which would have shown other lines
//!  began, floor, cut, complete, newest, only_new      see resume::Position; unix ns
//!  events    the number of the newest event that was shown, if events were
//!  sources   one for each stream of each run that was shown: who it is, the offset that comes next, the time of its last line
//! ```
//!
//! Invariants
//! - It is replaced as a whole, and not before what it tells of was written.
//! - A line that is not complete is not told of, so that it comes as a whole later.
//! - It is bounded: of very many runs those that were silent longest are left out. Their lines are older than what the next
//!   command asks for.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;

use eco_proto::log::v1::Stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::question::Fingerprint;
use crate::draft::Draft;
use crate::error::CliError;
use crate::resume::{History, Mark, Position};
use crate::view::line::Origin;

const KIND: &str = "eco logs cursor";
const VERSION: u64 = 1;
/// How many sources it tells of at most.
const SOURCES: usize = 20_000;
const AFRESH: &str = "remove it to begin anew, or name another file";

/// The file, and whose it is.
#[derive(Debug)]
pub(super) struct Cursor {
    path: PathBuf,
    question: Fingerprint,
}

/// What an earlier command noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) position: Position,
    pub(super) events: Option<u64>,
}

/// How surely it is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Over a loss of power.
    Surely,
    /// Over the end of this process: another note comes soon.
    ForNow,
}

#[derive(Debug, Serialize, Deserialize)]
struct Page {
    kind: String,
    version: u64,
    question: Fingerprint,
    began: u64,
    floor: Option<u64>,
    cut: Option<u64>,
    complete: bool,
    newest: Option<u64>,
    only_new: bool,
    events: Option<u64>,
    sources: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    host: String,
    environment: String,
    name: String,
    instance: u32,
    run: u64,
    stream: Side,
    next: u64,
    time: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Out,
    Err,
}

impl Cursor {
    /// A cursor at `path`, of `question`.
    pub(super) const fn new(path: PathBuf, question: Fingerprint) -> Self {
        Self { path, question }
    }

    /// Reads what was noted; `None`: nothing was yet. Then it is made sure that something can be.
    pub(super) fn read(&self) -> Result<Option<Noted>, CliError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Draft::begin(&self.path).map_err(|error| self.unwritten(error))?;
                return Ok(None);
            }
            Err(error) => return Err(self.failed("read").because(error)),
        };
        let page = self.page(&text)?;
        if page.question != self.question {
            return Err(self
                .failed("go on from")
                .because("it was made by another question, which showed other lines")
                .detailed([
                    format!("then: {}", told(&page.question)),
                    format!("now: {}", told(&self.question)),
                ])
                .hinted("name a file of its own for each question"));
        }
        Ok(Some(page.noted()))
    }

    fn page(&self, text: &[u8]) -> Result<Page, CliError> {
        let foreign = |why: String| self.failed("read").because(why).hinted(AFRESH);
        let value: Value = serde_json::from_slice(text).map_err(|error| {
            foreign(format!("it is no cursor of eco logs, or damaged: {error}"))
        })?;
        if value.get("kind").and_then(Value::as_str) != Some(KIND) {
            return Err(foreign("it is no cursor of eco logs".to_owned()));
        }
        match value.get("version").and_then(Value::as_u64) {
            Some(VERSION) => {}
            Some(version) => {
                return Err(foreign(format!(
                    "it is of version {version}, and this eco knows {VERSION}"
                )));
            }
            None => return Err(foreign("it is damaged: it has no version".to_owned())),
        }
        serde_json::from_value(value).map_err(|error| foreign(format!("it is damaged: {error}")))
    }

    /// Notes how far everything that was written has come.
    pub(super) fn note(&self, noted: &Noted, keep: Keep) -> Result<(), CliError> {
        let page = Page::new(&self.question, noted);
        let mut text =
            serde_json::to_vec(&page).map_err(|error| self.failed("write").because(error))?;
        text.push(b'\n');
        let written = Draft::begin(&self.path).and_then(|mut draft| {
            draft.write_all(&text)?;
            match keep {
                Keep::Surely => draft.finish(),
                Keep::ForNow => draft.put(),
            }
        });
        written.map_err(|error| self.unwritten(error))
    }

    fn unwritten(&self, error: io::Error) -> CliError {
        self.failed("write")
            .because(error)
            .hinted("name a file in a folder that is there and can be written")
    }

    fn failed(&self, tried: &str) -> CliError {
        CliError::user(format!("{tried} the cursor {}", self.path.display()))
    }

    /// Where it is.
    #[cfg(test)]
    fn path(&self) -> &Path {
        &self.path
    }
}

fn told(asked: &Fingerprint) -> String {
    let environment = asked.environment.iter().map(|name| format!("-E {name}"));
    let all = environment.chain(asked.selectors.iter().cloned());
    let all: Vec<String> = all.chain(asked.conditions.iter().cloned()).collect();
    if all.is_empty() {
        "everything".to_owned()
    } else {
        all.join(", ")
    }
}

impl Page {
    fn new(question: &Fingerprint, noted: &Noted) -> Self {
        let position = &noted.position;
        let (complete, newest) = match position.history {
            History::Open => (false, None),
            History::Complete { newest } => (true, newest),
        };
        let mut sources: Vec<Entry> = position
            .marks
            .iter()
            .filter_map(|(origin, mark)| Entry::new(origin, *mark))
            .collect();
        if sources.len() > SOURCES {
            sources.sort_by_key(|source| std::cmp::Reverse(source.time));
            sources.truncate(SOURCES);
        }
        Self {
            kind: KIND.to_owned(),
            version: VERSION,
            question: question.clone(),
            began: position.began,
            floor: position.floor,
            cut: position.cut,
            complete,
            newest,
            only_new: position.only_new,
            events: noted.events,
            sources,
        }
    }

    fn noted(self) -> Noted {
        let marks: BTreeMap<Origin, Mark> =
            self.sources.into_iter().map(Entry::into_mark).collect();
        Noted {
            events: self.events,
            position: Position {
                began: self.began,
                floor: self.floor,
                cut: self.cut,
                history: if self.complete {
                    History::Complete {
                        newest: self.newest,
                    }
                } else {
                    History::Open
                },
                only_new: self.only_new,
                marks,
            },
        }
    }
}

impl Entry {
    fn new(origin: &Origin, mark: Mark) -> Option<Self> {
        let stream = match origin.stream()? {
            Stream::Out => Side::Out,
            Stream::Err => Side::Err,
            Stream::Unspecified => return None,
        };
        Some(Self {
            host: origin.host.clone(),
            environment: origin.environment.clone(),
            name: origin.app.clone(),
            instance: origin.instance,
            run: origin.run,
            stream,
            next: mark.next,
            time: mark.time,
        })
    }

    fn into_mark(self) -> (Origin, Mark) {
        let stream = match self.stream {
            Side::Out => Stream::Out,
            Side::Err => Stream::Err,
        };
        let origin = Origin {
            host: self.host,
            environment: self.environment,
            app: self.name,
            instance: self.instance,
            run: self.run,
            stream: stream.into(),
        };
        let mark = Mark {
            next: self.next,
            time: self.time,
        };
        (origin, mark)
    }
}

#[cfg(test)]
mod tests;
