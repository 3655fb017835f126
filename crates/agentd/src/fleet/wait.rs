//! What an instance waits for, in words.

use std::fmt;

use eco_config::spec::Condition;

use super::AppKey;

/// One thing that an instance waits for before it begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// An app must have come to something.
    For {
        /// Which.
        app: AppKey,
        /// To what.
        condition: Condition,
        /// How far it is from there.
        standing: Standing,
    },
    /// Something outside must answer.
    Outside {
        /// Where.
        url: String,
        /// What it answered last; `None`: nobody has asked yet.
        answer: Option<String>,
    },
    /// An app that depends on it is ending, and goes first.
    EndOf(AppKey),
}

/// How far an app is from what it is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may come to it by itself.
    OnTheWay,
    /// There is no such app.
    Unknown,
    /// It is down or on the way there, for this reason.
    Down(String),
    /// It was given up, for this reason.
    Errored(String),
    /// It waits itself, for something that does not come about by itself.
    Stuck,
}

impl Wait {
    /// What is waited for: `environment/name`, or a URL.
    #[must_use]
    pub fn on(&self) -> String {
        match self {
            Self::For { app, .. } | Self::EndOf(app) => app.to_string(),
            Self::Outside { url, .. } => url.clone(),
        }
    }

    /// Whether it does not come about by itself: somebody has to do something.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        match self {
            Self::For { standing, .. } => match standing {
                Standing::OnTheWay => false,
                Standing::Unknown | Standing::Down(_) | Standing::Errored(_) | Standing::Stuck => {
                    true
                }
            },
            Self::Outside { .. } | Self::EndOf(_) => false,
        }
    }
}

/// What fits after "waits for".
impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For {
                app,
                condition,
                standing,
            } => {
                let to = match condition {
                    Condition::Started => "to start",
                    Condition::Ready => "to be ready",
                    Condition::Completed => "to complete",
                };
                write!(f, "{app} {to}{standing}")
            }
            Self::Outside { url, answer } => match answer {
                Some(answer) => write!(f, "{url} to answer: {answer}"),
                None => write!(f, "{url} to answer"),
            },
            Self::EndOf(app) => write!(f, "{app} to end, which depends on it"),
        }
    }
}

/// What follows the name of what is waited for.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnTheWay => Ok(()),
            Self::Unknown => f.write_str(", which eco does not know"),
            Self::Down(cause) => write!(f, ", which is stopped ({cause})"),
            Self::Errored(cause) => write!(f, ", which is errored ({cause})"),
            Self::Stuck => f.write_str(", which waits itself"),
        }
    }
}

/// Why an instance is not where it is wanted: a fragment such as "waits for dev/db to be ready"; `None`: it waits for
/// nothing.
#[must_use]
pub fn told(waits: &[Wait]) -> Option<String> {
    let words: Vec<_> = waits.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| format!("waits for {}", words.join(", and for ")))
}
