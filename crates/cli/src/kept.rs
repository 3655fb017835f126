//! Selectors among what is kept of apps that the agent no longer knows.
//!
//! The grammar is the agent's, as far as names go: a deleted app has no id and no namespace.

use std::collections::BTreeSet;
use std::fmt;

use eco_proto::agent::v1::Instance;
use eco_proto::log::v1::Slot;
use globset::{Glob, GlobMatcher};
use regex::Regex;

use crate::nearness::closest;

/// An app, by its full name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct App {
    /// Its environment.
    pub(crate) environment: String,
    /// Its name there.
    pub(crate) name: String,
}

impl App {
    /// Whether an instance is of it.
    pub(crate) fn is_of(&self, one: &Instance) -> bool {
        (&self.environment, &self.name) == (&one.environment, &one.name)
    }
}

impl fmt::Display for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.environment, self.name)
    }
}

/// What a selector means among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// These.
    Apps(Vec<App>),
    /// Apps in several environments: a word for development must not mean production too.
    Ambiguous(Vec<App>),
    /// None; these have names that are close.
    Nothing {
        /// Qualified names.
        closest: Vec<String>,
    },
}

/// The apps of `slots`, each once.
pub(crate) fn apps(slots: &[Slot]) -> Vec<App> {
    let apps: BTreeSet<App> = slots
        .iter()
        .map(|slot| App {
            environment: slot.environment.clone(),
            name: slot.app.clone(),
        })
        .collect();
    apps.into_iter().collect()
}

/// Finds what `selector` means among `apps`, within `environment` if one was chosen.
pub(crate) fn choose(selector: &str, environment: Option<&str>, apps: Vec<App>) -> Choice {
    let in_view: Vec<App> = apps
        .into_iter()
        .filter(|app| environment.is_none_or(|chosen| chosen == app.environment))
        .collect();
    let test = Test::of(selector);
    let all_that = |fits: &dyn Fn(&App) -> bool| -> Vec<App> {
        in_view.iter().filter(|app| fits(app)).cloned().collect()
    };
    // A name may have a slash in it.
    let named = all_that(&|app| app.name == selector);
    let is_qualified = named.is_empty() && test.is_qualified();
    let found = if named.is_empty() {
        all_that(&|app| test.fits(app))
    } else {
        named
    };
    if found.is_empty() {
        let all = in_view.iter().map(|app| app.name.as_str());
        let wanted = selector.rsplit('/').next().unwrap_or(selector);
        let close = closest(wanted, all);
        let is_close = |app: &&App| close.contains(&app.name);
        return Choice::Nothing {
            closest: in_view
                .iter()
                .filter(is_close)
                .map(App::to_string)
                .collect(),
        };
    }
    let environments: BTreeSet<&str> = found.iter().map(|app| app.environment.as_str()).collect();
    if environments.len() > 1 && !is_qualified {
        return Choice::Ambiguous(found);
    }
    Choice::Apps(found)
}

/// What a selector asks of an app.
enum Test {
    All,
    Qualified(GlobMatcher, GlobMatcher),
    Regex(Regex),
    Name(Option<GlobMatcher>),
}

impl Test {
    /// The agent has refused patterns that are none by now.
    fn of(selector: &str) -> Self {
        let glob = |text: &str| Glob::new(text).ok().map(|glob| glob.compile_matcher());
        let regex = selector
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .and_then(|pattern| Regex::new(pattern).ok());
        if selector == "all" {
            return Self::All;
        }
        if let Some(regex) = regex {
            return Self::Regex(regex);
        }
        let parts = selector.split_once('/');
        if let Some((environment, name)) = parts.and_then(|(one, other)| glob(one).zip(glob(other)))
        {
            return Self::Qualified(environment, name);
        }
        Self::Name(glob(selector))
    }

    fn fits(&self, app: &App) -> bool {
        match self {
            Self::All => true,
            Self::Qualified(environment, name) => {
                environment.is_match(&app.environment) && name.is_match(&app.name)
            }
            Self::Regex(regex) => regex.is_match(&app.name),
            Self::Name(glob) => glob.as_ref().is_some_and(|glob| glob.is_match(&app.name)),
        }
    }

    const fn is_qualified(&self) -> bool {
        match self {
            Self::Qualified(..) => true,
            Self::All | Self::Regex(_) | Self::Name(..) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Vec<App> {
        [
            ("dev", "mds-a"),
            ("dev", "mds-b"),
            ("dev", "web"),
            ("production", "web"),
            ("dev", "@acme/api"),
        ]
        .map(|(environment, name)| App {
            environment: environment.to_owned(),
            name: name.to_owned(),
        })
        .to_vec()
    }

    fn chosen(selector: &str, environment: Option<&str>) -> String {
        let shown = |apps: &[App]| {
            let names: Vec<String> = apps.iter().map(App::to_string).collect();
            names.join(" ")
        };
        match choose(selector, environment, kept()) {
            Choice::Apps(apps) => shown(&apps),
            Choice::Ambiguous(apps) => format!("several: {}", shown(&apps)),
            Choice::Nothing { closest } => format!("nothing, but {}", closest.join(" ")),
        }
    }

    #[test]
    fn names_globs_and_regexes_mean_apps() {
        for (selector, apps) in [
            ("mds-a", "dev/mds-a"),
            ("mds-*", "dev/mds-a dev/mds-b"),
            ("/-b$/", "dev/mds-b"),
            ("production/web", "production/web"),
            ("*/web", "dev/web production/web"),
            ("@acme/api", "dev/@acme/api"),
            ("dev/@acme/api", "dev/@acme/api"),
        ] {
            assert_eq!(chosen(selector, None), apps, "{selector}");
        }
        assert_eq!(chosen("all", Some("production")), "production/web");
    }

    #[test]
    fn a_word_that_means_several_environments_is_refused() {
        assert_eq!(chosen("web", None), "several: dev/web production/web");
        assert_eq!(chosen("web", Some("dev")), "dev/web");
    }

    #[test]
    fn what_is_not_there_has_close_names() {
        assert_eq!(chosen("mds-q", None), "nothing, but dev/mds-a dev/mds-b");
        assert_eq!(
            chosen("dev/wbe", None),
            "nothing, but dev/web production/web"
        );
        assert_eq!(chosen("zzz", None), "nothing, but ");
    }
}
