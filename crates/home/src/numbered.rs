//! Names of files of which each instance of an app has its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The file of an instance: `api.log` is `api-0.log`, `api-1.log` and so on.
#[must_use]
pub fn numbered(path: &Path, instance: u32) -> PathBuf {
    let mut name = path.file_stem().map(OsString::from).unwrap_or_default();
    name.push(format!("-{instance}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}
