//! Whether files came to a run's folder, or went, since it was looked at: one system call, where a listing needs many.

use std::fs;
use std::time::Duration;

use eco_home::clock;

use super::plain::changed_at;
use super::{HotError, Place, present};

/// File systems take the time from the kernel's last tick, which is 10 ms ago at most, and some keep whole seconds: two changes
/// within one look like one.
const SETTLED: Duration = Duration::from_secs(2);

/// When a folder last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Unix ns.
    changed: u64,
}

impl Stamp {
    /// Reads that of the stream's folder; `None`: it is not there.
    pub(super) fn of(place: &Place) -> Result<Option<Self>, HotError> {
        let path = || place.folder().to_owned();
        let metadata = present(fs::metadata(place.folder()), path)?;
        Ok(metadata.map(|metadata| Self {
            changed: changed_at(&metadata),
        }))
    }

    /// Whether whatever changes from `now` (unix ns) on has another stamp.
    pub(super) fn is_settled(self, now: u64) -> bool {
        now.saturating_sub(self.changed) >= clock::nanos(SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::UNIX_EPOCH;

    use eco_home::runs::Stream;

    use super::*;

    #[test]
    fn a_file_that_comes_gives_its_folder_another_stamp() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Place::new(folder.path().to_owned(), Stream::Out);
        let stamp = || Stamp::of(&place).expect("read").expect("there");
        let long_ago = UNIX_EPOCH + Duration::from_secs(9);
        let opened = File::open(folder.path()).expect("opened");
        opened.set_modified(long_ago).expect("set");
        let before = stamp();
        assert_eq!(before, stamp());
        fs::write(place.segment(1), "grown").expect("written");
        let after = stamp();
        assert_ne!(before, after);
        fs::write(place.segment(1), "grown more").expect("written");
        assert_eq!(after, stamp());
        let nowhere = Place::new(folder.path().join("nowhere"), Stream::Out);
        assert_eq!(Stamp::of(&nowhere).expect("read"), None);
    }

    #[test]
    fn a_fresh_stamp_may_hide_another_change_and_so_may_one_of_a_clock_that_was_set_back() {
        let stamp = Stamp {
            changed: 1_000_000_000,
        };
        let is_settled = |later_ms: u64| stamp.is_settled(1_000_000_000 + later_ms * 1_000_000);
        assert!(!is_settled(0) && !is_settled(1999));
        assert!(is_settled(2000) && is_settled(100_000));
        assert!(!stamp.is_settled(1));
    }
}
