//! How much is kept: `[logs]` of `<home>/eco.toml`.
//!
//! ```toml
//! [logs]
//! max_total_size = "10 GiB"     # of all apps
//! max_app_size   = "2 GiB"      # of each app; an app may have its own
//! max_age        = "30d"        # an app may have its own
//! min_free_disk  = "1 GiB"      # left to everybody else; default: 1 GiB, or 5 % of a disk under 20 GiB
//! ```
//!
//! What is not there has its default. A name that is not known, or a value that is none, makes the file a broken one: none of
//! it holds, and whoever reads it is told why.

use std::io;
use std::path::Path;

use serde::{Deserialize, Deserializer, de};

/// All bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Bounds {
    /// Bytes of all apps.
    #[serde(deserialize_with = "size")]
    pub(super) max_total_size: u64,
    /// Bytes of each app.
    #[serde(deserialize_with = "size")]
    pub(super) max_app_size: u64,
    /// Seconds.
    #[serde(deserialize_with = "age")]
    pub(super) max_age: u64,
    /// Bytes that are left free; `None`: by the size of the disk.
    #[serde(deserialize_with = "some_size")]
    pub(super) min_free_disk: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            max_total_size: 10 << 30,
            max_app_size: 2 << 30,
            max_age: 30 * 24 * 3600,
            min_free_disk: None,
        }
    }
}

impl Bounds {
    /// The bytes that are left free of a disk of `size` bytes.
    pub(super) fn floor(&self, size: u64) -> u64 {
        self.min_free_disk.unwrap_or((1 << 30).min(size / 20))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    logs: Bounds,
}

/// Reads the file; one that is not there says nothing. The error is a text for people.
pub(super) fn load(path: &Path) -> Result<Bounds, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Bounds::default()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse(text: &str) -> Result<Bounds, String> {
    let read: Result<Document, _> = toml::from_str(text);
    read.map(|document| document.logs)
        .map_err(|error| error.to_string().trim_end().to_owned())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Number(u64),
    Text(String),
}

fn size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let given = Given::deserialize(from).map_err(|_| {
        de::Error::custom("a size is a number of bytes, or a text like \"500 MiB\"")
    })?;
    match given {
        Given::Number(bytes) => Ok(bytes),
        Given::Text(text) => quantity(&text, SIZES).ok_or_else(|| {
            de::Error::custom(format!(
                "{text:?} is no size; write it like \"500 MiB\" or \"10G\""
            ))
        }),
    }
}

fn some_size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    size(from).map(Some)
}

fn age<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let text = String::deserialize(from)?;
    quantity(&text, AGES).ok_or_else(|| {
        de::Error::custom(format!(
            "{text:?} is no age; write it like \"30d\" or \"12h\""
        ))
    })
}

const SIZES: &[(&[&str], u64)] = &[
    (&["", "b"], 1),
    (&["k", "kb", "kib"], 1 << 10),
    (&["m", "mb", "mib"], 1 << 20),
    (&["g", "gb", "gib"], 1 << 30),
    (&["t", "tb", "tib"], 1 << 40),
];
const AGES: &[(&[&str], u64)] = &[
    (&["s"], 1),
    (&["m", "min"], 60),
    (&["h"], 3600),
    (&["d"], 24 * 3600),
    (&["w"], 7 * 24 * 3600),
];

/// A whole number and a unit.
fn quantity(text: &str, units: &[(&[&str], u64)]) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(at)?;
    let number: u64 = digits.parse().ok()?;
    let (_, factor) = units
        .iter()
        .find(|(names, _)| names.contains(&unit.trim()))?;
    number.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_has_its_default() {
        assert_eq!(parse(""), Ok(Bounds::default()));
        assert_eq!(parse("[logs]"), Ok(Bounds::default()));
        let found =
            parse("[logs]\nmax_app_size = \"500 MiB\"\nmax_age = \"12h\"\nmin_free_disk = 7");
        let expected = Bounds {
            max_app_size: 500 << 20,
            max_age: 12 * 3600,
            min_free_disk: Some(7),
            ..Bounds::default()
        };
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn what_is_not_known_is_said() {
        for (text, said) in [
            ("[logs]\nmax_size = 1", "unknown field `max_size`"),
            ("[log]\nmax_age = \"1d\"", "unknown field `log`"),
            ("[logs]\nmax_age = \"soon\"", "\"soon\" is no age"),
            (
                "[logs]\nmax_app_size = \"10 apples\"",
                "\"10 apples\" is no size",
            ),
            ("[logs]\nmax_app_size = -1", "a size is a number of bytes"),
            ("[logs", "line 1"),
        ] {
            let error = parse(text).expect_err("broken");
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn the_disk_keeps_a_twentieth_and_a_gigabyte_at_most() {
        assert_eq!(Bounds::default().floor(10 << 30), (10 << 30) / 20);
        assert_eq!(Bounds::default().floor(1 << 40), 1 << 30);
    }
}
