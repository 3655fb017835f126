//! The supervision of one instance: no tokio, no clock, no system calls, no logging.
//!
//! People, watches and limits send [`Command`]s, which set the **want**; the keeper reports [`Fact`]s, which set the
//! **state**. What is stopped and wanted up, or lives and is wanted down, is [`Pending`]: it goes on when it is let, by
//! [`Machine::proceed`], since other apps may have to come or to go first. Each input may ask the world for one
//! [`Effect`]. Time is handed in.
//!
//! ```text
//!         want up: its turn           Spawned                ready, or alive long enough where no sign is asked for
//!  Stopped ───────────────▶ Spawning ─────────▶ Launching ─────────────────────────────▶ Online
//!   ▲ ▲ ▲                    ▲  │  └─out of date: end──┐   │ want down: its turn; restart,   │
//!   │ │ │                    │  │                      │   │ not ready in time, ill, or it   │
//!   │ │ │                    │  │                      ▼   ▼ ended and left processes: end   │
//!   │ │ └── want down, or ───┼──┼────────────────────  Ending  ◀───────────────────────────┤
//!   │ │     up in its turn   │◀─┼── up at once ──────  │  ▲ due: SIGKILL, again and again   │
//!   │ │                      │  │                      │  └─┘                               │
//!   │ └─── that is an end ───┼──┼────────────────────── │ ended by itself                    │ it ended,
//!   │                        │  └─SpawnFailed─┐         ▼                                    │ nothing left
//!   │                        └──── due ──── Waiting ◀── strikes left ◀───────────────────────┘
//!   └── Stop, or Start ──────────── Waiting, Errored ◀── strikes spent, or a oneshot that failed
//! ```
//!
//! Invariants, held by the random walks in `tests/walk.rs`
//! - At most one run of an instance lives: nothing is spawned before the last run is wholly gone.
//! - A signal is only sent to a run that was spawned and is not gone.
//! - Whatever happened before, Stop followed by the world's honest reports ends in Stopped.
//! - A fact about another run changes nothing.
//! - The deadline is derived from the state; there are no timers to cancel.

mod number;
mod restart;
mod saved;
mod state;

#[cfg(test)]
mod tests;

use eco_config::spec::{Kind, RestartPolicy, StopPolicy, StopWords};
use nix::libc;
use restart::Sequel;

pub use saved::Saved;
pub use state::{Ended, Ending, Replace, Run, State, Tick, Turn, Want};

use std::time::Duration;

/// After SIGKILL, how long until what is still there is killed again.
const KILL_AGAIN: Duration = Duration::from_secs(1);

/// How an instance is to be treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether it is meant to end.
    pub kind: Kind,
    /// What follows an end.
    pub restart: RestartPolicy,
    /// How it is ended.
    pub stop: StopPolicy,
    /// When it counts as ready.
    pub ready: ReadyBy,
}

/// When a run that lives counts as ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyBy {
    /// By [`Fact::Ready`], and by nothing else. One that is not ready `within` this has failed to start; `None`: it has all
    /// the time.
    Sign {
        /// From its spawn.
        within: Option<Duration>,
    },
    /// By [`Fact::Ready`], and at the latest when it has lived for this long.
    Time(Duration),
}

/// What somebody wants. Commands are idempotent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Be up.
    Start(Turn),
    /// Be down.
    Stop,
    /// Be up, in a new run.
    Restart(Turn),
    /// Be down until [`Command::Resurrect`] or a start; what was wanted up is remembered.
    Hold,
    /// Be up if held.
    Resurrect,
}

/// What is wanted, and is done by [`Machine::proceed`] when nothing else has to come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// It is stopped, and wanted up.
    Begin,
    /// It lives, and is wanted down.
    End,
}

/// What happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It lives.
    Spawned {
        /// Its first process.
        pid: i32,
        /// When.
        at: Tick,
    },
    /// It could not be begun.
    SpawnFailed,
    /// It said, or showed, that it is ready.
    Ready,
    /// It counts as ill, or holds more than it may, and is to be replaced.
    Ill,
    /// Its first process ended.
    Ended {
        /// How.
        how: Ended,
        /// When.
        at: Tick,
        /// Whether other processes of the run are still there; if so, [`Fact::Gone`] follows.
        left: Left,
    },
    /// No process of the run is left.
    Gone,
}

/// What remains of a run whose first process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// No process.
    Nothing,
    /// At least one.
    Processes,
}

