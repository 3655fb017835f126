//! The numbers of runs: none is given twice, also when the records lost some of them.

use super::{Effect, Machine, Replace, Run, State};

impl Machine {
    /// Learns that there was a run of this number: none up to it is given again.
    pub fn pass_over(&mut self, run: Run) {
        self.given = self.given.max(run);
    }

    /// Takes up a run that is there and was not known, as one that was asked for: what was known before it is over, or was
    /// never begun.
    pub fn take_run(&mut self, run: Run) -> Option<Effect> {
        self.pass_over(self.run);
        self.run = run;
        self.state = State::Spawning {
            replace: Replace::No,
        };
        None
    }

    /// The number of the run that is begun next.
    #[must_use]
    pub fn next_run(&self) -> Run {
        self.run.max(self.given) + 1
    }
}
