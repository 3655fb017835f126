//! What `eco logs --json` says, and whether it is what the apps wrote: no line missing, none twice.

use serde_json::Value;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// RFC 3339, so that the order of the texts is the order of the times, as long as they are of one form.
    pub time: String,
    /// The app.
    pub name: String,
    /// The life.
    pub run: u64,
    /// `out` or `err`.
    pub stream: String,
    /// Where it begins in its stream.
    pub offset: u64,
    /// Without its newline.
    pub line: String,
}

/// Checks that two readings hold the same lines: nothing missing, nothing twice, nothing changed, their times included.
///
/// # Panics
/// At the first difference.
#[track_caller]
pub fn check_same_lines(read: &[Record], stored: &[Record]) {
    for (read, stored) in read.iter().zip(stored) {
        assert_eq!(read, stored);
    }
    assert_eq!(read.len(), stored.len());
}

/// Reads JSON Lines.
///
/// # Panics
/// When they are not of the promised shape.
#[track_caller]
#[must_use]
pub fn records(text: &str) -> Vec<Record> {
    text.lines().map(record).collect()
}

#[track_caller]
fn record(text: &str) -> Record {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let field = |name: &str| {
        value
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {text}"))
    };
    let word = |name: &str| field(name).as_str().unwrap_or_default().to_owned();
    let number = |name: &str| field(name).as_u64().expect("a number");
    Record {
        time: word("time"),
        name: word("name"),
        run: number("run"),
        stream: word("stream"),
        offset: number("offset"),
        line: word("line"),
    }
}

/// Checks that the lines of one run's stdout are 1, 2, 3 … without a gap, a repeat or a hole between their offsets, and
/// returns how many they are. A closing `end` is not counted.
///
/// # Panics
/// When they are not.
#[track_caller]
#[must_use]
pub fn check_numbered(records: &[Record], name: &str, run: u64) -> u64 {
    let mine = records
        .iter()
        .filter(|record| record.name == name && record.run == run && record.stream == "out");
    let (mut count, mut offset) = (0, 0);
    for record in mine {
        assert_eq!(
            record.offset, offset,
            "after line {count} of {name}: {record:?}"
        );
        offset += u64::try_from(record.line.len()).expect("small") + 1;
        if record.line == "end" {
            continue;
        }
        count += 1;
        let number = record.line.split_whitespace().next();
        assert_eq!(
            number,
            Some(count.to_string().as_str()),
            "{name}: {record:?}"
        );
    }
    count
}
