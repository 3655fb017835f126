//! What happened to apps, among the lines that they wrote.
//!
//! ```text
//!  history:  events ─▶ wait ─▶ shown before the first line that is not older; the rest when the history is complete
//!  live:     events ─▶ shown as they come
//! ```

use std::collections::VecDeque;

use eco_proto::agent::v1::Event;

use crate::view::event::{Happened, happened};

/// Which events of the past are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// None older, unix ns.
    pub(super) since: Option<u64>,
    /// None from then on.
    pub(super) until: Option<u64>,
    /// None older than the oldest line, and so many where there is no line; `None`: all.
    pub(super) last: Option<u64>,
}

/// What is to be shown yet.
#[derive(Debug)]
pub(super) struct Timeline {
    reach: Reach,
    waiting: VecDeque<Happened>,
    phase: Phase,
    newest: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No line was shown yet.
    Before,
    /// The past is being shown.
    History,
    /// The present is.
    Live,
}

impl Timeline {
    /// Begins with what happened so far, the oldest first; what was told up to the event `newest` is not told again.
    pub(super) fn new(events: Vec<Event>, newest: Option<u64>, reach: Reach) -> Self {
        let newest = events.iter().map(|event| event.number).max().max(newest);
        let within = |event: &Happened| {
            reach.since.is_none_or(|since| since <= event.at_ns)
                && reach.until.is_none_or(|until| event.at_ns < until)
        };
        let mut waiting: Vec<_> = events.into_iter().map(happened).filter(within).collect();
        // Clocks jump, and what is merged is in order of time.
        waiting.sort_by_key(|event| event.at_ns);
        Self {
            reach,
            waiting: waiting.into(),
            phase: Phase::Before,
            newest,
        }
    }

    /// The number of the newest event that was heard of.
    pub(super) const fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// What is to be shown before a line of that time, one after the other.
    pub(super) fn before(&mut self, line_ns: u64) -> Option<Happened> {
        if self.phase == Phase::Before {
            self.phase = Phase::History;
            if self.reach.last.is_some() {
                self.waiting.retain(|event| event.at_ns >= line_ns);
            }
        }
        self.waiting.pop_front_if(|event| event.at_ns <= line_ns)
    }

    /// The history is complete: what is to be shown of it yet.
    pub(super) fn catch_up(&mut self) -> Vec<Happened> {
        let mut rest: Vec<Happened> = self.waiting.drain(..).collect();
        if self.phase == Phase::Before
            && let Some(last) = self.reach.last
        {
            let last = usize::try_from(last).unwrap_or(usize::MAX);
            rest.drain(..rest.len().saturating_sub(last));
        }
        self.phase = Phase::Live;
        rest
    }

    /// Takes what happens now; returns it where it is to be shown at once.
    pub(super) fn take(&mut self, event: Event) -> Option<Happened> {
        if self.newest.is_some_and(|newest| event.number <= newest) {
            return None;
        }
        self.newest = Some(event.number);
        let event = happened(event);
        match self.phase {
            Phase::Live => Some(event),
            Phase::Before | Phase::History => {
                self.waiting.push_back(event);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Reach = Reach {
        since: None,
        until: None,
        last: None,
    };

    fn event(number: u64, at_ns: u64) -> Event {
        Event {
            number,
            at_ns,
            ..Event::default()
        }
    }

    fn before(timeline: &mut Timeline, line: u64) -> Vec<u64> {
        std::iter::from_fn(|| timeline.before(line))
            .map(|event| event.number)
            .collect()
    }

    fn numbers(events: Vec<Happened>) -> Vec<u64> {
        events.into_iter().map(|event| event.number).collect()
    }

    #[test]
    fn each_event_is_shown_before_the_first_line_that_is_not_older() {
        let events = vec![event(1, 10), event(2, 20), event(3, 20), event(4, 40)];
        let mut timeline = Timeline::new(events, None, ALL);
        assert_eq!(before(&mut timeline, 9), [0_u64; 0]);
        assert_eq!(before(&mut timeline, 20), [1, 2, 3]);
        assert_eq!(before(&mut timeline, 30), [0_u64; 0]);
        assert_eq!(numbers(timeline.catch_up()), [4]);
        assert_eq!(timeline.newest(), Some(4));
    }

    #[test]
    fn with_the_last_lines_come_only_events_since_them() {
        let events = || vec![event(1, 10), event(2, 20), event(3, 30)];
        let last = Reach {
            last: Some(2),
            ..ALL
        };
        let mut timeline = Timeline::new(events(), None, last);
        assert_eq!(before(&mut timeline, 20), [2]);
        assert_eq!(numbers(timeline.catch_up()), [3]);
        let mut silent = Timeline::new(events(), None, last);
        assert_eq!(numbers(silent.catch_up()), [2, 3]);
    }

    #[test]
    fn a_range_holds_for_events_too() {
        let reach = Reach {
            since: Some(20),
            until: Some(30),
            last: None,
        };
        let events = vec![event(1, 10), event(2, 20), event(3, 30)];
        let mut timeline = Timeline::new(events, None, reach);
        assert_eq!(numbers(timeline.catch_up()), [2]);
        assert_eq!(timeline.newest(), Some(3));
    }

    #[test]
    fn what_comes_live_is_shown_at_once_and_what_was_told_is_not() {
        let mut timeline = Timeline::new(vec![event(1, 10)], None, ALL);
        assert!(timeline.take(event(2, 20)).is_none());
        assert_eq!(numbers(timeline.catch_up()), [1, 2]);
        assert!(timeline.take(event(2, 20)).is_none());
        assert_eq!(
            timeline.take(event(3, 5)).map(|event| event.number),
            Some(3)
        );
    }
}
