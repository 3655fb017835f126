//! Bounded reading: only regular files, only text, only so much of it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::error::ConfigError;

use super::FILE_LIMIT;

/// Reads a text file whole.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source: io::Error| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    // Asked first: to open a pipe would wait for its writer.
    let kind = fs::metadata(path).map_err(failed)?.file_type();
    if !kind.is_file() {
        return Err(ConfigError::NotAFile {
            path: path.to_owned(),
            found: name(kind),
        });
    }
    text(File::open(path).map_err(failed)?, path)
}

/// Reads text whole, as that of a file.
pub(crate) fn text(reader: impl Read, path: &Path) -> Result<String, ConfigError> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells; the size that the system tells does not, for files that the kernel makes up.
    reader
        .take(FILE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(ConfigError::TooLarge {
            path: path.to_owned(),
            limit: FILE_LIMIT,
        });
    }
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(ConfigError::NotText {
            path: path.to_owned(),
            offset,
        });
    }
    String::from_utf8(bytes).map_err(|error| ConfigError::NotText {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// What a thing that is no file is called.
pub(super) fn name(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
