//! Which file a `require` or an `import` means: resolution of modules as Node does it, but that an `import` may leave the end
//! of a file's name away, as a `require` may.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::format::{EXTENSIONS, Format};

use super::exports::{self, Asker};
use super::source;

/// No file is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotFound {
    /// Where it was looked for.
    pub(super) tried: Vec<PathBuf>,
    /// What the name is one of.
    pub(super) meant: Meant,
}

/// What the name of a missing module is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// A file's.
    File,
    /// A package's that is not installed.
    Missing,
    /// An installed package's that does not give it, as far as is understood here.
    Installed,
}

/// The file that `request` means to a module in `folder`.
pub(super) fn resolve(folder: &Path, request: &str, asker: Asker) -> Result<PathBuf, NotFound> {
    let mut tried = Vec::new();
    let is_path = request.starts_with('/') || matches!(request.split('/').next(), Some("." | ".."));
    let (found, meant) = if is_path {
        let path = lexical(&folder.join(request));
        (candidate(&path, &mut tried), Meant::File)
    } else {
        in_packages(folder, request, asker, &mut tried)
    };
    found
        .and_then(|file| file.canonicalize().ok())
        .ok_or(NotFound { tried, meant })
}

/// Looks upwards through the folders of packages.
fn in_packages(
    folder: &Path,
    request: &str,
    asker: Asker,
    tried: &mut Vec<PathBuf>,
) -> (Option<PathBuf>, Meant) {
    let (name, subpath) = package_of(request);
    let mut meant = Meant::Missing;
    let above = folder
        .ancestors()
        .filter(|above| above.file_name().is_none_or(|name| name != "node_modules"));
    for packages in above.map(|above| above.join("node_modules")) {
        let package = packages.join(name);
        if package.is_dir() {
            meant = Meant::Installed;
        } else if !packages.join(request).exists() {
            tried.push(if packages.is_dir() { package } else { packages });
            continue;
        }
        let found = match manifest(&package).and_then(|mut manifest| {
            let exports = manifest.get_mut("exports")?.take();
            (!exports.is_null()).then_some(exports)
        }) {
            Some(exports) => exports::target(&exports, &subpath, asker)
                .map(|target| lexical(&package.join(target)))
                .filter(|file| file.is_file()),
            None => candidate(&packages.join(request), tried),
        };
        if found.is_some() {
            return (found, meant);
        }
    }
    (None, meant)
}

/// The name of the package, and what of it is meant: `@a/b/c` is `./c` of `@a/b`.
fn package_of(request: &str) -> (&str, String) {
    let slashes = if request.starts_with('@') { 2 } else { 1 };
    let end = request
        .match_indices('/')
        .nth(slashes - 1)
        .map_or(request.len(), |(at, _)| at);
    let (name, rest) = request.split_at_checked(end).unwrap_or((request, ""));
    (name, format!(".{rest}"))
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
    let with = EXTENSIONS.iter().filter_map(|(extension, format)| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        match format {
            Format::Program(..) | Format::Json => Some(PathBuf::from(name)),
            // Whoever means data says so: a program may stand beside it.
            Format::Data(_) => None,
        }
    });
    let all = std::iter::once(path.to_owned())
        .chain(with)
        .chain(typed(path));
    for candidate in all {
        if candidate.is_file() {
            return Some(candidate);
        }
        tried.push(candidate);
    }
    None
}

/// The file that a compiler of TypeScript would make `path` of: whoever imports `./a.js` may mean `./a.ts`.
fn typed(path: &Path) -> Option<PathBuf> {
    let extension = match path.extension()?.to_str()? {
        "js" => "ts",
        "cjs" => "cts",
        "mjs" => "mts",
        _ => return None,
    };
    Some(path.with_extension(extension))
}

/// What the package.json of a folder names as its entry.
fn main_of(folder: &Path) -> Option<PathBuf> {
    Some(lexical(
        &folder.join(manifest(folder)?.get("main")?.as_str()?),
    ))
}

fn manifest(package: &Path) -> Option<Value> {
    serde_json::from_str(&source::read(&package.join("package.json")).ok()?).ok()
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
