//! Conditions on records as people type them: `status>=500`, `req.method = POST`, `msg ~ "timed? out"`, `err`.
//!
//! ```text
//!  condition = path [ op value ]          without op: the field is there
//!  path      = key { '.' key }            a key with '.', an operator or a space in it stands in "quotes"
//!  op        = '=' '==' '!=' '<' '<=' '>' '>=' '~'
//!  value     = the rest; "quotes" or 'quotes' around it are taken away
//! ```

use eco_proto::log::v1::{Comparison, Condition, Level};
use regex::Regex;

/// The operators; of two that begin alike the longer one comes first.
const OPERATORS: [(&str, Comparison); 8] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("~", Comparison::Found),
];

/// Reads a condition on a field.
pub(crate) fn condition(text: &str) -> Result<Condition, String> {
    let (path, at) = path(text)?;
    let rest = text.get(at..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(Condition {
            path,
            comparison: Comparison::Present.into(),
            value: String::new(),
        });
    }
    let known = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign));
    let Some((sign, comparison)) = known else {
        let expected = "expected one of = == != < <= > >= ~, or nothing";
        return Err(told(text, at, expected));
    };
    let after = rest.get(sign.len()..).unwrap_or_default();
    let value = after.trim();
    let begin = text.len() - after.trim_start().len();
    if let Some(second) = value.find(['=', '<', '>', '~']).filter(|place| *place == 0) {
        let expected =
            format!("expected a value after {sign}; one that begins so stands in quotes");
        return Err(told(text, begin + second, &expected));
    }
    if value.is_empty() {
        let expected = format!("expected a value after {sign}; the empty text is \"\"");
        return Err(told(text, begin, &expected));
    }
    let value = unquoted(value).ok_or_else(|| told(text, begin, "this quote is not closed"))?;
    if *comparison == Comparison::Found {
        Regex::new(value).map_err(|why| told(text, begin, &of_regex(&why)))?;
    }
    Ok(Condition {
        path,
        comparison: (*comparison).into(),
        value: value.to_owned(),
    })
}

/// The keys of a path, and where what follows it begins.
fn path(text: &str) -> Result<(Vec<String>, usize), String> {
    let mut keys = Vec::new();
    let mut at = text.len() - text.trim_start().len();
    loop {
        let (key, next) = key(text, at)?;
        keys.push(key);
        let rest = text.get(next..).unwrap_or_default();
        at = next + (rest.len() - rest.trim_start().len());
        match text.get(at..).and_then(|rest| rest.strip_prefix('.')) {
            Some(rest) => at = text.len() - rest.trim_start().len(),
            None => return Ok((keys, at)),
        }
    }
}

fn key(text: &str, at: usize) -> Result<(String, usize), String> {
    let rest = text.get(at..).unwrap_or_default();
    if let Some(quoted) = rest.strip_prefix('"') {
        let Some(length) = quoted.find('"') else {
            return Err(told(text, at, "this quote is not closed"));
        };
        let key = quoted.get(..length).unwrap_or_default();
        return Ok((key.to_owned(), at + length + 2));
    }
    let ends = |sign: char| sign.is_whitespace() || ".=!<>~\"".contains(sign);
    let length = rest.find(ends).unwrap_or(rest.len());
    match rest.get(..length) {
        Some(key) if !key.is_empty() => Ok((key.to_owned(), at + length)),
        Some(_) | None => Err(told(text, at, "expected the name of a field")),
    }
}

/// Takes quotes away; `None`: one is not closed.
fn unquoted(value: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.strip_suffix(quote);
        }
    }
    Some(value)
}

/// What is wrong, and a finger at the place.
fn told(text: &str, at: usize, what: &str) -> String {
    let before = text.get(..at).unwrap_or(text).chars().count();
    format!("{what}\n  {text}\n  {:before$}^", "")
}

/// Reads a regex.
pub(crate) fn pattern(text: &str) -> Result<String, String> {
    Regex::new(text)
        .map(|_| text.to_owned())
        .map_err(|why| of_regex(&why))
}

fn of_regex(why: &regex::Error) -> String {
    why.to_string().trim_end().to_owned()
}

/// Reads a level, by all names that loggers have for it.
pub(crate) fn level(text: &str) -> Result<Level, String> {
    match text.to_ascii_lowercase().as_str() {
        "trace" | "silly" => Ok(Level::Trace),
        "debug" | "verbose" => Ok(Level::Debug),
        "info" | "notice" => Ok(Level::Info),
        "warn" | "warning" => Ok(Level::Warn),
        "error" | "err" => Ok(Level::Error),
        "fatal" | "critical" | "panic" => Ok(Level::Fatal),
        _ => Err("expected trace, debug, info, warn, error or fatal".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Comparison, String) {
        let read = condition(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        (read.path.join("|"), read.comparison(), read.value)
    }

    #[test]
    fn every_operator_is_read_with_and_without_spaces() {
        for (sign, comparison) in OPERATORS {
            for text in [format!("a.b{sign}5"), format!(" a . b {sign}  5 ")] {
                assert_eq!(read(&text), ("a|b".to_owned(), comparison, "5".to_owned()));
            }
        }
    }

    #[test]
    fn a_bare_path_asks_whether_the_field_is_there() {
        assert_eq!(
            read("err"),
            ("err".to_owned(), Comparison::Present, String::new())
        );
    }

    #[test]
    fn quotes_hold_what_would_mean_something_else() {
        assert_eq!(
            read(r#""a.b"."c d"='= x'"#),
            ("a.b|c d".to_owned(), Comparison::Equal, "= x".to_owned())
        );
        assert_eq!(read(r#"a="""#).2, "");
        assert_eq!(read("msg~time ?out").2, "time ?out");
        assert_eq!(read("a=x=y").2, "x=y");
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        insta::assert_snapshot!(condition(">=500").expect_err("no path"), @r"
        expected the name of a field
          >=500
          ^
        ");
        insta::assert_snapshot!(condition("req.=5").expect_err("no key"), @r"
        expected the name of a field
          req.=5
              ^
        ");
        insta::assert_snapshot!(condition("é >").expect_err("no value"), @r#"
        expected a value after >; the empty text is ""
          é >
             ^
        "#);
        insta::assert_snapshot!(condition("a=>5").expect_err("no such operator"), @r"
        expected a value after =; one that begins so stands in quotes
          a=>5
            ^
        ");
        insta::assert_snapshot!(condition("a b").expect_err("no operator"), @r"
        expected one of = == != < <= > >= ~, or nothing
          a b
            ^
        ");
        insta::assert_snapshot!(condition("a='b").expect_err("not closed"), @r"
        this quote is not closed
          a='b
            ^
        ");
        let why = condition("a~(").expect_err("no regex");
        assert!(why.contains("unclosed group"), "{why}");
    }

    #[test]
    fn levels_have_the_names_that_loggers_give_them() {
        assert_eq!(level("WARNING"), Ok(Level::Warn));
        assert_eq!(level("critical"), Ok(Level::Fatal));
        assert!(level("loud").is_err());
    }
}
