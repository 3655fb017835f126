//! Words that somebody looks for, made to stand out in what is shown.

use std::sync::LazyLock;

use regex::Regex;

/// Inverse video on and off, which leaves colours as they are.
const ON: &str = "\x1b[7m";
const OFF: &str = "\x1b[27m";

/// What a terminal takes for commands: an app's own colours, and ours.
static COMMANDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\x1b\[[0-9;:?]*[ -/]*[@-~]").expect("a regex that a test has tried")
});

/// Whether the case of letters counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// It does.
    Heeded,
    /// It does not.
    Ignored,
}

/// The words.
#[derive(Clone, Debug)]
pub(crate) struct Highlight(Regex);

impl Highlight {
    /// Makes one of `words`; `None`: there are none.
    pub(crate) fn new(words: &[String], case: Case) -> Option<Self> {
        let words: Vec<_> = words
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| regex::escape(word))
            .collect();
        if words.is_empty() {
            return None;
        }
        let flag = match case {
            Case::Heeded => "",
            Case::Ignored => "(?i)",
        };
        // Words beyond the size of a regex are none that anybody looks for.
        Regex::new(&format!("{flag}{}", words.join("|")))
            .ok()
            .map(Self)
    }

    /// Writes `text` to the end of `out`, with the words in it standing out.
    pub(crate) fn write(&self, text: &str, out: &mut String) {
        let mut at = 0;
        for command in COMMANDS.find_iter(text) {
            self.write_plain(text.get(at..command.start()).unwrap_or_default(), out);
            out.push_str(command.as_str());
            at = command.end();
        }
        self.write_plain(text.get(at..).unwrap_or_default(), out);
    }

    fn write_plain(&self, text: &str, out: &mut String) {
        let mut at = 0;
        for word in self.0.find_iter(text) {
            out.push_str(text.get(at..word.start()).unwrap_or_default());
            out.push_str(ON);
            out.push_str(word.as_str());
            out.push_str(OFF);
            at = word.end();
        }
        out.push_str(text.get(at..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &[&str], case: Case, text: &str) -> String {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut out = String::new();
        Highlight::new(&words, case)
            .expect("words")
            .write(text, &mut out);
        out.replace('\x1b', "ESC")
    }

    #[test]
    fn words_stand_out_and_are_no_regex() {
        assert_eq!(
            shown(&["a.", "c"], Case::Heeded, "a. ab c C"),
            "ESC[7ma.ESC[27m ab ESC[7mcESC[27m C"
        );
        assert_eq!(shown(&["c"], Case::Ignored, "C"), "ESC[7mCESC[27m");
    }

    #[test]
    fn the_commands_of_a_terminal_are_left_alone() {
        assert_eq!(
            shown(&["31"], Case::Heeded, "\x1b[31m31\x1b[0m"),
            "ESC[31mESC[7m31ESC[27mESC[0m"
        );
    }

    #[test]
    fn no_words_are_no_highlight() {
        assert!(Highlight::new(&[String::new()], Case::Heeded).is_none());
    }
}
