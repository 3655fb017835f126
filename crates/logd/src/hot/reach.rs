//! How far a segment may be read whose run lives: pure.
//!
//! ```text
//!   segment   ├──────────────────┬───────┤ end
//!   notes     ├──────────────────┤ noted
//!             └───── read ───────┘└ held ┘   until the note comes, or until it is LATEST since the segment changed
//! ```
//!
//! A line that was shown before the note about it is there would have another time ever after. What becomes of bytes that
//! no note comes for stands in [`eco_home::notes`].

use std::time::Duration;

use eco_home::notes::LATEST;

/// The shortest rest between two looks for a note.
const REST: Duration = Duration::from_millis(1);

/// How far to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// The offset behind the last byte.
    pub(super) end: u64,
    /// What is there behind it.
    pub(super) held: Option<Held>,
}

/// Bytes that wait for their note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When their segment last changed, unix ns.
    changed: u64,
}

impl Reach {
    /// All that is there.
    pub(super) const fn all(end: u64) -> Self {
        Self { end, held: None }
    }

    /// Decides at `now` about a segment that has notes up to `noted` and bytes up to `end`, and last `changed` then.
    pub(super) fn of(noted: u64, end: u64, changed: u64, now: u64) -> Self {
        let held = Held { changed };
        // A change in the future means that the clock was set: nothing waits for it to come.
        if noted >= end || held.age(now) >= LATEST {
            return Self::all(end.max(noted));
        }
        Self {
            end: noted,
            held: Some(held),
        }
    }
}

impl Held {
    /// How long after `now` (unix ns) another look is worth it: the longer they wait the less the note is to be expected,
    /// and in the end they need none.
    #[must_use]
    pub fn rest(self, now: u64) -> Duration {
        let age = self.age(now);
        age.max(REST).min(LATEST.saturating_sub(age))
    }

    const fn age(self, now: u64) -> Duration {
        Duration::from_nanos(now.abs_diff(self.changed))
    }
}

#[cfg(test)]
mod tests {
    use eco_home::clock;

    use super::*;

    const NOW: u64 = 1_700_000_000_000_000_000;
    const MS: u64 = 1_000_000;

    fn latest() -> u64 {
        clock::nanos(LATEST)
    }

    #[test]
    fn fresh_bytes_wait_for_their_note() {
        let reach = Reach::of(10, 15, NOW - MS, NOW);
        let held = Held { changed: NOW - MS };
        assert_eq!((reach.end, reach.held), (10, Some(held)));
        assert_eq!(Reach::of(15, 15, NOW - MS, NOW), Reach::all(15));
        // Notes are looked at after the file: there may be more by then.
        assert_eq!(Reach::of(20, 15, NOW - MS, NOW), Reach::all(20));
    }

    #[test]
    fn old_bytes_need_no_note_and_neither_do_those_of_a_clock_that_was_set_back() {
        for changed in [NOW - latest(), NOW - 100 * latest(), NOW + latest()] {
            assert_eq!(Reach::of(10, 15, changed, NOW), Reach::all(15));
        }
    }

    #[test]
    fn looks_become_rarer_and_the_last_one_comes_when_no_note_is_needed() {
        let held = Held { changed: NOW };
        let (mut now, mut looks) = (NOW, 0);
        while Reach::of(0, 1, NOW, now).held.is_some() {
            now += clock::nanos(held.rest(now));
            looks += 1;
        }
        assert_eq!(now, NOW + latest());
        assert!(looks <= 12, "{looks}");
    }
}
