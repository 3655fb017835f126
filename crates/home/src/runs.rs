//! Where the output of a run is: the hot tier, written by the keeper and read in place by eco-logd, and the cold tier that
//! eco-logd makes of it.
//!
//! ```text
//! runs/<host>/<environment>/<app>/<instance>/<run>/
//! ├── in.fifo                       what the app reads from, while the run lives
//! ├── out.fifo  err.fifo            what the app writes to, while the run lives
//! ├── out.0001.sealed               stdout: a complete segment and its times, packed
//! ├── out.0002  out.0002.times      … the next segment, exactly the bytes written, and when they came
//! ├── out.lost                      which bytes of stdout are gone for good, and why
//! ├── err.0001  err.0001.times      stderr likewise
//! ├── out.dropped  err.dropped      how much was dropped, of apps that are not to wait for a full disk
//! ├── out.growing  err.growing      of another host's run: more may come from there
//! ├── out.ended  err.ended          of another host's run: all of it is here
//! └── shipped                       of our own run: all of it is kept elsewhere too
//! ```
//!
//! Invariants
//! - A segment holds bytes as the app wrote them and nothing else; it only grows, at its end. What was flushed of one that
//!   grows is a hole, and its times say where that ends; flushed segments that are complete are gone, and so are the
//!   folders of flushed runs that have ended.
//! - The stream is the concatenation of its segments by number; an **offset** counts its bytes from the run's start. The
//!   first offset of a segment stands in the head of its times file, so that it can be read when older ones are gone.
//! - Only the last segment of a stream grows. A segment is not begun before the one before it is complete.
//! - Segments that are complete are **sealed** by eco-logd ([`crate::sealed`]): one file in place of the two, with the same
//!   number, the same offsets and the same time for every line. The two go when the one is on disk; until then both may be
//!   there. `*.sealing` is one that is being written and means nothing, `*.damaged` one that was put aside. The segment
//!   that grows is never sealed, so that whoever goes on with it finds it by the highest number.
//! - `*.lost` is there where something was taken away to keep within bounds, or could not be read any more.
//! - The bytes are the truth and the times are notes about them: a byte without a note is there all the same, and
//!   [`crate::notes`] says when it came.
//! - `*.fifo` is there as long as the run may still write: it is removed when all output is in the segments.
//! - `in.fifo` is held open by the app alone, read-write, so that it never sees an end of its input. Who opens it to write,
//!   without waiting, is refused when nobody is left to read. What is not read when the run ends is gone with it.
//! - A folder is never used for two runs.
//!
//! # Replicas
//!
//! A run of another host is kept in the same layout, at the same offsets and with the same times, by the log daemon that
//! receives it.
//!
//! - A stream of a replica has one of two marks, both regular files: `*.growing` from before its first segment until all of it
//!   has come, then `*.ended`, which holds its end offset as a decimal number and a newline. A death in between leaves both,
//!   and `*.ended` counts. A folder that has segments and no mark is kept by this host's own keeper, and no log daemon
//!   writes into it.
//! - What is kept is what is noted: nothing behind the last note is read while `*.growing` is there, and whoever goes on
//!   cuts it off. An ended stream has notes about all of its bytes.
//! - Segments may end elsewhere than the source's. What was gone at the source lies between the end of a segment and the
//!   base of the next one; the last one is empty when nothing came behind.
//! - A segment was last changed when its latest note says.
//! - A source that is never heard of again leaves `*.growing` for good: what came is there to be read, and followers wait
//!   for more. Removing the mark by hand is all it takes to end that.
//!
//! `shipped` holds the address where a run that has ended is kept too, and a newline. It is written when that log daemon has
//! said so, so that nobody asks for each old run again, and so that what is removed there on purpose does not come back.
//!
//! Names are percent-encoded so that any name is one path component: everything but ASCII letters, digits, `-`, `_`, `.`
//! and `@`, and a leading dot.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes after which the keeper begins a new segment.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// Time after which it does so also for fewer, when there are more.
pub const SEGMENT_AGE: Duration = Duration::from_hours(24);

/// The name of the FIFO that is a run's standard input.
pub const STDIN: &str = "in.fifo";

/// The name of the file that says where else a run is kept.
pub const SHIPPED: &str = "shipped";