/// What is asked of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Begin this run.
    Spawn(Run),
    /// Ask the run to end, as its policy says.
    End(Run),
    /// Send this signal to the run's processes.
    Signal(Run, i32),
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    policy: Policy,
    want: Want,
    state: State,
    /// The latest run; 0: none yet.
    run: Run,
    /// Unstable ends in a row.
    strikes: u32,
    /// Ends in a row of runs too short to be forgotten: what the delay grows by.
    attempts: u32,
    restarts: u32,
    /// When whoever looks at its runs began to: nobody could see a sign before.
    seen_from: Tick,
    /// A number that was given to a run, though the latest that is known may have a lower one.
    given: Run,
}

impl Machine {
    /// A stopped instance that nobody wants up; `last_run` was its last life, 0 for none.
    #[must_use]
    pub const fn new(policy: Policy, last_run: Run) -> Self {
        Self {
            policy,
            want: Want::Down,
            state: State::Stopped,
            run: last_run,
            strikes: 0,
            attempts: 0,
            restarts: 0,
            seen_from: Duration::ZERO,
            given: 0,
        }
    }

    /// Nobody has looked at its run until now: one that is launching has all its time to show a sign.
    pub const fn take_up(&mut self, now: Tick) {
        self.seen_from = now;
    }

    /// Treats the instance by another policy from now on.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// When [`Machine::wake`] is due, if nothing else happens first.
    #[must_use]
    pub fn deadline(&self) -> Option<Tick> {
        match self.state {
            // Whether it gets ready does not matter any more.
            State::Launching { .. } if self.want != Want::Up => None,
            State::Launching { since, .. } => match self.policy.ready {
                ReadyBy::Sign { within } => Some(since.max(self.seen_from) + within?),
                ReadyBy::Time(time) => Some(since + time),
            },
            State::Ending { kill_at, .. } => Some(kill_at),
            State::Waiting { until } => Some(until),
            State::Stopped | State::Spawning { .. } | State::Online { .. } | State::Errored => None,
        }
    }

    /// Takes a command.
    pub fn command(&mut self, now: Tick, command: Command) -> Option<Effect> {
        match command {
            Command::Start(turn) => self.start(turn),
            Command::Restart(turn) => self.restart(now, turn),
            Command::Stop => self.rest(Want::Down),
            Command::Hold => match self.want {
                Want::Up | Want::Held => self.rest(Want::Held),
                Want::Down => self.rest(Want::Down),
            },
            Command::Resurrect => match self.want {
                Want::Held => self.start(Turn::InOrder),
                Want::Up | Want::Down => None,
            },
        }
    }

    /// What is wanted and not begun.
    #[must_use]
    pub const fn pending(&self) -> Option<Pending> {
        match (self.state, self.want) {
            (State::Stopped, Want::Up) => Some(Pending::Begin),
            (State::Launching { .. } | State::Online { .. }, Want::Down | Want::Held) => {
                Some(Pending::End)
            }
            (State::Stopped, Want::Down | Want::Held)
            | (State::Launching { .. } | State::Online { .. }, Want::Up)
            | (
                State::Spawning { .. }
                | State::Ending { .. }
                | State::Waiting { .. }
                | State::Errored,
                _,
            ) => None,
        }
    }

    /// Does what is pending: nothing has to come first any more.
    pub fn proceed(&mut self, now: Tick) -> Option<Effect> {
        match (self.pending()?, self.state) {
            (Pending::Begin, _) => self.spawn(),
            (Pending::End, State::Launching { pid, .. } | State::Online { pid, .. }) => {
                self.end(now, pid, Ending::Asked(Turn::InOrder))
            }
            (
                Pending::End,
                State::Stopped
                | State::Spawning { .. }
                | State::Ending { .. }
                | State::Waiting { .. }
                | State::Errored,
            ) => None,
        }
    }

    /// Counts no restart and no failure any more. What it is, and when the next attempt is due, stays.
    pub const fn reset(&mut self) {
        self.pardon();
        self.restarts = 0;
    }

