//! What an app waits for before it starts.

use std::collections::{BTreeMap, BTreeSet};

use super::AppName;

/// One thing that must be so before an app starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// Another app of the environment.
    App {
        /// Which.
        name: AppName,
        /// What it must have come to.
        condition: Condition,
    },
    /// Something outside accepts a TCP connection at `host:port`.
    Tcp(String),
    /// Something outside answers a GET of this URL with a status from 200 to 399.
    Http(String),
}

/// What an app that others wait for must have come to, in all of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// It has been spawned.
    Started,
    /// It is online.
    Ready,
    /// It has ended with exit code 0.
    Completed,
}

/// Finds apps that wait for each other, so that none of them could ever start: `apps` are names with the names they wait
/// for. In the answer each waits for the next and the last for the first, beginning with the one that comes first in
/// `apps`; nothing when there is no circle. Names that are not among the apps wait for nothing.
#[must_use]
pub fn circle<'a>(apps: &[(&'a AppName, Vec<&'a AppName>)]) -> Option<Vec<&'a AppName>> {
    let waits_for: BTreeMap<_, _> = apps.iter().map(|(app, on)| (*app, on.as_slice())).collect();
    let mut done = BTreeSet::new();
    apps.iter().find_map(|(app, _)| {
        let mut circle = circle_from(app, &waits_for, &mut done)?;
        let first = apps
            .iter()
            .find_map(|(app, _)| circle.iter().position(|one| one == app));
        circle.rotate_left(first.unwrap_or_default());
        Some(circle)
    })
}

/// Follows what `start` waits for, deep before wide; what is `done` leads to no circle.
fn circle_from<'a>(
    start: &'a AppName,
    waits_for: &BTreeMap<&'a AppName, &[&'a AppName]>,
    done: &mut BTreeSet<&'a AppName>,
) -> Option<Vec<&'a AppName>> {
    let next = |name| waits_for.get(name).copied().unwrap_or_default().iter();
    let mut way = vec![(start, next(start))];
    while let Some((name, ahead)) = way.last_mut() {
        let name = *name;
        match ahead.next() {
            None => {
                done.insert(name);
                way.pop();
            }
            Some(on) if done.contains(on) => {}
            Some(on) => {
                if let Some(met) = way.iter().position(|(before, _)| before == on) {
                    return Some(
                        way.split_off(met)
                            .into_iter()
                            .map(|(name, _)| name)
                            .collect(),
                    );
                }
                way.push((on, next(on)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(apps: &[(&str, &[&str])]) -> Option<String> {
        let name = |name: &str| AppName::new(name).unwrap();
        let owned: Vec<_> = apps
            .iter()
            .map(|(app, on)| (name(app), on.iter().map(|on| name(on)).collect::<Vec<_>>()))
            .collect();
        let apps: Vec<_> = owned
            .iter()
            .map(|(app, on)| (app, on.iter().collect()))
            .collect();
        let names = circle(&apps)?;
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        Some(names.join(" "))
    }

    #[test]
    fn apps_that_wait_for_others_in_turn_are_no_circle() {
        let apps = [
            ("a", ["b", "c"].as_slice()),
            ("b", &["c"]),
            ("c", &["elsewhere"]),
        ];
        assert_eq!(found(&apps), None);
    }

    #[test]
    fn a_circle_begins_with_its_first_app() {
        let apps = [
            ("x", ["c"].as_slice()),
            ("a", &["b"]),
            ("b", &["c"]),
            ("c", &["a"]),
        ];
        assert_eq!(found(&apps).as_deref(), Some("a b c"));
        assert_eq!(found(&[("a", &["a"])]).as_deref(), Some("a"));
    }
}
