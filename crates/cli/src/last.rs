//! How much of the past is asked for: `-n 50`, `-n all`.

/// How much of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// All of it.
    All,
    /// The last so many.
    Some(u64),
}

impl Last {
    /// Reads an argument.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse()
            .map(Self::Some)
            .map_err(|_| "expected a number, or 'all'".to_owned())
    }

    /// The number as the daemons are told: none stands for all.
    pub(crate) const fn count(self) -> Option<u64> {
        match self {
            Self::All => None,
            Self::Some(count) => Some(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_counted_or_all() {
        assert_eq!(Last::parse("all"), Ok(Last::All));
        assert_eq!(Last::parse("0"), Ok(Last::Some(0)));
        assert!(Last::parse("-1").is_err());
        assert!(Last::parse("many").is_err());
    }
}
