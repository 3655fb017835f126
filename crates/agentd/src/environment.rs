//! The variables an instance gets.
//!
//! Later ones win: the shell's that asked, the app's own, the ones that number it, the ones that name it.

use std::collections::BTreeMap;

use eco_config::spec::AppSpec;

/// The variables of one instance. `PATH` is always there.
#[must_use]
pub fn variables(spec: &AppSpec, instance: u32, run: u64) -> BTreeMap<String, String> {
    let mut variables = spec.inherited_env.clone();
    // Python keeps lines back when it does not write to a terminal.
    variables.insert("PYTHONUNBUFFERED".to_owned(), "1".to_owned());
    variables.extend(spec.env.clone());
    variables.insert(spec.instance_var.clone(), instance.to_string());
    if let Some(name) = &spec.increment_var {
        let first = spec
            .env
            .get(name)
            .and_then(|value| value.trim().parse::<u64>().ok())
            .unwrap_or(0);
        variables.insert(
            name.clone(),
            first.saturating_add(u64::from(instance)).to_string(),
        );
    }
    variables.insert("ECO_APP".to_owned(), spec.name.to_string());
    variables.insert("ECO_ENVIRONMENT".to_owned(), spec.environment.to_string());
    variables.insert("ECO_INSTANCE".to_owned(), instance.to_string());
    variables.insert("ECO_RUN".to_owned(), run.to_string());
    variables
        .entry("PATH".to_owned())
        .or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
    variables
}

/// The TCP port that an instance is told to listen on, by a `PORT` of its own: it is ready when it does.
#[must_use]
pub fn expected_port(spec: &AppSpec, instance: u32) -> Option<u16> {
    let first: u16 = spec
        .env
        .get("PORT")?
        .trim()
        .parse()
        .ok()
        .filter(|port| *port > 0)?;
    match &spec.increment_var {
        Some(name) if name == "PORT" => first.checked_add(u16::try_from(instance).ok()?),
        Some(_) | None => Some(first),
    }
}
