//! What an instance may use of its host.

use serde_json::Value;

use crate::raw::{LIMITS, Written};
use crate::spec::Limits;

use super::fields::Fields;
use super::value::{self, Reading, number, positive, size};

const LIMITS_OBJECT: &str = "an object such as { memory: '512M', cpu: 0.5 }";
const CPU: &str = "a number of processors such as 0.5, or a share of one such as \"50%\"";
const SIZE: &str = "a size such as \"512M\"";
const COUNT: &str = "a number from 1";
/// No host has more processors than that.
const MOST_PROCESSORS: f64 = 4096.0;

pub(super) fn limits(fields: &mut Fields<'_>) -> Limits {
    let Some(Written { key, value }) = fields.get("limits") else {
        return Limits::default();
    };
    match value {
        Value::Object(object) if !value::is_odd(value) => {
            fields.object(LIMITS, (key, ""), object, |fields| Limits {
                memory: fields.take("memory", SIZE, some_size),
                cpu_millis: fields.take("cpu", CPU, cpu),
                tasks: fields.take("tasks", COUNT, positive),
                open_files: fields.take("open_files", COUNT, positive).map(u64::from),
            })
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            fields.mismatch(key, None, value::shown(value), LIMITS_OBJECT, None);
            Limits::default()
        }
    }
}

fn some_size(value: &Value) -> Reading<u64> {
    size(value)?.gt(&0).then_some(size(value)?).ok_or(None)
}

/// Thousandths of a processor.
fn cpu(value: &Value) -> Reading<u32> {
    let share = match value
        .as_str()
        .and_then(|text| text.trim().strip_suffix('%'))
    {
        Some(percent) => number(&percent.into())? / 100.0,
        None => number(value)?,
    };
    if share > MOST_PROCESSORS {
        return Err(Some(format!("{MOST_PROCESSORS} processors are the most")));
    }
    let millis: u32 = format!("{:.0}", share * 1000.0).parse().map_err(|_| None)?;
    if millis == 0 {
        return Err(Some("a thousandth of a processor is the least".to_owned()));
    }
    Ok(millis)
}
