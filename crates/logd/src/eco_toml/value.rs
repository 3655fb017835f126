//! The values that stand behind the keys: pure. What is wrong with one is a text that says what to write.

use std::net::SocketAddr;

use toml::de::DeValue;

use crate::replica::Durability;

const SIZES: &[(&[&str], u64)] = &[
    (&["", "b"], 1),
    (&["k", "kb", "kib"], 1 << 10),
    (&["m", "mb", "mib"], 1 << 20),
    (&["g", "gb", "gib"], 1 << 30),
    (&["t", "tb", "tib"], 1 << 40),
];
const AGES: &[(&[&str], u64)] = &[
    (&["s"], 1),
    (&["m", "min"], 60),
    (&["h"], 3600),
    (&["d"], 24 * 3600),
    (&["w"], 7 * 24 * 3600),
];

/// A number of bytes, or one with a unit.
pub(super) fn size(given: &DeValue<'_>) -> Result<u64, String> {
    let none = |what: String| format!("{what} is no size; write it like \"500 MiB\" or \"10G\"");
    match given {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| none(number.as_str().to_owned())),
        DeValue::String(text) => quantity(text, SIZES).ok_or_else(|| none(format!("{text:?}"))),
        DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => Err(format!(
            "a size is a whole number of bytes, or a text like \"500 MiB\", and not {}",
            kind(given)
        )),
    }
}

/// Seconds.
pub(super) fn age(given: &DeValue<'_>) -> Result<u64, String> {
    let text = text(given, "an age", "\"30d\"")?;
    quantity(text, AGES)
        .ok_or_else(|| format!("{text:?} is no age; write it like \"30d\" or \"12h\""))
}

/// A whole number and a unit.
fn quantity(text: &str, units: &[(&[&str], u64)]) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let at = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(at)?;
    let number: u64 = digits.parse().ok()?;
    let (_, factor) = units
        .iter()
        .find(|(names, _)| names.contains(&unit.trim()))?;
    number.checked_mul(*factor)
}

pub(super) fn durability(given: &DeValue<'_>) -> Result<Durability, String> {
    match text(given, "it", "\"power\"")? {
        "process" => Ok(Durability::Process),
        "power" => Ok(Durability::Power),
        other => Err(format!("{other:?} is none; write \"process\" or \"power\"")),
    }
}

/// An address of this machine to listen at.
pub(super) fn listen(given: &DeValue<'_>) -> Result<SocketAddr, String> {
    let text = text(given, "an address", "\"127.0.0.1:7470\"")?;
    let address: SocketAddr = text.parse().map_err(|_| {
        format!("{text:?} is no address to listen at; write it like \"127.0.0.1:7470\"")
    })?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!(
        "at {text:?} others than this machine could come in, and nothing would be encrypted; write an address such as \
         \"127.0.0.1:7470\", and forward it, for instance by `ssh -R`"
    ))
}

/// The address of another log daemon, in the one form that it is kept in.
pub(super) fn address(given: &DeValue<'_>) -> Result<String, String> {
    let text = text(given, "an address", "\"http://127.0.0.1:7470\"")?;
    let expected = || format!("{text:?} is no address; write it like \"http://127.0.0.1:7470\"");
    let place = text.strip_prefix("http://").ok_or_else(expected)?;
    let place = place.strip_suffix('/').unwrap_or(place);
    let numeric = place
        .strip_prefix("localhost:")
        .map_or_else(|| place.to_owned(), |port| format!("127.0.0.1:{port}"));
    let (is_loopback, port) = match numeric.parse::<SocketAddr>() {
        Ok(address) => (address.ip().is_loopback(), address.port()),
        Err(_) => match place.rsplit_once(':') {
            Some((host, port)) if is_name(host) => (false, port.parse().map_err(|_| expected())?),
            Some(_) | None => return Err(expected()),
        },
    };
    if port == 0 {
        return Err(expected());
    }
    if !is_loopback {
        return Err(format!(
            "{text:?} is on another machine, and what is shipped is not encrypted: only this machine's own addresses are \
             possible for now; forward a port of the other machine, for instance by `ssh -L`"
        ));
    }
    Ok(format!("http://{place}"))
}

fn text<'a>(given: &'a DeValue<'_>, what: &str, like: &str) -> Result<&'a str, String> {
    given.as_str().ok_or_else(|| {
        let found = kind(given);
        format!("{what} is a text and not {found}; write it like {like}")
    })
}

pub(super) const fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

fn is_name(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str) -> Result<String, String> {
        address(&DeValue::String(text.into()))
    }

    #[test]
    fn an_address_of_this_machine_is_taken() {
        for (given, taken) in [
            ("http://127.0.0.1:7470", "http://127.0.0.1:7470"),
            ("http://[::1]:1/", "http://[::1]:1"),
            ("http://localhost:99", "http://localhost:99"),
        ] {
            assert_eq!(to(given).as_deref(), Ok(taken));
        }
    }

    #[test]
    fn any_other_is_refused_with_what_to_write() {
        for (given, said) in [
            ("127.0.0.1:1", "write it like"),
            ("http://127.0.0.1", "write it like"),
            ("http://127.0.0.1:0", "write it like"),
            ("http://a b:1", "write it like"),
            ("http://10.0.0.1:1", "is on another machine"),
            ("http://logs.example.com:1", "is on another machine"),
        ] {
            let error = to(given).expect_err(given);
            assert!(error.contains(said), "{given}: {error}");
        }
    }
}
