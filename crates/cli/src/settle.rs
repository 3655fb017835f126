//! Whether what was asked for has come about.
//!
//! ```text
//!  goal Up     online, and still the same run a moment later ─▶ Up       stopped by itself with code 0 ─▶ Ended
//!              errored, stopped, gone ─▶ Failed                          three unstable ends in a row  ─▶ KeepsFailing
//!              waits for what does not come about by itself, or for what failed here ─▶ Blocked
//!  goal Down   stopped, errored, gone ─▶ Down                            up again with a later run     ─▶ Failed
//!  goal Gone   not in the list        ─▶ Gone
//! ```
//!
//! - An instance may still be shown as it was before the request: what is said of an earlier run decides nothing.
//! - A process that is up for a moment is not up yet. Most starts that fail do so at once: a port is taken, a module is
//!   missing. So Up is only said when a run has stayed online for [`STEADY`]. A oneshot is waited for to its end.
//! - Pure: time is passed in; the caller waits for [`Settling::deadline`] or the next list.

#[cfg(test)]
mod tests;
mod wait;

use std::collections::BTreeSet;
use std::time::Duration;

use eco_proto::agent::v1::by::Who;
use eco_proto::agent::v1::exit::How;
use eco_proto::agent::v1::{self as pb, Instance, Status, health};

use wait::Wait;

/// How long a run must have been online to count as up.
pub(crate) const STEADY: Duration = Duration::from_millis(500);
/// Unstable ends after which waiting on is pointless.
const UNSTABLE: u32 = 3;

/// What an instance is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Running.
    Up,
    /// At rest.
    Down,
    /// No longer known.
    Gone,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Runs.
    Up,
    /// Ran, and ended well of its own accord.
    Ended(String),
    /// Rests.
    Down,
    /// Is no longer known.
    Gone,
    /// Did not get there, and nothing more will happen.
    Failed(String),
    /// Did not get there, and eco goes on trying.
    KeepsFailing(String),
    /// Has not begun, and does so when somebody brings up what it waits for.
    Blocked {
        /// What it waits for.
        on: String,
        /// Why.
        cause: String,
    },
    /// Had not got there when the time was up.
    TimedOut(String),
}

impl Verdict {
    /// Whether the goal was missed.
    pub(crate) const fn is_failure(&self) -> bool {
        match self {
            Self::Up | Self::Ended(_) | Self::Down | Self::Gone => false,
            Self::Failed(_) | Self::KeepsFailing(_) | Self::Blocked { .. } | Self::TimedOut(_) => {
                true
            }
        }
    }
}

/// How the cause begins of what counts as online because of the time alone.
const BY_TIME: &str = "online; ";

/// One instance that is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    /// What it belongs to.
    pub(crate) environment: String,
    /// The app.
    pub(crate) name: String,
    /// The slot.
    pub(crate) instance: u32,
    /// What it is to become.
    pub(crate) goal: Goal,
    /// The run that is waited for, or that is to end.
    pub(crate) run: u64,
    /// What became of it, once that is known.
    pub(crate) verdict: Option<Verdict>,
    /// What is to be said of it although it has come about.
    pub(crate) remark: Option<String>,
    online: Option<Online>,
    wait: Wait,
    last_seen: String,
    /// What it was seen to wait for before it begins.
    needs: Vec<pb::Wait>,
}

/// A run seen online, and since when.
#[derive(Clone, Copy, Debug)]
struct Online {
    run: u64,
    since: Duration,
}

impl Awaited {
    /// Waits for an instance.
    pub(crate) fn new(environment: &str, name: &str, instance: u32, goal: Goal, run: u64) -> Self {
        Self {
            environment: environment.to_owned(),
            name: name.to_owned(),
            instance,
            goal,
            run,
            verdict: None,
            remark: None,
            online: None,
            wait: Wait::default(),
            last_seen: "nothing is known of it yet".to_owned(),
            needs: Vec::new(),
        }
    }

    /// What its probe hears, as long as it is not ready.
    pub(crate) fn waits_for(&self) -> Option<&str> {
        self.wait.text()
    }

    /// Whether `instance` is the one.
    pub(crate) fn is(&self, instance: &Instance) -> bool {
        self.instance == instance.instance
            && self.name == instance.name
            && self.environment == instance.environment
    }

