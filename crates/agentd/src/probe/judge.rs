//! What answers mean: when to ask next, and whether the run counts as well or ill. Pure; time is handed in.
//!
//! ```text
//!             `successes` in a row                  `failures` in a row, none of them in the start period
//!  Unknown ────────────────────────▶ Well ◀─────────────────────────────▶ Ill
//!     └───────────────────────────────────────────────────────────────────▲
//! ```

use std::time::Duration;

use eco_config::spec::Probe;

use crate::fleet::Verdict;
use crate::machine::Tick;

/// What came of asking once. Each text is a fragment that says all of it, such as
/// "connection refused (127.0.0.1:3000)".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// As it should be.
    Well(String),
    /// Not so, or no answer at all.
    Failed(String),
}

impl Reply {
    /// What was said.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Well(text) | Self::Failed(text) => text,
        }
    }
}

/// When a question can be asked for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// It is about the moment.
    AtOnce,
    /// It is about what happened since the last one.
    AfterInterval,
}

/// Whether a reply changed what the run counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It did not.
    None,
    /// It did.
    To(Verdict),
}

/// Hears the replies of one run to one probe.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    interval: Duration,
    /// Failures before this do not count.
    counts_from: Tick,
    enough_successes: u32,
    enough_failures: u32,
    verdict: Verdict,
    successes: u32,
    failures: u32,
    due: Tick,
}

impl Judge {
    /// Begins at `now` with a run that was spawned at `since`.
    pub(super) fn new(probe: &Probe, first: First, since: Tick, now: Tick) -> Self {
        Self {
            interval: probe.interval,
            counts_from: since + probe.start_period,
            enough_successes: probe.successes,
            enough_failures: probe.failures,
            verdict: Verdict::Unknown,
            successes: 0,
            failures: 0,
            due: match first {
                First::AtOnce => now,
                First::AfterInterval => now + probe.interval,
            },
        }
    }

    /// When to ask next.
    pub(super) const fn due(&self) -> Tick {
        self.due
    }

    /// What the run counts as.
    pub(super) const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Failures in a row that count.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes the reply that came at `now`.
    pub(super) fn take(&mut self, now: Tick, reply: &Reply) -> Turn {
        self.due = now + self.interval;
        match reply {
            Reply::Well(_) => {
                self.failures = 0;
                self.successes = self.successes.saturating_add(1);
            }
            Reply::Failed(_) => {
                self.successes = 0;
                if now >= self.counts_from {
                    self.failures = self.failures.saturating_add(1);
                }
            }
        }
        let before = self.verdict;
        if self.successes >= self.enough_successes {
            self.verdict = Verdict::Well;
        } else if self.failures >= self.enough_failures {
            self.verdict = Verdict::Ill;
        }
        if self.verdict == before {
            Turn::None
        } else {
            Turn::To(self.verdict)
        }
    }
}

#[cfg(test)]
mod tests {
    use eco_config::spec::Check;
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Asked every ten seconds; well after two, ill after three; failures in the first minute do not count.
    fn probe() -> Probe {
        Probe {
            check: Check::Tcp("3000".to_owned()),
            interval: 10 * SECOND,
            timeout: SECOND,
            start_period: 60 * SECOND,
            successes: 2,
            failures: 3,
        }
    }

    /// A judge of a run that was spawned at 100 s.
    fn judge() -> Judge {
        Judge::new(&probe(), First::AtOnce, 100 * SECOND, 100 * SECOND)
    }

    fn well() -> Reply {
        Reply::Well("answered 200".to_owned())
    }

    fn failed() -> Reply {
        Reply::Failed("answered 503".to_owned())
    }

    /// The turns that the replies bring, asked whenever due from `from` on.
    fn turns(judge: &mut Judge, from: Tick, replies: &[Reply]) -> Vec<Turn> {
        let mut now = from;
        let take = |reply| {
            let turn = judge.take(now, reply);
            now = judge.due();
            turn
        };
        replies.iter().map(take).collect()
    }

    #[test]
    fn a_question_follows_an_answer_after_the_interval_however_long_the_answer_took() {
        let mut judge = judge();
        assert_eq!(judge.due(), 100 * SECOND);
        judge.take(107 * SECOND, &well());
        assert_eq!(judge.due(), 117 * SECOND);
    }

    #[test]
    fn what_happened_since_the_last_question_is_asked_for_after_an_interval() {
        let judge = Judge::new(&probe(), First::AfterInterval, SECOND, 100 * SECOND);
        assert_eq!(judge.due(), 110 * SECOND);
    }

    #[test]
    fn it_is_well_after_enough_successes_in_a_row() {
        let turns = turns(
            &mut judge(),
            100 * SECOND,
            &[well(), failed(), well(), well(), well()],
        );
        let to_well = Turn::To(Verdict::Well);
        assert_eq!(
            turns,
            [Turn::None, Turn::None, Turn::None, to_well, Turn::None]
        );
    }

    #[test]
    fn it_is_ill_after_enough_failures_in_a_row_and_well_again_after_enough_successes() {
        let mut judge = judge();
        let replies = [
            failed(),
            failed(),
            well(),
            failed(),
            failed(),
            failed(),
            failed(),
            well(),
            well(),
        ];
        let turns = turns(&mut judge, 200 * SECOND, &replies);
        let found: Vec<(usize, &Turn)> = turns
            .iter()
            .enumerate()
            .filter(|(_, turn)| **turn != Turn::None)
            .collect();
        let expected = [(5, &Turn::To(Verdict::Ill)), (8, &Turn::To(Verdict::Well))];
        assert_eq!(found, expected);
        assert_eq!(judge.failures(), 0);
    }

    #[test]
    fn failures_in_the_start_period_do_not_count_and_successes_do() {
        let mut judge = judge();
        turns(
            &mut judge,
            100 * SECOND,
            &[failed(), failed(), failed(), failed()],
        );
        assert_eq!((judge.verdict(), judge.failures()), (Verdict::Unknown, 0));
        judge.take(159 * SECOND, &failed());
        judge.take(160 * SECOND, &failed());
        assert_eq!(judge.failures(), 1);
        let mut early = super::tests::judge();
        turns(&mut early, 100 * SECOND, &[well(), well()]);
        assert_eq!(early.verdict(), Verdict::Well);
    }

    proptest! {
        #[test]
        fn a_verdict_is_what_the_last_replies_in_a_row_say(replies in proptest::collection::vec(any::<bool>(), 0..40)) {
            let mut judge = judge();
            let mut expected = Verdict::Unknown;
            for (count, is_well) in replies.iter().enumerate() {
                judge.take(200 * SECOND, &if *is_well { well() } else { failed() });
                let ends_with = |last: &[bool]| replies[..=count].ends_with(last);
                if ends_with(&[true; 2]) {
                    expected = Verdict::Well;
                } else if ends_with(&[false; 3]) {
                    expected = Verdict::Ill;
                }
                prop_assert_eq!(judge.verdict(), expected);
            }
        }
    }
}
