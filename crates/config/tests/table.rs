//! The table of fields says what is parsed, and docs/configuration.md says what the table says.

#![expect(
    clippy::unwrap_used,
    reason = "this is a part of tests, though not all in one"
)]

mod support;

use eco_config::fields::{
    APP, Absent, DEPENDENCY, Field, HTTP, LIMITS, LIVENESS, LOG_ROTATE, READINESS, Standing, Table,
    WATCH_OPTIONS,
};
use eco_config::spec::AppSpec;
use eco_config::{ConfigError, reference};
use support::of;

/// A table, where it stands in an app, and a field without which nothing there is right.
struct Place {
    table: Table,
    way: &'static str,
    /// The app around it: `$` stands for the object's fields.
    around: &'static str,
    needs: &'static str,
}

const PLACES: [Place; 8] = [
    Place {
        table: APP,
        way: "",
        around: "$",
        needs: "script: 'app.js'",
    },
    Place {
        table: READINESS,
        way: "readiness.",
        around: "script: 'app.js', readiness: { $ }",
        needs: "tcp: 1",
    },
    Place {
        table: LIVENESS,
        way: "liveness.",
        around: "script: 'app.js', liveness: { $ }",
        needs: "tcp: 1",
    },
    Place {
        table: HTTP,
        way: "readiness.http.",
        around: "script: 'app.js', readiness: { http: { $ } }",
        needs: "port: 1",
    },
    Place {
        table: DEPENDENCY,
        way: "depends_on.db.",
        around: "script: 'app.js', depends_on: { db: { $ } }",
        needs: "",
    },
    Place {
        table: LIMITS,
        way: "limits.",
        around: "script: 'app.js', limits: { $ }",
        needs: "cpu: 1",
    },
    Place {
        table: LOG_ROTATE,
        way: "log_rotate.",
        around: "script: 'app.js', log_rotate: { $ }",
        needs: "",
    },
    Place {
        table: WATCH_OPTIONS,
        way: "watch_options.",
        around: "script: 'app.js', watch: true, watch_options: { $ }",
        needs: "",
    },
];

impl Place {
    fn file(&self, fields: &str) -> String {
        format!(
            "module.exports = {{ apps: [{{ {} }}] }}",
            self.around.replace('$', fields)
        )
    }

    fn app(&self, fields: &str) -> AppSpec {
        let mut ecosystem = of(&self.file(fields)).unwrap();
        let mut app = ecosystem.apps.remove(0);
        // Each is loaded from a folder of its own.
        app.defined_in = "/".into();
        app.defined_at = "/".into();
        app.invoked_in = "/".into();
        app
    }

    /// The ways to all that is wrong.
    fn problems(&self, fields: &str) -> Vec<String> {
        match of(&self.file(fields)) {
            Err(ConfigError::Invalid(problems)) => {
                problems.into_iter().map(|problem| problem.path).collect()
            }
            Ok(_) => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }
}

fn acted_on(table: Table) -> impl Iterator<Item = &'static Field> {
    table
        .fields()
        .filter(|field| field.standing() == Standing::ActedOn)
}

#[test]
fn every_field_that_is_acted_on_is_read_by_all_of_its_names() {
    for place in PLACES {
        for name in acted_on(place.table).flat_map(Field::names) {
            // No field can be a function, so whoever reads it has to say so.
            let problems = place.problems(&format!("{name}: () => 1"));
            let way = format!("apps[0].{}{name}", place.way);
            assert!(problems.contains(&way), "{way} is not read: {problems:?}");
        }
    }
}

#[test]
fn a_default_of_the_table_is_what_comes_out_without_the_field() {
    for place in PLACES {
        let without = place.app(place.needs);
        for field in acted_on(place.table) {
            let Absent::Json(default) = field.absent() else {
                continue;
            };
            let name = field.name();
            let with =
                place.app(format!("{}, {name}: {default}", place.needs).trim_start_matches(", "));
            assert_eq!(with, without, "{}{name}: {default}", place.way);
        }
    }
}

#[test]
fn the_page_of_the_documentation_is_made_from_the_table() {
    let written = include_str!("../../../docs/configuration.md");
    assert!(
        written == reference(),
        "docs/configuration.md is not what the table says: run `cargo xtask docs`"
    );
}
