//! Points in time as people type them.
//!
//! What is typed is read at once; which moment it means is known with the time and the zone:
//!
//! ```text
//!  14:02         the last such moment: today's, or yesterday's where that lies in the future
//!  2026-11-26    midnight, where the person is
//!  2h30m         so long ago; a day is one of the calendar, also where the clocks change
//! ```

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _, Zoned};

/// What can be typed.
const FORMS: &str = "expected a time such as 14:02, 14:02:05, 2026-11-26, '2026-11-26 14:02', 2026-11-26T14:02:05Z, today, \
    yesterday, now, or how long ago: 10m, 2h30m, 1d, '1 hour ago'; or unix seconds: @1700000000";

/// A point in time, as it was typed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// The same everywhere.
    At(Timestamp),
    /// Of a day, where the person is.
    Local(DateTime),
    /// Of every day.
    Daily(Time),
    /// So long before now.
    Ago(Span),
    /// The midnight of so many days ago.
    Day(i64),
}

impl When {
    /// Reads an argument.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        word(text)
            .or_else(|| unix(text))
            .or_else(|| absolute(text))
            .or_else(|| daily(text))
            .or_else(|| ago(text))
            .ok_or_else(|| {
                if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
                    format!("unix seconds are written with an @: @{text}")
                } else {
                    FORMS.to_owned()
                }
            })
    }

    /// The moment that is meant, seen from `now`, or why there is none.
    pub(crate) fn moment(self, now: &Zoned) -> Result<Timestamp, jiff::Error> {
        let zone = now.time_zone();
        match self {
            Self::At(time) => Ok(time),
            Self::Local(time) => Ok(time.to_zoned(zone.clone())?.timestamp()),
            Self::Daily(time) => {
                let today = on(now.date(), time, zone)?;
                if today <= now.timestamp() {
                    return Ok(today);
                }
                on(now.date().yesterday()?, time, zone)
            }
            Self::Ago(span) => Ok(now.checked_sub(span)?.timestamp()),
            Self::Day(back) => on(now.date().checked_sub(back.days())?, Time::midnight(), zone),
        }
    }

    /// The same of the end of a range that begins at `since`: a time of day is the next one where the last one is before it.
    pub(crate) fn moment_after(
        self,
        since: Option<Timestamp>,
        now: &Zoned,
    ) -> Result<Timestamp, jiff::Error> {
        let moment = self.moment(now)?;
        match (self, since) {
            (Self::Daily(time), Some(since)) if moment <= since => {
                let next = moment.to_zoned(now.time_zone().clone()).date().tomorrow()?;
                on(next, time, now.time_zone())
            }
            (Self::At(_) | Self::Local(_) | Self::Daily(_) | Self::Ago(_) | Self::Day(_), _) => {
                Ok(moment)
            }
        }
    }
}

fn on(date: Date, time: Time, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    Ok(date.to_datetime(time).to_zoned(zone.clone())?.timestamp())
}

fn word(text: &str) -> Option<When> {
    match text.to_ascii_lowercase().as_str() {
        "now" => Some(When::Ago(Span::new())),
        "today" => Some(When::Day(0)),
        "yesterday" => Some(When::Day(1)),
        _ => None,
    }
}

fn unix(text: &str) -> Option<When> {
    let number = text.strip_prefix('@')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || fraction.len() > 9 || !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(seconds.parse().ok()?, nanos)
        .ok()
        .map(When::At)
}

fn absolute(text: &str) -> Option<When> {
    // The parser takes forms without separators, too, which people rather mean as numbers.
    if !text.contains('-') || !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(When::At(time));
    }
    if let Ok(time) = text.parse::<Zoned>() {
        return Some(When::At(time.timestamp()));
    }
    text.parse().ok().map(When::Local)
}

fn daily(text: &str) -> Option<When> {
    let (hour, _) = text.split_once(':')?;
    let padded = match hour.len() {
        1 => format!("0{text}"),
        2 => text.to_owned(),
        _ => return None,
    };
    padded.parse().ok().map(When::Daily)
}