    /// Takes a report about `run`.
    pub fn fact(&mut self, now: Tick, run: Run, fact: Fact) -> Option<Effect> {
        if run != self.run {
            return None;
        }
        match (self.state, fact) {
            (State::Spawning { replace }, Fact::Spawned { pid, at }) => {
                self.state = State::Launching { pid, since: at };
                self.welcome(now, pid, replace)
            }
            (State::Spawning { .. }, Fact::SpawnFailed) => {
                self.finish(now, by_itself(Ended::NotSpawned, now, now))
            }
            (State::Launching { pid, since }, Fact::Ready) => {
                self.state = State::Online { pid, since };
                None
            }
            (State::Launching { pid, since } | State::Online { pid, since }, Fact::Ill) => {
                self.end(now, pid, by_itself(Ended::Ill, now, since))
            }
            (
                State::Launching { pid, since } | State::Online { pid, since },
                Fact::Ended { how, at, left },
            ) => self.end_what_is_left(now, pid, left, by_itself(how, at, since)),
            (
                State::Ending { ending, .. },
                Fact::Ended {
                    left: Left::Nothing,
                    ..
                }
                | Fact::Gone,
            ) => self.finish(now, ending),
            // Gone will follow. Words have reached the first process alone.
            (
                State::Ending { .. },
                Fact::Ended {
                    left: Left::Processes,
                    ..
                },
            ) => match self.policy.stop.words {
                StopWords::Signal => None,
                StopWords::Message => Some(Effect::Signal(self.run, self.policy.stop.signal)),
            },
            // Told twice, as after the keeper's greeting, or out of order: the state knows better.
            (State::Spawning { .. }, Fact::Ready | Fact::Ill | Fact::Ended { .. } | Fact::Gone)
            | (State::Launching { .. }, Fact::Spawned { .. } | Fact::SpawnFailed | Fact::Gone)
            | (
                State::Online { .. },
                Fact::Spawned { .. } | Fact::SpawnFailed | Fact::Ready | Fact::Gone,
            )
            | (
                State::Ending { .. },
                Fact::Spawned { .. } | Fact::SpawnFailed | Fact::Ready | Fact::Ill,
            )
            | (State::Stopped | State::Waiting { .. } | State::Errored, _) => None,
        }
    }

    /// Does what is due.
    pub fn wake(&mut self, now: Tick) -> Option<Effect> {
        if self.deadline().is_none_or(|due| now < due) {
            return None;
        }
        match self.state {
            State::Launching { pid, since } => match self.policy.ready {
                ReadyBy::Sign { .. } => self.end(now, pid, by_itself(Ended::NotReady, now, since)),
                ReadyBy::Time(_) => {
                    self.state = State::Online { pid, since };
                    None
                }
            },
            State::Ending { pid, ending, .. } => {
                self.state = State::Ending {
                    pid,
                    ending,
                    kill_at: now + KILL_AGAIN,
                };
                Some(Effect::Signal(self.run, libc::SIGKILL))
            }
            State::Waiting { .. } => {
                self.restarts = self.restarts.saturating_add(1);
                self.spawn()
            }
            State::Stopped | State::Spawning { .. } | State::Online { .. } | State::Errored => None,
        }
    }

    /// The run that was asked for never reached the keeper: begin another.
    pub fn respawn(&mut self, now: Tick) -> Option<Effect> {
        match (self.state, self.want) {
            (State::Spawning { .. }, Want::Up) => self.spawn(),
            (State::Spawning { .. }, Want::Down | Want::Held) => self.settle_down(),
            (
                State::Stopped
                | State::Launching { .. }
                | State::Online { .. }
                | State::Ending { .. }
                | State::Waiting { .. }
                | State::Errored,
                _,
            ) => {
                debug_assert!(false, "respawn in {:?} at {now:?}", self.state);
                None
            }
        }
    }

    /// The host went down, and every run with it: what was wanted has all its chances again.
    pub fn lost_with_its_host(&mut self) -> Option<Effect> {
        self.pardon();
        self.settle_down()
    }

    /// All processes went at once, the keeper with them: like the end of a host, but another run takes the place of this one.
    pub fn lost_with_all(&mut self) -> Option<Effect> {
        let lived = match self.state {
            State::Launching { .. } | State::Online { .. } | State::Ending { .. } => true,
            State::Stopped | State::Spawning { .. } | State::Waiting { .. } | State::Errored => {
                false
            }
        };
        if lived && self.want == Want::Up {
            self.restarts = self.restarts.saturating_add(1);
        }
        self.lost_with_its_host()
    }

    /// Says again what a run that is ending was told, for a keeper that may not have heard.
    #[must_use]
    pub const fn repeat(&self) -> Option<Effect> {
        match self.state {
            State::Ending { ending, .. } => Some(self.ask_to_end(ending)),
            State::Stopped
            | State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Waiting { .. }
            | State::Errored => None,
        }
    }

    fn start(&mut self, turn: Turn) -> Option<Effect> {
        self.want = Want::Up;
        match self.state {
            State::Stopped | State::Waiting { .. } | State::Errored => {
                self.pardon();
                self.rise(turn)
            }
            // Up, on the way, or spawned anew once what is ending is gone.
            State::Spawning { .. } | State::Launching { .. } | State::Online { .. } => None,
            State::Ending { pid, kill_at, .. } => {
                self.state = State::Ending {
                    pid,
                    kill_at,
                    ending: Ending::Asked(turn),
                };
                None
            }
        }
    }

