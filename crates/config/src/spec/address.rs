//! Places that a probe or a dependency asks: `host:port`, and `http://host:port/path`.

use std::str::FromStr;

/// The host that a port alone is at.
const LOCAL: &str = "127.0.0.1";
const HTTP: &str = "http://";
const HTTP_PORT: u16 = 80;

/// Why a text is no place that can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing before the port.
    #[error("the host is missing")]
    NoHost,
    /// A blank, a slash or the like in the host.
    #[error("{0:?} is no host")]
    Host(String),
    /// No port where there is no usual one.
    #[error("the port is missing")]
    NoPort,
    /// A port that is none.
    #[error("{0:?} is no port from 1 to 65535")]
    Port(String),
    /// A URL that needs TLS.
    #[error(
        "https is not spoken: ask a port that speaks http, or use exec with a program such as curl"
    )]
    Https,
    /// A URL of another kind, or none at all.
    #[error("it does not begin with http://")]
    Scheme,
    /// `user:password@host`.
    #[error("a user and a password cannot be given in a URL")]
    User,
    /// A blank or a control character.
    #[error("it holds a blank or a control character")]
    Blank,
}

/// Where a TCP connection goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// A name or a number; one of IPv6 is without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, from 1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Reads `host`, `host:port`, `[::1]:port`; `usual` is the port where none is given.
    fn read(text: &str, usual: Option<u16>) -> Result<Self, AddressError> {
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, after) = rest
                .split_once(']')
                .ok_or_else(|| AddressError::Host(text.to_owned()))?;
            (host, after.strip_prefix(':'))
        } else {
            text.rsplit_once(':')
                .map_or((text, None), |(host, port)| (host, Some(port)))
        };
        let inside = !text.starts_with('[') && host.contains(':');
        if inside || host.contains(['/', '?', '#', '@', '[', ']']) {
            return Err(AddressError::Host(host.to_owned()));
        }
        if host.is_empty() {
            return Err(AddressError::NoHost);
        }
        let port = match port {
            Some(port) => number(port)?,
            None => usual.ok_or(AddressError::NoPort)?,
        };
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads `host:port`, or a port alone, which is one of this host.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        no_blanks(text)?;
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let port = number(text)?;
            let host = LOCAL.to_owned();
            return Ok(Self { host, port });
        }
        Self::read(text, None)
    }
}

/// What a GET asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    address: Address,
    authority: String,
    target: String,
}

impl HttpUrl {
    /// Where the connection goes to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// `host:port` as written, for the request's `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query; at least `/`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }
}

impl FromStr for HttpUrl {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        no_blanks(text)?;
        let begins = |scheme: &str| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if begins("https://") {
            return Err(AddressError::Https);
        }
        let rest = text
            .get(HTTP.len()..)
            .filter(|_| begins(HTTP))
            .ok_or(AddressError::Scheme)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(AddressError::User);
        }
        // What stands behind a # is the reader's own and is not sent.
        let target = target.split('#').next().unwrap_or_default();
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            address: Address::read(authority, Some(HTTP_PORT))?,
            authority: authority.to_owned(),
            target: format!("{slash}{target}"),
        })
    }
}

fn number(text: &str) -> Result<u16, AddressError> {
    text.parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| AddressError::Port(text.to_owned()))
}

fn no_blanks(text: &str) -> Result<(), AddressError> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(AddressError::Blank);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Result<(String, u16), AddressError> {
        text.parse()
            .map(|address: Address| (address.host, address.port))
    }

    fn url(text: &str) -> Result<(String, u16, String), AddressError> {
        let url: HttpUrl = text.parse()?;
        Ok((url.address.host, url.address.port, url.target))
    }

    #[test]
    fn a_port_alone_is_one_of_this_host() {
        assert_eq!(address("3000"), Ok(("127.0.0.1".to_owned(), 3000)));
        assert_eq!(address("db:5432"), Ok(("db".to_owned(), 5432)));
        assert_eq!(address("[::1]:80"), Ok(("::1".to_owned(), 80)));
    }

    #[test]
    fn what_is_no_place_says_why() {
        assert_eq!(address("db"), Err(AddressError::NoPort));
        assert_eq!(address(":80"), Err(AddressError::NoHost));
        assert_eq!(address("db:0"), Err(AddressError::Port("0".to_owned())));
        assert_eq!(
            address("65536"),
            Err(AddressError::Port("65536".to_owned()))
        );
        assert_eq!(address("::1:80"), Err(AddressError::Host("::1".to_owned())));
        assert_eq!(address("a b:80"), Err(AddressError::Blank));
        assert_eq!(address(""), Err(AddressError::NoHost));
    }

    #[test]
    fn a_url_has_a_port_and_a_path_also_where_it_names_none() {
        let expected = |port, target: &str| Ok(("h".to_owned(), port, target.to_owned()));
        assert_eq!(url("http://h"), expected(80, "/"));
        assert_eq!(url("HTTP://h:90?a=b"), expected(90, "/?a=b"));
        assert_eq!(url("http://h:90/a/b#c"), expected(90, "/a/b"));
    }

    #[test]
    fn a_url_that_cannot_be_asked_says_why() {
        assert_eq!(url("https://h/"), Err(AddressError::Https));
        assert_eq!(url("h/health"), Err(AddressError::Scheme));
        assert_eq!(url("http://a:b@h/"), Err(AddressError::User));
        assert_eq!(url("http:///health"), Err(AddressError::NoHost));
        assert_eq!(url("http://h:x/"), Err(AddressError::Port("x".to_owned())));
    }

    proptest! {
        #[test]
        fn any_text_at_all_is_read_or_refused(text in any::<String>(), start in "(http://)?[a-z:\\[\\]@/#?0-9]{0,20}") {
            for text in [text, start] {
                let _read = (address(&text), url(&text));
            }
        }
    }
}
