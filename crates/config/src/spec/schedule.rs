//! When an app is replaced by the clock.

use std::hash::{Hash, Hasher};

use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// A pattern that is none.
    #[error("{0}")]
    Pattern(String),
    /// A pattern that names no day there is, such as the 31st of February.
    #[error("there is no such time")]
    Never,
    /// A time zone nobody knows.
    #[error("there is no time zone named {0:?}")]
    Zone(String),
}

/// A cron pattern and the time zone it is read in.
#[derive(Clone, Debug)]
pub struct Schedule {
    pattern: String,
    zone: Option<String>,
    cron: Cron,
}

impl Schedule {
    /// Checks a pattern of five or six fields, the first of six being seconds, and the name of a time zone such as
    /// `Europe/Berlin`; without one the zone is the host's that the app runs on.
    pub fn new(pattern: &str, zone: Option<&str>) -> Result<Self, ScheduleError> {
        if let Some(zone) = zone {
            check_zone(zone)?;
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(pattern)
            .map_err(|error| ScheduleError::Pattern(why(error)))?;
        let schedule = Self {
            pattern: pattern.to_owned(),
            zone: zone.map(str::to_owned),
            cron,
        };
        // A time that never came since 1970 never will.
        match schedule.after(Timestamp::UNIX_EPOCH, TimeZone::UTC) {
            Some(_) => Ok(schedule),
            None => Err(ScheduleError::Never),
        }
    }

    /// The pattern as written.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The name of the time zone; `None`: the host's.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// The first time after `unix` that the pattern means, both in whole seconds since 1970; `None` when there is none
    /// that a calendar holds.
    #[must_use]
    pub fn next_after(&self, unix: i64) -> Option<i64> {
        let zone = match &self.zone {
            Some(name) => TimeZone::get(name).ok()?,
            None => TimeZone::system(),
        };
        self.after(Timestamp::from_second(unix).ok()?, zone)
    }

    fn after(&self, at: Timestamp, zone: TimeZone) -> Option<i64> {
        let next = self.cron.find_next_occurrence(&at.to_zoned(zone), false);
        next.ok().map(|next| next.timestamp().as_second())
    }
}

// What was written decides; what came of it follows.
impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        (&self.pattern, &self.zone) == (&other.pattern, &other.zone)
    }
}

impl Eq for Schedule {}

impl Hash for Schedule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.pattern, &self.zone).hash(state);
    }
}

/// What the parser says, without what it says before each of its messages.
fn why(error: CronError) -> String {
    let said = match error {
        CronError::InvalidPattern(said)
        | CronError::IllegalCharacters(said)
        | CronError::ComponentError(said) => said,
        other @ (CronError::EmptyPattern
        | CronError::InvalidDate
        | CronError::InvalidTime
        | CronError::TimeSearchLimitExceeded) => other.to_string(),
    };
    let mut chars = said.trim_end_matches('.').chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// Checks the name of a time zone.
pub fn check_zone(zone: &str) -> Result<(), ScheduleError> {
    TimeZone::get(zone)
        .map(drop)
        .map_err(|_| ScheduleError::Zone(zone.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(pattern: &str, zone: &str, after: &str) -> String {
        let schedule = Schedule::new(pattern, Some(zone)).unwrap();
        let after: Timestamp = after.parse().unwrap();
        let next = schedule.next_after(after.as_second()).unwrap();
        Timestamp::from_second(next).unwrap().to_string()
    }

    #[test]
    fn the_next_time_is_later_than_the_one_asked_from() {
        let at = |after| next("30 3 * * *", "UTC", after);
        assert_eq!(at("2024-02-28T03:29:59Z"), "2024-02-28T03:30:00Z");
        assert_eq!(at("2024-02-28T03:30:00Z"), "2024-02-29T03:30:00Z");
    }

    #[test]
    fn six_fields_begin_with_seconds() {
        let at = next("*/20 * * * * *", "UTC", "2024-01-01T00:00:01Z");
        assert_eq!(at, "2024-01-01T00:00:20Z");
    }

    #[test]
    fn a_zone_moves_the_time_and_its_summer_does_too() {
        let at = |after| next("0 8 * * *", "Europe/Berlin", after);
        assert_eq!(at("2024-03-30T00:00:00Z"), "2024-03-30T07:00:00Z");
        assert_eq!(at("2024-03-31T00:00:00Z"), "2024-03-31T06:00:00Z");
    }

    #[test]
    fn a_time_that_a_change_of_the_clocks_leaves_out_is_not_lost_for_that_day() {
        let at = next("30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z");
        assert_eq!(at, "2024-03-31T01:00:00Z");
    }

    #[test]
    fn a_time_that_a_change_of_the_clocks_repeats_is_meant_once() {
        let first = next("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z");
        assert_eq!(first, "2024-10-27T00:30:00Z");
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", &first),
            "2024-10-28T01:30:00Z"
        );
    }

    #[test]
    fn days_may_be_named_and_counted_from_the_end() {
        let at = |pattern| next(pattern, "UTC", "2024-02-01T00:00:00Z");
        assert_eq!(at("0 0 * * MON"), "2024-02-05T00:00:00Z");
        assert_eq!(at("0 0 L * *"), "2024-02-29T00:00:00Z");
        assert_eq!(at("@daily"), "2024-02-02T00:00:00Z");
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let error = |pattern, zone| Schedule::new(pattern, zone).unwrap_err();
        for wrong in [
            "",
            "* * * *",
            "* * * * * * *",
            "61 * * * *",
            "x * * * *",
            "5",
        ] {
            assert!(
                matches!(error(wrong, None), ScheduleError::Pattern(_)),
                "{wrong:?}"
            );
        }
        assert_eq!(error("0 0 31 2 *", None), ScheduleError::Never);
        let unknown = ScheduleError::Zone("Europe/Berlinn".to_owned());
        assert_eq!(error("0 0 * * *", Some("Europe/Berlinn")), unknown);
    }
}
