//! What is read, and what is refused.

use proptest::prelude::*;

use super::*;

/// A shell with `HOME=/root` and `EMPTY=`.
fn outer(name: &str) -> Option<&'static str> {
    match name {
        "HOME" => Some("/root"),
        "EMPTY" => Some(""),
        _ => None,
    }
}

/// `NAME=value` of each variable.
fn read(text: &str) -> Vec<String> {
    let parsed = parse(text, &outer).unwrap_or_else(|fault| panic!("{fault}: {text:?}"));
    let pairs = parsed.variables.into_iter();
    pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

fn value(text: &str) -> String {
    let read = read(&format!("A={text}"));
    let one = read.first().and_then(|pair| pair.strip_prefix("A="));
    one.expect("it is named A").to_owned()
}

fn refused(text: &str) -> String {
    parse(text, &outer).expect_err("it is wrong").to_string()
}

#[test]
fn lines_are_variables_comments_or_blank() {
    let text =
        "\u{feff}# head\n\n  A = 1 \nexport B=2\r\nC=\n\tD.x-y=4\nexport=5\nHOME\nHOME # wanted\n";
    assert_eq!(read(text), ["A=1", "B=2", "C=", "D.x-y=4", "export=5"]);
    assert_eq!(read("A=1\nA=2"), ["A=2"]);
    assert!(read("").is_empty());
}

#[test]
fn a_comment_needs_a_blank_before_it() {
    assert_eq!(value("x # y"), "x");
    assert_eq!(value("x# y"), "x# y");
    assert_eq!(value(" # y"), "");
    assert_eq!(value("#y"), "#y");
    assert_eq!(value("\"x # y\" # z"), "x # y");
    assert_eq!(value("'x'#z"), "x");
}

#[test]
fn quotes_keep_blanks_and_lines() {
    assert_eq!(value("\" a\nb \""), " a\nb ");
    assert_eq!(value("' a\r\nb '"), " a\nb ");
    assert_eq!(read("A='1\n2'\nB=3"), ["A=1\n2", "B=3"]);
    assert_eq!(value("it's"), "it's");
}

#[test]
fn escapes_mean_something_in_double_quotes_only() {
    assert_eq!(value(r#""a\tb\n\r\\n\"\$HOME\x""#), "a\tb\n\r\\n\"$HOME\\x");
    assert_eq!(value(r"'a\tb\\ $HOME let\'s'"), r"a\tb\\ $HOME let's");
    assert_eq!(value(r"a\tb \$HOME"), r"a\tb $HOME");
}

#[test]
fn variables_are_put_in_the_file_s_own_first() {
    assert_eq!(value("$HOME/x"), "/root/x");
    assert_eq!(value("\"${HOME}x\""), "/rootx");
    assert_eq!(read("HOME=/srv\nX=$HOME"), ["HOME=/srv", "X=/srv"]);
    assert_eq!(read("X=$HOME\nHOME=/srv"), ["HOME=/srv", "X=/root"]);
    assert_eq!(read("PATH=$PATH:/x"), ["PATH=:/x"]);
}

#[test]
fn what_a_variable_may_be_replaced_by_is_said_in_its_braces() {
    for (written, meant) in [
        ("${NO-x}", "x"),
        ("${EMPTY-x}", ""),
        ("${EMPTY:-x}", "x"),
        ("${HOME:-x}", "/root"),
        ("${HOME:+x}", "x"),
        ("${EMPTY:+x}", ""),
        ("${EMPTY+x}", "x"),
        ("${NO:-${HOME}/${NO:-deep}}", "/root/deep"),
        ("${HOME:?must be}", "/root"),
    ] {
        assert_eq!(value(written), meant, "{written}");
        assert_eq!(value(&format!("\"{written}\"")), meant, "{written}");
    }
}

#[test]
fn a_dollar_that_names_nothing_stands_for_itself() {
    assert_eq!(value("a$ $1 $"), "a$ $1 $");
    assert_eq!(value("pa$$word"), "pa$word");
}

#[test]
fn a_variable_that_is_not_set_is_empty_and_told_with_its_line() {
    let parsed = parse("A=1\nB=\"\n$X${Y}${Z:-}$EMPTY\"", &outer).expect("sound");
    assert_eq!(parsed.variables.get("B").map(String::as_str), Some("\n"));
    assert_eq!(parsed.unset, [(2, "X".to_owned()), (2, "Y".to_owned())]);
}

#[test]
fn what_is_wrong_is_told_by_line_and_name_and_no_value_is() {
    assert_eq!(refused("A=1\n=secret"), "line 2: this is no NAME=value");
    assert_eq!(refused("1A=secret"), "line 1: this is no NAME=value");
    assert_eq!(refused("A secret"), "line 1: this is no NAME=value");
    assert_eq!(
        refused("\nA=\"secret\n\n"),
        "line 2: A: its quote is not closed"
    );
    assert_eq!(
        refused("A='x'secret"),
        "line 1: A: there is more behind its closing quote"
    );
    assert_eq!(
        refused("A=${X"),
        "line 1: A: what stands behind X in braces is not understood"
    );
    assert_eq!(
        refused("A=${X:-y"),
        "line 1: A: the brace of a variable is not closed"
    );
    assert_eq!(
        refused("A=${}"),
        "line 1: A: there is no name in the braces of a variable"
    );
    assert_eq!(refused("A=${X:?set it}"), "line 1: A: it needs X: set it");
    assert_eq!(refused("A=1\nB=\0"), "line 2: there is a NUL byte in it");
    let deep = "${X:-".repeat(30);
    assert_eq!(
        refused(&format!("A={deep}")),
        "line 1: A: variables are nested too deep"
    );
}

/// `V0` is ten bytes, and each line after it is the one before it `times` times, as `put` writes that.
fn grown(lines: usize, times: usize, put: impl Fn(usize) -> String) -> String {
    let grow = |line: usize| format!("V{line}={}\n", put(line - 1).repeat(times));
    let grown = (1..lines).map(grow).collect::<Vec<_>>().concat();
    format!("V0=0123456789\n{grown}")
}

#[test]
fn a_few_lines_that_come_to_more_than_a_file_may_hold_are_refused() {
    let text = grown(40, 2, |before| format!("$V{before}"));
    assert!(text.len() < 1024);
    let said = refused(&text);
    assert_eq!(said, "line 17: V16: the values come to more than 1 MiB");
    let quoted = grown(40, 2, |before| format!("${{NO:-${{V{before}}}}}"));
    assert_eq!(refused(&quoted), said);
    let itself = format!("A=0123456789\n{}", "A=$A$A\n".repeat(40));
    assert!(refused(&itself).ends_with("A: the values come to more than 1 MiB"));
}

#[test]
fn values_may_come_to_what_a_file_may_hold() {
    let most = "x".repeat(LARGEST);
    assert_eq!(read(&format!("A={most}")), [format!("A={most}")]);
    assert_eq!(read(&format!("A='{most}'")), [format!("A={most}")]);
    assert_eq!(
        read(&format!("A=${{NO:-{most}}}")),
        [format!("A={most}")],
        "what stands in braces counts once"
    );
    let said = "line 2: B: the values come to more than 1 MiB";
    assert_eq!(refused(&format!("A={most}\nB=x")), said);
    assert_eq!(refused(&format!("A='{most}'\nB='x'")), said);
}

/// A value as somebody would write it who knows all escapes.
fn written(value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\$")
        .replace('\r', "\\r");
    format!("\"{escaped}\"")
}

proptest! {
    #[test]
    fn every_value_can_be_written(values in proptest::collection::vec("[^\0]{0,40}", 0..6)) {
        let lines = values.iter().enumerate();
        let lines = lines.map(|(at, value)| format!("export V{at} = {} # it\n", written(value)));
        let text = lines.collect::<Vec<_>>().concat();
        let parsed = parse(&text, &outer).expect("sound");
        prop_assert_eq!(parsed.unset, []);
        let read: Vec<String> = parsed.variables.into_values().collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn plain_values_are_as_they_are_written(value in "[A-Za-z0-9_:/.@%+,=?&!^*(){}<>|~-]{0,40}") {
        prop_assert_eq!(self::value(&value), value);
    }

    #[test]
    fn junk_is_refused_or_read_and_never_a_panic(text in "(?s).{0,80}") {
        drop(parse(&text, &outer));
    }

    #[test]
    fn what_is_like_such_a_file_is_refused_or_read(text in "[A-C=$\\{\\}\"'\\\\:?# \n+-]{0,60}") {
        drop(parse(&text, &outer));
    }

    #[test]
    fn however_variables_hold_variables_values_have_an_end(
        lines in 2_usize..40,
        times in 1_usize..6,
        form in prop::sample::select(vec!["$V", "${V}", "${V:-x}", "${NO:-$V}", "${HOME:+${V}}", "\\x$V"]),
    ) {
        let text = grown(lines, times, |before| form.replace('V', &format!("V{before}")));
        if let Ok(parsed) = parse(&text, &outer) {
            let sum: usize = parsed.variables.values().map(String::len).sum();
            prop_assert!(sum <= LARGEST);
        }
    }
}
