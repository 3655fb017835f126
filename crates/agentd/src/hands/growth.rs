//! Which streams grew since the agent was told: pure.
//!
//! Growth is a hint for those who are in no hurry: who follows a stream is told of it by the kernel. So a stream that grows a
//! thousand times a second is told of fifty times, and the telling takes nothing from whoever shows the first line after a
//! silence.

use std::collections::BTreeSet;
use std::time::Duration;

use eco_home::runs::Stream;

/// How long growth waits for more of it.
const PAUSE: Duration = Duration::from_millis(20);

/// Streams that grew.
#[derive(Debug, Default)]
pub(super) struct Growth {
    grown: BTreeSet<(u64, Stream)>,
    /// When the first of them did, since boot.
    since: Duration,
}

impl Growth {
    /// A stream of a run grew at `now`.
    pub(super) fn note(&mut self, serial: u64, stream: Stream, now: Duration) {
        if self.grown.is_empty() {
            self.since = now;
        }
        self.grown.insert((serial, stream));
    }

    /// When to tell, if there is something.
    pub(super) fn due_at(&self) -> Option<Duration> {
        (!self.grown.is_empty()).then(|| self.since + PAUSE)
    }

    /// Whether to tell now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.due_at().is_some_and(|at| at <= now)
    }

    /// Takes all of it, to be told.
    pub(super) fn take(&mut self) -> BTreeSet<(u64, Stream)> {
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
    fn growth_is_told_once_however_often_it_came_and_a_little_later() {
        let mut growth = Growth::default();
        assert_eq!(growth.due_at(), None);
        growth.note(1, Stream::Out, NOW);
        growth.note(1, Stream::Out, NOW + PAUSE / 2);
        assert!(!growth.is_due(NOW + PAUSE / 2));
        assert!(growth.is_due(NOW + PAUSE));
        assert_eq!(growth.take().len(), 1);
        assert_eq!(growth.due_at(), None);
        growth.note(1, Stream::Out, NOW + PAUSE);
        assert_eq!(growth.due_at(), Some(NOW + PAUSE * 2));
    }

    #[test]
    fn the_growth_of_a_run_can_be_told_before_its_end() {
        let mut growth = Growth::default();
        growth.note(1, Stream::Err, NOW);
        growth.note(2, Stream::Out, NOW);
        assert_eq!(growth.take_run(1), [Stream::Err]);
        assert_eq!(growth.take(), [(2, Stream::Out)].into());
    }
}
