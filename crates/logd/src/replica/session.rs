//! One sender, from its first chunk until it goes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::stream::{Found, Growing, failed, open};
use super::{Durability, ReceiveError, Receiver};
use crate::chunk::{Ack, Chunk, Meaning, Standing, StreamId, Then, meaning};
use crate::disk::Disk;

/// Streams of one sender that grow at a time: thousands of apps have fewer.
const MOST_STREAMS: usize = 1 << 16;

/// What a sender may write. Dropping it lets others.
#[derive(Debug)]
pub struct Session {
    receiver: Arc<Receiver>,
    streams: HashMap<StreamId, Stream>,
    /// Those that nobody else may send meanwhile.
    owned: HashSet<StreamId>,
}

#[derive(Debug)]
enum Stream {
    Growing(Growing),
    /// Nothing more is taken.
    Refused(String),
}

impl Session {
    /// Begins one.
    #[must_use]
    pub fn new(receiver: Arc<Receiver>) -> Self {
        Self {
            receiver,
            streams: HashMap::new(),
            owned: HashSet::new(),
        }
    }

    /// Keeps what has come; returns how far each stream of it is kept by then. After an error the session is of no use.
    pub fn take(&mut self, batch: &[Chunk]) -> Result<Vec<Ack>, ReceiveError> {
        let mut touched = Touched::new(self.receiver.durability, Arc::clone(&self.receiver.disk));
        let mut answers = BTreeMap::new();
        let mut is_news = false;
        let mut has_grown = false;
        for chunk in batch {
            chunk.check()?;
            if chunk.id.run.host == self.receiver.host {
                return Err(ReceiveError::Own(chunk.id.run.host.clone()));
            }
            is_news |= chunk.then == Then::End || !self.streams.contains_key(&chunk.id);
            has_grown |= !chunk.bytes.is_empty();
            let (end, standing) = self.keep(chunk, &mut touched)?;
            answers.insert(&chunk.id, (end, standing));
        }
        touched.sync()?;
        if is_news {
            self.receiver.bell.ring_news();
        } else if has_grown {
            self.receiver.bell.ring();
        }
        let acks = answers.into_iter().map(|(id, (end, standing))| Ack {
            id: id.clone(),
            end,
            standing,
        });
        Ok(acks.collect())
    }

    fn keep(
        &mut self,
        chunk: &Chunk,
        touched: &mut Touched,
    ) -> Result<(u64, Standing), ReceiveError> {
        let stream = match self.streams.remove(&chunk.id) {
            Some(Stream::Growing(growing)) => Stream::Growing(growing),
            Some(Stream::Refused(why)) if !chunk.is_question() => Stream::Refused(why),
            // Asked again, what was refused may be taken.
            Some(Stream::Refused(_)) | None => match self.open(&chunk.id, touched)? {
                Opened::Ended(end) => return Ok((end, Standing::Ended)),
                Opened::Going(stream) => stream,
            },
        };
        let (stream, answer) = match stream {
            Stream::Refused(why) => (Stream::Refused(why.clone()), (0, Standing::Refused(why))),
            Stream::Growing(growing) => match write(growing, chunk, touched)? {
                Written::Growing(growing) => {
                    let end = growing.end();
                    (Stream::Growing(growing), (end, Standing::Open))
                }
                Written::Other(growing) => {
                    let why = format!(
                        "keep {}: the bytes at offset {} are not those that are kept here. Was the state of that host lost, \
                         or has another host its name?",
                        chunk.id, chunk.offset
                    );
                    self.disown(&chunk.id);
                    let end = growing.end();
                    (Stream::Refused(why.clone()), (end, Standing::Refused(why)))
                }
                Written::Ended(end) => {
                    self.disown(&chunk.id);
                    return Ok((end, Standing::Ended));
                }
            },
        };
        self.streams.insert(chunk.id.clone(), stream);
        Ok(answer)
    }

    fn open(&mut self, id: &StreamId, touched: &mut Touched) -> Result<Opened, ReceiveError> {
        if self.streams.len() >= MOST_STREAMS {
            return Err(ReceiveError::Many(MOST_STREAMS));
        }
        if !self.receiver.own(id) {
            let why = format!("keep {id}: another sender ships it at this moment");
            return Ok(Opened::Going(Stream::Refused(why)));
        }
        self.owned.insert(id.clone());
        let folder = id.run.folder(self.receiver.runs());
        match open(self.receiver.runs(), &folder, id.stream, touched)? {
            Found::Growing(growing) => Ok(Opened::Going(Stream::Growing(growing))),
            Found::Ended(end) => {
                self.disown(id);
                Ok(Opened::Ended(end))
            }
            Found::Ours => {
                self.disown(id);
                let why = format!(
                    "keep {id}: {} belongs to a run of the receiving host itself",
                    folder.display()
                );
                Ok(Opened::Going(Stream::Refused(why)))
            }
        }
    }

