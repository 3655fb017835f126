//! What a watch policy means on this host.

use std::path::{Path, PathBuf};

use eco_config::spec::AppSpec;

use super::search::{bases, clean, cwd};

/// What makes a path a glob.
const GLOB: [char; 4] = ['*', '?', '[', '{'];

/// What an app watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The working directory, from which everything that a watch names counts.
    pub base: PathBuf,
    /// Files and folders. They need not be there yet.
    pub roots: Vec<Root>,
    /// Patterns that were written among the paths, without their `!`.
    pub left_out: Vec<String>,
}

/// A file or folder that is watched.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    /// As the specification has it; empty: it names nothing, so that the working directory is meant.
    pub written: String,
    /// Absolute.
    pub path: PathBuf,
    /// Of what is in the folder, only what matches this glob.
    pub only: Option<String>,
}

/// Finds what `spec` watches; `None`: nothing, or its working directory is not there.
#[must_use]
pub fn watched(spec: &AppSpec) -> Option<Watched> {
    let policy = spec.watch.as_ref()?;
    let base = cwd(spec).ok()?;
    let (left_out, paths): (Vec<&String>, Vec<&String>) =
        policy.paths.iter().partition(|path| path.starts_with('!'));
    let mut roots: Vec<Root> = paths.iter().map(|path| root(spec, &base, path)).collect();
    if roots.is_empty() {
        roots.push(Root {
            written: String::new(),
            path: base.clone(),
            only: None,
        });
    }
    Some(Watched {
        base,
        roots,
        left_out: left_out
            .iter()
            .map(|path| path.trim_start_matches('!').to_owned())
            .collect(),
    })
}

/// A path that is there is taken as it is, whatever characters it has; then as a glob. What is not there is waited for in
/// the working directory.
fn root(spec: &AppSpec, base: &Path, written: &str) -> Root {
    let whole = place(spec, base, written);
    let (folder, glob) = split(written);
    let (path, only) = match (whole, glob) {
        (Some(path), _) => (path, None),
        (None, Some(glob)) => {
            let path = place(spec, base, folder).unwrap_or_else(|| clean(&base.join(folder)));
            (path, Some(glob.to_owned()))
        }
        (None, None) => (clean(&base.join(written)), None),
    };
    Root {
        written: written.to_owned(),
        path,
        only,
    }
}

/// Where something is that is there: beside the working directory first.
fn place(spec: &AppSpec, base: &Path, written: &str) -> Option<PathBuf> {
    let bases = bases(spec, Some(base));
    std::iter::once(base)
        .chain(bases.iter().map(PathBuf::as_path))
        .map(|base| clean(&base.join(written)))
        .find(|place| place.exists())
}

/// The folder that a glob begins with, and the rest of it.
fn split(written: &str) -> (&str, Option<&str>) {
    let Some(first) = written.find(GLOB) else {
        return (written, None);
    };
    let start = written
        .get(..first)
        .and_then(|plain| plain.rfind('/'))
        .map_or(0, |slash| slash + 1);
    match written.split_at_checked(start) {
        Some((folder, glob)) => (folder, Some(glob)),
        None => (written, None),
    }
}

#[cfg(test)]
mod tests {
    use eco_config::spec::{Links, WatchPolicy};

    use super::*;
    use crate::environment::tests::spec;

    fn of(paths: &[&str], files: &[&str]) -> (tempfile::TempDir, Watched) {
        let folder = tempfile::tempdir().expect("made");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("below")).expect("made");
            std::fs::write(path, "").expect("written");
        }
        let mut spec = spec("dev", "api");
        spec.cwd = Some(folder.path().to_owned());
        spec.watch = Some(WatchPolicy {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            ignore: None,
            delay: std::time::Duration::ZERO,
            links: Links::Followed,
            polling: None,
            depth: None,
        });
        let watched = watched(&spec).expect("watched");
        (folder, watched)
    }

    fn root(written: &str, path: PathBuf, only: Option<&str>) -> Root {
        Root {
            written: written.to_owned(),
            path,
            only: only.map(str::to_owned),
        }
    }

    #[test]
    fn without_a_path_it_is_the_working_directory() {
        let (folder, watched) = of(&[], &[]);
        assert_eq!(watched.roots, [root("", folder.path().to_owned(), None)]);
        let (_, watched) = of(&["!gen"], &[]);
        assert_eq!(
            (watched.roots.len(), watched.left_out),
            (1, vec!["gen".to_owned()])
        );
    }

    #[test]
    fn what_is_not_there_is_waited_for_in_the_working_directory() {
        let (folder, watched) = of(&["./src/"], &[]);
        assert_eq!(
            watched.roots,
            [root("./src/", folder.path().join("src"), None)]
        );
    }

    #[test]
    fn a_glob_is_its_folder_and_the_rest_unless_a_file_is_called_so() {
        let (folder, watched) = of(
            &["src/**/*.js", "*.py", "pages/[id].js"],
            &["src/a.js", "pages/[id].js"],
        );
        let base = folder.path();
        assert_eq!(
            watched.roots,
            [
                root("src/**/*.js", base.join("src"), Some("**/*.js")),
                root("*.py", base.to_owned(), Some("*.py")),
                root("pages/[id].js", base.join("pages/[id].js"), None),
            ]
        );
    }
}
