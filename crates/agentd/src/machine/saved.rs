//! A machine as it is kept and shown.

use std::time::Duration;

use super::{Machine, Policy, Run, State, Want};

/// What a machine was, to be it again: see [`Machine::restore`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The wish.
    pub want: Want,
    /// The state.
    pub state: State,
    /// The latest run.
    pub run: Run,
    /// Unstable ends in a row.
    pub strikes: u32,
    /// What the delay grows by.
    pub attempts: u32,
    /// Replacements so far.
    pub restarts: u32,
}

impl Machine {
    /// An instance as it was saved.
    #[must_use]
    pub const fn restore(policy: Policy, saved: Saved) -> Self {
        let Saved {
            want,
            state,
            run,
            strikes,
            attempts,
            restarts,
        } = saved;
        Self {
            policy,
            want,
            state,
            run,
            strikes,
            attempts,
            restarts,
            seen_from: Duration::ZERO,
            given: 0,
        }
    }

    /// What [`Machine::restore`] takes.
    #[must_use]
    pub const fn saved(&self) -> Saved {
        let Self {
            policy: _,
            want,
            state,
            run,
            strikes,
            attempts,
            restarts,
            seen_from: _,
            given: _,
        } = self;
        Saved {
            want: *want,
            state: *state,
            run: *run,
            strikes: *strikes,
            attempts: *attempts,
            restarts: *restarts,
        }
    }

    /// How it is treated.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The wish.
    #[must_use]
    pub const fn want(&self) -> Want {
        self.want
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The latest run, 0 for none.
    #[must_use]
    pub const fn run(&self) -> Run {
        self.run
    }

    /// Unstable ends in a row.
    #[must_use]
    pub const fn strikes(&self) -> u32 {
        self.strikes
    }

    /// How often a run was replaced by another without a rest between them.
    #[must_use]
    pub const fn restarts(&self) -> u32 {
        self.restarts
    }
}
