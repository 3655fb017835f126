//! Messages to domain values, and back.

use std::sync::Arc;

use eco_home::runs::{RunId, Stream};
use eco_proto::log::v1 as pb;
use tonic::{Code, Status};

use crate::catalog::{CatalogError, Filter, Lives};
use crate::flush::Flushed;
use crate::hot::Loss;
use crate::query::stats::Tally;
use crate::query::{After, Item, Line, Query, Stop};
use crate::record::{Comparison, Condition, InvalidCondition, Level};
use crate::sieve::{InvalidPattern, Pattern, Sieve};

/// Why a request cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidQuery {
    /// A pattern is none.
    #[error(transparent)]
    Pattern(#[from] CatalogError),
    /// A number that names no stream.
    #[error("know the stream {0}: 1 is stdout, 2 is stderr")]
    Stream(i32),
    /// A regex is none.
    #[error(transparent)]
    Regex(#[from] InvalidPattern),
    /// A comparison of a field is none.
    #[error(transparent)]
    Condition(#[from] InvalidCondition),
    /// A number that names no comparison.
    #[error("know the comparison {0}")]
    Comparison(i32),
    /// A number that names no level.
    #[error("know the level {0}: 1 is trace, 6 is fatal")]
    Level(i32),
    /// More than anybody needs.
    #[error("look for {0} conditions at once: {MOST} are the most")]
    TooMany(usize),
}

/// Conditions of a query: each of them may take 6 MiB, though hardly any takes as much.
const MOST: usize = 32;

/// Checks a request.
pub(super) fn query(request: pb::QueryRequest) -> Result<Query, InvalidQuery> {
    let filter = filter(&request.matches)?;
    let sieve = sieve(&request)?;
    let mut streams = Vec::new();
    for number in request.streams {
        let stream = pb::Stream::try_from(number).ok().and_then(stream);
        streams.push(stream.ok_or(InvalidQuery::Stream(number))?);
    }
    if streams.is_empty() {
        streams.extend(Stream::BOTH);
    }
    streams.sort_unstable();
    streams.dedup();
    Ok(Query {
        filter,
        streams,
        last: request.last,
        since: request.since_ns.unwrap_or(0),
        until: request.until_ns.unwrap_or(u64::MAX),
        after: match (request.follow, request.begun) {
            (false, _) => After::Nothing,
            (true, false) => After::Live,
            (true, true) => After::LiveAndBegun,
        },
        sieve,
    })
}

/// Checks which records are asked for; `None`: lines, whatever they belong to.
fn sieve(request: &pb::QueryRequest) -> Result<Option<Arc<Sieve>>, InvalidQuery> {
    let count = request.grep.len() + request.exclude.len() + request.r#where.len();
    if count > MOST {
        return Err(InvalidQuery::TooMany(count));
    }
    let fields = request.r#where.iter().map(condition);
    let level = pb::Level::try_from(request.level);
    let level = level.map_err(|_| InvalidQuery::Level(request.level))?;
    let sieve = Sieve::new(
        patterns(&request.grep)?,
        patterns(&request.exclude)?,
        wanted(level),
        fields.collect::<Result<_, _>>()?,
    );
    Ok((request.recognise || sieve.chooses()).then(|| Arc::new(sieve)))
}

fn patterns(texts: &[String]) -> Result<Vec<Pattern>, InvalidPattern> {
    texts.iter().map(|text| Pattern::new(text)).collect()
}

fn condition(condition: &pb::Condition) -> Result<Condition, InvalidQuery> {
    use pb::Comparison as Wire;

    let unknown = InvalidQuery::Comparison(condition.comparison);
    let Ok(comparison) = Wire::try_from(condition.comparison) else {
        return Err(unknown);
    };
    let comparison = match comparison {
        Wire::Unspecified => return Err(unknown),
        Wire::Equal => Comparison::Equal,
        Wire::NotEqual => Comparison::NotEqual,
        Wire::Less => Comparison::Less,
        Wire::AtMost => Comparison::AtMost,
        Wire::Greater => Comparison::Greater,
        Wire::AtLeast => Comparison::AtLeast,
        Wire::Found => Comparison::Found(Pattern::new(&condition.value)?),
        Wire::Present => Comparison::Present,
    };
    Ok(Condition::new(
        &condition.path,
        comparison,
        &condition.value,
    )?)
}

const fn wanted(level: pb::Level) -> Option<Level> {
    match level {
        pb::Level::Unspecified => None,
        pb::Level::Trace => Some(Level::Trace),
        pb::Level::Debug => Some(Level::Debug),
        pb::Level::Info => Some(Level::Info),
        pb::Level::Warn => Some(Level::Warn),
        pb::Level::Error => Some(Level::Error),
        pb::Level::Fatal => Some(Level::Fatal),
    }
}

const fn told(level: Option<Level>) -> pb::Level {
    match level {
        None => pb::Level::Unspecified,
        Some(Level::Trace) => pb::Level::Trace,
        Some(Level::Debug) => pb::Level::Debug,
        Some(Level::Info) => pb::Level::Info,
        Some(Level::Warn) => pb::Level::Warn,
        Some(Level::Error) => pb::Level::Error,
        Some(Level::Fatal) => pb::Level::Fatal,
    }
}

/// Checks what is to be chosen.
pub(super) fn filter(matches: &[pb::Match]) -> Result<Filter, InvalidQuery> {
    let mut filter = Filter::default();
    for one in matches {
        filter.add(&one.environment, &one.app, one.instance, one.run)?;
    }
    Ok(filter)
}

pub(super) const fn stream(stream: pb::Stream) -> Option<Stream> {
    match stream {
        pb::Stream::Unspecified => None,
        pb::Stream::Out => Some(Stream::Out),
        pb::Stream::Err => Some(Stream::Err),
    }
}

/// Puts a part of an answer on the wire.
pub(super) fn item(item: Item) -> pb::QueryItem {
    use pb::query_item::Item as Wire;

    let item = match item {
        Item::Source { id, run, stream } => Wire::Source(source(id, run, stream)),
        Item::Lines(lines) => Wire::Lines(pb::Lines {
            lines: lines.into_iter().map(line).collect(),
        }),
        Item::CaughtUp => Wire::CaughtUp(pb::CaughtUp {}),
        Item::Gap {
            source,
            offset,
            bytes,
            loss: why,
        } => Wire::Gap(pb::Gap {
            source,
            offset,
            bytes,
            loss: loss(why).into(),
        }),
        Item::Begun {
            source,
            offset,
            text,
        } => Wire::Begun(pb::Begun {
            source,
            offset,
            text,
        }),
    };
    pb::QueryItem { item: Some(item) }
}

/// Reads why something is gone; what only a reader can miss is no loss of a stream.
pub(super) const fn known_loss(loss: pb::Loss) -> Loss {
    match loss {
        pb::Loss::Flushed => Loss::Flushed,
        pb::Loss::Retention => Loss::Retention,
        pb::Loss::Damaged => Loss::Damaged,
        pb::Loss::Overflow => Loss::Overflow,
        pb::Loss::Unspecified | pb::Loss::Behind => Loss::Unknown,
    }
}

pub(super) const fn loss(why: Loss) -> pb::Loss {
    match why {
        Loss::Unknown => pb::Loss::Unspecified,
        Loss::Flushed => pb::Loss::Flushed,
        Loss::Retention => pb::Loss::Retention,
        Loss::Damaged => pb::Loss::Damaged,
        Loss::Overflow => pb::Loss::Overflow,
    }
}

/// Puts the name of a stream on the wire.
pub(super) const fn wire_stream(stream: Stream) -> pb::Stream {
    match stream {
        Stream::Out => pb::Stream::Out,
        Stream::Err => pb::Stream::Err,
    }
}

fn source(id: u32, run: RunId, stream: Stream) -> pb::Source {
    pb::Source {
        id,
        host: run.host,
        environment: run.environment,
        app: run.app,
        instance: run.instance,
        run: run.run,
        stream: wire_stream(stream).into(),
    }
}

fn line(line: Line) -> pb::Line {
    pb::Line {
        source: line.source,
        offset: line.offset,
        time_ns: line.time,
        text: line.text,
        continues: line.continues,
        level: told(line.level).into(),
        joined: line.joined,
    }
}

/// Checks a request for counts.
pub(super) fn stats(request: pb::StatsRequest) -> Result<(Query, u64), InvalidQuery> {
    let asked = pb::QueryRequest {
        last: None,
        follow: false,
        begun: false,
        recognise: true,
        ..request.query.unwrap_or_default()
    };
    Ok((query(asked)?, request.bucket_ns))
}

/// Puts what was counted on the wire.
pub(super) fn tally(tally: Tally) -> pb::StatsItem {
    let Tally {
        app,
        from,
        to,
        count,
    } = tally;
    pb::StatsItem {
        host: app.host,
        environment: app.environment,
        app: app.app,
        from_ns: from,
        to_ns: to,
        lines: count.lines,
        bytes: count.bytes,
        records: count.records,
        levels: count.levels.to_vec(),
    }
}

/// Puts a slot's runs on the wire.
pub(super) fn slot(lives: Lives) -> pb::Slot {
    let Lives { slot, runs } = lives;
    pb::Slot {
        host: slot.host,
        environment: slot.environment,
        app: slot.app,
        instance: slot.instance,
        runs,
    }
}

/// Puts what was taken away on the wire.
pub(super) fn flushed(flushed: Flushed) -> pb::Flushed {
    let Flushed {
        run,
        stream,
        removed,
    } = flushed;
    pb::Flushed {
        source: Some(source(0, run, stream)),
        bytes: removed.bytes,
        freed: removed.freed,
        problem: removed.kept.map_or_else(String::new, |error| chain(&error)),
    }
}

/// A disk that refuses is nothing that asking again or mending eco would help with.
pub(super) const UNREADABLE: Code = Code::FailedPrecondition;

/// Says why a request is refused.
pub(super) fn invalid(error: &InvalidQuery) -> Status {
    Status::invalid_argument(sentence(error))
}

/// Says why an answer ended early.
pub(super) fn stopped(stop: &Stop) -> Status {
    let code = match stop {
        Stop::Gone => Code::Cancelled,
        Stop::Closing(_) => Code::Unavailable,
        Stop::Catalog(_) | Stop::Hot(_) => UNREADABLE,
    };
    Status::new(code, sentence(stop))
}

/// Says why a call failed.
pub(super) fn failed(error: &dyn std::error::Error) -> Status {
    Status::new(UNREADABLE, sentence(error))
}

/// What has failed, and why, in one line.
pub(super) fn sentence(error: &dyn std::error::Error) -> String {
    format!("failed to {}", chain(error))
}

/// The error and its causes, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        cause = error.source();
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_pattern_is_refused_with_its_text() {
        let request = pb::QueryRequest {
            matches: vec![pb::Match {
                environment: "dev".to_owned(),
                app: "api[".to_owned(),
                ..pb::Match::default()
            }],
            ..pb::QueryRequest::default()
        };
        let status = invalid(&query(request).expect_err("broken"));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(
            status
                .message()
                .starts_with("failed to read the pattern \"api[\": "),
            "{}",
            status.message()
        );
    }

    #[test]
    fn streams_are_both_unless_they_are_named_and_known() {
        let streams = |numbers: &[i32]| {
            query(pb::QueryRequest {
                streams: numbers.to_vec(),
                ..pb::QueryRequest::default()
            })
            .map(|query| query.streams)
        };
        assert_eq!(streams(&[]).expect("valid"), Stream::BOTH);
        assert_eq!(streams(&[2, 2]).expect("valid"), [Stream::Err]);
        assert!(matches!(streams(&[0]), Err(InvalidQuery::Stream(0))));
        assert!(matches!(streams(&[7]), Err(InvalidQuery::Stream(7))));
    }
}
