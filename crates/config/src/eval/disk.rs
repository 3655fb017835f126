//! What a program may ask of the disk: to look and to read. Every answer is JSON text, as the host's are.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::error::ConfigError;

use super::source;

/// Entries of a folder that are listed.
const LIST_LIMIT: usize = 100_000;

/// What kind of thing a path is.
pub(super) fn stat(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;

    let answer = std::fs::metadata(path).map(|meta| {
        let kind = meta.file_type();
        let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        json!({
            "kind": if kind.is_file() { "file" } else { source::name(kind).trim_start_matches("a ") },
            "size": meta.len(),
            "mode": meta.mode(),
            "mtime": modified.map_or(0.0, |time| time.as_secs_f64() * 1000.0),
        })
    });
    given(answer, "stat", path)
}

/// The text of a file.
pub(super) fn read(path: &Path) -> String {
    match source::read(path) {
        Ok(text) => json!({ "ok": text }).to_string(),
        Err(ConfigError::Read { source, .. }) => given(Err(source), "open", path),
        Err(other) => json!({ "code": "EINVAL", "message": format!("cannot {other}") }).to_string(),
    }
}

/// The names in a folder, sorted.
pub(super) fn list(path: &Path) -> String {
    let answer = std::fs::read_dir(path).map(|entries| {
        let mut names: Vec<String> = entries
            .flatten()
            .take(LIST_LIMIT)
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        json!(names)
    });
    given(answer, "scandir", path)
}

/// A path without links.
pub(super) fn realpath(path: &Path) -> String {
    let answer = path
        .canonicalize()
        .map(|path| json!(path.to_string_lossy()));
    given(answer, "realpath", path)
}

fn given(answer: io::Result<Value>, call: &str, path: &Path) -> String {
    match answer {
        Ok(value) => json!({ "ok": value }),
        Err(error) => {
            let kinds = [
                (
                    io::ErrorKind::NotFound,
                    "ENOENT",
                    "no such file or directory",
                ),
                (
                    io::ErrorKind::PermissionDenied,
                    "EACCES",
                    "permission denied",
                ),
                (io::ErrorKind::NotADirectory, "ENOTDIR", "not a directory"),
            ];
            let (code, text) = kinds
                .iter()
                .find(|(kind, ..)| *kind == error.kind())
                .map_or_else(
                    || ("EIO", error.to_string()),
                    |(_, code, text)| (*code, (*text).to_owned()),
                );
            let path = path.to_string_lossy();
            json!({
                "code": code,
                "path": path,
                "syscall": call,
                "message": format!("{code}: {text}, {call} '{path}'"),
            })
        }
    }
    .to_string()
}
