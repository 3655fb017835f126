//! Numbers of the command line, and what is said of words that are none.

use std::num::{IntErrorKind, ParseIntError};
use std::str::FromStr;

/// The longest that an app may be given to answer, seconds.
const LONGEST: u64 = 60;

/// Reads a number that counts something.
pub(crate) fn count<N>(text: &str) -> Result<N, String>
where
    N: FromStr<Err = ParseIntError>,
{
    text.parse().map_err(|error: ParseIntError| {
        if *error.kind() == IntErrorKind::PosOverflow {
            "expected a smaller number".to_owned()
        } else {
            "expected a whole number, such as 20".to_owned()
        }
    })
}

/// Reads for how many seconds an app may keep us waiting.
pub(crate) fn patience(text: &str) -> Result<u64, String> {
    count(text)
        .ok()
        .filter(|seconds| (1..=LONGEST).contains(seconds))
        .ok_or_else(|| format!("expected a number of seconds from 1 to {LONGEST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_told_what_would_be_one() {
        assert_eq!(count::<u16>("7"), Ok(7));
        assert!(count::<u16>("x").is_err_and(|said| said.contains("whole number")));
        assert!(count::<u16>("-1").is_err_and(|said| said.contains("whole number")));
        assert!(count::<u16>("70000").is_err_and(|said| said.contains("smaller")));
    }

    #[test]
    fn patience_has_bounds() {
        assert_eq!((patience("1"), patience("60")), (Ok(1), Ok(60)));
        for text in ["0", "61", "x", ""] {
            assert!(patience(text).is_err_and(|said| said.contains("from 1 to 60")));
        }
    }
}
