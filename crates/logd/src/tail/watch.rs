//! What tells a follower at once that something was written: the kernel, about the folders of the runs that he follows.
//!
//! It spares him the way over the keeper and the agent, which only ring for everybody. It is a hint like the bell: what cannot be
//! watched (there are too many watches) is looked at when the bell rings, and everything in turn.

use std::collections::HashSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::live::Depth;

/// Something was written.
const WRITTEN: AddWatchFlags = AddWatchFlags::IN_MODIFY;
/// Files came, or went.
const LISTED: AddWatchFlags = AddWatchFlags::IN_CREATE
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MOVE);

/// Names a folder that is watched.
pub(super) type Watched = WatchDescriptor;

/// Folders that the kernel watches for one follower. It remembers a few hundred kilobytes of what happened, and then that it
/// was more.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: Inotify,
}

/// What happened in the folders since it was asked last.
#[derive(Debug, Default)]
pub(super) struct Touched {
    written: HashSet<Watched>,
    listed: HashSet<Watched>,
    /// More than the kernel could remember.
    is_too_much: bool,
}

impl Watch {
    /// `None`: the kernel has no more of them for this user.
    pub(super) fn begin() -> Option<Self> {
        match Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC) {
            Ok(inotify) => Some(Self { inotify }),
            Err(errno) => {
                tracing::debug!(%errno, "one who follows is told by the bell alone");
                None
            }
        }
    }

    /// Watches `folder` from now on, once however often it is asked for; `None`: that cannot be.
    pub(super) fn add(&self, folder: &Path) -> Option<Watched> {
        let what = WRITTEN | LISTED | AddWatchFlags::IN_ONLYDIR;
        match self.inotify.add_watch(folder, what) {
            Ok(watched) => Some(watched),
            Err(errno) => {
                tracing::debug!(%errno, folder = %folder.display(), "not watched");
                None
            }
        }
    }

    /// Watches a folder no more.
    pub(super) fn forget(&self, watched: Watched) {
        // With the folder the watch has gone, too.
        self.inotify.rm_watch(watched).ok();
    }

    /// Takes what happened by now.
    pub(super) fn touched(&self) -> Touched {
        let mut touched = Touched::default();
        loop {
            match self.inotify.read_events() {
                Ok(events) => {
                    for event in events {
                        touched.add(event.wd, event.mask);
                    }
                }
                Err(Errno::EINTR) => {}
                Err(_) => return touched,
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

impl Touched {
    fn add(&mut self, watched: Watched, what: AddWatchFlags) {
        self.is_too_much |= what.contains(AddWatchFlags::IN_Q_OVERFLOW);
        if what.intersects(LISTED) {
            self.listed.insert(watched);
        } else if what.intersects(WRITTEN) {
            self.written.insert(watched);
        }
    }

    /// The look that a folder is worth.
    pub(super) fn depth(&self, watched: Watched) -> Option<Depth> {
        if self.is_too_much || self.listed.contains(&watched) {
            Some(Depth::Look)
        } else if self.written.contains(&watched) {
            Some(Depth::Glance)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_written_is_worth_a_glance_and_what_comes_or_goes_a_look() {
        let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
        for folder in &folders {
            fs::write(folder.path().join("out.0001"), "one").expect("written");
        }
        let watch = Watch::begin().expect("watching");
        let watched =
            [0, 1, 2].map(|index: usize| watch.add(folders[index].path()).expect("there"));
        assert_eq!(watch.add(folders[0].path()), Some(watched[0]));
        let depths = || {
            let touched = watch.touched();
            watched.map(|one| touched.depth(one))
        };
        assert_eq!(depths(), [None; 3]);
        fs::write(folders[0].path().join("out.0001"), "one two").expect("written");
        fs::write(folders[1].path().join("out.0001"), "one two").expect("written");
        fs::write(folders[1].path().join("out.0002"), "").expect("written");
        assert_eq!(depths(), [Some(Depth::Glance), Some(Depth::Look), None]);
        fs::remove_file(folders[2].path().join("out.0001")).expect("there");
        assert_eq!(depths(), [None, None, Some(Depth::Look)]);
        watch.forget(watched[0]);
        fs::write(folders[0].path().join("out.0001"), "").expect("written");
        assert_eq!(depths()[0], None);
    }

    #[test]
    fn more_than_the_kernel_remembers_is_worth_a_look_everywhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let watch = Watch::begin().expect("watching");
        let watched = watch.add(folder.path()).expect("there");
        let mut touched = Touched::default();
        assert_eq!(touched.depth(watched), None);
        touched.add(watched, AddWatchFlags::IN_Q_OVERFLOW);
        assert_eq!(touched.depth(watched), Some(Depth::Look));
    }

    #[test]
    fn what_is_not_there_is_not_watched() {
        let folder = tempfile::tempdir().expect("a folder");
        let watch = Watch::begin().expect("watching");
        assert_eq!(watch.add(&folder.path().join("nowhere")), None);
    }
}
