//! Changes of files, as the kernel tells them.
//!
//! One instance for all that is watched: the kernel allows few of them, and what is watched twice costs once.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};

/// A folder that is watched.
pub type Watch = WatchDescriptor;

/// What of a folder is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Everything in it.
    All,
    /// What comes into it.
    Arrivals,
    /// That it is no longer where it was.
    Itself,
}

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file, or a link to anything.
    File,
    /// A folder.
    Folder,
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<W> {
    /// In this folder.
    pub watch: W,
    /// To this entry of it; `None`: to the folder itself.
    pub name: Option<OsString>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The content of a file changed.
    Written,
    /// Something about an entry changed, its time of change maybe.
    Touched,
    /// An entry is there that was not.
    Came(Kind),
    /// An entry is not there any more.
    Went(Kind),
    /// The folder is not where it was.
    Moved,
    /// The folder is not watched any more.
    Unwatched,
    /// More happened than could be remembered.
    Lost,
}

/// Why the kernel does not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The user watches as many folders as allowed.
    Folders,
    /// The user has as many tellers as allowed.
    Tellers,
    /// The process has as many descriptors open as allowed.
    Descriptors,
    /// Something else.
    Other(String),
}

impl Refusal {
    /// Reads the error of a teller.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        // Too many tellers and too many descriptors are told alike.
        Self::told(error, || std::fs::File::open("/dev/null").is_ok())
    }

    fn told(error: &io::Error, can_open: impl Fn() -> bool) -> Self {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOSPC) => Self::Folders,
            Some(Errno::EMFILE) if can_open() => Self::Tellers,
            Some(Errno::EMFILE | Errno::ENFILE) => Self::Descriptors,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// The kernel's teller.
#[derive(Debug)]
pub struct Teller(Inotify);

impl Teller {
    /// Begins one. Fails with `EMFILE` when the user has as many as allowed, or the process as many descriptors.
    pub fn new() -> io::Result<Self> {
        let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
        Ok(Self(Inotify::init(flags)?))
    }

    /// Watches a folder, links followed. One that is watched already is told of for both reasons. Fails with `ENOSPC` when
    /// the user watches as many as allowed.
    pub fn add(&self, folder: &Path, telling: Telling) -> io::Result<Watch> {
        let also = AddWatchFlags::from_bits_retain(libc::IN_MASK_ADD | libc::IN_EXCL_UNLINK);
        let flags = flags(telling) | AddWatchFlags::IN_ONLYDIR | also;
        Ok(self.0.add_watch(folder, flags)?)
    }

    /// Watches it no longer.
    pub fn remove(&self, watch: Watch) {
        // The kernel did so by itself where the folder is gone, which is the only failure there can be.
        self.0.rm_watch(watch).unwrap_or_default();
    }

    /// Takes some of what happened; nothing is left once nothing comes.
    pub fn read(&self) -> io::Result<Vec<Event<Watch>>> {
        match self.0.read_events() {
            Ok(events) => Ok(events.into_iter().filter_map(event).collect()),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Teller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn flags(telling: Telling) -> AddWatchFlags {
    let itself = AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF;
    let arrivals = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
    match telling {
        Telling::Itself => itself,
        Telling::Arrivals => itself | arrivals,
        Telling::All => {
            itself
                | arrivals
                | AddWatchFlags::IN_MODIFY
                | AddWatchFlags::IN_ATTRIB
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_MOVED_FROM
        }
    }
}

fn event(event: InotifyEvent) -> Option<Event<Watch>> {
    let InotifyEvent { wd, mask, name, .. } = event;
    let has = |flags| mask.intersects(flags);
    let kind = if has(AddWatchFlags::IN_ISDIR) {
        Kind::Folder
    } else {
        Kind::File
    };
    let what = if has(AddWatchFlags::IN_Q_OVERFLOW) {
        What::Lost
    } else if has(AddWatchFlags::IN_IGNORED) {
        What::Unwatched
    } else if has(AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO) {
        What::Came(kind)
    } else if has(AddWatchFlags::IN_DELETE | AddWatchFlags::IN_MOVED_FROM) {
        What::Went(kind)
    } else if has(AddWatchFlags::IN_MODIFY) {
        What::Written
    } else if has(AddWatchFlags::IN_ATTRIB) {
        What::Touched
    } else if has(flags(Telling::Itself)) {
        What::Moved
    } else {
        return None;
    };
    Some(Event {
        watch: wd,
        name,
        what,
    })
}

/// Rests until one of these can be read, or for this long. Being woken for nothing is no failure.
pub fn rest(ends: &[BorrowedFd<'_>], time: Option<Duration>) -> io::Result<()> {
    let mut ends: Vec<PollFd<'_>> = ends
        .iter()
        .map(|end| PollFd::new(*end, PollFlags::POLLIN))
        .collect();
    let time = time.map_or(PollTimeout::NONE, |time| {
        // Rounded up: waking before the time would be waking twice.
        let time = time.saturating_add(Duration::from_micros(999));
        PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut ends, time) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What the teller tells of a folder, in order.
    fn told(teller: &Teller) -> Vec<(Option<String>, What)> {
        let mut all = Vec::new();
        loop {
            let events = teller.read().expect("read");
            if events.is_empty() {
                return all;
            }
            all.extend(events.into_iter().map(|event| {
                let name = event.name.and_then(|name| name.into_string().ok());
                (name, event.what)
            }));
        }
    }

    #[test]
    fn what_happens_in_a_folder_is_told_in_its_order() {
        let folder = tempfile::tempdir().expect("made");
        let path = folder.path().join("in");
        fs::create_dir(&path).expect("made");
        let teller = Teller::new().expect("begun");
        teller.add(&path, Telling::All).expect("added");
        fs::write(path.join("a"), "x").expect("written");
        fs::create_dir(path.join("b")).expect("made");
        fs::rename(path.join("a"), path.join("c")).expect("moved");
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            told(&teller),
            [
                (name("a"), What::Came(Kind::File)),
                (name("a"), What::Written),
                (name("b"), What::Came(Kind::Folder)),
                (name("a"), What::Went(Kind::File)),
                (name("c"), What::Came(Kind::File)),
            ]
        );
    }

    #[test]
    fn who_asks_for_the_folder_itself_does_not_hear_of_its_entries() {
        let folder = tempfile::tempdir().expect("made");
        let path = folder.path().join("in");
        fs::create_dir(&path).expect("made");
        let teller = Teller::new().expect("begun");
        teller.add(&path, Telling::Itself).expect("added");
        fs::write(path.join("a"), "x").expect("written");
        assert_eq!(told(&teller), []);
        fs::rename(&path, folder.path().join("out")).expect("moved");
        assert_eq!(told(&teller), [(None, What::Moved)]);
    }

    #[test]
    fn each_limit_is_told_from_the_others() {
        let of = |errno: Errno, can_open: bool| Refusal::told(&errno.into(), || can_open);
        assert_eq!(of(Errno::ENOSPC, true), Refusal::Folders);
        assert_eq!(of(Errno::EMFILE, true), Refusal::Tellers);
        assert_eq!(of(Errno::EMFILE, false), Refusal::Descriptors);
        assert!(matches!(of(Errno::EIO, true), Refusal::Other(_)));
    }

    #[test]
    fn a_file_is_no_folder_to_watch() {
        let file = tempfile::NamedTempFile::new().expect("made");
        let teller = Teller::new().expect("begun");
        let refused = teller
            .add(file.path(), Telling::All)
            .expect_err("no folder");
        assert_eq!(refused.kind(), io::ErrorKind::NotADirectory);
    }
}
