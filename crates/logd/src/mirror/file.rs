//! The file that lines are copied to: opened by its path, appended to, put aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use nix::libc::O_NONBLOCK;

use super::aside;
use super::record::FileId;

/// Why lines cannot be copied to a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// Its folder is not there and cannot be made.
    #[error("make the folder {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be opened.
    #[error("open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is a FIFO, a device or the like.
    #[error("write to {path}: it is no ordinary file")]
    Special {
        /// What it is not.
        path: PathBuf,
    },
    /// It cannot be written, or looked at.
    #[error("write to {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be put aside.
    #[error("put {path} aside")]
    Aside {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct Open {
    file: File,
    /// Where it is once links are followed.
    real: PathBuf,
    pub(super) id: FileId,
}

/// What an open file is like by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) length: u64,
    /// Whether it has a name anywhere.
    pub(super) is_named: bool,
}

impl Open {
    /// Opens the file at `path`, making it and its folder where they are not there.
    pub(super) fn new(path: &Path) -> Result<Self, FileError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            fs::create_dir_all(folder).map_err(|source| FileError::Folder {
                path: folder.to_owned(),
                source,
            })?;
        }
        let failed = |source| FileError::Open {
            path: path.to_owned(),
            source,
        };
        // Without waiting: the FIFO of a program that never reads is refused and not waited for.
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .custom_flags(O_NONBLOCK)
            .mode(0o644)
            .open(path)
            .map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(FileError::Special {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            file,
            real: path.canonicalize().map_err(failed)?,
            id: FileId::of(&metadata),
        })
    }

    pub(super) fn look(&self) -> Result<Look, FileError> {
        let metadata = self.file.metadata().map_err(|source| self.failed(source))?;
        Ok(Look {
            length: metadata.len(),
            is_named: metadata.nlink() > 0,
        })
    }

    /// Appends all of `bytes` to the file, which is `length` long, or nothing.
    pub(super) fn append(&mut self, bytes: &[u8], length: u64) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(|source| {
            // What of it is in the file goes, so that it is there once when it is written again.
            let cut = self.file.set_len(length);
            self.failed(cut.err().unwrap_or(source))
        })
    }

    /// Makes it as short as that.
    pub(super) fn cut(&self, length: u64) -> Result<(), FileError> {
        self.file
            .set_len(length)
            .map_err(|source| self.failed(source))
    }

    /// Gives it another name, unless somebody else has; tells where what was put aside is.
    pub(super) fn put_aside(&self, now: Timestamp) -> Result<PathBuf, FileError> {
        let is_there = fs::metadata(&self.real).is_ok_and(|found| FileId::of(&found) == self.id);
        if is_there {
            let name = aside::free_name(&self.real, now);
            fs::rename(&self.real, name).map_err(|source| FileError::Aside {
                path: self.real.clone(),
                source,
            })?;
        }
        Ok(self.real.clone())
    }

    fn failed(&self, source: io::Error) -> FileError {
        FileError::Write {
            path: self.real.clone(),
            source,
        }
    }
}

/// Finds the file `id`, which was at `path` once: there, or beside it under a longer name, as one that was put aside.
pub(super) fn find(path: &Path, id: FileId) -> Option<PathBuf> {
    let is_it = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| FileId::of(&found) == id);
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if is_it(&path) {
        return Some(path);
    }
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    let entries = fs::read_dir(folder).ok()?;
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|other| other.starts_with(name))
        .map(|other| folder.join(other))
        .find(is_it)
}
