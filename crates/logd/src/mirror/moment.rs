//! The time of a line, written as day.js writes it: pure.
//!
//! Tokens are replaced wherever they stand, the longest first, as day.js does; `[text]` is taken as it is, and so is
//! everything that is no token.

use std::fmt::Write as _;

use jiff::Zoned;

const TOKENS: [&str; 25] = [
    "YYYY", "YY", "MMMM", "MMM", "MM", "M", "dddd", "ddd", "dd", "DD", "D", "d", "HH", "H", "hh",
    "h", "mm", "m", "SSS", "ss", "s", "ZZ", "Z", "A", "a",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Writes `moment` in the format.
pub(super) fn format(format: &str, moment: &Zoned) -> String {
    let mut text = String::with_capacity(format.len() + 8);
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let escaped = rest
            .strip_prefix('[')
            .and_then(|inside| inside.split_once(']'));
        if let Some((literal, after)) = escaped {
            text.push_str(literal);
            rest = after;
            continue;
        }
        let token = TOKENS.iter().find_map(|token| {
            let after = rest.strip_prefix(token)?;
            Some((*token, after))
        });
        if let Some((token, after)) = token {
            push(&mut text, token, moment);
            rest = after;
        } else {
            text.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    text
}

fn push(text: &mut String, token: &str, moment: &Zoned) {
    let hour = moment.hour();
    let twelve = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    let month = pick(&MONTHS, moment.month() - 1);
    let weekday = moment.weekday().to_sunday_zero_offset();
    let day = pick(&DAYS, weekday);
    let half = if hour < 12 { "AM" } else { "PM" };
    let written = match token {
        "YYYY" => write!(text, "{:04}", moment.year()),
        "YY" => write!(text, "{:02}", moment.year().rem_euclid(100)),
        "MMMM" => write!(text, "{month}"),
        "MMM" => write!(text, "{month:.3}"),
        "MM" => write!(text, "{:02}", moment.month()),
        "M" => write!(text, "{}", moment.month()),
        "dddd" => write!(text, "{day}"),
        "ddd" => write!(text, "{day:.3}"),
        "dd" => write!(text, "{day:.2}"),
        "DD" => write!(text, "{:02}", moment.day()),
        "D" => write!(text, "{}", moment.day()),
        "d" => write!(text, "{weekday}"),
        "HH" => write!(text, "{hour:02}"),
        "H" => write!(text, "{hour}"),
        "hh" => write!(text, "{twelve:02}"),
        "h" => write!(text, "{twelve}"),
        "mm" => write!(text, "{:02}", moment.minute()),
        "m" => write!(text, "{}", moment.minute()),
        "ss" => write!(text, "{:02}", moment.second()),
        "s" => write!(text, "{}", moment.second()),
        "SSS" => write!(text, "{:03}", moment.millisecond()),
        "Z" => write!(text, "{}", offset(moment, ":")),
        "ZZ" => write!(text, "{}", offset(moment, "")),
        "A" => write!(text, "{half}"),
        "a" => write!(text, "{}", half.to_lowercase()),
        other => write!(text, "{other}"),
    };
    written.expect("a text takes any text");
}

fn pick<'a>(names: &[&'a str], index: i8) -> &'a str {
    let index = usize::try_from(index).ok();
    index
        .and_then(|index| names.get(index))
        .copied()
        .unwrap_or_default()
}

fn offset(moment: &Zoned, colon: &str) -> String {
    let minutes = moment.offset().seconds() / 60;
    let (sign, minutes) = if minutes < 0 {
        ('-', -minutes)
    } else {
        ('+', minutes)
    };
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;

    fn told(text: &str) -> String {
        let moment = date(2026, 3, 1).at(15, 4, 5, 67_000_000);
        let zone = TimeZone::get("Asia/Kolkata").expect("known");
        format(text, &moment.to_zoned(zone).expect("a moment"))
    }

    #[test]
    fn a_time_is_written_as_day_js_writes_it() {
        for (text, written) in [
            ("YYYY-MM-DDTHH:mm:ss", "2026-03-01T15:04:05"),
            (
                "YYYY-MM-DD HH:mm:ss.SSS Z",
                "2026-03-01 15:04:05.067 +05:30",
            ),
            ("YY/M/D H:m:s ZZ", "26/3/1 15:4:5 +0530"),
            ("hh:mm A h a", "03:04 PM 3 pm"),
            ("MMMM MMM dddd ddd dd d", "March Mar Sunday Sun Su 0"),
            ("[Year] YYYY [MM", "Year 2026 [03"),
            ("ünd T", "ün0 T"),
            ("", ""),
        ] {
            assert_eq!(told(text), written, "{text}");
        }
    }

    #[test]
    fn the_day_has_a_noon_and_a_midnight_and_zones_lie_west_too() {
        let zone = TimeZone::get("America/St_Johns").expect("known");
        for (hour, written) in [(0, "12 AM -03:30"), (12, "12 PM -03:30")] {
            let moment = date(2026, 1, 1).at(hour, 0, 0, 0);
            let moment = moment.to_zoned(zone.clone()).expect("a moment");
            assert_eq!(format("h A Z", &moment), written);
        }
    }
}
