//! Selectors of apps, said in the log daemon's terms.
//!
//! The agent decides what a selector selects; the log daemon knows globs of environments and apps only. A glob stays a glob,
//! so that an app that appears later is followed too; all else becomes the very apps that were selected.

use std::collections::BTreeSet;

use eco_proto::agent::v1::Instance;
use eco_proto::log::v1::Match;
use globset::{Glob, escape};

/// What matches everything, or everything of an environment.
pub(crate) fn everything(environment: Option<&str>) -> Vec<Match> {
    environment
        .map(|environment| of_glob(&escape(environment), "*"))
        .into_iter()
        .collect()
}

/// What matches the apps that `selector` selected: `instances`.
pub(crate) fn matches(selector: &str, instances: &[Instance]) -> Vec<Match> {
    if !is_glob(selector) || instances.iter().any(|one| one.name == selector) {
        return exact(selector, instances);
    }
    let globs: Vec<Match> = match selector.split_once('/') {
        Some((environment, app)) => vec![of_glob(environment, app)],
        None => environments(instances)
            .into_iter()
            .map(|environment| of_glob(&escape(environment), selector))
            .collect(),
    };
    // A glob of namespaces, or of names with a slash, is none of apps.
    if instances.iter().all(|one| covers(&globs, one)) {
        globs
    } else {
        exact(selector, instances)
    }
}

/// What matches one app and nothing else.
pub(crate) fn app(environment: &str, name: &str) -> Match {
    of_glob(&escape(environment), &escape(name))
}

/// What matches one instance and nothing else.
pub(crate) fn instance(environment: &str, name: &str, instance: u32) -> Match {
    Match {
        instance: Some(instance),
        ..app(environment, name)
    }
}

/// What matches the whole apps that `instances` belong to.
pub(crate) fn apps(instances: &[Instance]) -> Vec<Match> {
    let apps: BTreeSet<(&str, &str)> = instances
        .iter()
        .map(|one| (one.environment.as_str(), one.name.as_str()))
        .collect();
    apps.into_iter()
        .map(|(environment, name)| app(environment, name))
        .collect()
}

fn exact(selector: &str, instances: &[Instance]) -> Vec<Match> {
    match (selector.parse::<u32>(), instances) {
        (Ok(id), [only]) if only.id == id && only.name != selector => {
            vec![instance(&only.environment, &only.name, only.instance)]
        }
        _ => apps(instances),
    }
}

fn of_glob(environment: &str, app: &str) -> Match {
    Match {
        environment: environment.to_owned(),
        app: app.to_owned(),
        ..Match::default()
    }
}

fn environments(instances: &[Instance]) -> BTreeSet<&str> {
    instances
        .iter()
        .map(|one| one.environment.as_str())
        .collect()
}

fn is_glob(selector: &str) -> bool {
    !selector.starts_with('/') && selector.contains(['*', '?', '[', '{'])
}

fn covers(globs: &[Match], instance: &Instance) -> bool {
    globs.iter().any(|glob| {
        is_match(&glob.environment, &instance.environment) && is_match(&glob.app, &instance.name)
    })
}

fn is_match(glob: &str, text: &str) -> bool {
    Glob::new(glob).is_ok_and(|glob| glob.compile_matcher().is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: u32, environment: &str, name: &str) -> Instance {
        Instance {
            id,
            environment: environment.to_owned(),
            name: name.to_owned(),
            namespace: "market-data".to_owned(),
            ..Instance::default()
        }
    }

    fn shown(matches: &[Match]) -> Vec<String> {
        matches
            .iter()
            .map(|one| match one.instance {
                Some(instance) => format!("{}/{}#{instance}", one.environment, one.app),
                None => format!("{}/{}", one.environment, one.app),
            })
            .collect()
    }

    #[test]
    fn a_glob_stays_a_glob_within_its_environment() {
        let apps = [one(0, "dev", "mds-a"), one(1, "dev", "mds-b")];
        assert_eq!(shown(&matches("mds-*", &apps)), ["dev/mds-*"]);
        assert_eq!(shown(&matches("*/mds-*", &apps)), ["*/mds-*"]);
        assert_eq!(shown(&matches("dev/*", &apps)), ["dev/*"]);
    }

    #[test]
    fn a_glob_of_namespaces_becomes_its_apps() {
        let apps = [one(0, "dev", "api")];
        assert_eq!(shown(&matches("market-*", &apps)), ["dev/api"]);
    }

    #[test]
    fn names_are_taken_literally() {
        let apps = [one(0, "dev", "a[1]*")];
        assert_eq!(shown(&matches("a[1]*", &apps)), ["dev/a[[]1[]][*]"]);
        assert!(is_match(&escape("a[1]*"), "a[1]*"));
    }

    #[test]
    fn a_regex_and_a_namespace_become_their_apps() {
        let apps = [one(0, "dev", "mds-a"), one(1, "dev", "mds-b")];
        for selector in ["/mds-./", "market-data", "all"] {
            assert_eq!(
                shown(&matches(selector, &apps)),
                ["dev/mds-a", "dev/mds-b"],
                "{selector}"
            );
        }
    }

    #[test]
    fn an_id_means_one_instance() {
        let apps = [Instance {
            instance: 3,
            ..one(7, "dev", "api")
        }];
        assert_eq!(shown(&matches("7", &apps)), ["dev/api#3"]);
        assert_eq!(shown(&matches("api", &apps)), ["dev/api"]);
    }

    #[test]
    fn no_selector_means_all_or_all_of_an_environment() {
        assert!(everything(None).is_empty());
        assert_eq!(shown(&everything(Some("dev"))), ["dev/*"]);
    }
}
