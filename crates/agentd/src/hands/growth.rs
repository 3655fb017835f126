//! Which streams grew since the agent was told: pure.
//!
//! Growth is a hint. A stream that grows a thousand times a second is told of fifty times, the first byte
//! after a silence at once.

use std::collections::BTreeSet;
use std::time::Duration;

use eco_home::runs::Stream;

/// The least time between two tellings.
const PAUSE: Duration = Duration::from_millis(20);

/// Streams that grew.
#[derive(Debug, Default)]
pub(super) struct Growth {
    grown: BTreeSet<(u64, Stream)>,
    told_at: Option<Duration>,
}

impl Growth {
    /// A stream of a run grew.
    pub(super) fn note(&mut self, serial: u64, stream: Stream) {
        self.grown.insert((serial, stream));
    }

    /// When to tell, if there is something.
    pub(super) fn due_at(&self, now: Duration) -> Option<Duration> {
        if self.grown.is_empty() {
            return None;
        }
        Some(self.told_at.map_or(now, |told| now.max(told + PAUSE)))
    }

    /// Whether to tell now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.due_at(now).is_some_and(|at| at <= now)
    }

    /// Takes all of it, to be told at `now`.
    pub(super) fn take(&mut self, now: Duration) -> BTreeSet<(u64, Stream)> {
        self.told_at = Some(now);
        std::mem::take(&mut self.grown)
    }

    /// Takes what is to be told of one run before its last fact.
    pub(super) fn take_run(&mut self, serial: u64) -> Vec<Stream> {
        let grown = |stream: &Stream| self.grown.remove(&(serial, *stream));
        Stream::BOTH.into_iter().filter(grown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(5);

    #[test]
    fn the_first_growth_after_a_silence_is_told_at_once_and_the_next_later() {
        let mut growth = Growth::default();
        assert_eq!(growth.due_at(NOW), None);
        growth.note(1, Stream::Out);
        growth.note(1, Stream::Out);
        assert!(growth.is_due(NOW));
        assert_eq!(growth.take(NOW).len(), 1);
        growth.note(1, Stream::Out);
        assert!(!growth.is_due(NOW));
        assert_eq!(growth.due_at(NOW), Some(NOW + PAUSE));
        assert!(growth.is_due(NOW + PAUSE));
    }

    #[test]
    fn the_growth_of_a_run_can_be_told_before_its_end() {
        let mut growth = Growth::default();
        growth.note(1, Stream::Err);
        growth.note(2, Stream::Out);
        assert_eq!(growth.take_run(1), [Stream::Err]);
        assert_eq!(growth.take(NOW), [(2, Stream::Out)].into());
    }
}
