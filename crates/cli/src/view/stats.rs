//! How much was written when.

use eco_proto::log::v1::{Level, StatsItem};
use serde::Serialize;

use super::line::{level_name, time};

/// One app in one span of time. The names of the fields are the contract of `eco logs --stats --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Counted {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) host: String,
    pub(crate) environment: String,
    pub(crate) name: String,
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    /// `None`: the span is no longer than a moment.
    pub(crate) lines_per_second: Option<f64>,
    pub(crate) records: u64,
    pub(crate) levels: Levels,
    #[serde(skip)]
    pub(crate) from_ns: u64,
}

/// Records by their levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Levels {
    pub(crate) trace: u64,
    pub(crate) debug: u64,
    pub(crate) info: u64,
    pub(crate) warn: u64,
    pub(crate) error: u64,
    pub(crate) fatal: u64,
    /// Those that do not say.
    pub(crate) none: u64,
}

impl Levels {
    /// All of them with what they are called, the gravest first.
    pub(crate) fn named(self) -> [(&'static str, u64); 7] {
        let named = |level, count| (level_name(level).unwrap_or("none"), count);
        [
            named(Level::Fatal, self.fatal),
            named(Level::Error, self.error),
            named(Level::Warn, self.warn),
            named(Level::Info, self.info),
            named(Level::Debug, self.debug),
            named(Level::Trace, self.trace),
            named(Level::Unspecified, self.none),
        ]
    }
}

/// Makes a view of what was counted.
pub(crate) fn counted(item: StatsItem) -> Counted {
    let of = |level: Level| {
        let at = usize::try_from(i32::from(level)).ok();
        at.and_then(|at| item.levels.get(at)).copied().unwrap_or(0)
    };
    let levels = Levels {
        trace: of(Level::Trace),
        debug: of(Level::Debug),
        info: of(Level::Info),
        warn: of(Level::Warn),
        error: of(Level::Error),
        fatal: of(Level::Fatal),
        none: of(Level::Unspecified),
    };
    Counted {
        from: time(item.from_ns),
        to: time(item.to_ns),
        lines_per_second: rate(item.lines, item.to_ns.saturating_sub(item.from_ns)),
        levels,
        from_ns: item.from_ns,
        host: item.host,
        environment: item.environment,
        name: item.app,
        lines: item.lines,
        bytes: item.bytes,
        records: item.records,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is shown with a digit or two behind the point"
)]
fn rate(lines: u64, span_ns: u64) -> Option<f64> {
    (span_ns > 0).then(|| lines as f64 / (span_ns as f64 / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_the_whole_span_and_levels_are_by_their_numbers() {
        let item = StatsItem {
            from_ns: 1_000_000_000,
            to_ns: 3_000_000_000,
            lines: 5,
            levels: vec![1, 2, 3, 4, 5, 6, 7],
            ..StatsItem::default()
        };
        let view = counted(item);
        assert_eq!(view.lines_per_second, Some(2.5));
        assert_eq!(
            view.levels.named().map(|(_, count)| count),
            [7, 6, 5, 4, 3, 2, 1]
        );
    }

    #[test]
    fn a_moment_has_no_rate_and_missing_levels_are_none() {
        let view = counted(StatsItem {
            lines: 1,
            ..StatsItem::default()
        });
        assert_eq!(view.lines_per_second, None);
        assert_eq!(view.levels, Levels::default());
    }
}
