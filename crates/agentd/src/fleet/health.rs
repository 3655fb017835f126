//! Whether runs are ready, and whether they are still well: what signs and probes say, and what follows.
//!
//! ```text
//!  Sign ───── is it the one that this app is ready by? ──▶ ready
//!  time ───── it was to show a sign, and did not ───────▶ ended, or online with a word about it
//!  ill ────── what the app asks for in that case ───────▶ replaced, stopped, left alone
//! ```
//!
//! Each answer of a probe stands on the [`Board`], outside of the fleet: what a probe hears again and again is shown to
//! people and changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use eco_config::spec::{AppSpec, Check, IllAction};

use super::apply::policy;
use super::cause::span;
use super::{By, Fate, Fleet, RunKey, Slot, SlotKey};
use crate::machine::{Command, Fact, ReadyBy, State, Tick, Want};

/// What tells that a run is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It listens on its own port.
    Port,
    /// Its probe of readiness says so.
    Probe,
    /// It said `ready` over its channel.
    Message,
    /// It sent `READY=1`.
    Notice,
}

/// What probes say of the living runs that have one.
pub type Board = BTreeMap<RunKey, Health>;

/// What a probe says of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What is asked for: a fragment such as "port 3000".
    pub asks: String,
    /// What follows from the answers.
    pub verdict: Verdict,
    /// The last answer; `None`: there was none yet.
    pub answer: Option<Answer>,
    /// Failures in a row that count.
    pub failures: u32,
}

impl Health {
    /// What is shown until the first answer.
    #[must_use]
    pub const fn asking(asks: String) -> Self {
        Self {
            asks,
            verdict: Verdict::Unknown,
            answer: None,
            failures: 0,
        }
    }

    /// Whether the other says the same, at whatever time.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let text = |health: &Self| health.answer.as_ref().map(|answer| answer.text.clone());
        self.verdict == other.verdict
            && self.failures == other.failures
            && self.asks == other.asks
            && text(self) == text(other)
    }
}

/// What follows from a probe's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not enough is known.
    Unknown,
    /// It is well.
    Well,
    /// It is ill.
    Ill,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// A fragment such as "answered 503".
    pub text: String,
    /// When, since 1970.
    pub at_unix: Duration,
}

/// What an app with a port is told of when nothing listens there.
const SILENT: &str = "online; nothing listens on port ";

/// What an app is told of that was to say that it is ready, and said nothing.
const SPEECHLESS: &str = "online; did not say that it is ready within ";

/// When a run of `spec` counts as ready that was told to listen on `port`.
#[must_use]
pub(super) fn ready_by(spec: &AppSpec, port: Option<u16>) -> ReadyBy {
    let policy = &spec.ready;
    if let Some(readiness) = &policy.probe {
        let within = readiness.within;
        return ReadyBy::Sign { within };
    }
    if policy.wait_ready || port.is_some() {
        return ReadyBy::Time(policy.listen_timeout);
    }
    let lived = spec.restart.min_uptime.min(policy.listen_timeout);
    ReadyBy::Time(lived.max(Duration::from_millis(1)))
}

/// Whether `sign` is what a run of `spec` is ready by.
const fn counts(spec: &AppSpec, sign: Sign) -> bool {
    match sign {
        Sign::Probe => spec.ready.probe.is_some(),
        Sign::Notice => match &spec.ready.probe {
            Some(ready) => matches!(ready.probe.check, Check::Notify),
            None => false,
        },
        Sign::Message => spec.ready.probe.is_none() && spec.ready.wait_ready,
        Sign::Port => spec.ready.probe.is_none() && !spec.ready.wait_ready,
    }
}

impl Slot {
    /// The port that a launching instance of `spec` is ready by; `None`: by something else.
    #[must_use]
    pub fn awaited_port(&self, spec: &AppSpec) -> Option<u16> {
        self.port.filter(|_| counts(spec, Sign::Port))
    }

    /// Remembers on which port the current run of `spec` is told to listen, and treats it accordingly.
    pub(super) fn tell_port(&mut self, spec: &AppSpec, port: Option<u16>) {
        self.port = port;
        self.machine.set_policy(policy(spec, port));
    }

    /// The port that nothing listens on yet, where the instance is online all the same.
    #[must_use]
    pub fn silent_port(&self) -> Option<u16> {
        let (port, _) = self.cause.strip_prefix(SILENT)?.split_once(' ')?;
        port.parse().ok()
    }

    /// What becomes of a cause that tells of silence, when the sign comes after all.
    fn at_last(&self) -> Option<String> {
        if self.cause.starts_with(SPEECHLESS) {
            return Some("said that it is ready".to_owned());
        }
        self.silent_port()
            .map(|port| format!("listens on port {port}"))
    }
}

