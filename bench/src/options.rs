//! Reading options of the command line.

use std::fmt::Display;
use std::str::FromStr;

use crate::failure::Failure;

/// Reads the value of an option.
pub(crate) fn value<N>(option: &str, text: &str) -> Result<N, Failure>
where
    N: FromStr,
    N::Err: Display,
{
    text.parse()
        .map_err(|error: N::Err| Failure::new(format!("read {option} {text}"), error))
}

/// What is not known.
pub(crate) fn unknown(word: &str) -> Failure {
    Failure::new(
        "read the options",
        format!("{word} is none, or lacks its value"),
    )
}