/// Which of the two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// Both, in the order of their descriptors.
    pub const BOTH: [Self; 2] = [Self::Out, Self::Err];

    /// The stem of its files.
    #[must_use]
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Err => "err",
        }
    }

    /// Its descriptor in the app, which is its number on the wire too.
    #[must_use]
    pub const fn descriptor(self) -> u32 {
        match self {
            Self::Out => 1,
            Self::Err => 2,
        }
    }

    /// The name of its FIFO.
    #[must_use]
    pub fn fifo(self) -> String {
        format!("{}.fifo", self.stem())
    }

    /// The name of the mark of a replica that more may come of.
    #[must_use]
    pub fn growing(self) -> String {
        format!("{}.growing", self.stem())
    }

    /// The name of the mark of a replica that is complete.
    #[must_use]
    pub fn ended(self) -> String {
        format!("{}.ended", self.stem())
    }

    /// The name of its segment `number`, counted from 1.
    #[must_use]
    pub fn segment(self, number: u32) -> String {
        format!("{}.{number:04}", self.stem())
    }

    /// The name of the notes about that segment.
    #[must_use]
    pub fn times(self, number: u32) -> String {
        format!("{}.{number:04}.times", self.stem())
    }

    /// The name of that segment when it is sealed.
    #[must_use]
    pub fn sealed(self, number: u32) -> String {
        format!("{}.{number:04}.sealed", self.stem())
    }

    /// The name of what tells which bytes are gone.
    #[must_use]
    pub fn lost(self) -> String {
        format!("{}.lost", self.stem())
    }

    /// The name of the count of what was dropped of it, where the app was not to wait for a full disk.
    #[must_use]
    pub fn dropped(self) -> String {
        format!("{}.dropped", self.stem())
    }

    /// The number of the sealed segment called `name`, if it is one of this stream's.
    #[must_use]
    pub fn sealed_number(self, name: &str) -> Option<u32> {
        self.segment_number(name.strip_suffix(".sealed")?)
    }

    /// The number of the segment called `name`, if it is one of this stream's and not sealed.
    #[must_use]
    pub fn segment_number(self, name: &str) -> Option<u32> {
        let digits = name.strip_prefix(self.stem())?.strip_prefix('.')?;
        if digits.len() < 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    }
}

/// Names one life of one instance of an app.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    /// Where it runs.
    pub host: String,
    /// What it belongs to.
    pub environment: String,
    /// The app's name.
    pub app: String,
    /// The slot, from 0.
    pub instance: u32,
    /// The life, from 1.
    pub run: u64,
}

impl RunId {
    /// Its folder below `runs`.
    #[must_use]
    pub fn folder(&self, runs: &Path) -> PathBuf {
        runs.join(encode(&self.host))
            .join(encode(&self.environment))
            .join(encode(&self.app))
            .join(self.instance.to_string())
            .join(self.run.to_string())
    }
}

/// Makes a name one path component.
#[must_use]
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'@')
            || (byte == b'.' && at > 0);
        if plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 0xf] {
                encoded.extend(
                    char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
    encoded
}

/// Undoes [`encode`]; `None` for what it never makes.
#[must_use]
pub fn decode(component: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(component.len());
    let mut rest = component.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (encode(&name) == component).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_a_folder_of_its_own() {
        let run = RunId {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: "@acme/api".to_owned(),
            instance: 2,
            run: 7,
        };
        assert_eq!(
            run.folder(Path::new("/r")),
            Path::new("/r/box/dev/@acme%2Fapi/2/7")
        );
    }

    #[test]
    fn any_name_survives_the_file_system() {
        for name in [
            "mds-fetcher",
            "@acme/api",
            "..",
            ".",
            ".hidden",
            "a b",
            "ü%",
            "x.y",
        ] {
            let encoded = encode(name);
            assert!(
                !encoded.contains('/') && !encoded.starts_with('.'),
                "{encoded}"
            );
            assert_eq!(decode(&encoded).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_encode_never_makes_is_not_decoded() {
        for component in ["%", "%4", "%zz", "a b", "%61", ".x", "%ff"] {
            assert_eq!(decode(component), None, "{component}");
        }
    }

    #[test]
    fn segments_are_told_from_their_times_and_from_the_other_stream() {
        assert_eq!(Stream::Out.segment_number("out.0001"), Some(1));
        assert_eq!(Stream::Out.segment_number("out.10000"), Some(10_000));
        assert_eq!(Stream::Out.segment_number("out.0001.times"), None);
        assert_eq!(Stream::Out.segment_number("err.0001"), None);
        for name in [
            Stream::Out.fifo(),
            Stream::Out.growing(),
            Stream::Out.ended(),
        ] {
            assert_eq!(Stream::Out.segment_number(&name), None, "{name}");
        }
        assert_eq!(Stream::Out.segment_number("out.0001.sealed"), None);
        assert_eq!(Stream::Out.sealed_number("out.0001.sealed"), Some(1));
        for name in [
            "out.0001",
            "err.0001.sealed",
            "out.0001.sealed.damaged",
            "out.0001.sealing",
        ] {
            assert_eq!(Stream::Out.sealed_number(name), None, "{name}");
        }
    }
}
