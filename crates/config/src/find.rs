//! Which file of a folder is its ecosystem file.

use std::path::{Path, PathBuf};

/// eco's own names come first; among the names of one line none is better than another.
const NAMES: [&[&str]; 2] = [
    &[
        "ecosystem.config.js",
        "ecosystem.config.cjs",
        "ecosystem.config.json",
    ],
    &["ecosystem.json", "process.json", "pm2.config.js"],
];

/// Several files are equally good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("choose between {}", candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and "))]
pub struct AmbiguousFolder {
    /// All of them.
    pub candidates: Vec<PathBuf>,
}

/// The ecosystem file of a folder, if it has one.
pub fn find_in(folder: &Path) -> Result<Option<PathBuf>, AmbiguousFolder> {
    for names in NAMES {
        let mut candidates: Vec<_> = names
            .iter()
            .map(|name| folder.join(name))
            .filter(|path| path.is_file())
            .collect();
        if candidates.len() > 1 {
            return Err(AmbiguousFolder { candidates });
        }
        if let Some(only) = candidates.pop() {
            return Ok(Some(only));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn two_equally_good_files_are_both_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(find_in(folder.path()), Ok(None));
        fs::write(path("process.json"), "").unwrap();
        assert_eq!(find_in(folder.path()), Ok(Some(path("process.json"))));
        fs::write(path("ecosystem.config.cjs"), "").unwrap();
        assert_eq!(
            find_in(folder.path()),
            Ok(Some(path("ecosystem.config.cjs")))
        );
        fs::write(path("ecosystem.config.js"), "").unwrap();
        let error = find_in(folder.path()).unwrap_err();
        let expected = [path("ecosystem.config.js"), path("ecosystem.config.cjs")];
        assert_eq!(error.candidates, expected);
        assert!(error.to_string().contains("ecosystem.config.js and "));
    }
}
