//! What two log daemons say to each other about a stream.
//!
//! ```text
//!   sender                      receiver
//!     Chunk api/0/7 out, no bytes ──▶        how far is it kept?
//!                    ◀── Ack end=500
//!     Chunk 400..500 ───────────────▶        the same bytes?    a repeat
//!     Chunk 500..900, notes ────────▶        written
//!     Chunk 960..990, gone=60 ──────▶        a gap, then written
//!     Chunk 990..990, ended ────────▶        that was all
//!                    ◀── Ack end=990, ended
//! ```

use eco_home::notes::Note;
use eco_home::runs::{RunId, Stream, encode};

use crate::hot::Lost;

/// The most bytes of a chunk that is taken.
pub const MOST_BYTES: usize = 1 << 20;
/// The most notes of a chunk that are taken.
pub const MOST_NOTES: usize = 1 << 16;
/// The longest name of a file, `NAME_MAX`.
const LONGEST_NAME: usize = 255;
/// The largest offset: what a file system can count.
const LARGEST: u64 = i64::MAX.cast_unsigned();

/// Names one stream of one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The run.
    pub run: RunId,
    /// Which of its two.
    pub stream: Stream,
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { run, stream } = self;
        write!(
            f,
            "{} of {:?}/{:?}/{} run {} on {:?}",
            stream.stem(),
            run.environment,
            run.app,
            run.instance,
            run.run,
            run.host
        )
    }
}

/// A piece of a stream on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Whose.
    pub id: StreamId,
    /// Where it begins.
    pub offset: u64,
    /// None: only asks how far the stream is kept, or says that it has ended.
    pub bytes: Vec<u8>,
    /// About all of the bytes: the last one is where they end.
    pub notes: Vec<Note>,
    /// Bytes directly before the offset that are gone at the source.
    pub gone: u64,
    /// Why they are gone, as far as the source knows: ranges in order, none of them beyond the bytes that are gone.
    pub lost: Vec<Lost>,
    /// Whether anything comes behind it.
    pub then: Then,
}

/// What comes behind a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// There may be more.
    More,
    /// The stream has ended.
    End,
}

impl Chunk {
    /// Asks how far a stream is kept.
    #[must_use]
    pub const fn question(id: StreamId) -> Self {
        Self {
            id,
            offset: 0,
            bytes: Vec::new(),
            notes: Vec::new(),
            gone: 0,
            lost: Vec::new(),
            then: Then::More,
        }
    }

    /// Whether it only asks.
    #[must_use]
    pub fn is_question(&self) -> bool {
        self.bytes.is_empty() && self.then == Then::More
    }

    /// Offset behind its last byte.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.len() as u64)
    }
}

/// How far a stream is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Whose.
    pub id: StreamId,
    /// Everything below is kept, but for what was gone.
    pub end: u64,
    /// How the stream stands.
    pub standing: Standing,
}

/// What a receiver does with more of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Takes it.
    Open,
    /// There is no more: it has all.
    Ended,
    /// Takes no more in this call, for this reason.
    Refused(String),
}

/// What no honest sender sends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// A run or a stream is not named.
    #[error("know whose bytes they are: the chunk names no {0}")]
    Unnamed(&'static str),
    /// A name is too long for a folder.
    #[error(
        "keep a run whose {field} has {length} bytes as a folder's name: {LONGEST_NAME} are possible"
    )]
    LongName {
        /// Which name.
        field: &'static str,
        /// Bytes of its encoded form.
        length: usize,
    },
    /// It is too large.
    #[error(
        "take {bytes} bytes with {notes} notes at once: {MOST_BYTES} with {MOST_NOTES} are the most"
    )]
    Large {
        /// Its bytes.
        bytes: usize,
        /// Its notes.
        notes: usize,
    },
    /// Its offsets are no file's.
    #[error("keep bytes at offset {offset}, {gone} behind what came before")]
    Offset {
        /// Where it begins.
        offset: u64,
        /// What is gone before that.
        gone: u64,
    },
    /// What it says is gone is not what is missing.
    #[error(
        "believe why the {gone} bytes before offset {offset} are gone: what is told of is in order, and lies within them"
    )]
    Lost {
        /// Where the bytes begin.
        offset: u64,
        /// What is gone before that.
        gone: u64,
    },
    /// Its notes say nothing sound.
    #[error(
        "believe the notes of the bytes {offset}..{end}: the ends of notes ascend behind the first byte up to the last, and a \
         note has a time"
    )]
    Notes {
        /// Where the bytes begin.
        offset: u64,
        /// Where they end.
        end: u64,
    },
}

impl Chunk {
    /// Finds what is wrong with it, whatever is kept already.
    pub fn check(&self) -> Result<(), Invalid> {
        let run = &self.id.run;
        for (field, name) in [
            ("host", &run.host),
            ("environment", &run.environment),
            ("app", &run.app),
        ] {
            if name.is_empty() {
                return Err(Invalid::Unnamed(field));
            }
            let length = encode(name).len();
            if length > LONGEST_NAME {
                return Err(Invalid::LongName { field, length });
            }
        }
        if run.run == 0 {
            return Err(Invalid::Unnamed("run"));
        }
        if self.bytes.len() > MOST_BYTES || self.notes.len() > MOST_NOTES {
            return Err(Invalid::Large {
                bytes: self.bytes.len(),
                notes: self.notes.len(),
            });
        }
        let (offset, gone) = (self.offset, self.gone);
        if gone > offset || self.end() > LARGEST {
            return Err(Invalid::Offset { offset, gone });
        }
        let mut told = offset - gone;
        let follows = |lost: &Lost| {
            let before = std::mem::replace(&mut told, lost.to);
            before <= lost.from && lost.from < lost.to && lost.to <= offset
        };
        if !self.lost.iter().all(follows) {
            return Err(Invalid::Lost { offset, gone });
        }
        self.check_notes()
    }

