//! Every field of the table that is acted on, seen on a real process: here, or in the file that is about it.

mod asked;
mod changes;
mod coverage;
mod ends;
mod program;
mod variables;

use eco_tests::{TestEnv, app, wait_until};
use serde_json::{Value, json};

/// A command line that says which signal ends it.
const TRAP: &str =
    "trap 'echo TERM; exit' TERM; trap 'echo INT; exit' INT; echo up; while :; do sleep 0.05; done";

/// An app that says what it was given, and rests.
fn telling(fields: &Value) -> Value {
    let mut telling = app("a", &["facts", "wait"]);
    merge(&mut telling, fields);
    telling
}

fn merge(app: &mut Value, fields: &Value) {
    for (name, value) in fields.as_object().expect("fields") {
        app[name] = value.clone();
    }
}

/// What the latest run of an app said of itself.
#[track_caller]
fn facts_of(env: &TestEnv, name: &str) -> Value {
    let mut facts = None;
    wait_until("the app says what it was given", || {
        let run = env.list().one(name).number("run");
        let said = env.logs(name).into_iter().rfind(|record| record.run == run);
        facts = said.and_then(|record| serde_json::from_str(&record.line).ok());
        facts.is_some()
    });
    facts.expect("it was waited for")
}

/// What an app with these fields says of itself.
#[track_caller]
fn facts(fields: &Value) -> Value {
    let env = TestEnv::started(&json!([telling(fields)]));
    facts_of(&env, "a")
}

/// The lines of an app that have come once there are as many.
#[track_caller]
fn lines(env: &TestEnv, name: &str, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    wait_until("the lines are there", || {
        lines = env
            .logs(name)
            .into_iter()
            .map(|record| record.line)
            .collect();
        lines.len() >= count
    });
    lines
}
