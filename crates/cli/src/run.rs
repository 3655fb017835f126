//! Which run of an instance is meant: the one of a number, or one counted back from the last.

use std::fmt;
use std::str::FromStr;

/// A run, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// By its number, from 1.
    Number(u64),
    /// Counted back: 1 is the last run, 2 the one before it.
    Back(u64),
}

impl Run {
    /// Picks it from the numbers of an instance's runs, the newest first; `None`: it is not among them.
    pub(crate) fn pick(self, runs: &[u64]) -> Option<u64> {
        match self {
            Self::Number(number) => runs.contains(&number).then_some(number),
            Self::Back(back) => {
                let index = usize::try_from(back).ok()?.checked_sub(1)?;
                runs.get(index).copied()
            }
        }
    }
}

impl FromStr for Run {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let run = match text.strip_prefix('-') {
            Some(back) => back.parse().map(Self::Back),
            None => text.parse().map(Self::Number),
        };
        run.ok()
            .filter(|run| !matches!(run, Self::Number(0) | Self::Back(0)))
            .ok_or_else(|| {
                "expected the number of a run, or -1 for the last one, -2 for the one before it"
                    .to_owned()
            })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Back(back) => write!(formatter, "-{back}"),
        }
    }
}

/// Says which runs are kept, the newest first: they may be thousands.
pub(crate) fn span(runs: &[u64]) -> String {
    match (runs.last(), runs.first()) {
        (Some(first), Some(last)) if first < last => format!("runs {first} to {last} are kept"),
        (Some(only), _) => format!("run {only} is kept"),
        (None, _) => "no run is kept".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_number_or_counted_back() {
        assert_eq!("7".parse(), Ok(Run::Number(7)));
        assert_eq!("-1".parse(), Ok(Run::Back(1)));
        for text in ["0", "-0", "", "-", "--1", "last", "1.5"] {
            assert!(text.parse::<Run>().is_err(), "{text}");
        }
        assert_eq!(Run::Back(2).to_string(), "-2");
    }

    #[test]
    fn it_is_picked_from_what_is_there() {
        let runs = [9, 8, 3];
        for (run, picked) in [
            (Run::Number(3), Some(3)),
            (Run::Number(7), None),
            (Run::Back(1), Some(9)),
            (Run::Back(3), Some(3)),
            (Run::Back(4), None),
        ] {
            assert_eq!(run.pick(&runs), picked, "{run}");
        }
        assert_eq!(Run::Back(1).pick(&[]), None);
    }

    #[test]
    fn what_is_there_is_said_briefly() {
        assert_eq!(span(&[9, 8, 3]), "runs 3 to 9 are kept");
        assert_eq!(span(&[4]), "run 4 is kept");
    }
}