    fn disown(&mut self, id: &StreamId) {
        if self.owned.remove(id) {
            self.receiver.disown(id);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for id in &self.owned {
            self.receiver.disown(id);
        }
    }
}

enum Opened {
    Going(Stream),
    Ended(u64),
}

enum Written {
    Growing(Growing),
    /// The bytes are not those that are kept.
    Other(Growing),
    Ended(u64),
}

fn write(
    mut growing: Growing,
    chunk: &Chunk,
    touched: &mut Touched,
) -> Result<Written, ReceiveError> {
    let kept = growing.end();
    if !growing.has(chunk.offset, &chunk.bytes)? {
        return Ok(Written::Other(growing));
    }
    let known = match meaning(kept, chunk) {
        Meaning::Repeat => chunk.bytes.len(),
        Meaning::Next { known } => known,
        Meaning::Gap => {
            growing.skip(chunk.offset, &chunk.lost, touched)?;
            0
        }
        Meaning::Early => {
            return Err(ReceiveError::Early {
                id: chunk.id.clone(),
                offset: chunk.offset,
                kept,
            });
        }
    };
    if let Some(bytes) = chunk.bytes.get(known..).filter(|bytes| !bytes.is_empty()) {
        let end = growing.end();
        let first = chunk.notes.partition_point(|note| note.end <= end);
        let notes = chunk.notes.get(first..).unwrap_or_default();
        growing.append(bytes, notes, touched)?;
    }
    match chunk.then {
        Then::End if chunk.end() >= kept => growing.finish(touched).map(Written::Ended),
        Then::End | Then::More => Ok(Written::Growing(growing)),
    }
}

/// Files and folders that a batch has changed.
#[derive(Debug)]
pub(super) struct Touched {
    durability: Durability,
    disk: Arc<dyn Disk>,
    files: HashMap<PathBuf, Edited>,
    folders: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Edited {
    file: File,
    /// How long it was before.
    length: u64,
}

impl Touched {
    fn new(durability: Durability, disk: Arc<dyn Disk>) -> Self {
        Self {
            durability,
            disk,
            files: HashMap::new(),
            folders: BTreeSet::new(),
        }
    }

    /// Returns the file at `path`, opened by `open` where it is not yet.
    pub(super) fn edit(
        &mut self,
        path: &Path,
        open: impl FnOnce(&Path) -> Result<File, ReceiveError>,
    ) -> Result<&File, ReceiveError> {
        if !self.files.contains_key(path) {
            let file = open(path)?;
            let metadata = file.metadata().map_err(|error| failed(path, error))?;
            self.file(path.to_owned(), file, metadata.len());
        }
        self.files
            .get(path)
            .map(|edited| &edited.file)
            .ok_or_else(|| failed(path, std::io::ErrorKind::NotFound.into()))
    }

    /// Adds a file that had `length` bytes before.
    pub(super) fn file(&mut self, path: PathBuf, file: File, length: u64) {
        self.files.insert(path, Edited { file, length });
    }

    pub(super) fn folder(&mut self, path: &Path) {
        self.folders.insert(path.to_owned());
    }

    /// Returns when everything so far is as safe as it is to be.
    pub(super) fn sync(&mut self) -> Result<(), ReceiveError> {
        let files = std::mem::take(&mut self.files);
        let folders = std::mem::take(&mut self.folders);
        if self.durability == Durability::Process {
            return Ok(());
        }
        let synced = || {
            for (path, edited) in &files {
                let synced = self.disk.sync_file(&edited.file);
                synced.map_err(|error| failed(path, error))?;
            }
            for path in &folders {
                let synced = self.disk.sync_folder(path);
                synced.map_err(|error| failed(path, error))?;
            }
            Ok(())
        };
        synced().inspect_err(|_| {
            for (path, Edited { file, length }) in &files {
                if let Err(error) = file.set_len(*length) {
                    tracing::error!(%error, path = %path.display(), "what may not be on disk stays");
                }
            }
        })
    }
}