    fn judge(&mut self, instance: Option<&Instance>, now: Duration) -> Option<Verdict> {
        let Some(instance) = instance else {
            return Some(match self.goal {
                Goal::Up => Verdict::Failed("it was deleted meanwhile".to_owned()),
                Goal::Down => Verdict::Down,
                Goal::Gone => Verdict::Gone,
            });
        };
        self.last_seen = described(instance);
        self.needs.clone_from(&instance.waits);
        match self.goal {
            Goal::Up => self.blocked().or_else(|| self.judge_up(instance, now)),
            Goal::Down => self.judge_down(instance),
            Goal::Gone => None,
        }
    }

    /// Whether it waits for what does not come about by itself.
    fn blocked(&self) -> Option<Verdict> {
        let stuck = self.needs.iter().find(|wait| wait.stuck)?;
        Some(Verdict::Blocked {
            on: stuck.on.clone(),
            cause: format!("waits for {}", stuck.text),
        })
    }

    /// Whether it waits for one of `failed`.
    fn blocked_by(&self, failed: &BTreeSet<String>) -> Option<Verdict> {
        let wait = self.needs.iter().find(|wait| failed.contains(&wait.on))?;
        (self.verdict.is_none() && self.goal == Goal::Up).then(|| Verdict::Blocked {
            on: wait.on.clone(),
            cause: format!("waits for {}", wait.text),
        })
    }

    /// `environment/name`.
    pub(crate) fn app(&self) -> String {
        format!("{}/{}", self.environment, self.name)
    }

    fn judge_up(&mut self, instance: &Instance, now: Duration) -> Option<Verdict> {
        self.online = self.online.filter(|online| online.run == instance.run);
        if instance.run < self.run {
            return None;
        }
        self.wait.observe(instance, now);
        match instance.status() {
            Status::Online if instance.oneshot => None,
            Status::Online => {
                self.remark = remark(instance).map(str::to_owned);
                let uptime = Duration::from_millis(instance.uptime_ms.unwrap_or(0));
                let online = self.online.get_or_insert(Online {
                    run: instance.run,
                    since: now.saturating_sub(uptime),
                });
                (now >= online.since + STEADY).then_some(Verdict::Up)
            }
            Status::Errored => Some(Verdict::Failed(described(instance))),
            Status::Stopped => Some(if ended_well(instance) {
                Verdict::Ended(instance.cause.clone())
            } else {
                Verdict::Failed(described(instance))
            }),
            Status::Launching | Status::Stopping | Status::WaitingRestart | Status::Unspecified => {
                self.online = None;
                self.remark = None;
                self.keeps_failing(instance)
            }
        }
    }

    /// The count may be of an earlier life; that many ends of this one need that many runs. One that was not ready in all
    /// the time that it had is no better at the next attempt.
    fn keeps_failing(&self, instance: &Instance) -> Option<Verdict> {
        let ends_enough = instance.run >= self.run + u64::from(UNSTABLE) - 1;
        let dies_again = instance.unstable_restarts >= UNSTABLE && ends_enough;
        let is_found_wanting = instance.last_exit.as_ref().is_some_and(|exit| {
            exit.run >= self.run && exit.by.as_ref().is_some_and(|by| by.who() == Who::Probe)
        });
        (dies_again || is_found_wanting).then(|| Verdict::KeepsFailing(instance.cause.clone()))
    }

    fn judge_down(&self, instance: &Instance) -> Option<Verdict> {
        match instance.status() {
            Status::Stopped | Status::Errored => Some(Verdict::Down),
            Status::Online | Status::Launching if instance.run > self.run => {
                Some(Verdict::Failed("it was started again meanwhile".to_owned()))
            }
            Status::Online
            | Status::Launching
            | Status::Stopping
            | Status::WaitingRestart
            | Status::Unspecified => None,
        }
    }
}

/// All instances that are waited for.
#[derive(Clone, Debug)]
pub(crate) struct Settling {
    awaited: Vec<Awaited>,
}

impl Settling {
    /// Waits for all of these.
    pub(crate) fn new(awaited: Vec<Awaited>) -> Self {
        Self { awaited }
    }

