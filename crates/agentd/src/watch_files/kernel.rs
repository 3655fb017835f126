//! The kernel as the one who tells of changes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use super::tree::Source;
use crate::os::inotify::{Event, Teller, Telling, Watch};

/// The kernel, once something is asked of it.
#[derive(Debug, Default)]
pub(super) struct Kernel(Option<Teller>);

impl Source for Kernel {
    type Watch = Watch;

    fn add(&mut self, folder: &Path, telling: Telling) -> io::Result<Watch> {
        let teller = match self.0.take() {
            Some(teller) => teller,
            None => Teller::new()?,
        };
        self.0.insert(teller).add(folder, telling)
    }

    fn remove(&mut self, watch: Watch) {
        if let Some(teller) = &self.0 {
            teller.remove(watch);
        }
    }

    fn read(&mut self) -> io::Result<Vec<Event<Watch>>> {
        self.0.as_ref().map_or(Ok(Vec::new()), Teller::read)
    }

    fn end(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }
}
