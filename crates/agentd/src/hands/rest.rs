//! When to look at output again: pure.
//!
//! ```text
//!   silence ── a line ──▶ drained at once ── little came ──▶ rest 1 ms ──▶ drained ── nothing came ──▶ silence
//!                                        └─ much came ─────▶ no rest
//! ```
//!
//! A writer of single lines would wake the keeper for each. With a rest after every small round it is woken a thousand
//! times a second at the most, the first line after a silence is there at once, and a flood is drained without a pause.

use std::time::Duration;

/// A round that moved this much is followed by the next at once.
pub(super) const MUCH: u64 = 256 << 10;

/// How long output waits after a round that moved less.
pub(super) const REST: Duration = Duration::from_millis(1);

/// Whether output is being left alone, and how long.
#[derive(Debug, Default)]
pub(super) struct Rest {
    until: Option<Duration>,
}

impl Rest {
    /// A round ended at `now` and moved `bytes`.
    pub(super) fn after(&mut self, now: Duration, bytes: u64) {
        self.until = (bytes < MUCH).then(|| now + REST);
    }

    /// How long output is still to be left alone.
    pub(super) fn left(&mut self, now: Duration) -> Option<Duration> {
        let left = self.until?.checked_sub(now).filter(|left| !left.is_zero());
        if left.is_none() {
            self.until = None;
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(9);

    #[test]
    fn after_a_silence_output_is_looked_at_at_once() {
        assert_eq!(Rest::default().left(NOW), None);
    }

    #[test]
    fn a_small_round_is_followed_by_a_rest_that_ends() {
        let mut rest = Rest::default();
        rest.after(NOW, 100);
        assert_eq!(rest.left(NOW), Some(REST));
        assert_eq!(rest.left(NOW + REST), None);
        assert_eq!(rest.left(NOW), None);
    }

    #[test]
    fn a_flood_gets_no_rest() {
        let mut rest = Rest::default();
        rest.after(NOW, 100);
        rest.after(NOW, MUCH);
        assert_eq!(rest.left(NOW), None);
    }
}
