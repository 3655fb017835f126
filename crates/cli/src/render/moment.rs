//! Points in time as people read them: their own clock, to the millisecond.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::view::line::timestamp;

const DAY: &str = "%Y-%m-%d %H:%M:%S%.3f";

/// Day and time: `2026-05-01 14:02:11.250`; `None` where none is known.
pub(crate) fn day(unix_ns: u64, zone: &TimeZone) -> Option<String> {
    shown(unix_ns, zone, DAY)
}

/// A time of the contract, RFC 3339, as [`day`] shows it.
pub(crate) fn local(rfc3339: &str, zone: &TimeZone) -> String {
    match rfc3339.parse::<Timestamp>() {
        Ok(time) => formatted(time, zone, DAY),
        // What is no time is shown as it is.
        Err(_) => rfc3339.to_owned(),
    }
}

/// The same of one that may not be known.
pub(crate) fn known_or_not(rfc3339: Option<&str>, zone: &TimeZone) -> String {
    rfc3339.map_or_else(
        || "at a time not known".to_owned(),
        |time| local(time, zone),
    )
}

fn shown(unix_ns: u64, zone: &TimeZone, form: &str) -> Option<String> {
    timestamp(unix_ns).map(|time| formatted(time, zone, form))
}

fn formatted(time: Timestamp, zone: &TimeZone, form: &str) -> String {
    time.to_zoned(zone.clone()).strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;

    use super::*;

    #[test]
    fn a_time_is_that_of_the_zone_to_the_millisecond() {
        let zone = TimeZone::fixed(offset(2));
        let at = 1_700_000_000_123_456_789;
        let shown = "2023-11-15 00:13:20.123";
        assert_eq!(day(at, &zone).as_deref(), Some(shown));
        assert_eq!(local("2023-11-14T22:13:20.123456789Z", &zone), shown);
    }

    #[test]
    fn what_is_not_known_is_no_time() {
        assert_eq!(day(0, &TimeZone::UTC), None);
        assert_eq!(local("soon", &TimeZone::UTC), "soon");
    }
}
