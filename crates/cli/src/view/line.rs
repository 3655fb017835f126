//! The lines of a log.

use std::sync::Arc;

use eco_proto::log::v1::{Gap, Level, Line, Loss, Source, Stream};
use jiff::Timestamp;

/// One stream of one run: where a line comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) host: String,
    pub(crate) environment: String,
    pub(crate) app: String,
    pub(crate) instance: u32,
    pub(crate) run: u64,
    /// The number of an [`eco_proto::log::v1::Stream`].
    pub(crate) stream: i32,
}

impl Origin {
    /// Which of the two outputs; `None` for one that this version does not know.
    pub(crate) fn stream(&self) -> Option<Stream> {
        Stream::try_from(self.stream).ok()
    }

    /// What people call it.
    pub(crate) fn stream_name(&self) -> Option<&'static str> {
        match self.stream()? {
            Stream::Out => Some("out"),
            Stream::Err => Some("err"),
            Stream::Unspecified => None,
        }
    }
}

impl From<Source> for Origin {
    fn from(source: Source) -> Self {
        Self {
            host: source.host,
            environment: source.environment,
            app: source.app,
            instance: source.instance,
            run: source.run,
            stream: source.stream,
        }
    }
}

/// A line, or a piece of one that is very long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) origin: Arc<Origin>,
    pub(crate) offset: u64,
    pub(crate) time_ns: u64,
    pub(crate) text: Vec<u8>,
    /// The next line of this origin goes on with it.
    pub(crate) continues: bool,
    /// How grave it is, where it says so and somebody asked.
    pub(crate) level: Option<Level>,
    /// It belongs to the record of the line of this origin before it.
    pub(crate) joined: bool,
}

impl LogLine {
    /// Makes one of a daemon's line.
    pub(crate) fn new(origin: Arc<Origin>, line: Line) -> Self {
        let level = Some(line.level()).filter(|level| *level != Level::Unspecified);
        Self {
            origin,
            level,
            joined: line.joined,
            offset: line.offset,
            time_ns: line.time_ns,
            text: line.text,
            continues: line.continues,
        }
    }
}

/// Bytes of a line that is not complete yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogBegun {
    pub(crate) origin: Origin,
    /// Of the first of them.
    pub(crate) offset: u64,
    pub(crate) text: Vec<u8>,
}

/// Bytes that are no longer there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogGap {
    pub(crate) origin: Origin,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) loss: Loss,
}

impl LogGap {
    /// Makes one of a daemon's gap.
    pub(crate) fn new(origin: Origin, gap: &Gap) -> Self {
        Self {
            origin,
            offset: gap.offset,
            bytes: gap.bytes,
            loss: gap.loss(),
        }
    }

    /// Why they are gone, in a word that programs rely on; `None`: nobody knows.
    pub(crate) const fn loss_name(&self) -> Option<&'static str> {
        match self.loss {
            Loss::Flushed => Some("flushed"),
            Loss::Retention => Some("retention"),
            Loss::Damaged => Some("damaged"),
            Loss::Overflow => Some("overflow"),
            Loss::Behind => Some("behind"),
            Loss::Unspecified => None,
        }
    }
}

/// What a level is called, by people and programs.
pub(crate) const fn level_name(level: Level) -> Option<&'static str> {
    match level {
        Level::Trace => Some("trace"),
        Level::Debug => Some("debug"),
        Level::Info => Some("info"),
        Level::Warn => Some("warn"),
        Level::Error => Some("error"),
        Level::Fatal => Some("fatal"),
        Level::Unspecified => None,
    }
}

/// A point in time, RFC 3339 with nanoseconds; `None` where none is known.
pub(crate) fn time(unix_ns: u64) -> Option<String> {
    timestamp(unix_ns).map(|time| format!("{time:.9}"))
}

/// A point in time; `None` where none is known.
pub(crate) fn timestamp(unix_ns: u64) -> Option<Timestamp> {
    if unix_ns == 0 {
        return None;
    }
    Timestamp::from_nanosecond(i128::from(unix_ns)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_its_nanoseconds() {
        assert_eq!(
            time(1_700_000_000_123_456_789).as_deref(),
            Some("2023-11-14T22:13:20.123456789Z")
        );
        assert_eq!(time(0), None);
        assert!(time(u64::MAX).is_some());
    }
}
