//! What is not to be shown of variables, arguments and addresses.
//!
//! Judged by names: nobody says which value is a secret. Too much hidden is an inconvenience, too little is in a log for
//! ever.

use serde_json::{Map, Value};

/// Stands for a value.
pub(crate) const HIDDEN: &str = "(hidden)";

/// A name with one of these anywhere is a secret's.
const ANYWHERE: [&str; 7] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "KEY",
    "CREDENTIAL",
];
/// And so is one of which one of these is a word: `DB_PASS`, not `BYPASS`.
const AS_A_WORD: [&str; 5] = ["PASS", "PWD", "PW", "AUTH", "DSN"];
/// The working directories that a shell tells.
const FOLDERS: [&str; 2] = ["PWD", "OLDPWD"];

/// Whether secrets may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// They may not.
    Hidden,
    /// The person asked for them.
    Shown,
}

impl Secrets {
    /// What is seen of a variable.
    pub(crate) fn of(self, name: &str, value: &str) -> String {
        match self {
            Self::Hidden if is_secret(name) => HIDDEN.to_owned(),
            Self::Hidden => without_passwords(value),
            Self::Shown => value.to_owned(),
        }
    }

    /// What is seen of the fields of an app, but for its variables: command lines and addresses may hold secrets, too.
    pub(crate) fn of_fields(self, fields: &mut Map<String, Value>) {
        match self {
            Self::Hidden => fields
                .iter_mut()
                .filter(|(name, _)| *name != "env")
                .for_each(|(_, value)| hide(value)),
            Self::Shown => {}
        }
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::String(text) => *text = line(text),
        Value::Array(items) => {
            let mut is_next = false;
            for item in items {
                if let Value::String(text) = item {
                    (*text, is_next) = word(text, is_next);
                } else {
                    hide(item);
                }
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A command line, or any other text.
fn line(text: &str) -> String {
    let mut is_next = false;
    let words = text.split(' ').map(|one| {
        let (shown, next) = word(one, is_next);
        // Several blanks are no word between an option and its value.
        is_next = next || (is_next && one.is_empty());
        shown
    });
    without_passwords(&words.collect::<Vec<_>>().join(" "))
}

/// A word of a command line, and whether the next one is the value of a secret option.
fn word(text: &str, is_value: bool) -> (String, bool) {
    let is_option = text.starts_with('-');
    if is_value && !is_option && !text.is_empty() {
        return (HIDDEN.to_owned(), false);
    }
    match text.split_once('=') {
        Some((name, _)) if is_name(name) && is_secret(name) => (format!("{name}={HIDDEN}"), false),
        Some(_) => (without_passwords(text), false),
        None => (without_passwords(text), is_option && is_secret(text)),
    }
}

/// `--api-key`, `API_KEY`: no path and no address.
fn is_name(text: &str) -> bool {
    text.chars()
        .all(|one| one.is_alphanumeric() || one == '-' || one == '_')
}

fn is_secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let has_part = ANYWHERE.iter().any(|part| upper.contains(part));
    let has_word = words(name).any(|word| AS_A_WORD.contains(&word.as_str()));
    (has_part || has_word) && !FOLDERS.contains(&upper.as_str())
}

/// The words of a name in capitals: of `dbPass` as of `DB_PASS`.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut parted = String::new();
    let mut was_small = false;
    for one in name.chars() {
        if one.is_uppercase() && was_small {
            parted.push('_');
        }
        was_small = one.is_lowercase() || one.is_ascii_digit();
        parted.push(one.to_ascii_uppercase());
    }
    let parts: Vec<_> = parted
        .split(|one: char| !one.is_alphanumeric())
        .map(str::to_owned)
        .collect();
    parts.into_iter()
}

/// Each `scheme://user:password@host` of a text without its password.
fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.extend([before, "://"]);
        let end = after
            .find(|one: char| one.is_whitespace() || one == '"' || one == '\'')
            .unwrap_or(after.len());
        // The next address begins with its scheme.
        let end = after.find("://").map_or(end, |next| next.min(end));
        let (address, behind) = after.split_at(end);
        match login(address) {
            Some((user, host)) => shown.extend([user, ":", HIDDEN, "@", host]),
            None => shown.push_str(address),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// The user and all that comes behind the password of `user:password@host/path`; `None`: there is no password.
fn login(address: &str) -> Option<(&str, &str)> {
    let authority = address.split(['/', '?', '#']).next()?;
    let (user, secret) = address.split_once(':')?;
    if user.contains(['/', '?', '#', '@']) {
        return None;
    }
    if let Some((login, _)) = authority.rsplit_once('@') {
        return Some((user, address.get(login.len() + 1..)?));
    }
    // A password with a slash in it, and not a port before a path with an @.
    let is_port = |text: &str| text.chars().all(|one| one.is_ascii_digit());
    let (secret, host) = secret.rsplit_once('@')?;
    let before_path = secret.split(['/', '?', '#']).next()?;
    (!is_port(before_path)).then_some((user, host))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(name: &str, value: &str) -> String {
        Secrets::Hidden.of(name, value)
    }

    #[test]
    fn a_value_with_a_secret_name_is_hidden() {
        for name in [
            "API_KEY",
            "dbPassword",
            "GITHUB_TOKEN",
            "client_secret",
            "DB_PASS",
            "dbPass",
            "MYSQL_PWD",
            "BASIC_AUTH",
            "SENTRY_DSN",
        ] {
            assert_eq!(shown(name, "x"), HIDDEN, "{name}");
        }
        for name in ["PORT", "PWD", "OLDPWD", "BYPASS", "PASSENGERS", "AUTHOR"] {
            assert_eq!(shown(name, "3000"), "3000", "{name}");
        }
    }

    #[test]
    fn an_address_loses_its_password_only() {
        for (value, expected) in [
            (
                "postgres://me:pw@db:5432/x?a=b@c",
                "postgres://me:(hidden)@db:5432/x?a=b@c",
            ),
            ("postgres://me:p/w@db", "postgres://me:(hidden)@db"),
            ("redis://:pw@db/0", "redis://:(hidden)@db/0"),
            (
                "amqp://u:p@a,amqp://u:p@b",
                "amqp://u:(hidden)@a,amqp://u:(hidden)@b",
            ),
            ("\"http://u:p@a\" x", "\"http://u:(hidden)@a\" x"),
        ] {
            assert_eq!(shown("URL", value), expected);
        }
    }

    #[test]
    fn an_address_without_a_password_is_shown() {
        for value in [
            "http://127.0.0.1:3001",
            "http://127.0.0.1:3001/users/@me",
            "http://me@host/a:b@c",
            "a=http://x,b=http://y",
            "://",
        ] {
            assert_eq!(shown("URL", value), value);
        }
    }

    #[test]
    fn arguments_and_command_lines_lose_what_a_secret_option_says() {
        let mut fields = json!({
            "script": "DB_PASS=x node a.js --token=abc --api-key  k3y --port 1",
            "args": ["--token", "abc", "-v", "--password=x", "http://u:p@h", "--keys", "--verbose"],
            "readiness": { "http": "http://u:p@h/", "exec": ["check", "--auth", "abc"] },
            "env": { "TOKEN": "is not its matter" },
            "instances": 2,
        });
        let Value::Object(map) = &mut fields else {
            panic!("an object")
        };
        Secrets::Hidden.of_fields(map);
        assert_eq!(
            fields,
            json!({
                "script": "DB_PASS=(hidden) node a.js --token=(hidden) --api-key  (hidden) --port 1",
                "args": ["--token", "(hidden)", "-v", "--password=(hidden)", "http://u:(hidden)@h", "--keys", "--verbose"],
                "readiness": { "http": "http://u:(hidden)@h/", "exec": ["check", "--auth", "(hidden)"] },
                "env": { "TOKEN": "is not its matter" },
                "instances": 2,
            })
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_will_do_and_what_is_asked_for_is_shown(text in ".*") {
            let _shown = (line(&text), shown("A", &text));
            proptest::prop_assert_eq!(Secrets::Shown.of("TOKEN", &text), text);
        }
    }
}
