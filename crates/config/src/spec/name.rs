//! Names of apps and environments.

use std::fmt;

/// Bytes a name may have: with its encoding it must fit into one path component (255 bytes).
pub(crate) const LONGEST: usize = 80;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only blanks.
    #[error("it is empty")]
    Empty,
    /// More than 80 bytes.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// A newline, a NUL or the like.
    #[error("it holds a control character")]
    Control,
    /// A slash in an environment's name, where it would divide the name from an app's.
    #[error("it holds a slash")]
    Slash,
}

/// The name of an app.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppName(String);

/// The name of an environment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentName(String);

impl AppName {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(name).map(|()| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EnvironmentName {
    /// Checks a name.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(name)?;
        if name.contains('/') {
            return Err(NameError::Slash);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(name: &str) -> Result<(), NameError> {
    if name.trim().is_empty() {
        Err(NameError::Empty)
    } else if name.len() > LONGEST {
        Err(NameError::TooLong)
    } else if name.chars().any(char::is_control) {
        Err(NameError::Control)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_may_be_named_like_a_scoped_package() {
        assert!(AppName::new("@acme/api").is_ok());
        assert_eq!(EnvironmentName::new("a/b"), Err(NameError::Slash));
    }

    #[test]
    fn what_no_path_or_screen_can_hold_is_no_name() {
        assert_eq!(AppName::new("  "), Err(NameError::Empty));
        assert_eq!(AppName::new("a\nb"), Err(NameError::Control));
        assert_eq!(AppName::new(&"x".repeat(81)), Err(NameError::TooLong));
    }
}