    /// All that is waited for.
    pub(crate) fn awaited(&self) -> &[Awaited] {
        &self.awaited
    }

    /// Whether all is known.
    pub(crate) fn is_done(&self) -> bool {
        self.awaited.iter().all(|awaited| awaited.verdict.is_some())
    }

    /// Takes in a whole list, and returns what became known by it.
    pub(crate) fn observe(&mut self, instances: &[Instance], now: Duration) -> Vec<Awaited> {
        let mut settled = self.settle(|awaited| {
            let instance = instances.iter().find(|instance| awaited.is(instance));
            awaited.judge(instance, now)
        });
        // One that waits for what was just seen to fail waits in vain, and so do those that wait for it.
        loop {
            let failed = self.failed();
            let blocked = self.settle(|awaited| awaited.blocked_by(&failed));
            if blocked.is_empty() {
                return settled;
            }
            settled.extend(blocked);
        }
    }

    /// The apps of which an instance has failed, by their full names.
    fn failed(&self) -> BTreeSet<String> {
        let is_failure = |one: &&Awaited| one.verdict.as_ref().is_some_and(Verdict::is_failure);
        let failed = self.awaited.iter().filter(is_failure);
        failed.map(Awaited::app).collect()
    }

    /// Returns what became known by time passing.
    pub(crate) fn wake(&mut self, now: Duration) -> Vec<Awaited> {
        self.settle(|awaited| {
            awaited
                .online
                .filter(|online| now >= online.since + STEADY)
                .map(|_| Verdict::Up)
        })
    }

    /// Returns those of whose wait something is to be told.
    pub(crate) fn tell_waits(&mut self, now: Duration) -> Vec<Awaited> {
        let waiting = self.awaited.iter_mut().filter(|one| one.verdict.is_none());
        waiting
            .filter_map(|awaited| awaited.wait.tell(now).then(|| awaited.clone()))
            .collect()
    }

    /// Gives up on the rest, and returns it.
    pub(crate) fn give_up(&mut self) -> Vec<Awaited> {
        self.settle(|awaited| Some(Verdict::TimedOut(awaited.last_seen.clone())))
    }

    /// When [`Self::wake`] or [`Self::tell_waits`] has something to say.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let due = |awaited: &Awaited| {
            let steady = awaited.online.map(|online| online.since + STEADY);
            steady.into_iter().chain(awaited.wait.due()).min()
        };
        self.awaited
            .iter()
            .filter(|awaited| awaited.verdict.is_none())
            .filter_map(due)
            .min()
    }

    fn settle(&mut self, mut judge: impl FnMut(&mut Awaited) -> Option<Verdict>) -> Vec<Awaited> {
        let mut settled = Vec::new();
        for awaited in &mut self.awaited {
            if awaited.verdict.is_some() {
                continue;
            }
            awaited.verdict = judge(awaited);
            if awaited.verdict.is_some() {
                settled.push(awaited.clone());
            }
        }
        settled
    }
}

fn ended_well(instance: &Instance) -> bool {
    instance
        .last_exit
        .as_ref()
        .is_some_and(|exit| exit.run == instance.run && exit.how == Some(How::Code(0)))
}

fn described(instance: &Instance) -> String {
    let status = crate::view::list::status_name(instance.status());
    let cause = Some(instance.cause.as_str()).filter(|cause| !cause.is_empty());
    let said: Vec<&str> = cause.into_iter().chain(unhealthy(instance)).collect();
    if said.is_empty() {
        status.to_owned()
    } else {
        format!("{status}: {}", said.join("; "))
    }
}

/// What is to be said of an instance that is online: that it is so by the time alone, or is not well.
fn remark(instance: &Instance) -> Option<&str> {
    unhealthy(instance).or_else(|| instance.cause.strip_prefix(BY_TIME))
}

/// What the probe of an instance that is not known to be well heard last.
fn unhealthy(instance: &Instance) -> Option<&str> {
    let health = instance.health.as_ref()?;
    match health.verdict() {
        health::Verdict::Healthy => None,
        health::Verdict::Unknown | health::Verdict::Unhealthy | health::Verdict::Unspecified => {
            Some(health.answer.as_str()).filter(|answer| !answer.is_empty())
        }
    }
}
