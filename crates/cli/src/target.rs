//! What the TARGET of a command stands for.
//!
//! ```text
//! word ─▶ a file ─▶ a folder with an ecosystem file ─▶ an environment, upwards ─▶ known apps ─▶ a command on PATH ─▶ error
//!         └────────────────────── on_disk ──────────────────────────────────┘    └────────── elsewhere ───────────┘
//! ```
//!
//! `-` is the file that comes on stdin, whatever else is called so. The first answer is taken. Two answers at the same
//! step are an error that names both: a guess could touch the wrong apps. The facts are gathered by [`crate::lookup`];
//! here they are only judged.

use std::path::{Path, PathBuf};

use crate::ecosystem::file_names;

/// What the disk says about a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What is at the word taken as a path.
    pub(crate) at_path: AtPath,
    /// Folders of that name with ecosystem files, on the nearest level upwards that has any.
    pub(crate) environments: Vec<Folder>,
    /// The word's program.
    pub(crate) on_path: OnPath,
    /// Names that would have been found nearby.
    pub(crate) closest: Vec<String>,
}

impl Facts {
    /// Whether it is a folder that speaks for the word, or several, and no file.
    pub(crate) fn is_folder(&self) -> bool {
        let has_files = match &self.at_path {
            AtPath::Ecosystem(_) | AtPath::Script(_) => return false,
            AtPath::Folder(folder) => !folder.files.is_empty(),
            AtPath::Nothing => false,
        };
        has_files || !self.environments.is_empty()
    }
}

/// Whether a word's program is on PATH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OnPath {
    /// There it is.
    Found(PathBuf),
    /// It is not.
    Missing,
    /// A command is not what the verb is about.
    NotMeant,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AtPath {
    /// Nothing.
    Nothing,
    /// A file that defines apps.
    Ecosystem(PathBuf),
    /// Any other file.
    Script(PathBuf),
    /// A folder.
    Folder(Folder),
}

/// A folder, and the files in it that define apps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// The folder.
    pub(crate) path: PathBuf,
    /// Its ecosystem files.
    pub(crate) files: Vec<PathBuf>,
}

/// What a word stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file that defines apps.
    Ecosystem(PathBuf),
    /// A file to run.
    Script(PathBuf),
    /// Apps that the agent knows.
    Selector(String),
    /// A command line whose program was found on PATH.
    Command {
        /// As typed.
        line: String,
        /// The program.
        program: PathBuf,
    },
}

/// What the agent says about a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It selects apps.
    Apps,
    /// It selects none; these are close.
    Nothing {
        /// Names of apps.
        closest: Vec<String>,
    },
}

/// Why a word stands for nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// It has two meanings.
    #[error("tell which file {word} means")]
    Ambiguous {
        /// As typed.
        word: String,
        /// The files it could mean.
        files: Vec<PathBuf>,
    },
    /// It has none.
    #[error("find {word}")]
    Nothing {
        /// As typed.
        word: String,
        /// Where it was looked for, each a fragment.
        tried: Vec<String>,
        /// Names that are like it.
        closest: Vec<String>,
    },
}

/// Decides by the disk alone; `None` where it has no answer.
pub(crate) fn on_disk(word: &str, facts: &Facts) -> Result<Option<Target>, TargetError> {
    match &facts.at_path {
        AtPath::Ecosystem(file) => return Ok(Some(Target::Ecosystem(file.clone()))),
        AtPath::Script(file) => return Ok(Some(Target::Script(file.clone()))),
        AtPath::Folder(folder) if !folder.files.is_empty() => {
            return sole(word, folder.files.iter()).map(Some);
        }
        AtPath::Folder(_) | AtPath::Nothing => {}
    }
    if facts.environments.is_empty() {
        return Ok(None);
    }
    let files = facts.environments.iter().flat_map(|folder| &folder.files);
    sole(word, files).map(Some)
}

/// Decides what the disk has no answer for.
pub(crate) fn elsewhere(word: &str, facts: &Facts, known: Known) -> Result<Target, TargetError> {
    let close_apps = match known {
        Known::Apps => return Ok(Target::Selector(word.to_owned())),
        Known::Nothing { closest } => closest,
    };
    if let OnPath::Found(program) = &facts.on_path {
        return Ok(Target::Command {
            line: word.to_owned(),
            program: program.clone(),
        });
    }
    let mut closest = facts.closest.clone();
    closest.extend(close_apps);
    Err(TargetError::Nothing {
        word: word.to_owned(),
        tried: tried(word, facts),
        closest,
    })
}

fn sole<'a>(
    word: &str,
    mut files: impl Iterator<Item = &'a PathBuf> + Clone,
) -> Result<Target, TargetError> {
    let all = files.clone();
    match (files.next(), files.next()) {
        (Some(file), None) => Ok(Target::Ecosystem(file.clone())),
        (Some(_), Some(_)) | (None, _) => Err(TargetError::Ambiguous {
            word: word.to_owned(),
            files: all.cloned().collect(),
        }),
    }
}

/// The error of a word that the disk has no answer for, where nobody else is asked.
pub(crate) fn nowhere(word: &str, facts: &Facts) -> TargetError {
    TargetError::Nothing {
        word: word.to_owned(),
        tried: tried_on_disk(word, facts),
        closest: facts.closest.clone(),
    }
}

