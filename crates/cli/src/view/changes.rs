//! What applying a file would change, by app and by field.

use std::collections::{BTreeMap, BTreeSet};

use eco_proto::agent::v1::{AppSpec, PlanReply, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::spec::fields;
use crate::redaction::Secrets;

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// By which a plan is known again.
    pub(crate) fingerprint: String,
    /// One for each app that would change.
    pub(crate) changes: Vec<AppChange>,
}

/// What would happen to an app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AppChange {
    pub(crate) env: String,
    pub(crate) name: String,
    pub(crate) action: Action,
    pub(crate) instances: Instances,
    /// Empty for an app that is new or goes.
    pub(crate) fields: Vec<FieldChange>,
}

/// The gist of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Create,
    Delete,
    Restart,
    Scale,
    Start,
    /// Its specification changes, and nothing of it runs that would have to be replaced.
    Update,
}

/// How many instances go each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instances {
    pub(crate) created: u32,
    pub(crate) registered: u32,
    pub(crate) started: u32,
    pub(crate) restarted: u32,
    pub(crate) removed: u32,
}

/// A field with another value; `null`: it is not set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FieldChange {
    /// `env.PORT`.
    pub(crate) field: String,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

/// Makes a view of a plan, secrets hidden.
pub(crate) fn changes(plan: PlanReply) -> Changes {
    Changes {
        fingerprint: plan.fingerprint,
        changes: plan.steps.into_iter().map(app).collect(),
    }
}

fn app(step: Step) -> AppChange {
    let instances = Instances {
        created: step.created,
        registered: step.registered,
        started: step.started,
        restarted: step.restarted,
        removed: step.removed,
    };
    let (action, fields) = match (&step.before, &step.after) {
        (None, _) => (Action::Create, Vec::new()),
        (Some(_), None) => (Action::Delete, Vec::new()),
        (Some(before), Some(after)) => (known(instances), differences(before, after)),
    };
    AppChange {
        env: step.environment,
        name: step.name,
        action,
        instances,
        fields,
    }
}

const fn known(instances: Instances) -> Action {
    match instances {
        Instances { restarted: 1.., .. } => Action::Restart,
        Instances { started: 1.., .. } => Action::Start,
        Instances { created: 1.., .. }
        | Instances {
            registered: 1.., ..
        }
        | Instances { removed: 1.., .. } => Action::Scale,
        Instances { .. } => Action::Update,
    }
}

/// The fields that differ. Of a secret only that it does is told.
fn differences(before: &AppSpec, after: &AppSpec) -> Vec<FieldChange> {
    let flat = |spec, secrets| {
        let mut all = BTreeMap::new();
        flatten("", fields(spec, secrets), &mut all);
        all
    };
    let (old, new) = (flat(before, Secrets::Shown), flat(after, Secrets::Shown));
    let (old_shown, new_shown) = (flat(before, Secrets::Hidden), flat(after, Secrets::Hidden));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| FieldChange {
            field: name.clone(),
            before: old_shown.get(name).cloned().unwrap_or_default(),
            after: new_shown.get(name).cloned().unwrap_or_default(),
        })
        .collect()
}

/// `{ env: { PORT: 1 } }` as `env.PORT`.
fn flatten(prefix: &str, object: Map<String, Value>, into: &mut BTreeMap<String, Value>) {
    for (name, value) in object {
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Object(inner) => flatten(&path, inner, into),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                into.insert(path, value);
            }
        }
    }
}

impl FieldChange {
    /// Whether the difference is kept from sight.
    pub(crate) fn is_hidden(&self) -> bool {
        self.before == self.after
    }
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::StopPolicy;

    use super::*;

    fn spec(env: &[(&str, &str)]) -> AppSpec {
        AppSpec {
            name: "api".to_owned(),
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..AppSpec::default()
        }
    }

    fn told(before: &AppSpec, after: &AppSpec) -> Vec<String> {
        differences(before, after)
            .into_iter()
            .map(|change| format!("{}: {} -> {}", change.field, change.before, change.after))
            .collect()
    }

    #[test]
    fn a_changed_an_added_and_a_removed_variable_are_told_by_their_names() {
        let before = spec(&[("PORT", "1"), ("OLD", "x")]);
        let after = spec(&[("PORT", "2"), ("NEW", "y")]);
        assert_eq!(
            told(&before, &after),
            [
                r#"env.NEW: null -> "y""#,
                r#"env.OLD: "x" -> null"#,
                r#"env.PORT: "1" -> "2""#,
            ]
        );
    }

    #[test]
    fn a_changed_secret_is_told_and_not_shown() {
        let (before, after) = (spec(&[("API_KEY", "one")]), spec(&[("API_KEY", "two")]));
        let changes = differences(&before, &after);
        assert!(changes.iter().all(FieldChange::is_hidden));
        assert_eq!(
            told(&before, &after),
            [r#"env.API_KEY: "(hidden)" -> "(hidden)""#]
        );
    }

    #[test]
    fn what_is_the_same_is_no_change() {
        let one = spec(&[("PORT", "1")]);
        assert!(differences(&one, &one.clone()).is_empty());
    }

    #[test]
    fn a_policy_is_told_by_its_fields() {
        let with = |kill_timeout_ms| AppSpec {
            stop: Some(StopPolicy {
                kill_timeout_ms,
                ..StopPolicy::default()
            }),
            ..AppSpec::default()
        };
        assert_eq!(
            told(&with(1600), &with(5000)),
            ["kill_timeout: 1600 -> 5000"]
        );
    }

    #[test]
    fn the_gist_is_what_hurts_most() {
        let none = Instances {
            created: 0,
            registered: 0,
            started: 0,
            restarted: 0,
            removed: 0,
        };
        assert_eq!(known(none), Action::Update);
        assert_eq!(known(Instances { removed: 1, ..none }), Action::Scale);
        let started = Instances {
            started: 1,
            created: 1,
            ..none
        };
        assert_eq!(known(started), Action::Start);
        let restarted = Instances {
            restarted: 2,
            ..started
        };
        assert_eq!(known(restarted), Action::Restart);
    }
}
