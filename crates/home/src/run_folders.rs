//! Which runs there are on disk, told by the folders of [`crate::runs`].
//!
//! Only names are read. The log daemon finds what was written by them, and the agent which numbers were given: the folders
//! stay when its state is lost.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::runs::{RunId, decode, encode};

/// Why folders cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("list {path}")]
pub struct ListError {
    /// The folder.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// The latest run of each instance that `host` has below `runs`.
pub fn latest(runs: &Path, host: &str) -> Result<Vec<RunId>, ListError> {
    let mut found = Vec::new();
    for (environment, path) in folders(&runs.join(encode(host)), decode)? {
        for (app, path) in folders(&path, decode)? {
            for (instance, path) in folders(&path, number)? {
                let last = folders(&path, number)?.pop();
                found.extend(last.map(|(run, _)| RunId {
                    host: host.to_owned(),
                    environment: environment.clone(),
                    app: app.clone(),
                    instance,
                    run,
                }));
            }
        }
    }
    Ok(found)
}

/// The folders in `path` whose names `name` understands, in their order; none where there is no such folder any more.
pub fn folders<N: Ord>(
    path: &Path,
    name: fn(&str) -> Option<N>,
) -> Result<Vec<(N, PathBuf)>, ListError> {
    let failed = |source| ListError {
        path: path.to_owned(),
        source,
    };
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(source) => return Err(failed(source)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if let Some(name) = entry
            .file_name()
            .to_str()
            .and_then(name)
            .filter(|_| is_folder)
        {
            folders.push((name, entry.path()));
        }
    }
    folders.sort_unstable();
    Ok(folders)
}

/// Reads a number in the one way it is written.
#[must_use]
pub fn number<N: std::str::FromStr + ToString>(name: &str) -> Option<N> {
    name.parse()
        .ok()
        .filter(|number: &N| number.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_run_of_each_instance_is_told_by_its_folder() {
        let runs = tempfile::tempdir().expect("a folder");
        assert!(latest(runs.path(), "box").expect("listed").is_empty());
        for path in [
            "box/dev/@acme%2Fapi/0/9",
            "box/dev/@acme%2Fapi/0/10",
            "box/dev/@acme%2Fapi/0/junk",
            "box/dev/@acme%2Fapi/0/0011",
            "box/dev/@acme%2Fapi/1/2",
            "box/dev/@acme%2Fapi/2",
            "other/dev/web/0/7",
        ] {
            fs::create_dir_all(runs.path().join(path)).expect("made");
        }
        let found = latest(runs.path(), "box").expect("listed");
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.app.as_str(), one.instance, one.run))
            .collect();
        assert_eq!(told, [("@acme/api", 0, 10), ("@acme/api", 1, 2)]);
    }
}
