//! Where paths of a specification count from.

use std::path::{Component, Path, PathBuf};

use eco_config::spec::AppSpec;

use super::Problem;

/// The folder that holds one folder per environment.
const ENVIRONMENTS: &str = "process-manager";
/// What marks the top of a project.
const PROJECT_MARKS: [&str; 2] = [".git", "package.json"];

/// The working directory: as given, else the folder of the file that defines the app.
pub(super) fn cwd(spec: &AppSpec) -> Result<PathBuf, Problem> {
    let written = spec.cwd.as_ref().unwrap_or(&spec.defined_in);
    folder(meant_cwd(spec), written)
}

/// The same, whether or not it is there.
pub(super) fn meant_cwd(spec: &AppSpec) -> PathBuf {
    let Some(given) = &spec.cwd else {
        return spec.defined_in.clone();
    };
    let given = at_home(given);
    let beside = clean(&spec.defined_in.join(&given));
    let typed = clean(&spec.invoked_in.join(&given));
    if beside.is_dir() || !typed.is_dir() {
        beside
    } else {
        typed
    }
}

/// With the home of the agent's user for a leading `~`.
pub(super) fn at_home(path: &Path) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        (Ok(_), None) | (Err(_), _) => path.to_owned(),
    }
}

fn folder(path: PathBuf, written: &Path) -> Result<PathBuf, Problem> {
    if path.is_dir() {
        return Ok(path);
    }
    let what = if path.exists() {
        "is not a folder"
    } else {
        "does not exist"
    };
    Err(Problem {
        field: "cwd",
        message: format!(
            "the working directory {} {what} (written as {})",
            path.display(),
            written.display()
        ),
        hint: "make the folder, or correct `cwd`".to_owned(),
    })
}

/// The folders that a relative path is looked for in, nearest first: the working directory, beside the file that defines
/// the app, each folder above it up to the project that the environment folders belong to, and where the command was typed.
pub(super) fn bases(spec: &AppSpec, cwd: Option<&Path>) -> Vec<PathBuf> {
    let mut bases: Vec<PathBuf> = Vec::new();
    let given = spec
        .cwd
        .is_some()
        .then_some(cwd)
        .flatten()
        .map(Path::to_owned);
    let above = ancestors(&spec.defined_in).into_iter().map(Path::to_owned);
    for base in given
        .into_iter()
        .chain(above)
        .chain([spec.invoked_in.clone()])
    {
        if !bases.contains(&base) {
            bases.push(base);
        }
    }
    bases
}

/// `from` and the folders above it, up to the parent of the nearest `process-manager`, else the top of the project, else
/// `from` alone.
fn ancestors(from: &Path) -> Vec<&Path> {
    let above: Vec<&Path> = from.ancestors().collect();
    let environments = above
        .iter()
        .position(|folder| folder.file_name().is_some_and(|name| name == ENVIRONMENTS));
    let project = || {
        above
            .iter()
            .position(|folder| PROJECT_MARKS.iter().any(|mark| folder.join(mark).exists()))
    };
    let last = environments.map(|at| at + 1).or_else(project).unwrap_or(0);
    above.into_iter().take(last + 1).collect()
}

/// Takes `.` and `..` out without asking the file system, so that messages show where was looked.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                cleaned.push(component);
            }
        }
    }
    cleaned
}

/// Finds an executable called `name` in the folders of `path` (as in `$PATH`). Relative ones would count from the agent's
/// own folder, which means nothing to the app.
pub(super) fn on_path(name: &str, path: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// Whether somebody may run the file.
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
