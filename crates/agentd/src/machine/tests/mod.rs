//! Three views of the machine: named facts (progress), the whole table (nothing forgotten), walks (safety).

mod facts;
mod table;
mod walk;

use std::time::Duration;

use eco_config::spec::{
    Kind, RestartDelay, RestartPolicy, RestartWhen, StopPolicy, StopReach, StopWords,
};

use super::*;

const MS: Duration = Duration::from_millis(1);
const SIGINT: i32 = 2;

fn policy() -> Policy {
    Policy {
        kind: Kind::Service,
        restart: RestartPolicy {
            when: RestartWhen::Always,
            min_uptime: 1000 * MS,
            max_unstable: 3,
            delay: RestartDelay::Default,
            stop_exit_codes: vec![7],
        },
        stop: StopPolicy {
            words: StopWords::Signal,
            signal: SIGINT,
            kill_timeout: 1600 * MS,
            reach: StopReach::Tree,
        },
        ready: ReadyBy::Time(500 * MS),
    }
}

/// One that waits for a sign, for five seconds.
fn asked_to_be_ready() -> Policy {
    let within = Some(5000 * MS);
    Policy {
        ready: ReadyBy::Sign { within },
        ..policy()
    }
}

/// Nothing has to come first.
impl Machine {
    fn told(&mut self, now: Tick, command: Command) -> Option<Effect> {
        self.command(now, command).or_else(|| self.proceed(now))
    }

    fn heard(&mut self, now: Tick, run: Run, fact: Fact) -> Option<Effect> {
        self.fact(now, run, fact).or_else(|| self.proceed(now))
    }
}

fn spawned(pid: i32, at: Tick) -> Fact {
    Fact::Spawned { pid, at }
}

fn ended(code: i32, at: Tick) -> Fact {
    Fact::Ended {
        how: Ended::Code(code),
        at,
        left: Left::Nothing,
    }
}

fn ended_leaving(code: i32, at: Tick) -> Fact {
    Fact::Ended {
        how: Ended::Code(code),
        at,
        left: Left::Processes,
    }
}

/// Run 1, pid 7, spawned at 1 ms, ready.
fn online() -> Machine {
    let mut machine = Machine::new(policy(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    machine.fact(MS, 1, spawned(7, MS));
    machine.fact(MS, 1, Fact::Ready);
    machine
}
