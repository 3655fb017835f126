//! When a change is acted upon, and on which runs: pure.
//!
//! ```text
//!  change ─▶ rests for the delay, from the last of them ─▶ each run ─┬─ began before the last change ─▶ replaced
//!                ▲      │ another change                             ├─ began after it ───────────────▶ has seen it
//!                └──────┘                                            └─ is just being begun ──────────▶ asked again
//! ```
//!
//! So a burst of any size is one restart, and what changes while an app restarts is one more if, and only if, the new run
//! may have begun without it.

use std::path::PathBuf;
use std::time::Duration;

use crate::machine::{Ending, State, Tick};

/// The shortest rest, since no editor saves in one step.
pub(super) const SHORTEST_REST: Duration = Duration::from_millis(50);
/// A run that began this much before a change may have read the file after it. Shorter than the shortest rest, so that a
/// change is never later than the run that it led to.
const MARGIN: Duration = Duration::from_millis(40);

/// A change this soon after the start of a run may be the run's own doing.
const ECHO: Duration = Duration::from_secs(3);
/// So many of them in a row are no chance.
const ECHOES: u32 = 3;

/// How often in a row an app was restarted for a change that came right after its start: an app that writes what it watches
/// is restarted for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Echoes(u32);

impl Echoes {
    /// Counts a restart for `pending` of a run in `state`.
    pub(super) fn count(&mut self, pending: &Pending, state: State) {
        let since = match state {
            State::Launching { since, .. } | State::Online { since, .. } => Some(since),
            State::Stopped
            | State::Spawning { .. }
            | State::Ending { .. }
            | State::Waiting { .. }
            | State::Errored => None,
        };
        let is_echo = since.is_some_and(|since| pending.last.saturating_sub(since) < ECHO);
        self.0 = if is_echo { self.0.saturating_add(1) } else { 0 };
    }

    /// What is to be said of it, if anything.
    pub(super) const fn advice(self) -> &'static str {
        if self.0 < ECHOES {
            ""
        } else {
            "; it changes right after each start, so the app may write it itself: ignore_watch can leave it out"
        }
    }
}

/// Changes that nobody has acted upon yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// The first of them.
    pub(super) path: PathBuf,
    /// When the last was seen.
    pub(super) last: Tick,
}

/// What an instance is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Up.
    Up,
    /// Whatever it is: it ended by itself for good, as a build does that runs at each change.
    Ended,
    /// Down.
    Down,
}

/// What a change is to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It must begin anew.
    Replace,
    /// Nobody knows yet when its run began.
    Wait,
    /// It has seen the change, or is not to be up.
    Nothing,
}

impl Pending {
    /// Adds a later change to what may be pending.
    pub(super) fn add(pending: Option<Self>, path: PathBuf, at: Tick) -> Self {
        Self {
            path: pending.map_or(path, |pending| pending.path),
            last: at,
        }
    }

    /// When the files will have rested long enough.
    pub(super) fn due(&self, delay: Duration) -> Tick {
        self.last.saturating_add(delay.max(SHORTEST_REST))
    }

    /// What it is to an instance.
    pub(super) fn verdict(&self, wish: Wish, state: State) -> Verdict {
        match wish {
            Wish::Up => {}
            Wish::Ended => return Verdict::Replace,
            Wish::Down => return Verdict::Nothing,
        }
        match state {
            State::Launching { since, .. } | State::Online { since, .. } => {
                if since < self.last.saturating_add(MARGIN) {
                    Verdict::Replace
                } else {
                    Verdict::Nothing
                }
            }
            // What made it end may be what was mended.
            State::Waiting { .. } | State::Errored => Verdict::Replace,
            // What ended by itself may be given up, or wait for its next attempt.
            State::Spawning { .. }
            | State::Ending {
                ending: Ending::ByItself { .. },
                ..
            } => Verdict::Wait,
            // The next run begins after the change.
            State::Ending {
                ending: Ending::Asked(_),
                ..
            }
            | State::Stopped => Verdict::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Ended, Replace, Turn};

    const fn ms(time: u64) -> Duration {
        Duration::from_millis(time)
    }

    fn at(time: u64) -> Pending {
        Pending::add(None, "/a".into(), ms(time))
    }

    fn online(since: u64) -> State {
        State::Online {
            pid: 1,
            since: ms(since),
        }
    }

    #[test]
    fn a_burst_is_due_once_it_has_rested_and_is_called_by_its_first() {
        let burst = Pending::add(Some(at(1000)), "/b".into(), ms(1900));
        assert_eq!(burst.due(ms(200)), ms(2100));
        assert_eq!(burst.due(Duration::ZERO), ms(1900) + SHORTEST_REST);
        assert_eq!(burst.path, PathBuf::from("/a"));
    }

    #[test]
    fn a_run_that_began_before_the_change_is_replaced_and_one_that_began_after_it_is_not() {
        assert_eq!(at(1000).verdict(Wish::Up, online(500)), Verdict::Replace);
        assert_eq!(at(1000).verdict(Wish::Up, online(1500)), Verdict::Nothing);
    }

    #[test]
    fn a_change_just_before_a_run_may_have_been_too_late_for_it() {
        assert_eq!(at(1000).verdict(Wish::Up, online(1010)), Verdict::Replace);
        // And the run that a change led to is never replaced for it.
        let first = at(1000).due(Duration::ZERO);
        let led_to = State::Online {
            pid: 1,
            since: first,
        };
        assert_eq!(at(1000).verdict(Wish::Up, led_to), Verdict::Nothing);
    }

    #[test]
    fn restarts_right_after_each_start_lead_to_advice_and_a_rest_ends_that() {
        let mut echoes = Echoes::default();
        for _ in 0..3 {
            assert_eq!(echoes.advice(), "");
            echoes.count(&at(2000), online(500));
        }
        assert!(echoes.advice().contains("ignore_watch"));
        echoes.count(&at(60_000), online(500));
        assert_eq!(echoes.advice(), "");
    }

    #[test]
    fn what_is_being_begun_is_asked_again_and_what_ends_begins_after_the_change() {
        let spawning = State::Spawning {
            replace: Replace::No,
        };
        let ending = |ending| State::Ending {
            pid: 1,
            ending,
            kill_at: ms(9000),
        };
        let crashed = Ending::ByItself {
            how: Ended::Code(1),
            lived: ms(900),
        };
        assert_eq!(at(1000).verdict(Wish::Up, spawning), Verdict::Wait);
        assert_eq!(at(1000).verdict(Wish::Up, ending(crashed)), Verdict::Wait);
        assert_eq!(
            at(1000).verdict(Wish::Up, ending(Ending::Asked(Turn::InOrder))),
            Verdict::Nothing
        );
    }

    #[test]
    fn what_failed_gets_another_chance() {
        let waiting = State::Waiting { until: ms(9000) };
        assert_eq!(at(1000).verdict(Wish::Up, waiting), Verdict::Replace);
        assert_eq!(at(1000).verdict(Wish::Up, State::Errored), Verdict::Replace);
    }

    #[test]
    fn what_is_stopped_stays_so_and_what_ended_by_itself_runs_again() {
        for state in [State::Stopped, online(500)] {
            assert_eq!(at(1000).verdict(Wish::Down, state), Verdict::Nothing);
        }
        assert_eq!(
            at(1000).verdict(Wish::Ended, State::Stopped),
            Verdict::Replace
        );
    }
}
