//! What an instance may use of its host.

use serde_json::Value;

use crate::fields::LIMITS;
use crate::spec::Limits;

use super::fields::Fields;
use super::value::{Reading, number, positive, size};

/// No host has more processors than that.
const MOST_PROCESSORS: f64 = 4096.0;

pub(super) fn limits(fields: &mut Fields<'_>) -> Limits {
    let limits = fields.inside("limits", LIMITS, |fields| Limits {
        memory: fields.take("memory", some_size),
        cpu_millis: fields.take("cpu", cpu),
        tasks: fields.take("tasks", positive),
        open_files: fields.take("open_files", positive).map(u64::from),
    });
    limits.unwrap_or_default()
}

fn some_size(value: &Value) -> Reading<u64> {
    let size = size(value)?;
    (size > 0).then_some(size).ok_or(None)
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
