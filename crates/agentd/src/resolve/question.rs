//! What a probe asks, with the variables of an instance put in.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use eco_config::spec::{
    Address, AddressError, AppSpec, Check, Dependency, HttpUrl, TemplateError, fill,
};
use regex::bytes::Regex;

use super::Problem;

/// One question, ready to be asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// This program ends with code 0.
    Exec(Vec<String>),
    /// Somebody answers.
    Peer(Peer),
    /// A line like this was written.
    Line(Regex),
    /// It said `READY=1`, or says `WATCHDOG=1` again and again.
    Notify,
    /// It writes.
    Output,
}

/// Who is asked over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A connection is accepted here.
    Tcp(Address),
    /// A GET is answered by one of the statuses; none: 200 to 399.
    Http {
        /// Of what.
        url: HttpUrl,
        /// First and last of each range.
        statuses: Vec<(u16, u16)>,
    },
}

/// Why a question cannot be asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QuestionError {
    /// A variable is not there, or no name.
    #[error("{text:?} cannot be filled in: {source}")]
    Template {
        /// As written.
        text: String,
        /// Why.
        source: TemplateError,
    },
    /// Not a place.
    #[error("{text:?} cannot be asked: {source}")]
    Address {
        /// As written.
        text: String,
        /// Why.
        source: AddressError,
    },
    /// Not a regular expression.
    #[error("{text:?} is no regular expression")]
    Pattern {
        /// As written.
        text: String,
        /// Why.
        source: Box<regex::Error>,
    },
}

impl QuestionError {
    /// One step that mends it.
    fn hint(&self) -> String {
        match self {
            Self::Template { source, .. } => match source {
                TemplateError::Unset(name) => {
                    format!("set {name} in `env`, or write the value itself")
                }
                TemplateError::Open | TemplateError::Name(_) => {
                    "write ${NAME} for a variable of the instance".to_owned()
                }
            },
            Self::Address { .. } => {
                "write it as 127.0.0.1:3000, or http://127.0.0.1:3000/path".to_owned()
            }
            Self::Pattern { source, .. } => source.to_string(),
        }
    }
}

impl Question {
    /// Puts `variables` into what is to be checked.
    pub fn new(check: &Check, variables: &BTreeMap<String, String>) -> Result<Self, QuestionError> {
        let filled = |text: &String| {
            fill(text, |name| variables.get(name).cloned()).map_err(|source| {
                QuestionError::Template {
                    text: text.clone(),
                    source,
                }
            })
        };
        Ok(match check {
            Check::Exec(words) => Self::Exec(words.iter().map(filled).collect::<Result<_, _>>()?),
            Check::Tcp(text) => Self::Peer(Peer::Tcp(place(text, &filled(text)?)?)),
            Check::Http { url, statuses } => Self::Peer(Peer::Http {
                url: place(url, &filled(url)?)?,
                statuses: statuses.clone(),
            }),
            Check::Log(pattern) => Self::line(pattern)?,
            Check::Notify => Self::Notify,
            Check::Output => Self::Output,
        })
    }

    fn line(pattern: &str) -> Result<Self, QuestionError> {
        Regex::new(pattern)
            .map(Self::Line)
            .map_err(|source| QuestionError::Pattern {
                text: pattern.to_owned(),
                source: Box::new(source),
            })
    }
}

impl Peer {
    /// Something outside that an app depends on; `None`: it depends on an app.
    pub fn outside(dependency: &Dependency) -> Result<Option<Self>, QuestionError> {
        Ok(match dependency {
            Dependency::App { .. } => None,
            Dependency::Tcp(address) => Some(Self::Tcp(place(address, address)?)),
            Dependency::Http(url) => Some(Self::Http {
                url: place(url, url)?,
                statuses: Vec::new(),
            }),
        })
    }
}

/// Reads a place. A problem tells of it as it was written: a variable may be a secret.
fn place<P: FromStr<Err = AddressError>>(written: &str, filled: &str) -> Result<P, QuestionError> {
    filled.parse().map_err(|source| QuestionError::Address {
        text: written.to_owned(),
        source,
    })
}

/// What is waited for, as a fragment.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exec(words) => write!(f, "{}", words.join(" ")),
            Self::Peer(peer) => write!(f, "{peer}"),
            Self::Line(pattern) => write!(f, "a line like /{pattern}/"),
            Self::Notify => write!(f, "a word through NOTIFY_SOCKET"),
            Self::Output => write!(f, "output"),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{}", Place(address)),
            Self::Http { url, .. } => write!(f, "{}", without_query(url)),
        }
    }
}

/// An address as it is written: `[::1]:3000`.
pub struct Place<'a>(pub &'a Address);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.0.host(), self.0.port());
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

/// The URL as it is shown: a query may hold a secret.
#[must_use]
pub fn without_query(url: &HttpUrl) -> String {
    let path = url.target().split('?').next().unwrap_or_default();
    format!("http://{}{path}", url.authority())
}

/// What stands in the way of what `spec` has asked: its probes, with the variables of its instances, and what it waits
/// for outside.
pub(super) fn problems(spec: &AppSpec, variables: &BTreeMap<String, String>) -> Vec<Problem> {
    let readiness = spec
        .ready
        .probe
        .as_ref()
        .map(|readiness| &readiness.probe.check);
    let liveness = spec.liveness.as_ref().map(|liveness| &liveness.probe.check);
    let readiness = readiness.map(|check| (check, of_readiness(check)));
    let liveness = liveness.map(|check| (check, of_liveness(check)));
    let probes = readiness.into_iter().chain(liveness);
    let probes = probes.filter_map(|(check, field)| {
        let error = Question::new(check, variables).err()?;
        Some(problem(field, &error))
    });
    let outside = spec.depends_on.iter().filter_map(|dependency| {
        let error = Peer::outside(dependency).err()?;
        Some(problem("depends_on", &error))
    });
    probes.chain(outside).collect()
}

fn problem(field: &'static str, error: &QuestionError) -> Problem {
    Problem {
        field,
        message: error.to_string(),
        hint: error.hint(),
    }
}

const fn of_readiness(check: &Check) -> &'static str {
    match check {
        Check::Exec(_) => "readiness.exec",
        Check::Tcp(_) => "readiness.tcp",
        Check::Http { .. } => "readiness.http",
        Check::Log(_) => "readiness.log",
        Check::Notify => "readiness.notify",
        Check::Output => "readiness.output",
    }
}

const fn of_liveness(check: &Check) -> &'static str {
    match check {
        Check::Exec(_) => "liveness.exec",
        Check::Tcp(_) => "liveness.tcp",
        Check::Http { .. } => "liveness.http",
        Check::Log(_) => "liveness.log",
        Check::Notify => "liveness.notify",
        Check::Output => "liveness.output",
    }
}
