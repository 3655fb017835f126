//! The conditions of a query.

use super::pattern::Pattern;
use super::scan::Scan;
use crate::needles::Needles;
use crate::record::{Condition, Level};

/// What a record must be like: all of it.
#[derive(Clone, Debug, Default)]
pub struct Sieve {
    grep: Vec<Pattern>,
    exclude: Vec<Pattern>,
    level: Option<Level>,
    fields: Vec<Condition>,
    /// What is found in some line of each record that passes.
    scan: Option<Scan>,
}

impl Sieve {
    /// Passes records in which each of `grep` is found and none of `exclude`, of that `level` at least, for whose fields all of
    /// `fields` hold.
    #[must_use]
    pub fn new(
        grep: Vec<Pattern>,
        exclude: Vec<Pattern>,
        level: Option<Level>,
        fields: Vec<Condition>,
    ) -> Self {
        let scan = grep
            .iter()
            // The one that is found fastest as a rule.
            .max_by_key(|pattern| {
                let mut needles = Needles::default();
                needles.add(pattern.hir());
                let lengths = needles.wanted().map(|any| any.iter().map(Vec::len).min());
                lengths.max().flatten()
            })
            .cloned()
            .map(Scan::Pattern)
            .or_else(|| level.map(Scan::Level))
            .or_else(|| {
                fields
                    .first()
                    .and_then(Condition::mention)
                    .map(Scan::Pattern)
            });
        Self {
            grep,
            exclude,
            level,
            fields,
            scan,
        }
    }

    /// Returns whether a record passes, whose level is known: its lines with the newlines between them.
    #[must_use]
    pub fn passes(&self, record: &[u8], level: Option<Level>) -> bool {
        (self.level.is_none() || level >= self.level)
            && self.grep.iter().all(|pattern| pattern.is_in(record))
            && self.fields.iter().all(|field| field.holds(record))
            && !self.exclude.iter().any(|pattern| pattern.is_in(record))
    }

    /// Returns whether there is anything that a record may lack.
    #[must_use]
    pub const fn chooses(&self) -> bool {
        !self.grep.is_empty()
            || !self.exclude.is_empty()
            || self.level.is_some()
            || !self.fields.is_empty()
    }

    /// Returns whether another line can make a record that passes one that does not.
    #[must_use]
    pub const fn can_change_its_mind(&self) -> bool {
        !self.exclude.is_empty()
    }

    /// What is found in some line of each record that passes.
    #[must_use]
    pub const fn scan(&self) -> Option<&Scan> {
        self.scan.as_ref()
    }

    /// The least level of the records that pass.
    #[must_use]
    pub const fn level(&self) -> Option<Level> {
        self.level
    }

    /// What stands in each record that passes.
    #[must_use]
    pub fn needles(&self) -> Needles {
        let mut needles = Needles::default();
        for pattern in &self.grep {
            needles.add(pattern.hir());
        }
        for field in &self.fields {
            needles.add_any(field.literals());
        }
        needles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Comparison;

    #[test]
    fn conditions_are_met_together_and_needles_are_those_of_all() {
        let patterns = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| Pattern::new(text).expect("a pattern"))
                .collect()
        };
        let field =
            Condition::new(&["status".to_owned()], Comparison::AtLeast, "500").expect("valid");
        let sieve = Sieve::new(
            patterns(&["Time.*out", "x"]),
            patterns(&["health"]),
            Some(Level::Warn),
            vec![field],
        );
        let record = br#"{"status":503,"msg":"Time is out x"}"#;
        assert!(sieve.passes(record, Some(Level::Error)));
        assert!(!sieve.passes(record, Some(Level::Info)));
        assert!(!sieve.passes(record, None));
        assert!(!sieve.passes(
            br#"{"status":503,"msg":"Time is out x health"}"#,
            Some(Level::Error)
        ));
        assert!(!sieve.passes(
            br#"{"status":404,"msg":"Time is out x"}"#,
            Some(Level::Error)
        ));
        assert!(!sieve.passes(br#"{"status":503,"msg":"x"}"#, Some(Level::Error)));
        let needles = sieve.needles();
        let demands: Vec<Vec<_>> = needles
            .wanted()
            .map(|any| {
                any.iter()
                    .map(|needle| String::from_utf8_lossy(needle).into_owned())
                    .collect()
            })
            .collect();
        assert_eq!(
            demands,
            [vec!["time"], vec!["out"], vec!["status\"", "status="]]
        );
        assert!(needles.are_in(&record.to_ascii_lowercase()));
        assert!(Sieve::default().passes(b"", None));
        assert!(Sieve::default().needles().is_empty());
    }
}
