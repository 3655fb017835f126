//! Which slots a selector means: one grammar for every verb.
//!
//! `name` · `environment/name` · id · glob (`mds-*`, `dev/*`) · `/regex/` · namespace · `all`

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

use super::{App, AppKey, Fleet, SlotKey};

/// Names that are offered where nothing matches.
const OFFERED: usize = 3;
/// How alike two names must be for the one to be offered for the other (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.75;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Each must match something; none at all means everything.
    pub selectors: Vec<String>,
    /// Look at this environment only.
    pub environment: Option<String>,
    /// Whether a selector may match in several environments.
    pub reach: Reach,
}

/// How far an unqualified selector may reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// One environment, so that a word for development cannot stop production.
    #[default]
    OneEnvironment,
    /// All of them.
    EveryEnvironment,
}

/// Why a selection is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing matches.
    #[error("no app matches {selector:?}")]
    NotFound {
        /// The selector.
        selector: String,
        /// The closest names.
        candidates: Vec<String>,
    },
    /// It matches in more than one environment.
    #[error("{selector:?} matches in several environments")]
    Ambiguous {
        /// The selector.
        selector: String,
        /// All apps it matches, qualified.
        candidates: Vec<String>,
    },
    /// It matches several apps where one is meant.
    #[error("{} apps are selected, and one is meant", .candidates.len())]
    Several {
        /// The selectors, divided by blanks.
        selector: String,
        /// All apps it matches, qualified.
        candidates: Vec<String>,
    },
    /// It is no pattern.
    #[error("{selector:?} is not a pattern: {problem}")]
    Malformed {
        /// The selector.
        selector: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Returns the slots that are meant, by app and instance.
pub fn select(fleet: &Fleet, selection: &Selection) -> Result<Vec<SlotKey>, Refused> {
    let all = "all".to_owned();
    let selectors = match selection.selectors.as_slice() {
        [] => std::slice::from_ref(&all),
        some => some,
    };
    let is_everything = selection.selectors.is_empty();
    let mut chosen = BTreeSet::new();
    for selector in selectors {
        let found = find(fleet, selection, selector)?;
        if found.slots.is_empty() && !is_everything {
            return Err(not_found(fleet, selection, selector));
        }
        if found.scope == Scope::Open && selection.reach == Reach::OneEnvironment {
            refuse_ambiguity(selector, &found.slots)?;
        }
        chosen.extend(found.slots);
    }
    Ok(chosen.into_iter().collect())
}

/// Returns the one app that is meant, by itself or by one of its instances.
pub fn select_one<'a>(
    fleet: &'a Fleet,
    selection: &Selection,
) -> Result<(&'a AppKey, &'a App), Refused> {
    // The same name in several environments is several apps, and told as such.
    let everywhere = Selection {
        reach: Reach::EveryEnvironment,
        ..selection.clone()
    };
    let slots = select(fleet, &everywhere)?;
    let apps: BTreeSet<AppKey> = slots.into_iter().map(|slot| slot.app).collect();
    let selector = || selection.selectors.join(" ");
    let mut all = apps
        .iter()
        .filter_map(|app| fleet.apps().get_key_value(app));
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Refused::NotFound {
            selector: selector(),
            candidates: Vec::new(),
        }),
        (Some(_), Some(_)) => Err(Refused::Several {
            selector: selector(),
            candidates: apps.iter().map(ToString::to_string).collect(),
        }),
    }
}

/// What one selector means, before it is judged.
struct Found {
    slots: BTreeSet<SlotKey>,
    scope: Scope,
}

/// Whether a selector says which environment it means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Qualified,
    Open,
}

fn find(fleet: &Fleet, selection: &Selection, selector: &str) -> Result<Found, Refused> {
    let open = |slots| Found {
        slots,
        scope: Scope::Open,
    };
    let by = |test: &dyn Fn(&AppKey) -> bool| -> BTreeSet<SlotKey> {
        slots_of(fleet, selection)
            .filter(|key| test(&key.app))
            .collect()
    };
    if selector == "all" {
        return Ok(open(by(&|_| true)));
    }
    let exact = by(&|app| app.name == selector);
    if !exact.is_empty() {
        return Ok(open(exact));
    }
    if let Some(pattern) = selector
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'))
    {
        let regex = regex(selector, pattern)?;
        return Ok(open(by(&|app| regex.is_match(&app.name))));
    }
    if let Some((environment, name)) = selector.split_once('/') {
        let (environment, name) = (glob(selector, environment)?, glob(selector, name)?);
        let qualified =
            by(&|app| environment.is_match(&app.environment) && name.is_match(&app.name));
        if !qualified.is_empty() {
            return Ok(Found {
                slots: qualified,
                scope: Scope::Qualified,
            });
        }
        // A name may hold a slash itself, as a scoped package's does: `@acme/*`.
        let whole = glob(selector, selector)?;
        return Ok(open(by(&|app| whole.is_match(&app.name))));
    }
    if let Ok(id) = selector.parse::<u32>() {
        let slots = slots_of(fleet, selection)
            .filter(|key| fleet.slot(key).is_some_and(|slot| slot.id == id));
        return Ok(Found {
            slots: slots.collect(),
            scope: Scope::Qualified,
        });
    }
    if selector.contains(['*', '?', '[', '{']) {
        let glob = glob(selector, selector)?;
        return Ok(open(by(&|app| glob.is_match(&app.name))));
    }
    let in_namespace = |app: &AppKey| {
        fleet
            .app(app)
            .is_some_and(|app| app.spec.namespace == selector)
    };
    Ok(open(by(&in_namespace)))
}

