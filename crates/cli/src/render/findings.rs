//! What is wrong or odd about files, as compilers say it, so that editors find the place.
//!
//! ```text
//! /p/ecosystem.config.js:5:7: error: apps[1].instances: found "lots", expected a number or "max" (app x)
//!     hint: did you mean …
//! ```

use super::style;
use crate::view::findings::{Count, Finding, Level};

/// Makes the block of a finding, with a newline at its end.
pub(crate) fn block(finding: &Finding) -> String {
    let mut block = String::new();
    if let Some(file) = &finding.file {
        block.push_str(file);
        for number in [finding.line, finding.column].into_iter().flatten() {
            block.extend([":".to_owned(), number.to_string()]);
        }
        block.push_str(": ");
    }
    block.extend([level(finding.level), ": ".to_owned()]);
    if let Some(field) = &finding.field {
        block.extend([field, ": "]);
    }
    block.push_str(&finding.message);
    if let Some(app) = &finding.app {
        block.extend([" (app ", app, ")"]);
    }
    block.push('\n');
    if let Some(hint) = &finding.hint {
        block.extend(["    ", &style::hint("hint"), ": ", hint, "\n"]);
    }
    block
}

fn level(level: Level) -> String {
    match level {
        Level::Error => style::error("error"),
        Level::Warning => style::warning("warning"),
        Level::Note => style::bold("note"),
    }
}

/// `1 error and 2 warnings`, or `nothing to mend`.
pub(crate) fn count(count: Count) -> String {
    let parts: Vec<_> = [
        (count.errors, "error"),
        (count.warnings, "warning"),
        (count.notes, "note"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, noun)| format!("{count} {noun}{}", if count == 1 { "" } else { "s" }))
    .collect();
    match parts.as_slice() {
        [] => "nothing to mend".to_owned(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding() -> Finding {
        Finding {
            level: Level::Error,
            app: Some("x".to_owned()),
            field: Some("apps[1].instances".to_owned()),
            file: Some("/p/ecosystem.config.js".to_owned()),
            line: Some(5),
            column: Some(7),
            message: "found 1.5".to_owned(),
            hint: Some("write 1".to_owned()),
        }
    }

    fn shown(finding: &Finding) -> String {
        anstream::adapter::strip_str(&block(finding)).to_string()
    }

    #[test]
    fn a_finding_begins_with_its_place_and_ends_with_what_to_do() {
        insta::assert_snapshot!(shown(&finding()), @r"
        /p/ecosystem.config.js:5:7: error: apps[1].instances: found 1.5 (app x)
            hint: write 1
        ");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let bare = Finding {
            level: Level::Note,
            app: None,
            field: None,
            line: None,
            column: None,
            hint: None,
            ..finding()
        };
        assert_eq!(shown(&bare), "/p/ecosystem.config.js: note: found 1.5\n");
        let nowhere = Finding { file: None, ..bare };
        assert_eq!(shown(&nowhere), "note: found 1.5\n");
    }

    #[test]
    fn a_count_names_what_there_is() {
        let of = |errors, warnings, notes| {
            count(Count {
                errors,
                warnings,
                notes,
            })
        };
        assert_eq!(of(0, 0, 0), "nothing to mend");
        assert_eq!(of(1, 0, 0), "1 error");
        assert_eq!(of(2, 1, 3), "2 errors, 1 warning and 3 notes");
        assert_eq!(of(0, 2, 1), "2 warnings and 1 note");
    }
}
