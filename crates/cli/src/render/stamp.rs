//! The times in front of lines: the time of day, the whole date, or what somebody asked for.
//!
//! Lines come by the million and many within one second, so that the text of a second is made once.

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::view::line::timestamp;

/// How times are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `14:02:11.250`
    Clock,
    /// `2026-11-26T14:02:11.250+01:00`
    Full,
    /// As somebody asked for.
    Custom(Pattern),
}

/// A form of strftime's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(String);

/// What the words of Day.js mean, which PM2 takes; of two that begin alike the longer one comes first.
const WORDS: [(&str, &str); 27] = [
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("DD", "%d"),
    ("D", "%-d"),
    ("dddd", "%A"),
    ("ddd", "%a"),
    ("d", "%w"),
    ("HH", "%H"),
    ("H", "%-H"),
    ("hh", "%I"),
    ("h", "%-I"),
    ("mm", "%M"),
    ("m", "%-M"),
    ("ss", "%S"),
    ("s", "%-S"),
    ("SSS", "%3f"),
    ("SS", "%2f"),
    ("S", "%1f"),
    ("A", "%p"),
    ("a", "%P"),
    ("ZZ", "%z"),
    ("Z", "%:z"),
    ("X", "%s"),
];

impl Pattern {
    /// Reads an argument: a form of strftime's, or one of Day.js.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let pattern = if text.contains('%') {
            text.to_owned()
        } else if ["YY", "MM", "DD", "HH", "hh", "mm", "ss"]
            .iter()
            .any(|word| text.contains(word))
        {
            of_day_js(text)
        } else {
            return Err(
                "expected a form of times such as '%H:%M:%S' or HH:mm:ss; selectors stand before the option".to_owned(),
            );
        };
        let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        match strtime::format(&pattern, &sample) {
            Ok(_) => Ok(Self(pattern)),
            Err(why) => Err(why.to_string()),
        }
    }
}

/// Translates a form of Day.js; what stands in brackets stays.
fn of_day_js(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((kept, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            pattern.push_str(kept);
            rest = after;
        } else if let Some((word, meaning)) = WORDS.iter().find(|(word, _)| rest.starts_with(word))
        {
            pattern.push_str(meaning);
            rest = rest.get(word.len()..).unwrap_or_default();
        } else {
            pattern.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    pattern
}

/// Writes times of one zone in one form.
#[derive(Clone, Debug)]
pub(crate) struct Stamps {
    form: Form,
    zone: TimeZone,
    second: Option<u64>,
    before: String,
    after: String,
}

impl Stamps {
    /// Begins.
    pub(crate) const fn new(form: Form, zone: TimeZone) -> Self {
        Self {
            form,
            zone,
            second: None,
            before: String::new(),
            after: String::new(),
        }
    }

    /// Writes a time to the end of `out`; one that is not known is dashes.
    pub(crate) fn write(&mut self, unix_ns: u64, out: &mut String) {
        let Some(time) = timestamp(unix_ns) else {
            out.push_str("--:--:--.---");
            return;
        };
        if let Form::Custom(Pattern(pattern)) = &self.form {
            let zoned = time.to_zoned(self.zone.clone());
            // It was tried when it was read.
            out.push_str(&strtime::format(pattern, &zoned).unwrap_or_default());
            return;
        }
        let second = unix_ns / 1_000_000_000;
        if self.second != Some(second) {
            self.second = Some(second);
            self.turn(&time.to_zoned(self.zone.clone()));
        }
        out.push_str(&self.before);
        push_millis(unix_ns / 1_000_000 % 1000, out);
        out.push_str(&self.after);
    }

    fn turn(&mut self, second: &Zoned) {
        let (before, after) = match self.form {
            Form::Clock | Form::Custom(_) => ("%H:%M:%S.", ""),
            Form::Full => ("%Y-%m-%dT%H:%M:%S.", "%:z"),
        };
        self.before = second.strftime(before).to_string();
        self.after = second.strftime(after).to_string();
    }
}

fn push_millis(millis: u64, out: &mut String) {
    for divisor in [100, 10, 1] {
        let digit = u32::try_from(millis / divisor % 10).unwrap_or(0);
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::offset;

    use super::*;

    const AT: u64 = 1_700_000_000_023_456_789;

    fn shown(form: Form, times: &[u64]) -> Vec<String> {
        let mut stamps = Stamps::new(form, TimeZone::fixed(offset(2)));
        let shown = |time: &u64| {
            let mut out = String::new();
            stamps.write(*time, &mut out);
            out
        };
        times.iter().map(shown).collect()
    }

    fn custom(text: &str) -> String {
        let pattern = Pattern::parse(text).expect("a form");
        shown(Form::Custom(pattern), &[AT]).concat()
    }

    #[test]
    fn a_second_that_was_shown_before_is_not_taken_for_another() {
        let times = [AT, AT + 700_000_000, AT + 1_000_000_000, AT, 0];
        assert_eq!(
            shown(Form::Clock, &times),
            [
                "00:13:20.023",
                "00:13:20.723",
                "00:13:21.023",
                "00:13:20.023",
                "--:--:--.---"
            ]
        );
        assert_eq!(shown(Form::Full, &[AT]), ["2023-11-15T00:13:20.023+02:00"]);
    }

    #[test]
    fn forms_of_day_js_and_of_strftime_mean_what_they_mean_there() {
        assert_eq!(
            custom("YYYY-MM-DD HH:mm:ss Z"),
            "2023-11-15 00:13:20 +02:00"
        );
        assert_eq!(custom("YYYY-MM-DDTHH:mm:ss.SSS"), "2023-11-15T00:13:20.023");
        assert_eq!(custom("[at] hh:mm A, D MMM YY"), "at 12:13 AM, 15 Nov 23");
        assert_eq!(custom("%d/%m %H:%M"), "15/11 00:13");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for text in ["api", "", "%!", "main"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