impl Fleet {
    /// A run is about to be given its variables, and this is the port among them.
    pub fn equip(&mut self, key: &RunKey, port: Option<u16>) {
        let Some(app) = self.apps.get_mut(&key.slot.app) else {
            return;
        };
        let Some(slot) = app.slots.get_mut(&key.slot.instance) else {
            return;
        };
        if slot.machine.run() == key.run && slot.port != port {
            slot.tell_port(&app.spec, port);
            self.changes.slots.insert(key.slot.clone());
        }
    }

    /// Whoever looks at the runs begins now: one that is launching has all its time to show a sign.
    pub fn take_up(&mut self, now: Tick) {
        for app in self.apps.values_mut() {
            for slot in app.slots.values_mut() {
                slot.machine.take_up(now);
            }
        }
    }

    pub(super) fn ready(&mut self, now: Tick, key: &RunKey, sign: Sign) {
        let Some(app) = self.app(&key.slot.app) else {
            return;
        };
        if !counts(&app.spec, sign) {
            return;
        }
        self.step(&key.slot, |machine| machine.fact(now, key.run, Fact::Ready));
        let said = self.slot(&key.slot).and_then(Slot::at_last);
        if let Some(said) = said {
            self.reword(&key.slot, said);
        }
    }

    /// A probe counts a run as ill, for this reason.
    pub fn ill(&mut self, now: Tick, key: &RunKey, why: &str) {
        let Some(app) = self.app(&key.slot.app) else {
            return;
        };
        let Some(slot) = app.slots.get(&key.slot.instance) else {
            return;
        };
        let is_meant = slot.machine.run() == key.run
            && matches!(slot.machine.state(), State::Online { .. })
            && slot.machine.want() == Want::Up
            && slot.fate == Fate::Stays;
        let Some(action) = app.spec.liveness.as_ref().map(|liveness| liveness.action) else {
            return;
        };
        match action {
            IllAction::Restart if is_meant => {
                let cause = format!("not alive: {why}");
                self.end_as_ill(now, key, &By::Probe, cause);
            }
            IllAction::Stop if is_meant => {
                let cause = format!("stopped: not alive: {why}");
                self.command(now, &key.slot, Command::Stop, &By::Probe, cause);
            }
            IllAction::Restart | IllAction::Stop | IllAction::Mark => {}
        }
        self.proceed(now);
    }

    /// A run holds more memory than it may. It is as one that is ill: who always holds too much has its chances, and
    /// waits longer and longer for the next.
    pub fn too_large(&mut self, now: Tick, key: &RunKey, cause: String) {
        let is_meant = self.slot(&key.slot).is_some_and(|slot| {
            let lives = matches!(
                slot.machine.state(),
                State::Launching { .. } | State::Online { .. }
            );
            let is_wanted = slot.machine.want() == Want::Up && slot.fate == Fate::Stays;
            slot.machine.run() == key.run && lives && is_wanted
        });
        if is_meant {
            self.end_as_ill(now, key, &By::Memory, cause);
        }
        self.proceed(now);
    }

    fn end_as_ill(&mut self, now: Tick, key: &RunKey, by: &By, cause: String) {
        self.step(&key.slot, |machine| machine.fact(now, key.run, Fact::Ill));
        self.explain(&key.slot, by, cause);
    }

    /// Says what the passing of time meant for a run that was launching.
    pub(super) fn tell_time_is_up(&mut self, key: &SlotKey, board: &Board) {
        let Some((app, slot)) = self.app(&key.app).and_then(|app| {
            let slot = app.slots.get(&key.instance)?;
            Some((app, slot))
        }) else {
            return;
        };
        let cause = match slot.machine.state() {
            State::Online { .. } if app.spec.ready.wait_ready => {
                let waited = span(app.spec.ready.listen_timeout);
                Some((By::Itself, format!("{SPEECHLESS}{waited}")))
            }
            State::Online { .. } => slot
                .port
                .map(|port| (By::Itself, format!("{SILENT}{port} yet"))),
            State::Ending { .. } => {
                let within = app.spec.ready.probe.as_ref().and_then(|it| it.within);
                let health = board.get(&key.run(slot.machine.run()));
                within.map(|within| (By::Probe, not_ready(within, health)))
            }
            State::Stopped
            | State::Spawning { .. }
            | State::Launching { .. }
            | State::Waiting { .. }
            | State::Errored => None,
        };
        if let Some((by, cause)) = cause {
            self.explain(key, &by, cause);
        }
    }
}

fn not_ready(within: Duration, health: Option<&Health>) -> String {
    let within = format!("not ready within {}", span(within));
    match health {
        Some(Health {
            answer: Some(answer),
            ..
        }) => format!("{within}: last answer: {}", answer.text),
        Some(Health { asks, .. }) => format!("{within}: waited for {asks}"),
        None => within,
    }
}
