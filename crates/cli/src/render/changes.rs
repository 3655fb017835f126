//! What applying a file would change, in words.
//!
//! ```text
//! ~ dev/public-api: restart 2 instances
//!     env.PORT: "3000" → "3001"
//! + dev/new-app: create and start 1 instance
//! - dev/old-app: stop and delete 1 instance
//! ```

use serde_json::Value;

use super::style::{bold, dim, error, success, warning};
use crate::view::changes::{Action, AppChange, FieldChange, Instances};

/// Makes the block of an app, with a newline at its end.
pub(crate) fn block(change: &AppChange) -> String {
    let mark = match change.action {
        Action::Create => success("+"),
        Action::Delete => error("-"),
        Action::Restart | Action::Scale | Action::Start | Action::Update => warning("~"),
    };
    let name = bold(&format!("{}/{}", change.env, change.name));
    let mut block = format!("{mark} {name}: {}\n", gist(change));
    for field in &change.fields {
        block.extend(["    ", &line(field), "\n"]);
    }
    block
}

fn gist(change: &AppChange) -> String {
    let Instances {
        created,
        registered,
        started,
        restarted,
        removed,
    } = change.instances;
    let create = match change.action {
        Action::Create => "create and start",
        Action::Delete | Action::Restart | Action::Scale | Action::Start | Action::Update => "add",
    };
    let parts: Vec<_> = [
        (create, created),
        ("register, without starting,", registered),
        ("restart", restarted),
        ("start", started),
        ("stop and delete", removed),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(verb, count)| format!("{verb} {count} {}", instances(count)))
    .collect();
    if parts.is_empty() {
        "take the new specification over; nothing of it runs".to_owned()
    } else {
        parts.join(", ")
    }
}

const fn instances(count: u32) -> &'static str {
    if count == 1 { "instance" } else { "instances" }
}

fn line(change: &FieldChange) -> String {
    if change.is_hidden() {
        return format!("{}: changed {}", change.field, dim("(hidden)"));
    }
    let (before, after) = (value(&change.before), value(&change.after));
    format!("{}: {before} → {after}", change.field)
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => dim("not set"),
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NONE: Instances = Instances {
        created: 0,
        registered: 0,
        started: 0,
        restarted: 0,
        removed: 0,
    };

    fn shown(action: Action, instances: Instances, fields: Vec<FieldChange>) -> String {
        let change = AppChange {
            env: "dev".to_owned(),
            name: "api".to_owned(),
            action,
            instances,
            fields,
        };
        anstream::adapter::strip_str(&block(&change)).to_string()
    }

    #[test]
    fn a_restart_tells_what_changed() {
        let fields = vec![
            FieldChange {
                field: "env.PORT".to_owned(),
                before: json!("3000"),
                after: Value::Null,
            },
            FieldChange {
                field: "env.API_KEY".to_owned(),
                before: json!("(hidden)"),
                after: json!("(hidden)"),
            },
        ];
        let instances = Instances {
            restarted: 2,
            ..NONE
        };
        insta::assert_snapshot!(shown(Action::Restart, instances, fields), @r#"
        ~ dev/api: restart 2 instances
            env.PORT: "3000" → not set
            env.API_KEY: changed (hidden)
        "#);
    }

    #[test]
    fn each_kind_of_change_reads_as_what_is_done() {
        let of = |action, instances| shown(action, instances, Vec::new());
        let created = Instances { created: 1, ..NONE };
        let told = [
            of(Action::Create, created),
            of(
                Action::Create,
                Instances {
                    registered: 1,
                    ..NONE
                },
            ),
            of(Action::Scale, Instances { created: 3, ..NONE }),
            of(Action::Scale, Instances { removed: 1, ..NONE }),
            of(Action::Start, Instances { started: 1, ..NONE }),
            of(Action::Delete, Instances { removed: 2, ..NONE }),
            of(Action::Update, NONE),
        ];
        insta::assert_snapshot!(told.concat(), @r"
        + dev/api: create and start 1 instance
        + dev/api: register, without starting, 1 instance
        ~ dev/api: add 3 instances
        ~ dev/api: stop and delete 1 instance
        ~ dev/api: start 1 instance
        - dev/api: stop and delete 2 instances
        ~ dev/api: take the new specification over; nothing of it runs
        ");
    }
}
