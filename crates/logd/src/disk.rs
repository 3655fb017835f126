//! What sealing, retention, flushing and replicas do to the disk, so that tests can have it fail at any step.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use eco_home::hole;

/// A disk that can be written to.
pub trait Disk: Debug + Send + Sync {
    /// Makes an empty file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Gives a file another name; what had that name is gone.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Writes bytes over those that are there, and returns when they are on disk.
    fn overwrite(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        file.write_all_at(bytes, at)?;
        file.sync_data()
    }
    /// Takes the room of a range of a file back, which reads as zeros then.
    fn punch(&self, file: &File, range: Range<u64>) -> io::Result<()> {
        hole::punch(file, range)
    }
    /// Returns when the names in a folder are on disk.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
    /// Returns when the bytes of a file are on disk.
    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

/// A file that is being written.
pub trait DiskFile: Write + Send {
    /// Returns when its bytes are on disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// The real one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Real;

impl Disk for Real {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        use std::os::unix::fs::OpenOptionsExt as _;

        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl DiskFile for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Writes a file so that its name means the old content or all of the new, whenever the host dies: under the name `temporary`
/// first, by `write`.
pub fn replace(
    disk: &dyn Disk,
    path: &Path,
    temporary: &Path,
    write: impl FnOnce(&mut dyn DiskFile) -> io::Result<()>,
) -> io::Result<()> {
    let written = || {
        let mut file = disk.create(temporary)?;
        write(&mut *file)?;
        file.sync()
    };
    let done = written().and_then(|()| {
        disk.rename(temporary, path)?;
        path.parent()
            .map_or(Ok(()), |folder| disk.sync_folder(folder))
    });
    if done.is_err() {
        // It takes room that others may need; what cannot be removed is overwritten the next time.
        disk.remove(temporary).ok();
    }
    done
}
