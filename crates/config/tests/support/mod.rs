//! A folder of files to load from.

// Each test program uses its own part of this.
#![expect(dead_code, reason = "not every test program needs all of it")]
#![expect(
    clippy::unwrap_used,
    reason = "this is a part of tests, though not a test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use eco_config::spec::EnvironmentName;
use eco_config::{ConfigError, Ecosystem, EnvBlock, EvalError, Request, Runtime, load};

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = folder.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn request(&self, name: &str) -> Request {
        Request {
            file: self.path(name),
            text: None,
            environment: EnvironmentName::new("dev").unwrap(),
            env_block: EnvBlock::ByEnvironment,
            variables: BTreeMap::from([
                ("HOME".to_owned(), "/home/me".to_owned()),
                ("SHLVL".to_owned(), "1".to_owned()),
                ("SECRET_KEY".to_owned(), "x".to_owned()),
            ]),
            invoked_in: self.path(""),
            runtime: Runtime::Auto,
        }
    }

    pub(crate) fn load(&self, name: &str) -> Result<Ecosystem, ConfigError> {
        load(&self.request(name))
    }

    /// The error of a file whose program fails.
    pub(crate) fn failure(&self, name: &str) -> EvalError {
        match self.load(name) {
            Err(ConfigError::Evaluate(error)) => error,
            other => panic!("expected a failure of the program, got {other:?}"),
        }
    }

    /// What is wrong and what is odd, as lines, with the folder's path taken off.
    pub(crate) fn said_of(&self, name: &str) -> String {
        let (kind, problems) = match self.load(name) {
            Err(ConfigError::Invalid(problems)) => ("problem", problems),
            Ok(ecosystem) => ("warning", ecosystem.warnings),
            Err(other) => panic!("{other}"),
        };
        let lines: Vec<_> = problems
            .iter()
            .map(|problem| {
                let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})"));
                format!("{kind}: {problem}{}", hint.unwrap_or_default())
            })
            .collect();
        self.bare(&lines.join("\n"))
    }

    /// A text with the folder's path taken off.
    pub(crate) fn bare(&self, text: &str) -> String {
        text.replace(
            &format!(
                "{}/",
                self.path("").display().to_string().trim_end_matches('/')
            ),
            "",
        )
    }
}

/// What `load` makes of one file.
pub(crate) fn of(text: &str) -> Result<Ecosystem, ConfigError> {
    Folder::new(&[("ecosystem.config.js", text)]).load("ecosystem.config.js")
}

/// The failure of one file, as a line with its hint.
pub(crate) fn failure_of(name: &str, text: &str) -> String {
    let folder = Folder::new(&[(name, text)]);
    let error = folder.failure(name);
    let hint = error.hint.as_ref().map(|hint| format!(" ({hint})"));
    folder.bare(&format!("{error}{}", hint.unwrap_or_default()))
}