    fn check_notes(&self) -> Result<(), Invalid> {
        let mut noted = self.offset;
        let mut ascends = |note: &Note| {
            let before = std::mem::replace(&mut noted, note.end);
            note.end > before && note.time > 0
        };
        let are_sound = self.notes.iter().all(&mut ascends);
        if are_sound && noted == self.end() {
            return Ok(());
        }
        Err(Invalid::Notes {
            offset: self.offset,
            end: self.end(),
        })
    }
}

/// What a chunk means to a receiver that keeps a stream up to some offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// All of it is known.
    Repeat,
    /// So many of its first bytes are known, maybe none, and the rest goes on.
    Next {
        /// Bytes.
        known: usize,
    },
    /// It goes on after a gap that the source knows of.
    Gap,
    /// Chunks before it are missing.
    Early,
}

/// Decides what a checked chunk means where everything below `kept` is kept.
#[must_use]
pub fn meaning(kept: u64, chunk: &Chunk) -> Meaning {
    let begins = chunk.offset.saturating_sub(chunk.gone);
    match kept.checked_sub(chunk.offset) {
        Some(_) if chunk.end() <= kept => Meaning::Repeat,
        Some(known) => Meaning::Next {
            known: usize::try_from(known).unwrap_or(usize::MAX),
        },
        None if begins <= kept => Meaning::Gap,
        None => Meaning::Early,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(offset: u64, length: usize, gone: u64) -> Chunk {
        let run = RunId {
            host: "far".to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance: 0,
            run: 1,
        };
        let stream = Stream::Out;
        let end = offset.saturating_add(length as u64);
        let notes = (length > 0).then_some(Note { end, time: 1 });
        Chunk {
            offset,
            bytes: vec![b'x'; length],
            notes: notes.into_iter().collect(),
            gone,
            ..Chunk::question(StreamId { run, stream })
        }
    }

    #[test]
    fn a_chunk_goes_on_repeats_or_skips_what_is_gone() {
        for (kept, offset, length, gone, meant) in [
            (0, 0, 5, 0, Meaning::Next { known: 0 }),
            (5, 5, 5, 0, Meaning::Next { known: 0 }),
            (5, 3, 5, 0, Meaning::Next { known: 2 }),
            (5, 0, 5, 0, Meaning::Repeat),
            (9, 0, 5, 0, Meaning::Repeat),
            (5, 0, 0, 0, Meaning::Repeat),
            (5, 9, 5, 4, Meaning::Gap),
            (5, 9, 5, 9, Meaning::Gap),
            (5, 9, 0, 4, Meaning::Gap),
            (5, 9, 5, 3, Meaning::Early),
            (5, 9, 5, 0, Meaning::Early),
        ] {
            let chunk = chunk(offset, length, gone);
            assert_eq!(
                meaning(kept, &chunk),
                meant,
                "{kept} {offset} {length} {gone}"
            );
        }
    }

    #[test]
    fn a_sound_chunk_is_taken_whatever_its_names_hold() {
        assert_eq!(chunk(7, 5, 7).check(), Ok(()));
        let mut odd = chunk(0, 0, 0);
        odd.id.run.app = "../../etc/\0".to_owned();
        odd.id.run.host = "..".to_owned();
        assert_eq!(odd.check(), Ok(()));
        let runs = std::path::Path::new("/runs");
        let folder = odd.id.run.folder(runs);
        assert_eq!(folder, runs.join("%2E./dev/%2E.%2F..%2Fetc%2F%00/0/1"));
    }

    #[test]
    fn names_that_are_no_folders_are_refused() {
        let mut unnamed = chunk(0, 1, 0);
        unnamed.id.run.environment = String::new();
        assert_eq!(unnamed.check(), Err(Invalid::Unnamed("environment")));
        let mut zero = chunk(0, 1, 0);
        zero.id.run.run = 0;
        assert_eq!(zero.check(), Err(Invalid::Unnamed("run")));
        let mut long = chunk(0, 1, 0);
        long.id.run.app = "ü".repeat(50);
        let (field, length) = ("app", 300);
        assert_eq!(long.check(), Err(Invalid::LongName { field, length }));
    }

    #[test]
    fn hostile_sizes_are_refused() {
        assert!(matches!(
            chunk(0, MOST_BYTES + 1, 0).check(),
            Err(Invalid::Large { .. })
        ));
        for (offset, length, gone) in [
            (u64::MAX, 0, 0),
            (u64::MAX - 1, 5, 0),
            (LARGEST, 1, 0),
            (5, 1, 6),
        ] {
            let checked = chunk(offset, length, gone).check();
            assert_eq!(checked, Err(Invalid::Offset { offset, gone }));
        }
    }

    #[test]
    fn notes_ascend_inside_of_the_bytes_and_have_times() {
        for notes in [
            &[][..],
            &[(14, 1)],
            &[(16, 1)],
            &[(10, 1), (15, 2)],
            &[(12, 1), (12, 2), (15, 3)],
            &[(13, 1), (12, 2), (15, 3)],
            &[(12, 0), (15, 3)],
        ] {
            let mut chunk = chunk(10, 5, 0);
            chunk.notes = notes
                .iter()
                .map(|&(end, time)| Note { end, time })
                .collect();
            let (offset, end) = (10, 15);
            assert_eq!(
                chunk.check(),
                Err(Invalid::Notes { offset, end }),
                "{notes:?}"
            );
        }
        let mut question = chunk(10, 0, 0);
        question.notes = vec![Note { end: 10, time: 1 }];
        assert!(question.check().is_err());
    }
}
