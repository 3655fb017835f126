//! When an app is replaced by the clock.

use serde_json::Value;

use crate::spec::{Schedule, ScheduleError, check_zone};

use super::fields::Fields;
use super::value::{Reading, some_text, text};

pub(super) fn schedule(fields: &mut Fields<'_>) -> Option<Schedule> {
    let zone = fields.take("cron_timezone", zone);
    fields
        .take("cron_restart", |value| pattern(value, zone.as_deref()))
        .flatten()
}

fn zone(value: &Value) -> Reading<String> {
    let name = some_text(value)?;
    check_zone(&name).map_err(|error| Some(error.to_string()))?;
    Ok(name)
}

/// `false`, 0 and an empty text are no schedule, as with PM2.
fn pattern(value: &Value, zone: Option<&str>) -> Reading<Option<Schedule>> {
    let pattern = match value {
        Value::Bool(false) => return Ok(None),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            text(value)?
        }
    };
    let pattern = pattern.trim();
    if pattern.is_empty() || pattern == "0" {
        return Ok(None);
    }
    match Schedule::new(pattern, zone) {
        Ok(schedule) => Ok(Some(schedule)),
        Err(ScheduleError::Pattern(_)) if !pattern.starts_with('@') && !has_fields(pattern) => Err(
            Some("five fields are needed, or six with seconds first".to_owned()),
        ),
        Err(error) => Err(Some(error.to_string())),
    }
}

fn has_fields(pattern: &str) -> bool {
    matches!(pattern.split_whitespace().count(), 5 | 6)
}
