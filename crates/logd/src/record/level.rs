//! How grave a line is, as it says itself.

use super::{json, text};

/// From the least grave to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Every step.
    Trace = 1,
    /// What helps to find a fault.
    Debug = 2,
    /// What happens.
    Info = 3,
    /// What may become a fault.
    Warn = 4,
    /// Something failed.
    Error = 5,
    /// Nothing goes on.
    Fatal = 6,
}

impl Level {
    /// All of them, the least grave first.
    pub const ALL: [Self; 6] = [
        Self::Trace,
        Self::Debug,
        Self::Info,
        Self::Warn,
        Self::Error,
        Self::Fatal,
    ];

    /// Finds the level that a logger calls so, in whatever case.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Self> {
        let mut lower = [0_u8; LONGEST_NAME];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        match &*lower {
            b"trace" | b"trc" | b"silly" | b"finest" => Some(Self::Trace),
            b"debug" | b"dbg" | b"dbug" | b"verbose" => Some(Self::Debug),
            b"info" | b"inf" | b"information" | b"informational" | b"notice" => Some(Self::Info),
            b"warn" | b"wrn" | b"warning" => Some(Self::Warn),
            b"error" | b"err" | b"fail" | b"severe" => Some(Self::Error),
            b"fatal" | b"ftl" | b"critical" | b"crit" | b"panic" | b"dpanic" | b"pnc"
            | b"emerg" | b"emergency" | b"alert" => Some(Self::Fatal),
            _ => None,
        }
    }

    /// Finds the level that a logger numbers so: from 10 on as pino and bunyan do, below as syslog does.
    #[must_use]
    pub const fn numbered(number: u64) -> Option<Self> {
        match number {
            0..=2 => Some(Self::Fatal),
            3 => Some(Self::Error),
            4 => Some(Self::Warn),
            5 | 6 => Some(Self::Info),
            7 => Some(Self::Debug),
            10..=19 => Some(Self::Trace),
            20..=29 => Some(Self::Debug),
            30..=39 => Some(Self::Info),
            40..=49 => Some(Self::Warn),
            50..=59 => Some(Self::Error),
            60..=69 => Some(Self::Fatal),
            _ => None,
        }
    }

    /// Its bit in [`bits`].
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Letters of the longest name.
const LONGEST_NAME: usize = 13;

/// Finds the level of a line; `None`: it tells none that is recognised.
///
/// A line that begins with `{` is JSON and says it in a field of its outermost object; of all others only what stands at
/// their beginning is looked at: the level's name, after nothing but what loggers write before it.
#[must_use]
pub fn level(line: &[u8]) -> Option<Level> {
    match line.first()? {
        b'{' => json::level(line),
        _ => text::level(line),
    }
}

/// Which levels occur in the lines of `text`: [`Level::bit`] each, and bit 0 where a line has none.
///
/// Each line is taken for itself, whatever it belongs to: so where a record begins in `text`, the bit of its level is set.
#[must_use]
pub fn bits(text: &[u8]) -> u8 {
    let mut bits = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        bits |= level(line).map_or(1, Level::bit);
        rest = after.get(1..).unwrap_or_default();
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_known_in_any_case() {
        for (name, expected) in [
            ("trace", Some(Level::Trace)),
            ("Verbose", Some(Level::Debug)),
            ("NOTICE", Some(Level::Info)),
            ("Warning", Some(Level::Warn)),
            ("err", Some(Level::Error)),
            ("CRITICAL", Some(Level::Fatal)),
            ("informational", Some(Level::Info)),
            ("informationally", None),
            ("errors", None),
            ("", None),
        ] {
            assert_eq!(Level::named(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn bits_tell_all_levels_and_whether_a_line_has_none() {
        let text = b"INFO: a\n{\"level\":50}\nplain";
        assert_eq!(bits(text), Level::Info.bit() | Level::Error.bit() | 1);
        assert_eq!(bits(b"WARN x\n"), Level::Warn.bit());
        assert_eq!(bits(b"\n"), 1);
        assert_eq!(bits(b""), 0);
    }

    /// Pieces that recognisers look for, between any bytes.
    fn lines() -> impl Strategy<Value = Vec<u8>> {
        let known: Vec<&[u8]> = vec![
            b"{\"level\":",
            b"\"",
            b"{",
            b"}",
            b"[",
            b"]",
            b"\\",
            b"\x1b[3",
            b"m",
            b"ERROR",
            b"<3>",
            b"=",
            b" ",
            b"\n",
            b"2026-11-26",
            b"E0523 ",
            b"level=",
            b"Traceback (most recent call last):",
            b":",
            b"error",
            b"\t",
        ];
        let piece = prop_oneof![
            proptest::sample::select(known).prop_map(<[u8]>::to_vec),
            vec(any::<u8>(), 0..8),
        ];
        vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_level_or_none_and_their_bits_tell_it(input in lines()) {
            let mut expected = 0;
            let whole = input.strip_suffix(b"\n").unwrap_or(&input);
            if !input.is_empty() {
                for line in whole.split(|byte| *byte == b'\n') {
                    expected |= level(line).map_or(1, Level::bit);
                }
            }
            prop_assert_eq!(bits(&input), expected);
        }
    }
}
