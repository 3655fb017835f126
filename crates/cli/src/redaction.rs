//! Which values of variables are not to be shown.

/// Stands for a value.
pub(crate) const HIDDEN: &str = "(hidden)";

const SECRET: [&str; 6] = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL"];

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
            Self::Hidden => shown(name, value),
            Self::Shown => value.to_owned(),
        }
    }
}

/// Returns what may be shown of a variable: nothing where its name looks secret, and an address without its password.
pub(crate) fn shown(name: &str, value: &str) -> String {
    let name = name.to_ascii_uppercase();
    if SECRET.iter().any(|word| name.contains(word)) {
        return HIDDEN.to_owned();
    }
    without_password(value).unwrap_or_else(|| value.to_owned())
}

/// `scheme://user:password@host` without the password; `None` where there is none.
fn without_password(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (login, _) = authority.rsplit_once('@')?;
    let (user, _) = login.split_once(':')?;
    let after = rest.get(login.len()..)?;
    Some(format!("{scheme}://{user}:{HIDDEN}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_secret_name_is_hidden() {
        for name in ["API_KEY", "dbPassword", "GITHUB_TOKEN", "client_secret"] {
            assert_eq!(shown(name, "x"), HIDDEN, "{name}");
        }
        assert_eq!(shown("PORT", "3000"), "3000");
    }

    #[test]
    fn an_address_loses_its_password_only() {
        let shown = shown("DATABASE_URL", "postgres://me:pw@db:5432/x?a=b@c");
        assert_eq!(shown, "postgres://me:(hidden)@db:5432/x?a=b@c");
    }

    #[test]
    fn an_address_without_a_password_is_shown() {
        for value in [
            "http://127.0.0.1:3001",
            "http://me@host/a:b@c",
            "a=http://x,b=http://y",
        ] {
            assert_eq!(shown("URL", value), value);
        }
    }
}
