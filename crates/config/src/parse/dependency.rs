//! What an app waits for.

use serde_json::Value;

use crate::error::{Fault, Problem};
use crate::fields::DEPENDENCY;
use crate::raw::{Written, closest};
use crate::spec::{
    Address, AddressError, AppName, AppSpec, Condition, Dependency, HttpUrl, circle,
};

use super::fields::Fields;
use super::value::{self, Reading, some_text};

const DEPENDENCY_TEXT: &str = "an app's name, or a URL such as \"tcp://127.0.0.1:5432\"";
const CONDITION: &str = "\"started\", \"ready\" or \"completed\"";
const CONDITIONS: [(&str, Condition); 6] = [
    ("started", Condition::Started),
    ("ready", Condition::Ready),
    ("completed", Condition::Completed),
    ("service_started", Condition::Started),
    ("service_healthy", Condition::Ready),
    ("service_completed_successfully", Condition::Completed),
];

/// All of them, each once.
pub(super) fn depends_on(fields: &mut Fields<'_>) -> Vec<Dependency> {
    let Some(written) = fields.get("depends_on") else {
        return Vec::new();
    };
    let Written { key, value } = written;
    let mut found: Vec<Dependency> = Vec::new();
    let mut keep = |dependency: Option<Dependency>| {
        found.extend(dependency.filter(|dependency| !found.contains(dependency)));
    };
    match value {
        Value::Bool(false) => {}
        Value::String(_) => keep(listed(fields, key, "", value)),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                keep(listed(fields, key, &format!("[{index}]"), value));
            }
        }
        Value::Object(object) if !value::is_odd(value) => {
            for (name, condition) in object {
                keep(conditional(fields, key, name, condition));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            fields.refuse("depends_on", written, None);
        }
    }
    found
}

/// One of a list: an app by its name alone must be ready.
fn listed(fields: &mut Fields<'_>, key: &str, inside: &str, value: &Value) -> Option<Dependency> {
    match some_text(value).and_then(|text| dependency(&text, Condition::Ready)) {
        Ok(dependency) => Some(dependency),
        Err(hint) => {
            fields.mismatch(
                key,
                Some(inside),
                value::shown(value),
                DEPENDENCY_TEXT,
                hint,
            );
            None
        }
    }
}

/// One of an object, with what it must have come to.
fn conditional(
    fields: &mut Fields<'_>,
    key: &str,
    name: &str,
    value: &Value,
) -> Option<Dependency> {
    let wanted = if let Some(object) = value::object(value) {
        let below = format!(".{name}");
        fields.object(DEPENDENCY, (key, &below), object, |fields| {
            match fields.get("condition") {
                None => Some(Condition::Ready),
                Some(_) => fields.take("condition", condition),
            }
        })
    } else {
        condition(value)
            .map_err(|hint| {
                let inside = format!(".{name}");
                fields.mismatch(key, Some(&inside), value::shown(value), CONDITION, hint);
            })
            .ok()
    };
    match dependency(name, wanted?) {
        Ok(dependency) => Some(dependency),
        Err(hint) => {
            let found = format!("{name:?}");
            fields.mismatch(key, None, found, DEPENDENCY_TEXT, hint);
            None
        }
    }
}

/// What an app waits for, and what to say if that leads back to it.
pub(super) struct Wait {
    app: AppName,
    on: Vec<AppName>,
    problem: Problem,
}

/// What the app waits for; nothing when it waits for no app.
pub(super) fn wait(fields: &Fields<'_>, spec: &AppSpec) -> Option<Wait> {
    let on: Vec<_> = spec
        .depends_on
        .iter()
        .filter_map(|dependency| match dependency {
            Dependency::App { name, .. } => Some(name.clone()),
            Dependency::Tcp(_) | Dependency::Http(_) => None,
        })
        .collect();
    let key = fields.get("depends_on").map(|written| written.key.as_str());
    (!on.is_empty()).then(|| Wait {
        app: spec.name.clone(),
        on,
        problem: fields.problem(key, Fault::Circle { apps: Vec::new() }),
    })
}

/// One problem for each circle of apps that could never start.
pub(super) fn circles(mut waits: Vec<Wait>) -> Vec<Problem> {
    let mut problems = Vec::new();
    loop {
        let apps: Vec<_> = waits
            .iter()
            .map(|wait| (&wait.app, wait.on.iter().collect()))
            .collect();
        let found = circle(&apps).map(|names| names.into_iter().cloned().collect::<Vec<_>>());
        let Some(names) = found else {
            return problems;
        };
        let first = waits.iter().find(|wait| names.first() == Some(&wait.app));
        problems.extend(first.map(|wait| Problem {
            fault: Fault::Circle {
                apps: names.iter().map(ToString::to_string).collect(),
            },
            ..wait.problem.clone()
        }));
        waits.retain(|wait| !names.contains(&wait.app));
    }
}

fn condition(value: &Value) -> Reading<Condition> {
    let text = value.as_str().ok_or(None)?;
    let known = CONDITIONS.iter().find(|(name, _)| *name == text);
    known.map(|(_, condition)| *condition).ok_or_else(|| {
        let like = closest(text, CONDITIONS.iter().map(|(name, _)| *name));
        like.map(|like| format!("did you mean {like:?}?"))
    })
}

fn dependency(text: &str, condition: Condition) -> Reading<Dependency> {
    let said = |error: AddressError| Some(error.to_string());
    let Some((scheme, rest)) = text.split_once("://") else {
        let name = AppName::new(text).map_err(|error| Some(error.to_string()))?;
        return Ok(Dependency::App { name, condition });
    };
    if text.contains("${") {
        let why = "no variables of an instance can stand here: nothing is started yet";
        return Err(Some(why.to_owned()));
    }
    match condition {
        Condition::Ready => {}
        Condition::Started | Condition::Completed => {
            return Err(Some("a URL can only be ready".to_owned()));
        }
    }
    if scheme.eq_ignore_ascii_case("tcp") {
        rest.parse::<Address>().map_err(said)?;
        return Ok(Dependency::Tcp(rest.to_owned()));
    }
    text.parse::<HttpUrl>().map_err(|error| match error {
        AddressError::Scheme => Some("the URLs are tcp://host:port and http://…".to_owned()),
        AddressError::NoHost
        | AddressError::Host(_)
        | AddressError::NoPort
        | AddressError::Port(_)
        | AddressError::Https
        | AddressError::User
        | AddressError::Blank => said(error),
    })?;
    Ok(Dependency::Http(text.to_owned()))
}
