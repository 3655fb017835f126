//! `--only`: some of the apps of a file, by name or glob.

use globset::{Glob, GlobMatcher};

use crate::nearness::closest;

/// Why a choice cannot be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum OnlyError {
    /// A pattern that is none.
    #[error("read the pattern {pattern}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong.
        #[source]
        source: globset::Error,
    },
    /// A pattern that stands for nothing.
    #[error("find {pattern} among the apps of the file: {names}")]
    NoMatch {
        /// As given.
        pattern: String,
        /// The apps there are.
        names: String,
        /// Those most like it.
        closest: Vec<String>,
    },
}

/// Returns which of `names` are chosen by `patterns`, each pattern a list divided by commas or blanks. No pattern at all
/// chooses everything.
pub(crate) fn choose(names: &[&str], patterns: &[String]) -> Result<Vec<bool>, OnlyError> {
    let mut chosen = vec![patterns.is_empty(); names.len()];
    let words = patterns
        .iter()
        .flat_map(|list| list.split(|at: char| at == ',' || at.is_whitespace()))
        .filter(|word| !word.is_empty());
    for word in words {
        let glob = glob(word)?;
        let mut found = false;
        for (name, chosen) in names.iter().zip(&mut chosen) {
            if *name == word || glob.is_match(name) {
                *chosen = true;
                found = true;
            }
        }
        if !found {
            return Err(OnlyError::NoMatch {
                pattern: word.to_owned(),
                names: names.join(", "),
                closest: closest(word, names.iter().copied()),
            });
        }
    }
    Ok(chosen)
}

fn glob(pattern: &str) -> Result<GlobMatcher, OnlyError> {
    Glob::new(pattern)
        .map(|glob| glob.compile_matcher())
        .map_err(|source| OnlyError::Pattern {
            pattern: pattern.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["mds-fetcher", "mds-rest", "api"];

    fn chosen(patterns: &[&str]) -> Result<Vec<bool>, OnlyError> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        choose(&NAMES, &patterns)
    }

    #[test]
    fn names_and_globs_add_up() {
        assert_eq!(chosen(&[]), Ok(vec![true, true, true]));
        assert_eq!(chosen(&["mds-*"]), Ok(vec![true, true, false]));
        assert_eq!(chosen(&["api,mds-rest"]), Ok(vec![false, true, true]));
        assert_eq!(chosen(&["api mds-rest"]), Ok(vec![false, true, true]));
        assert_eq!(chosen(&["api", "mds-f*"]), Ok(vec![true, false, true]));
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_an_error_with_the_closest_names() {
        let error = chosen(&["api", "mds-fecher"]).expect_err("refused");
        let OnlyError::NoMatch {
            pattern, closest, ..
        } = error
        else {
            panic!("another error: {error}");
        };
        assert_eq!(pattern, "mds-fecher");
        assert_eq!(closest.first().map(String::as_str), Some("mds-fetcher"));
    }

    #[test]
    fn a_broken_glob_is_said() {
        assert!(matches!(chosen(&["mds-["]), Err(OnlyError::Pattern { .. })));
    }
}
