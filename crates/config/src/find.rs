//! Which file of a folder is its ecosystem file, and which name is one of an ecosystem file.

use std::path::{Path, PathBuf};

use crate::format::{EXTENSIONS, Format};

/// eco's own name comes first; among the names of one line none is better than another.
const NAMES: [&[Name]; 2] = [
    &[Name::Any("ecosystem.config")],
    &[
        Name::Data("ecosystem"),
        Name::Data("process"),
        Name::Any("pm2.config"),
    ],
];

/// A name without its last end.
#[derive(Clone, Copy)]
enum Name {
    /// With every end there is.
    Any(&'static str),
    /// With the ends of data only: `process.js` may be anything.
    Data(&'static str),
}

impl Name {
    fn files(self) -> impl Iterator<Item = String> {
        EXTENSIONS
            .into_iter()
            .filter_map(move |(extension, format)| match (self, format) {
                (Self::Data(_), Format::Program(..)) => None,
                (Self::Any(name), _) | (Self::Data(name), Format::Json | Format::Data(_)) => {
                    Some(format!("{name}.{extension}"))
                }
            })
    }
}

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
            .flat_map(|name| name.files())
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

/// The names that [`find_in`] prefers, for people: `ecosystem.config.{js,json,…}`.
#[must_use]
pub fn file_names() -> String {
    let extensions = EXTENSIONS.map(|(extension, _)| extension);
    format!("ecosystem.config.{{{}}}", extensions.join(","))
}

/// Whether a file that somebody names defines apps, by its name: `x.json`, `x.yaml` and `x.config.js` do, `x.js` is a
/// script.
#[must_use]
pub fn is_ecosystem_file(path: &Path) -> bool {
    match Format::of(path) {
        Some(Format::Json | Format::Data(_)) => true,
        Some(Format::Program(..)) => path
            .file_stem()
            .is_some_and(|stem| Path::new(stem).extension() == Some("config".as_ref())),
        None => false,
    }
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

    #[test]
    fn a_name_is_one_of_data_or_says_that_it_configures() {
        for name in [
            "ecosystem.config.js",
            "x.config.cjs",
            "process.json",
            "a.yml",
            "b.toml",
        ] {
            assert!(is_ecosystem_file(Path::new(name)), "{name}");
        }
        for name in [
            "app.js",
            "config.js",
            "server.ts",
            "run.sh",
            "json",
            ".yaml",
            "x",
        ] {
            assert!(!is_ecosystem_file(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn a_bare_word_is_good_for_data_only() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("process.js"), "").unwrap();
        fs::write(folder.path().join("ecosystem.js"), "").unwrap();
        assert_eq!(find_in(folder.path()), Ok(None));
        let file = folder.path().join("process.yml");
        fs::write(&file, "").unwrap();
        assert_eq!(find_in(folder.path()), Ok(Some(file)));
    }
}
