//! A file that is there as a whole or not at all: it is written beside its place, and put there when it is complete.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is being written. What is dropped before it is complete leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    beside: PathBuf,
    place: PathBuf,
}

impl Draft {
    /// Begins one that is to be at `place`, which may be taken.
    pub(crate) fn begin(place: &Path) -> io::Result<Self> {
        let name = place
            .file_name()
            .filter(|_| !place.is_dir())
            .ok_or_else(|| io::Error::from(io::ErrorKind::IsADirectory))?;
        // Whoever writes to the same place at the same time has a draft of their own.
        let mut draft = OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}", std::process::id()));
        let beside = place.with_file_name(draft);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&beside)?;
        Ok(Self {
            file,
            beside,
            place: place.to_owned(),
        })
    }

    /// Puts it in its place, on disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        self.put()
    }

    /// Puts it in its place; a loss of power may take it with it.
    pub(crate) fn put(self) -> io::Result<()> {
        fs::rename(&self.beside, &self.place)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Of one that was put in its place there is nothing left here.
        drop(fs::remove_file(&self.beside));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_the_place_of_what_was_there_when_it_is_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("x");
        fs::write(&place, "before").expect("written");
        let mut draft = Draft::begin(&place).expect("begun");
        draft.write_all(b"after").expect("written");
        assert_eq!(fs::read(&place).expect("read"), b"before");
        draft.finish().expect("put");
        assert_eq!(fs::read(&place).expect("read"), b"after");
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 1);
    }

    #[test]
    fn one_that_is_given_up_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Draft::begin(&folder.path().join("x")).expect("begun"));
        assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[test]
    fn a_folder_is_no_place_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Draft::begin(folder.path()).is_err());
        assert!(Draft::begin(&folder.path().join("missing/x")).is_err());
    }
}
