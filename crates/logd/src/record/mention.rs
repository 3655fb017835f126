//! Patterns for what a line must have to be of a level at least: found fast in many lines at once, and now and then in a line that
//! is not.

use super::Level;
use crate::sieve::Pattern;

/// Keys of JSON and how their numbers go on.
const KEY: &str = r#"(?:evel|lvl|severity)(?:name)?"\s*:\s*"#;

/// Finds what a line has that is of `least` at least. `None`: as good as all lines would be found.
#[must_use]
pub fn mention(least: Level) -> Option<Pattern> {
    let (numbers, names, letters) = match least {
        Level::Trace | Level::Debug | Level::Info => return None,
        Level::Warn => (
            "(?:[0-4]\\b|[4-6][0-9])",
            "warn|wrn|err|fail|severe|exception|traceback|",
            "WEF",
        ),
        Level::Error => (
            "(?:[0-3]\\b|[56][0-9])",
            "err|fail|severe|exception|traceback|",
            "EF",
        ),
        Level::Fatal => ("(?:[0-2]\\b|6[0-9])", "", "F"),
    };
    let pattern = format!(
        r"(?i:{names}fatal|ftl|crit|panic|pnc|emerg|alert)|(?i:{KEY}){numbers}|^<[0-9]|^[{letters}][0-9]{{4}} |^(?:/|file://|node:)[^ ]*:[0-9]+\r?$"
    );
    Pattern::new(&pattern).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::level;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn a_line_of_a_level_mentions_it(line in super::super::level::tests::lines()) {
            for least in [Level::Warn, Level::Error, Level::Fatal] {
                let mention = mention(least).expect("worth it");
                if level(&line) >= Some(least) {
                    prop_assert!(mention.is_in(&line), "{:?} {:?}", least, line);
                }
            }
        }
    }

    #[test]
    fn what_every_line_has_is_not_searched_for() {
        assert!(mention(Level::Info).is_none());
        let error = mention(Level::Error).expect("worth it");
        assert!(!error.is_in(b"{\"level\":30,\"time\":5,\"msg\":\"x\"}"));
        assert!(!error.is_in(b"2026-11-26 07:00:01 INFO started 5"));
    }
}
