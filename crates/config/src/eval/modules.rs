//! Which file a `require` means: resolution of `CommonJS` modules as Node does it, without conditions and export maps.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::source;

/// Tried after the name itself, in this order.
const EXTENSIONS: [&str; 3] = ["js", "cjs", "json"];

/// No file is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFound {
    /// Where it was looked for.
    pub(super) tried: Vec<PathBuf>,
    /// Whether the name is a package's, not a path.
    pub(super) bare: bool,
}

/// The file that `request` means to a module in `folder`.
pub(super) fn resolve(folder: &Path, request: &str) -> Result<PathBuf, NotFound> {
    let mut tried = Vec::new();
    let bare = !(request.starts_with('/') || matches!(request.split('/').next(), Some("." | "..")));
    let found = if bare {
        folder
            .ancestors()
            .filter(|above| above.file_name().is_none_or(|name| name != "node_modules"))
            .find_map(|above| {
                let package = above.join("node_modules");
                if package.is_dir() {
                    candidate(&package.join(request), &mut tried)
                } else {
                    tried.push(package);
                    None
                }
            })
    } else {
        candidate(&lexical(&folder.join(request)), &mut tried)
    };
    found
        .and_then(|file| file.canonicalize().ok())
        .ok_or(NotFound { tried, bare })
}

/// The path as a file, with an extension, or as a folder.
fn candidate(path: &Path, tried: &mut Vec<PathBuf>) -> Option<PathBuf> {
    file(path, tried).or_else(|| {
        if !path.is_dir() {
            return None;
        }
        main_of(path)
            .and_then(|main| file(&main, tried).or_else(|| file(&main.join("index"), tried)))
            .or_else(|| file(&path.join("index"), tried))
    })
}

fn file(path: &Path, tried: &mut Vec<PathBuf>) -> Option<PathBuf> {
    let with = EXTENSIONS.map(|extension| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        PathBuf::from(name)
    });
    for candidate in std::iter::once(path.to_owned()).chain(with) {
        if candidate.is_file() {
            return Some(candidate);
        }
        tried.push(candidate);
    }
    None
}

/// What the package.json of a folder names as its entry.
fn main_of(folder: &Path) -> Option<PathBuf> {
    let text = source::read(&folder.join("package.json")).ok()?;
    let package: Value = serde_json::from_str(&text).ok()?;
    Some(lexical(&folder.join(package.get("main")?.as_str()?)))
}

/// Without `.` and `..`, for messages that people can read.
fn lexical(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                whole.push(component);
            }
        }
    }
    whole
}