fn tried(word: &str, facts: &Facts) -> Vec<String> {
    let mut tried = tried_on_disk(word, facts);
    tried.push(format!("app {word}: the agent knows none"));
    if facts.on_path == OnPath::Missing && !word.contains('/') {
        tried.push(format!("command {}: not on PATH", program_of(word)));
    }
    tried
}

fn tried_on_disk(word: &str, facts: &Facts) -> Vec<String> {
    let mut tried = vec![match &facts.at_path {
        AtPath::Folder(folder) => {
            let (folder, names) = (folder.path.display(), file_names());
            format!("folder {folder}: no ecosystem file in it, such as {names}")
        }
        AtPath::Nothing | AtPath::Ecosystem(_) | AtPath::Script(_) => {
            format!("file or folder {word}: not there")
        }
    }];
    if is_name(word) {
        tried.push(format!(
            "environment {word}: no process-manager/{word} or {word} with an ecosystem file from here upwards"
        ));
    }
    tried
}

/// Whether a word can be the name of an environment.
pub(crate) fn is_name(word: &str) -> bool {
    let mut parts = Path::new(word).components();
    matches!(
        (parts.next(), parts.next()),
        (Some(std::path::Component::Normal(only)), None) if only == word
    )
}

/// The program of a command line.
pub(crate) fn program_of(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> Facts {
        Facts {
            at_path: AtPath::Nothing,
            environments: Vec::new(),
            on_path: OnPath::Missing,
            closest: Vec::new(),
        }
    }

    fn folder(path: &str, names: &[&str]) -> Folder {
        let path = PathBuf::from(path);
        Folder {
            files: names.iter().map(|name| path.join(name)).collect(),
            path,
        }
    }

    fn unknown() -> Known {
        Known::Nothing {
            closest: Vec::new(),
        }
    }

    #[test]
    fn a_file_comes_before_everything() {
        let facts = Facts {
            at_path: AtPath::Script("/p/dev".into()),
            environments: vec![folder("/dev", &["ecosystem.config.js"])],
            ..nothing()
        };
        assert_eq!(
            on_disk("dev", &facts),
            Ok(Some(Target::Script("/p/dev".into())))
        );
    }

    #[test]
    fn a_folder_with_a_file_comes_before_an_environment() {
        let facts = Facts {
            at_path: AtPath::Folder(folder("/p/dev", &["e.config.js"])),
            environments: vec![folder("/dev", &["e.config.js"])],
            ..nothing()
        };
        let file = PathBuf::from("/p/dev/e.config.js");
        assert_eq!(on_disk("dev", &facts), Ok(Some(Target::Ecosystem(file))));
    }

    #[test]
    fn a_folder_without_one_is_passed_over() {
        let facts = Facts {
            at_path: AtPath::Folder(folder("/p/dev", &[])),
            environments: vec![folder("/process-manager/dev", &["e.config.js"])],
            ..nothing()
        };
        let file = PathBuf::from("/process-manager/dev/e.config.js");
        assert_eq!(on_disk("dev", &facts), Ok(Some(Target::Ecosystem(file))));
    }

    #[test]
    fn two_files_in_one_folder_are_both_named() {
        let facts = Facts {
            at_path: AtPath::Folder(folder("/p", &["a.config.js", "b.json"])),
            ..nothing()
        };
        let Err(TargetError::Ambiguous { files, .. }) = on_disk(".", &facts) else {
            panic!("taken");
        };
        assert_eq!(files.len(), 2);
    }

    #[test]
    fn two_environments_on_one_level_are_both_named() {
        let facts = Facts {
            environments: vec![
                folder("/p/process-manager/dev", &["e.config.js"]),
                folder("/p/dev", &["e.config.js"]),
            ],
            ..nothing()
        };
        assert!(matches!(
            on_disk("dev", &facts),
            Err(TargetError::Ambiguous { .. })
        ));
    }

    #[test]
    fn known_apps_come_before_a_command_of_that_name() {
        let facts = Facts {
            on_path: OnPath::Found("/usr/bin/top".into()),
            ..nothing()
        };
        assert_eq!(on_disk("top", &facts), Ok(None));
        assert_eq!(
            elsewhere("top", &facts, Known::Apps),
            Ok(Target::Selector("top".to_owned()))
        );
        assert_eq!(
            elsewhere("top -b", &facts, unknown()),
            Ok(Target::Command {
                line: "top -b".to_owned(),
                program: "/usr/bin/top".into()
            })
        );
    }

    #[test]
    fn a_word_without_meaning_tells_all_that_was_tried() {
        let Err(TargetError::Nothing { tried, .. }) = elsewhere("dve", &nothing(), unknown())
        else {
            panic!("found");
        };
        assert_eq!(tried.len(), 4);
        let Err(TargetError::Nothing { tried, .. }) = elsewhere("a/b.js", &nothing(), unknown())
        else {
            panic!("found");
        };
        assert_eq!(tried.len(), 2);
        let no_command = Facts {
            on_path: OnPath::NotMeant,
            ..nothing()
        };
        let Err(TargetError::Nothing { tried, .. }) = elsewhere("dve", &no_command, unknown())
        else {
            panic!("found");
        };
        assert_eq!(tried.len(), 3);
    }

    #[test]
    fn only_a_single_plain_component_names_an_environment() {
        assert!(is_name("dev"));
        for word in [".", "..", "dev/", "./dev", "a/b", "/dev", ""] {
            assert!(!is_name(word), "{word}");
        }
    }
}
