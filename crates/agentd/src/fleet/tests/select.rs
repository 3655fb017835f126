use super::super::select::{Reach, Refused, Selection, select, select_one};
use super::*;

/// Two instances of `dev/api`; `dev/mds-fetcher` and `dev/@acme/api` in the namespace `markets`; `production/api`,
/// `production/mds-fetcher`; numbered 0 to 5 in this order.
fn fleet() -> Fleet {
    let mut stage = Stage::new();
    stage.apply(many(2));
    for name in ["mds-fetcher", "@acme/api"] {
        stage.apply(AppSpec {
            namespace: "markets".to_owned(),
            ..spec("dev", name)
        });
    }
    for name in ["api", "mds-fetcher"] {
        stage.apply(spec("production", name));
    }
    stage.fleet
}

fn asked(selector: &str) -> Selection {
    Selection {
        selectors: vec![selector.to_owned()],
        ..Selection::default()
    }
}

fn within(environment: &str, selector: &str) -> Selection {
    Selection {
        environment: Some(environment.to_owned()),
        ..asked(selector)
    }
}

fn found(selection: &Selection) -> Vec<String> {
    let slots = select(&fleet(), selection).expect("something matches");
    slots.iter().map(ToString::to_string).collect()
}

fn refused(selection: &Selection) -> Refused {
    select(&fleet(), selection).expect_err("refused")
}

