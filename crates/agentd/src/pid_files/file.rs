//! One pid file on the disk.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// More than a pid has, with blanks around it.
const LONGEST: u64 = 32;
/// Everybody may read it: that is what it is for.
const MODE: u32 = 0o644;

/// Why a file is not as it should be: full sentences, for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum PidFileError {
    /// Its folder is not there and cannot be made.
    #[error(
        "The folder of the pid file {path} cannot be made: {source}. The app runs without the file. Make the folder, or \
         name another place in `pid_file`."
    )]
    Folder {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error(
        "The pid file {path} cannot be written: {source}. The app runs without it. Let the agent's user write there, or \
         name another place in `pid_file`."
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is there that no pid file is.
    #[error(
        "{path} is not replaced by a pid file, since it {what}. Take it away, or name another place in `pid_file`."
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It cannot be taken away.
    #[error(
        "The pid file {path} cannot be taken away: {source}. It names a process that is not there any more. Delete it."
    )]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What stands at the path.
enum Held {
    Nothing,
    Pid(i32),
    /// A pid file that was not written to its end.
    Empty,
    Foreign(&'static str),
}

/// Has the file hold `pid`.
pub(super) fn write(path: &Path, pid: i32) -> Result<(), PidFileError> {
    let failed = |source| PidFileError::Write {
        path: path.to_owned(),
        source,
    };
    match held(path).map_err(failed)? {
        Held::Pid(there) if there == pid => return Ok(()),
        Held::Nothing | Held::Empty | Held::Pid(_) => {}
        Held::Foreign(what) => {
            let path = path.to_owned();
            return Err(PidFileError::Foreign { path, what });
        }
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|source| PidFileError::Folder {
        path: path.to_owned(),
        source,
    })?;
    replace(path, pid).map_err(failed)
}

/// Takes the file away if it holds `pid`.
pub(super) fn remove(path: &Path, pid: i32) -> Result<(), PidFileError> {
    let removed = match held(path) {
        Ok(Held::Pid(there)) if there == pid => fs::remove_file(path),
        Ok(Held::Nothing | Held::Empty | Held::Pid(_) | Held::Foreign(_)) => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(|source| PidFileError::Remove {
        path: path.to_owned(),
        source,
    })
}

/// The new file is complete before it has the name.
fn replace(path: &Path, pid: i32) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    if let Err(error) = fs::remove_file(&new)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&new)
        .and_then(|mut file| file.write_all(format!("{pid}\n").as_bytes()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // What is left of it is taken away by the next attempt.
        drop(fs::remove_file(&new));
    }
    written
}

fn held(path: &Path) -> io::Result<Held> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Held::Nothing),
        Err(error) => return Err(error),
    };
    if !meta.is_file() {
        return Ok(Held::Foreign("is no plain file"));
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(LONGEST).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    Ok(match text.trim() {
        "" => Held::Empty,
        text => text
            .parse()
            .map_or(Held::Foreign("holds something else"), Held::Pid),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_pid_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("made");
        let path = |name: &str| folder.path().join(name);
        fs::write(path("app.js"), "serve()\n").expect("written");
        symlink(path("app.js"), path("link")).expect("made");
        fs::write(path("stale"), "12\n").expect("written");
        fs::write(path("empty"), "").expect("written");
        for (name, what) in [
            ("app.js", "holds something else"),
            ("link", "no plain file"),
        ] {
            let told = write(&path(name), 7).expect_err("refused").to_string();
            assert!(told.contains(what), "{told}");
            remove(&path(name), 7).expect("nothing is done");
            assert_eq!(fs::read_to_string(path(name)).expect("there"), "serve()\n");
        }
        assert!(write(Path::new("/dev/null"), 7).is_err());
        for name in ["stale", "empty"] {
            write(&path(name), 7).expect("replaced");
            assert_eq!(fs::read_to_string(path(name)).expect("there"), "7\n");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().expect("made");
        fs::write(folder.path().join("file"), "").expect("written");
        let error = write(&folder.path().join("file/a/b.pid"), 7).expect_err("refused");
        assert!(error.to_string().contains("file/a/b.pid"), "{error}");
    }

    #[test]
    fn nothing_is_left_beside_the_file() {
        let folder = tempfile::tempdir().expect("made");
        let path = folder.path().join("a.pid");
        fs::write(folder.path().join("a.pid.new"), "half").expect("written");
        write(&path, 7).expect("written");
        let names: Vec<_> = fs::read_dir(folder.path())
            .expect("read")
            .map(|entry| entry.expect("read").file_name())
            .collect();
        assert_eq!(names, ["a.pid"]);
        remove(&path, 8).expect("it is another's");
        assert!(path.exists());
        remove(&path, 7).expect("removed");
        assert!(!path.exists());
    }
}