fn ago(text: &str) -> Option<When> {
    let span: Span = text.parse().ok()?;
    Some(When::Ago(span.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        "2026-11-26T10:30:00+01:00[Europe/Berlin]"
            .parse()
            .expect("a time")
    }

    #[track_caller]
    fn means(typed: &str, moment: &str) {
        let when = When::parse(typed).unwrap_or_else(|why| panic!("{typed}: {why}"));
        let found = when.moment(&now()).expect("there is one");
        assert_eq!(found.to_string(), moment, "{typed}");
    }

    #[test]
    fn every_form_that_is_promised_is_understood() {
        for (typed, moment) in [
            ("2026-11-26T14:02:05Z", "2026-11-26T14:02:05Z"),
            ("2026-11-26T14:02:05.5+02:00", "2026-11-26T12:02:05.5Z"),
            ("2026-11-26", "2026-11-25T23:00:00Z"),
            ("2026-11-26 09:02", "2026-11-26T08:02:00Z"),
            ("2026-11-26T09:02:05", "2026-11-26T08:02:05Z"),
            ("09:02", "2026-11-26T08:02:00Z"),
            ("9:02", "2026-11-26T08:02:00Z"),
            ("09:02:05", "2026-11-26T08:02:05Z"),
            ("09:02:05.25", "2026-11-26T08:02:05.25Z"),
            ("10m", "2026-11-26T09:20:00Z"),
            ("2h30m", "2026-11-26T07:00:00Z"),
            ("90s", "2026-11-26T09:28:30Z"),
            ("1d", "2026-11-25T09:30:00Z"),
            ("1 hour ago", "2026-11-26T08:30:00Z"),
            ("2 days ago", "2026-11-24T09:30:00Z"),
            ("-15m", "2026-11-26T09:15:00Z"),
            ("today", "2026-11-25T23:00:00Z"),
            ("Yesterday", "2026-11-24T23:00:00Z"),
            ("now", "2026-11-26T09:30:00Z"),
            ("@1700000000", "2023-11-14T22:13:20Z"),
            ("@1700000000.5", "2023-11-14T22:13:20.5Z"),
        ] {
            means(typed, moment);
        }
    }

    #[test]
    fn a_time_of_day_that_lies_in_the_future_is_yesterday_s() {
        means("10:30", "2026-11-26T09:30:00Z");
        means("10:31", "2026-11-25T09:31:00Z");
        means("23:00", "2026-11-25T22:00:00Z");
    }

    #[test]
    fn a_day_of_the_calendar_is_longer_where_the_clocks_are_set_back() {
        let now = "2026-10-25T12:00:00+01:00[Europe/Berlin]"
            .parse::<Zoned>()
            .expect("a time");
        let day = When::parse("1d").and_then(|when| when.moment(&now).map_err(|e| e.to_string()));
        assert_eq!(day.expect("read").to_string(), "2026-10-24T10:00:00Z");
    }

    #[test]
    fn the_end_of_a_range_comes_after_its_beginning() {
        let end = |typed: &str, since: &str| {
            let since =
                When::parse(since).and_then(|w| w.moment(&now()).map_err(|e| e.to_string()));
            let when = When::parse(typed).expect("read");
            let end = when.moment_after(since.ok(), &now());
            end.expect("there is one").to_string()
        };
        // Both were yesterday.
        assert_eq!(end("14:05", "14:00"), "2026-11-25T13:05:00Z");
        // Over midnight.
        assert_eq!(end("01:00", "23:00"), "2026-11-26T00:00:00Z");
        // Still to come.
        assert_eq!(end("11:00", "10:20"), "2026-11-26T10:00:00Z");
        assert_eq!(end("5m", "10:20"), "2026-11-26T09:25:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused_with_what_is_one() {
        for typed in [
            "",
            "soon",
            "14",
            "14:60",
            "25:00",
            "1402",
            "2026-13-01",
            "@",
            "@x",
            "-f",
            "@1.1234567890",
        ] {
            let why = When::parse(typed).expect_err(typed);
            assert!(why.contains("14:02") && why.contains("1 hour ago"), "{why}");
        }
        let why = When::parse("1700000000").expect_err("no @");
        assert!(why.contains("@1700000000"), "{why}");
    }
}