fn not_found(selector: &str, candidates: &[&str]) -> Refused {
    Refused::NotFound {
        selector: selector.to_owned(),
        candidates: candidates.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_name_means_all_its_instances() {
    assert_eq!(found(&within("dev", "api")), ["dev/api#0", "dev/api#1"]);
}

#[test]
fn one_app_is_meant_by_its_name_by_one_of_its_instances_and_by_what_matches_no_other() {
    let fleet = fleet();
    let one = |selection: &Selection| {
        let (key, _) = select_one(&fleet, selection).expect("one is meant");
        key.to_string()
    };
    for selection in [
        within("dev", "api"),
        asked("dev/api"),
        asked("1"),
        asked("dev/ap?"),
        Selection {
            selectors: vec!["0".to_owned(), "1".to_owned()],
            ..Selection::default()
        },
    ] {
        assert_eq!(one(&selection), "dev/api", "{selection:?}");
    }
}

#[test]
fn several_apps_where_one_is_meant_are_named_also_those_of_one_name() {
    let several = |selector: &str, candidates: &[&str]| Refused::Several {
        selector: selector.to_owned(),
        candidates: candidates.iter().map(ToString::to_string).collect(),
    };
    let refused = |selector: &str| select_one(&fleet(), &asked(selector)).err();
    for (selector, candidates) in [
        ("api", ["dev/api", "production/api"]),
        ("production/*", ["production/api", "production/mds-fetcher"]),
        ("markets", ["dev/@acme/api", "dev/mds-fetcher"]),
    ] {
        assert_eq!(refused(selector), Some(several(selector, &candidates)));
    }
    assert_eq!(refused("mds"), select(&fleet(), &asked("mds")).err());
    assert!(select_one(&Fleet::default(), &Selection::default()).is_err());
}

#[test]
fn a_qualified_name_means_that_environment() {
    assert_eq!(found(&asked("production/api")), ["production/api#0"]);
    assert_eq!(found(&asked("dev/@acme/api")), ["dev/@acme/api#0"]);
}

#[test]
fn a_scoped_name_is_a_name() {
    assert_eq!(found(&asked("@acme/api")), ["dev/@acme/api#0"]);
    assert_eq!(found(&asked("@acme/*")), ["dev/@acme/api#0"]);
}

#[test]
fn a_number_means_one_slot_in_the_environment_that_is_looked_at() {
    assert_eq!(found(&asked("1")), ["dev/api#1"]);
    assert_eq!(found(&asked("4")), ["production/api#0"]);
    assert_eq!(found(&within("production", "4")), ["production/api#0"]);
    assert_eq!(refused(&within("dev", "4")), not_found("4", &[]));
    assert_eq!(refused(&asked("17")), not_found("17", &[]));
}

#[test]
fn a_glob_means_the_names_that_match() {
    assert_eq!(found(&within("dev", "mds-*")), ["dev/mds-fetcher#0"]);
    assert_eq!(
        found(&within("dev", "{api,mds-?etcher}")),
        ["dev/api#0", "dev/api#1", "dev/mds-fetcher#0"]
    );
    assert_eq!(
        found(&asked("*/mds-*")),
        ["dev/mds-fetcher#0", "production/mds-fetcher#0"]
    );
    assert_eq!(found(&asked("prod*/api")), ["production/api#0"]);
    assert_eq!(found(&asked("dev/*")).len(), 4);
}

#[test]
fn a_regex_means_the_names_that_match() {
    assert_eq!(found(&within("dev", "/^mds/")), ["dev/mds-fetcher#0"]);
    assert_eq!(
        found(&within("dev", "/api$/")),
        ["dev/@acme/api#0", "dev/api#0", "dev/api#1"]
    );
}

#[test]
fn a_namespace_means_its_apps_unless_an_app_has_the_name() {
    assert_eq!(
        found(&asked("markets")),
        ["dev/@acme/api#0", "dev/mds-fetcher#0"]
    );
    let mut stage = Stage {
        fleet: fleet(),
        now: MS,
    };
    stage.apply(spec("dev", "markets"));
    let slots = select(&stage.fleet, &asked("markets")).expect("something matches");
    assert_eq!(slots, [dev("markets").slot(0)]);
}

#[test]
fn all_and_nothing_mean_everything() {
    assert_eq!(found(&within("dev", "all")).len(), 4);
    let everything = Selection {
        reach: Reach::EveryEnvironment,
        ..Selection::default()
    };
    assert_eq!(found(&everything).len(), 6);
}

#[test]
fn several_selectors_are_joined_and_a_slot_comes_once() {
    let selection = Selection {
        selectors: vec!["dev/api".to_owned(), "0".to_owned(), "2".to_owned()],
        ..Selection::default()
    };
    assert_eq!(
        found(&selection),
        ["dev/api#0", "dev/api#1", "dev/mds-fetcher#0"]
    );
}

#[test]
fn each_selector_must_match_something() {
    let selection = Selection {
        selectors: vec!["dev/api".to_owned(), "nothing".to_owned()],
        ..Selection::default()
    };
    assert_eq!(refused(&selection), not_found("nothing", &[]));
}

#[test]
fn a_word_that_means_two_environments_is_refused_with_both() {
    for selector in ["api", "/^api/", "[a]pi"] {
        assert_eq!(
            refused(&asked(selector)),
            Refused::Ambiguous {
                selector: selector.to_owned(),
                candidates: vec!["dev/api".to_owned(), "production/api".to_owned()],
            }
        );
    }
    for selection in [asked("all"), Selection::default()] {
        assert!(matches!(refused(&selection), Refused::Ambiguous { .. }));
    }
}

#[test]
fn who_asks_for_every_environment_gets_them() {
    let selection = Selection {
        reach: Reach::EveryEnvironment,
        ..asked("api")
    };
    assert_eq!(
        found(&selection),
        ["dev/api#0", "dev/api#1", "production/api#0"]
    );
}

#[test]
fn a_qualified_name_outside_the_chosen_environment_is_not_found() {
    let refused = refused(&within("dev", "production/api"));
    assert_eq!(
        refused,
        not_found("production/api", &["dev/@acme/api", "dev/api"])
    );
}

#[test]
fn the_closest_names_are_offered() {
    assert_eq!(
        refused(&asked("mds-fecher")),
        not_found("mds-fecher", &["dev/mds-fetcher", "production/mds-fetcher"])
    );
    assert_eq!(
        refused(&asked("fetcher")),
        not_found("fetcher", &["dev/mds-fetcher", "production/mds-fetcher"])
    );
    assert_eq!(refused(&asked("zzz")), not_found("zzz", &[]));
}

#[test]
fn what_is_no_pattern_is_told_with_the_reason() {
    for selector in ["mds-[", "dev/{a", "/(/"] {
        let refused = refused(&asked(selector));
        assert!(
            matches!(&refused, Refused::Malformed { problem, .. } if !problem.is_empty()),
            "{refused:?}"
        );
        assert!(refused.to_string().contains("is not a pattern"));
    }
}

#[test]
fn where_there_is_nothing_everything_is_nothing_and_a_name_is_not_found() {
    let empty = Fleet::default();
    assert_eq!(select(&empty, &Selection::default()), Ok(vec![]));
    assert_eq!(select(&empty, &asked("api")), Err(not_found("api", &[])));
    assert_eq!(select(&empty, &asked("all")), Err(not_found("all", &[])));
}

#[test]
fn a_lonely_slash_is_no_pattern_for_everything() {
    for selector in ["/", ""] {
        assert!(matches!(
            refused(&asked(selector)),
            Refused::NotFound { .. }
        ));
    }
}
