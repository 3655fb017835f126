//! The table says of itself what can be checked without a file; `tests/table.rs` holds it to what is parsed.

use std::collections::BTreeSet;

use super::*;
use crate::fields::name::camel;

/// Every table there is, with a name for messages.
fn tables() -> [(&'static str, Table); 8] {
    [
        ("app", APP),
        ("depends_on", DEPENDENCY),
        ("readiness", READINESS),
        ("liveness", LIVENESS),
        ("http", HTTP),
        ("limits", LIMITS),
        ("log_rotate", LOG_ROTATE),
        ("watch_options", WATCH_OPTIONS),
    ]
}

#[test]
fn no_name_means_two_fields() {
    for (table, fields) in tables() {
        let mut seen = BTreeSet::new();
        for name in fields.fields().flat_map(Field::names) {
            assert!(seen.insert(camel(name)), "{table}: {name}");
        }
    }
}

#[test]
fn every_field_is_a_sentence_and_says_what_should_stand_in_it() {
    for (table, fields) in tables() {
        for field in fields.fields() {
            let name = field.name();
            assert!(!field.about().is_empty(), "{table}: {name}");
            match field.standing() {
                Standing::ActedOn => {
                    assert!(field.about().ends_with('.'), "{table}: {name}");
                    assert_ne!(field.expected(), "another value", "{table}: {name}");
                }
                Standing::NotActedOn | Standing::NoEffect(_) => {}
            }
        }
    }
}

#[test]
fn every_default_is_json() {
    for (table, fields) in tables() {
        for field in fields.fields() {
            if let Absent::Json(json) = field.absent() {
                let read = serde_json::from_str::<serde_json::Value>(json);
                assert!(read.is_ok(), "{table}: {}: {json}", field.name());
            }
        }
    }
}

#[test]
fn a_field_is_known_by_all_of_its_names_in_both_ways_of_writing() {
    for key in [
        "exec",
        "interpreter_args",
        "nodeArgs",
        "execInterpreter",
        "interpreterArgs",
    ] {
        assert!(APP.meant_by(key).is_some(), "{key}");
    }
    assert_eq!(APP.meant_by("cmd").map(Field::name), Some("script"));
    assert!(APP.meant_by("Script").is_some());
    assert!(APP.meant_by("sсript").is_none(), "a Cyrillic letter");
}