fn slots_of(fleet: &Fleet, selection: &Selection) -> impl Iterator<Item = SlotKey> {
    let environment = selection.environment.clone();
    fleet.slots().map(|(key, _, _)| key).filter(move |key| {
        environment
            .as_ref()
            .is_none_or(|name| *name == key.app.environment)
    })
}

/// What the names of a selection's apps look like, for apps that are no longer there.
#[derive(Debug, Default)]
pub struct Names {
    environment: Option<String>,
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
enum Pattern {
    All,
    Exact(String),
    Regex(Regex),
    Glob(GlobMatcher),
    Qualified(GlobMatcher, GlobMatcher),
}

impl Names {
    /// Reads the selectors. An id or a namespace is no name: see [`select`].
    pub fn new(selection: &Selection) -> Result<Self, Refused> {
        let mut patterns = Vec::new();
        for selector in &selection.selectors {
            patterns.push(Pattern::Exact(selector.clone()));
            let regex_of = selector
                .strip_prefix('/')
                .and_then(|rest| rest.strip_suffix('/'));
            if selector == "all" {
                patterns.push(Pattern::All);
            } else if let Some(pattern) = regex_of {
                patterns.push(Pattern::Regex(regex(selector, pattern)?));
            } else {
                if let Some((environment, name)) = selector.split_once('/') {
                    let environment = glob(selector, environment)?;
                    patterns.push(Pattern::Qualified(environment, glob(selector, name)?));
                }
                patterns.push(Pattern::Glob(glob(selector, selector)?));
            }
        }
        if patterns.is_empty() {
            patterns.push(Pattern::All);
        }
        Ok(Self {
            environment: selection.environment.clone(),
            patterns,
        })
    }

    /// Whether an app is meant.
    #[must_use]
    pub fn matches(&self, app: &AppKey) -> bool {
        let is_there = |environment: &String| *environment == app.environment;
        self.environment.as_ref().is_none_or(is_there)
            && self.patterns.iter().any(|pattern| match pattern {
                Pattern::All => true,
                Pattern::Exact(name) => *name == app.name,
                Pattern::Regex(regex) => regex.is_match(&app.name),
                Pattern::Glob(glob) => glob.is_match(&app.name),
                Pattern::Qualified(environment, name) => {
                    environment.is_match(&app.environment) && name.is_match(&app.name)
                }
            })
    }
}

fn refuse_ambiguity(selector: &str, slots: &BTreeSet<SlotKey>) -> Result<(), Refused> {
    let environments: BTreeSet<_> = slots.iter().map(|slot| &slot.app.environment).collect();
    if environments.len() < 2 {
        return Ok(());
    }
    let candidates: BTreeSet<_> = slots.iter().map(|slot| slot.app.to_string()).collect();
    Err(Refused::Ambiguous {
        selector: selector.to_owned(),
        candidates: candidates.into_iter().collect(),
    })
}

fn not_found(fleet: &Fleet, selection: &Selection, selector: &str) -> Refused {
    let wanted = selector.rsplit('/').next().unwrap_or(selector);
    let apps: BTreeSet<_> = slots_of(fleet, selection).map(|key| key.app).collect();
    Refused::NotFound {
        selector: selector.to_owned(),
        candidates: closest(wanted, &apps),
    }
}

/// The apps whose names are close to `wanted`, qualified, the closest first.
pub(super) fn closest<'a>(wanted: &str, apps: impl IntoIterator<Item = &'a AppKey>) -> Vec<String> {
    let likeness = |name: &str| {
        if !wanted.is_empty() && name.contains(wanted) {
            1.0
        } else {
            strsim::jaro_winkler(wanted, name)
        }
    };
    let mut scored: Vec<_> = apps
        .into_iter()
        .map(|app| (likeness(&app.name), app))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let offered = scored.into_iter().take(OFFERED);
    offered.map(|(_, app)| app.to_string()).collect()
}

fn glob(selector: &str, pattern: &str) -> Result<GlobMatcher, Refused> {
    GlobBuilder::new(pattern)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| malformed(selector, error.kind().to_string()))
}

fn regex(selector: &str, pattern: &str) -> Result<Regex, Refused> {
    Regex::new(pattern).map_err(|error| malformed(selector, error.to_string()))
}

fn malformed(selector: &str, problem: String) -> Refused {
    Refused::Malformed {
        selector: selector.to_owned(),
        problem,
    }
}
