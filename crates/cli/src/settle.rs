//! Whether what was asked for has come about.
//!
//! ```text
//!  goal Up     online, and still the same run a moment later ─▶ Up       stopped by itself with code 0 ─▶ Ended
//!              errored, stopped, gone ─▶ Failed                          three unstable ends in a row  ─▶ KeepsFailing
//!  goal Down   stopped, errored, gone ─▶ Down                            up again with a later run     ─▶ Failed
//!  goal Gone   not in the list        ─▶ Gone
//! ```
//!
//! - An instance may still be shown as it was before the request: what is said of an earlier run decides nothing.
//! - A process that is up for a moment is not up yet. Most starts that fail do so at once: a port is taken, a module is
//!   missing. So Up is only said when a run has stayed online for [`STEADY`].
//! - Pure: time is passed in; the caller waits for [`Settling::deadline`] or the next list.

mod wait;

use std::time::Duration;

use eco_proto::agent::v1::by::Who;
use eco_proto::agent::v1::exit::How;
use eco_proto::agent::v1::health;
use eco_proto::agent::v1::{Instance, Status};

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
    /// Had not got there when the time was up.
    TimedOut(String),
}

impl Verdict {
    /// Whether the goal was missed.
    pub(crate) const fn is_failure(&self) -> bool {
        match self {
            Self::Up | Self::Ended(_) | Self::Down | Self::Gone => false,
            Self::Failed(_) | Self::KeepsFailing(_) | Self::TimedOut(_) => true,
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
        match self.goal {
            Goal::Up => self.judge_up(instance, now),
            Goal::Down => self.judge_down(instance),
            Goal::Gone => None,
        }
    }

    fn judge_up(&mut self, instance: &Instance, now: Duration) -> Option<Verdict> {
        self.online = self.online.filter(|online| online.run == instance.run);
        if instance.run < self.run {
            return None;
        }
        self.wait.observe(instance, now);
        match instance.status() {
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
        self.settle(|awaited| {
            let instance = instances.iter().find(|instance| awaited.is(instance));
            awaited.judge(instance, now)
        })
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

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::{By, Exit, Health};

    use super::*;

    const T0: Duration = Duration::from_secs(100);

    fn instance(status: Status, run: u64) -> Instance {
        Instance {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
            status: status.into(),
            run,
            cause: "exited with code 3".to_owned(),
            ..Instance::default()
        }
    }

    fn waiting(goal: Goal, run: u64) -> Settling {
        Settling::new(vec![Awaited::new("dev", "api", 0, goal, run)])
    }

    fn verdict(settling: &Settling) -> Option<Verdict> {
        settling.awaited()[0].verdict.clone()
    }

    #[test]
    fn a_run_that_stays_online_is_up_only_after_a_moment() {
        let mut settling = waiting(Goal::Up, 2);
        settling.observe(&[instance(Status::Online, 2)], T0);
        assert_eq!(verdict(&settling), None);
        assert_eq!(settling.deadline(), Some(T0 + STEADY));
        assert_eq!(settling.wake(T0 + STEADY).len(), 1);
        assert_eq!(verdict(&settling), Some(Verdict::Up));
        assert!(settling.is_done());
    }

    #[test]
    fn one_that_is_up_by_time_and_by_no_sign_of_its_own_has_a_remark() {
        let mut settling = waiting(Goal::Up, 2);
        let silent = Instance {
            uptime_ms: Some(9000),
            cause: "online; did not say that it is ready within 3.0 s".to_owned(),
            ..instance(Status::Online, 2)
        };
        settling.observe(&[silent], T0);
        assert_eq!(verdict(&settling), Some(Verdict::Up));
        let remark = settling.awaited()[0].remark.as_deref();
        assert_eq!(remark, Some("did not say that it is ready within 3.0 s"));
    }

    #[test]
    fn the_agent_s_uptime_counts_for_that_moment() {
        let mut settling = waiting(Goal::Up, 2);
        let old = Instance {
            uptime_ms: Some(9000),
            ..instance(Status::Online, 2)
        };
        settling.observe(&[old], T0);
        assert_eq!(verdict(&settling), Some(Verdict::Up));
    }

    #[test]
    fn an_earlier_run_decides_nothing() {
        for status in [Status::Online, Status::Errored, Status::Stopped] {
            let mut settling = waiting(Goal::Up, 2);
            settling.observe(&[instance(status, 1)], T0);
            assert_eq!(verdict(&settling), None, "{status:?}");
            assert_eq!(settling.deadline(), None);
        }
    }

    #[test]
    fn a_run_that_ends_within_the_moment_is_not_up() {
        let mut settling = waiting(Goal::Up, 2);
        settling.observe(&[instance(Status::Online, 2)], T0);
        settling.observe(&[instance(Status::Online, 3)], T0 + STEADY / 2);
        assert_eq!(settling.wake(T0 + STEADY).len(), 0);
        settling.observe(&[instance(Status::Errored, 3)], T0 + STEADY);
        assert_eq!(
            verdict(&settling),
            Some(Verdict::Failed("errored: exited with code 3".to_owned()))
        );
    }

    #[test]
    fn three_unstable_ends_of_this_request_keep_failing() {
        let mut settling = waiting(Goal::Up, 5);
        let waiting_with = |run| Instance {
            unstable_restarts: 3,
            ..instance(Status::WaitingRestart, run)
        };
        settling.observe(&[waiting_with(5)], T0);
        assert_eq!(verdict(&settling), None, "the count is of earlier runs");
        settling.observe(&[waiting_with(7)], T0);
        assert_eq!(
            verdict(&settling),
            Some(Verdict::KeepsFailing("exited with code 3".to_owned()))
        );
    }

    #[test]
    fn one_whose_probe_ended_it_keeps_failing_at_once() {
        let mut settling = waiting(Goal::Up, 5);
        let ended_by_its_probe = |run| Instance {
            last_exit: Some(Exit {
                run,
                by: Some(By {
                    who: Who::Probe.into(),
                    ..By::default()
                }),
                ..Exit::default()
            }),
            ..instance(Status::Launching, run + 1)
        };
        settling.observe(&[ended_by_its_probe(4)], T0);
        assert_eq!(verdict(&settling), None, "that was before");
        settling.observe(&[ended_by_its_probe(5)], T0);
        assert_eq!(
            verdict(&settling),
            Some(Verdict::KeepsFailing("exited with code 3".to_owned()))
        );
    }

    #[test]
    fn a_job_that_ends_well_has_not_failed() {
        let mut settling = waiting(Goal::Up, 1);
        let ended = Instance {
            last_exit: Some(Exit {
                run: 1,
                how: Some(How::Code(0)),
                ..Exit::default()
            }),
            ..instance(Status::Stopped, 1)
        };
        settling.observe(&[ended], T0);
        assert!(verdict(&settling).is_some_and(|verdict| !verdict.is_failure()));
    }

    #[test]
    fn what_is_deleted_while_it_starts_has_failed() {
        let mut settling = waiting(Goal::Up, 1);
        settling.observe(&[], T0);
        assert!(verdict(&settling).is_some_and(|verdict| verdict.is_failure()));
    }

    #[test]
    fn stopping_is_not_stopped() {
        let mut settling = waiting(Goal::Down, 4);
        settling.observe(&[instance(Status::Stopping, 4)], T0);
        assert_eq!(verdict(&settling), None);
        settling.observe(&[instance(Status::Stopped, 4)], T0);
        assert_eq!(verdict(&settling), Some(Verdict::Down));
    }

    #[test]
    fn a_start_by_another_person_ends_the_wait_for_a_stop() {
        let mut settling = waiting(Goal::Down, 4);
        settling.observe(&[instance(Status::Online, 5)], T0);
        assert!(verdict(&settling).is_some_and(|verdict| verdict.is_failure()));
    }

    #[test]
    fn gone_is_gone_only_from_the_list() {
        let mut settling = waiting(Goal::Gone, 4);
        settling.observe(&[instance(Status::Stopped, 4)], T0);
        assert_eq!(verdict(&settling), None);
        settling.observe(&[], T0);
        assert_eq!(verdict(&settling), Some(Verdict::Gone));
    }

    #[test]
    fn one_that_is_online_and_not_well_is_up_with_a_remark() {
        let mut settling = waiting(Goal::Up, 1);
        let unwell = Instance {
            uptime_ms: Some(9000),
            health: Some(Health {
                verdict: health::Verdict::Unknown.into(),
                answer: "nothing listens on port 3000 yet".to_owned(),
                ..Health::default()
            }),
            ..instance(Status::Online, 1)
        };
        let settled = settling.observe(&[unwell], T0);
        assert_eq!(verdict(&settling), Some(Verdict::Up));
        let remark = settled[0].remark.as_deref();
        assert_eq!(remark, Some("nothing listens on port 3000 yet"));
    }

    #[test]
    fn giving_up_says_what_was_seen_last() {
        let mut settling = waiting(Goal::Up, 1);
        let launching = Instance {
            cause: String::new(),
            ..instance(Status::Launching, 1)
        };
        settling.observe(&[launching], T0);
        settling.give_up();
        assert_eq!(
            verdict(&settling),
            Some(Verdict::TimedOut("launching".to_owned()))
        );
    }
}
