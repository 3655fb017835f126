//! What is said of damage: once for each file, however often it is read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Files that are remembered; those of a disk that is broken altogether are not all worth a line.
const MOST: usize = 1000;

static TOLD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Writes to the daemon's log that something is wrong with the file at `path`, unless that was said before.
pub fn tell_once(path: &Path, what: &str, advice: &str) {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MOST && told.insert(path.to_owned()) {
        tracing::warn!(path = %path.display(), advice, "{what}");
    }
}
