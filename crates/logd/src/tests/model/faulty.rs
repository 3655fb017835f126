//! A disk that fails as told.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use proptest::prelude::*;

use crate::disk::{Disk, DiskFile, Real};

/// How the disk fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// So many steps are done first.
    after: usize,
    errno: Errno,
    /// Whether a write that fails writes a part first.
    is_short: bool,
    /// Whether it goes on failing, as for whoever was killed, or does what is tried again.
    is_for_good: bool,
}

/// A disk that fails once, or from then on.
#[derive(Clone, Debug)]
pub(super) struct Faulty(Arc<Mutex<Option<Fault>>>);

impl Faulty {
    pub(super) fn new(fault: Option<Fault>) -> Self {
        Self(Arc::new(Mutex::new(fault)))
    }

    /// Takes a step; the error tells whether a part of it is to be done.
    fn step(&self) -> Result<(), (io::Error, bool)> {
        let mut left = self.0.lock().expect("sound");
        let Some(fault) = left.as_mut() else {
            return Ok(());
        };
        if let Some(after) = fault.after.checked_sub(1) {
            fault.after = after;
            return Ok(());
        }
        let Fault {
            errno, is_short, ..
        } = *fault;
        if !fault.is_for_good {
            *left = None;
        }
        Err((errno.into(), is_short))
    }

    fn whole(&self) -> io::Result<()> {
        self.step().map_err(|(error, _)| error)
    }
}

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.whole()?;
        let file = Real.create(path)?;
        Ok(Box::new(FaultyFile {
            file,
            disk: self.clone(),
            refusal: Cell::new(None),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.whole()?;
        Real.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.whole()?;
        Real.remove(path)
    }

    fn overwrite(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        self.whole()?;
        Real.overwrite(file, bytes, at)
    }

    fn punch(&self, file: &File, range: Range<u64>) -> io::Result<()> {
        self.whole()?;
        Real.punch(file, range)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.whole()?;
        Real.sync_folder(path)
    }
}

struct FaultyFile {
    file: Box<dyn DiskFile>,
    disk: Faulty,
    /// What follows a short write.
    refusal: Cell<Option<io::Error>>,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        match self.disk.step() {
            Ok(()) => self.file.write(bytes),
            Err((error, true)) if bytes.len() > 1 => {
                self.refusal.set(Some(error));
                self.file.write(&bytes[..bytes.len() / 2])
            }
            Err((error, _)) => Err(error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DiskFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        self.disk.whole()?;
        self.file.sync()
    }
}

/// Any way in which the disk may fail, or none.
pub(super) fn fault() -> impl Strategy<Value = Option<Fault>> {
    let errno = prop_oneof![Just(Errno::ENOSPC), Just(Errno::EIO)];
    let fault = (0..16_usize, errno, any::<bool>(), any::<bool>());
    proptest::option::of(
        fault.prop_map(|(after, errno, is_short, is_for_good)| Fault {
            after,
            errno,
            is_short,
            is_for_good,
        }),
    )
}

/// What the disk refuses once, after so many steps.
pub(super) fn once(after: usize) -> Option<Fault> {
    Some(refusal(after, false))
}

/// What it refuses from then on.
pub(super) fn from(after: usize) -> Option<Fault> {
    Some(refusal(after, true))
}

const fn refusal(after: usize, is_for_good: bool) -> Fault {
    Fault {
        after,
        errno: Errno::ENOSPC,
        is_short: false,
        is_for_good,
    }
}