    /// Nothing of it is there, and it is wanted up.
    fn rise(&mut self, turn: Turn) -> Option<Effect> {
        match turn {
            Turn::InOrder => self.settle_down(),
            Turn::AtOnce => self.spawn(),
        }
    }

    fn restart(&mut self, now: Tick, turn: Turn) -> Option<Effect> {
        match self.state {
            State::Spawning { .. } => {
                self.want = Want::Up;
                self.state = State::Spawning {
                    replace: Replace::Yes(turn),
                };
                None
            }
            State::Launching { pid, .. } | State::Online { pid, .. } => {
                self.want = Want::Up;
                self.end(now, pid, Ending::Asked(turn))
            }
            State::Stopped | State::Ending { .. } | State::Waiting { .. } | State::Errored => {
                self.start(turn)
            }
        }
    }

    fn rest(&mut self, want: Want) -> Option<Effect> {
        self.want = want;
        match self.state {
            State::Waiting { .. } | State::Errored => self.settle_down(),
            // Down, on the way, or ended in its turn.
            State::Stopped
            | State::Spawning { .. }
            | State::Launching { .. }
            | State::Online { .. }
            | State::Ending { .. } => None,
        }
    }

    /// Decides about a run that has just come to life: it may be out of date.
    fn welcome(&mut self, now: Tick, pid: i32, replace: Replace) -> Option<Effect> {
        match (self.want, replace) {
            (Want::Up, Replace::Yes(turn)) => self.end(now, pid, Ending::Asked(turn)),
            (Want::Up, Replace::No) | (Want::Down | Want::Held, _) => None,
        }
    }

    fn settle_down(&mut self) -> Option<Effect> {
        self.state = State::Stopped;
        None
    }

    fn spawn(&mut self) -> Option<Effect> {
        self.run = self.next_run();
        self.state = State::Spawning {
            replace: Replace::No,
        };
        Some(Effect::Spawn(self.run))
    }

    fn end(&mut self, now: Tick, pid: i32, ending: Ending) -> Option<Effect> {
        let kill_at = now + self.policy.stop.kill_timeout;
        self.state = State::Ending {
            pid,
            ending,
            kill_at,
        };
        Some(self.ask_to_end(ending))
    }

    /// What a run left behind when it ended by itself has nobody who would understand words.
    const fn ask_to_end(&self, ending: Ending) -> Effect {
        match ending {
            Ending::Asked(_) => Effect::End(self.run),
            Ending::ByItself { how, .. } => match how {
                Ended::NotReady | Ended::Ill => Effect::End(self.run),
                Ended::Code(_) | Ended::Signal(_) | Ended::Unknown | Ended::NotSpawned => {
                    Effect::Signal(self.run, self.policy.stop.signal)
                }
            },
        }
    }

    fn end_what_is_left(
        &mut self,
        now: Tick,
        pid: i32,
        left: Left,
        ending: Ending,
    ) -> Option<Effect> {
        match left {
            Left::Nothing => self.finish(now, ending),
            Left::Processes => self.end(now, pid, ending),
        }
    }

    /// Decides what follows a run of which nothing is left.
    fn finish(&mut self, now: Tick, ending: Ending) -> Option<Effect> {
        match (self.want, ending) {
            (Want::Down | Want::Held, _) => self.settle_down(),
            (Want::Up, Ending::Asked(turn)) => {
                self.pardon();
                self.restarts = self.restarts.saturating_add(1);
                self.rise(turn)
            }
            (Want::Up, Ending::ByItself { how, lived }) => self.follow(now, how, lived),
        }
    }

    const fn pardon(&mut self) {
        self.strikes = 0;
        self.attempts = 0;
    }

    fn follow(&mut self, now: Tick, how: Ended, lived: Duration) -> Option<Effect> {
        match restart::sequel(self.policy.kind, &self.policy.restart, how) {
            Sequel::End => {
                self.want = Want::Down;
                return self.settle_down();
            }
            Sequel::Failure => {
                self.state = State::Errored;
                return None;
            }
            Sequel::Restart => {}
        }
        let policy = &self.policy.restart;
        self.strikes = restart::strikes(policy, self.strikes, how, lived);
        self.attempts = restart::attempts(self.attempts, lived);
        if restart::is_spent(policy, self.strikes) {
            self.state = State::Errored;
            return None;
        }
        let delay = restart::delay_after(policy, how, self.attempts);
        if delay.is_zero() {
            self.restarts = self.restarts.saturating_add(1);
            return self.spawn();
        }
        self.state = State::Waiting { until: now + delay };
        None
    }
}

fn by_itself(how: Ended, at: Tick, since: Tick) -> Ending {
    let lived = at.saturating_sub(since);
    Ending::ByItself { how, lived }
}
