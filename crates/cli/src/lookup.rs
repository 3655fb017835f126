//! Gathers from the disk what [`crate::target`] judges.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::ecosystem::{self, STDIN};
use crate::environment::PARENT;
use crate::nearness::closest;
use crate::surroundings::Surroundings;
use crate::target::{AtPath, Facts, Folder, OnPath, is_name, program_of};

/// The word for what is piped into the command.
const STDIN_WORD: &str = "-";

/// Looks a word up from the working directory.
pub(crate) fn facts(word: &str, surroundings: &Surroundings) -> Facts {
    let here = surroundings.working_directory.as_path();
    let at_path = if word == STDIN_WORD {
        AtPath::Ecosystem(here.join(STDIN))
    } else {
        at_path(&plain(&here.join(word)))
    };
    let (environments, names) = if is_name(word) {
        (environments(word, here), nearby(here))
    } else {
        (Vec::new(), BTreeSet::new())
    };
    Facts {
        at_path,
        environments,
        on_path: on_path(program_of(word), surroundings.variable("PATH"))
            .map_or(OnPath::Missing, OnPath::Found),
        closest: closest(word, names.iter().map(String::as_str)),
    }
}

/// Looks for ecosystem files in the working directory itself.
pub(crate) fn here(surroundings: &Surroundings) -> Folder {
    folder(surroundings.working_directory.clone())
}

fn at_path(path: &Path) -> AtPath {
    if path.is_dir() {
        AtPath::Folder(folder(path.to_owned()))
    } else if !path.exists() {
        AtPath::Nothing
    } else if ecosystem::is_ecosystem_file(path) {
        AtPath::Ecosystem(path.to_owned())
    } else {
        AtPath::Script(path.to_owned())
    }
}

fn folder(path: PathBuf) -> Folder {
    Folder {
        files: ecosystem::files_in(&path),
        path,
    }
}

/// Takes `.` and `..` out of a path by its text alone, so that a link in it stays as the person typed it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            std::path::Component::CurDir => {}
            std::path::Component::Normal(_)
            | std::path::Component::RootDir
            | std::path::Component::Prefix(_) => plain.push(part),
        }
    }
    // With a link before a `..` the text and the disk may disagree; the disk is right.
    if plain.exists() || !path.exists() {
        plain
    } else {
        path.to_owned()
    }
}

fn environments(word: &str, here: &Path) -> Vec<Folder> {
    here.ancestors()
        .map(|level| {
            [level.join(PARENT).join(word), level.join(word)]
                .into_iter()
                .filter(|path| path.is_dir())
                .map(folder)
                .filter(|folder| !folder.files.is_empty())
                .collect::<Vec<_>>()
        })
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// Names of the environments that could be named from here.
fn nearby(here: &Path) -> BTreeSet<String> {
    here.ancestors()
        .flat_map(|level| {
            let own = (level.file_name() == Some(PARENT.as_ref())).then(|| level.to_owned());
            std::iter::once(level.join(PARENT)).chain(own)
        })
        .filter_map(|parent| std::fs::read_dir(parent).ok())
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn on_path(program: &str, path: Option<&str>) -> Option<PathBuf> {
    if program.is_empty() || program.contains('/') {
        return None;
    }
    std::env::split_paths(path?)
        .map(|folder| folder.join(program))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::target::{Target, on_disk};

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("made");
            std::fs::write(&path, "").expect("written");
        }
        root
    }

    fn from(folder: PathBuf) -> Surroundings {
        Surroundings {
            variables: BTreeMap::new(),
            working_directory: folder,
            launch: Box::new(eco_home::launch::launch),
            stdin: Box::new(|| Box::new(std::io::empty())),
        }
    }

    #[test]
    fn an_environment_is_found_from_every_folder_of_the_project() {
        let root = tree(&[
            "process-manager/dev/ecosystem.config.js",
            "process-manager/dev/market-data-simulator/ecosystem.config.js",
            "process-manager/production/ecosystem.config.js",
            "apps/public-api/src/server.ts",
        ]);
        let dev = root.path().join("process-manager/dev/ecosystem.config.js");
        for folder in [
            "",
            "process-manager",
            "process-manager/dev",
            "process-manager/dev/market-data-simulator",
            "process-manager/production",
            "apps",
            "apps/public-api/src",
        ] {
            let facts = facts("dev", &from(root.path().join(folder)));
            assert_eq!(
                on_disk("dev", &facts),
                Ok(Some(Target::Ecosystem(dev.clone()))),
                "from {folder:?}"
            );
        }
    }

    #[test]
    fn a_misspelt_environment_has_a_close_name() {
        let root = tree(&["process-manager/production/ecosystem.config.js"]);
        let facts = facts("prodution", &from(root.path().to_owned()));
        assert_eq!(facts.closest, ["production"]);
    }

    #[test]
    fn a_path_is_plain_text_where_the_disk_agrees() {
        let root = tree(&["a/ecosystem.config.js", "b/x.js"]);
        let facts = facts("../a", &from(root.path().join("b")));
        let file = root.path().join("a/ecosystem.config.js");
        assert_eq!(on_disk("../a", &facts), Ok(Some(Target::Ecosystem(file))));
    }
}
