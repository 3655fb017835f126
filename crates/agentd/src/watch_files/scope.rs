//! What an app watches on this host, as plain values: apps that watch the same share what is watched for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_config::spec::{AppSpec, IgnoreRule, Links};

use crate::resolve::{self, Root, Watched};

/// What is watched, and what of it counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// Files and folders.
    pub roots: Vec<Root>,
    /// The working directory.
    pub base: PathBuf,
    /// What does not count, as the specification says; `None`: it says nothing.
    pub ignore: Option<Vec<IgnoreRule>>,
    /// Patterns among the paths that are left out.
    pub left_out: Vec<String>,
    /// What links are.
    pub links: Links,
    /// How often to look; `None`: the kernel tells.
    pub polling: Option<Duration>,
    /// How many folders deep; `None`: all.
    pub depth: Option<u32>,
    /// Where eco lives: what it writes there is no change.
    pub home: PathBuf,
}

impl Scope {
    /// What `spec` watches; `None`: nothing, or its working directory is not there. Looks at the disk for what is there.
    #[must_use]
    pub fn of(spec: &AppSpec, home: &Path) -> Option<Self> {
        let policy = spec.watch.as_ref()?;
        let Watched {
            base,
            roots,
            left_out,
        } = resolve::watched(spec)?;
        Some(Self {
            roots,
            base,
            ignore: policy.ignore.clone(),
            left_out,
            links: policy.links,
            polling: policy.polling,
            depth: policy.depth,
            home: home.to_owned(),
        })
    }
}
