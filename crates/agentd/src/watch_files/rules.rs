//! What does not count as a change: lines of a .gitignore and regular expressions, the last that matches decides. Pure.
//!
//! A pattern counts from each watched folder and from the working directory, so that whoever watches `src` may write
//! `gen/` as well as `src/gen/`. What PM2's users have is understood too: `**/x/**` is the folder and all that is in it,
//! an absolute path is one, and `*.+(js|ts)` is `*.{js,ts}`.

#[cfg(test)]
mod tests;

use eco_config::spec::{IgnoreField, IgnoreRule, Ignored};

pub use super::pattern::Effect;
use super::pattern::{Entry, Matcher, matcher};
use super::scope::Scope;

/// Left out whatever the specification says, unless a rule of it lets them in again: what tools write there is no change of
/// the app, and there may be much of it.
const ALWAYS: [&str; 3] = [".git", "node_modules", "__pycache__"];
/// What PM2 leaves out where a file does not say.
const BY_DEFAULT: [&str; 1] = [".*"];

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It always holds.
    Always,
    /// It holds where the specification says nothing.
    Default,
    /// A path of `watch` that begins with `!`.
    Watch,
    /// A field of the specification.
    Field(IgnoreField),
}

impl Origin {
    /// The field that it was written in, as people know it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Default => "default",
            Self::Watch => "watch",
            Self::Field(IgnoreField::IgnoreWatch) => "ignore_watch",
            Self::Field(IgnoreField::WatchOptions) => "watch_options.ignored",
        }
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Where it comes from.
    pub origin: Origin,
    /// As it was written.
    pub text: String,
    matcher: Matcher,
}

/// A rule that means nothing, and is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRule {
    /// Where it comes from.
    pub origin: Origin,
    /// As it was written.
    pub text: String,
    /// Why, a sentence without its full stop.
    pub why: String,
}

/// All rules of a scope, in their order.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Reads the rules of `scope`.
    #[must_use]
    pub fn new(scope: &Scope) -> (Self, Vec<BadRule>) {
        let pattern = |text: &str| Ignored::Pattern(text.to_owned());
        let always = ALWAYS.map(|text| (Origin::Always, pattern(text)));
        let by_default = BY_DEFAULT.map(|text| (Origin::Default, pattern(text)));
        let given = scope.ignore.iter().flatten();
        let given = given.map(|IgnoreRule { what, field }| (Origin::Field(*field), what.clone()));
        let left_out = scope.left_out.iter();
        let left_out = left_out.map(|text| (Origin::Watch, pattern(text)));
        let by_default = by_default.into_iter().filter(|_| scope.ignore.is_none());
        let mut rules = Vec::new();
        let mut bad = Vec::new();
        for (origin, what) in always
            .into_iter()
            .chain(by_default)
            .chain(left_out)
            .chain(given)
        {
            let text = what.text().to_owned();
            match matcher(&what, scope) {
                Ok(Some(matcher)) => rules.push(Rule {
                    origin,
                    text,
                    matcher,
                }),
                Ok(None) => {}
                Err(why) => bad.push(BadRule { origin, text, why }),
            }
        }
        (Self(rules), bad)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.0
    }

    /// The rule that decides about an entry, whatever they say of the folders above it.
    pub(super) fn deciding(&self, entry: Entry<'_>) -> Option<(&Rule, Effect)> {
        let mut rules = self.0.iter().rev();
        rules.find_map(|rule| Some((rule, rule.matcher.effect(entry)?)))
    }
}

impl Rule {
    /// Whether it lets in what others leave out.
    #[must_use]
    pub fn lets_in(&self) -> bool {
        self.matcher.lets_in()
    }
}
