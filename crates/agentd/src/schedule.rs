//! Telling the supervisor when the clock says that an app is due.
//!
//! ```text
//!  published fleet ─▶ Clockwork: when is each app due next? ─▶ one alarm, at the nearest
//!                          ▲                                       │ rings, or the clock was set
//!                          └───────────────────────────────────────┘ ─▶ Input::Due
//! ```
//!
//! - A time is counted from the moment when it is looked at, so that nothing is made up for: what was due while there was
//!   no agent, while the host slept or while the clock was put forward is done once, or not at all.
//! - A clock that is put back a little tells no time twice. One that is put back far tells another day.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::{AppSpec, Schedule};
use eco_home::clock;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, watch};

use crate::fleet::{AppKey, Fleet, Slot};
use crate::os::alarm::Alarm;
use crate::supervisor::Input;

/// A clock that goes back by more seconds than this was set, and one that goes back by less was corrected.
const CORRECTION: i64 = 60;

/// Where no alarm can be had, until the clock is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Watches the published fleet for apps with a schedule. Ends with the agent.
pub async fn run(published: watch::Receiver<Arc<Fleet>>, inputs: mpsc::Sender<Input>) {
    keep(published, inputs, ring).await;
}

/// The same, by alarms that ring so.
async fn keep(
    mut published: watch::Receiver<Arc<Fleet>>,
    inputs: mpsc::Sender<Input>,
    ring: impl AsyncFn(Option<i64>) -> io::Result<()>,
) {
    let mut clockwork = Clockwork::default();
    let mut hearing = Hearing::Alarms;
    loop {
        clockwork.follow(&published.borrow_and_update(), now());
        for app in clockwork.due(now()) {
            if inputs.send(Input::Due(app)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            changed = published.changed() => if changed.is_err() { return },
            () = hearing.wait(ring(clockwork.next())) => {}
        }
    }
}

/// How it is known that a time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    /// Alarms ring.
    Alarms,
    /// None can be had, which was told: the clock is looked at now and then.
    Looks,
}

impl Hearing {
    /// Waits for an alarm, or for the next look at the clock where it cannot be had.
    async fn wait(&mut self, rung: impl Future<Output = io::Result<()>>) {
        match (rung.await, *self) {
            (Ok(()), Self::Alarms) => {}
            (Ok(()), Self::Looks) => {
                tracing::info!("alarms ring again");
                *self = Self::Alarms;
            }
            (Err(error), before) => {
                if before == Self::Alarms {
                    tracing::error!(%error, "no alarm for the schedules: the clock is looked at each second");
                }
                *self = Self::Looks;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// When the schedule of `spec` means an instance next, since 1970; `None`: it has none, or it was stopped and stays so.
#[must_use]
pub fn next(spec: &AppSpec, slot: &Slot) -> Option<Duration> {
    let schedule = spec.schedule.as_ref().filter(|_| slot.heeds_schedule())?;
    let seconds = u64::try_from(schedule.next_after(now())?).ok()?;
    Some(Duration::from_secs(seconds))
}

/// Seconds since 1970.
fn now() -> i64 {
    i64::try_from(clock::unix().as_secs()).unwrap_or(i64::MAX)
}

/// Returns at that time, or when the clock was set; never, if there is none.
async fn ring(at: Option<i64>) -> io::Result<()> {
    let Some(at) = at else {
        return std::future::pending().await;
    };
    let alarm = Alarm::new()?;
    alarm.set(at)?;
    let alarm = heard(alarm)?;
    alarm.readable().await?.clear_ready();
    Ok(())
}

#[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
fn heard(alarm: Alarm) -> io::Result<AsyncFd<Alarm>> {
    // SAFETY: the alarm owns its descriptor, which is valid for as long as it lives, and hands it to nobody else.
    Ok(unsafe { AsyncFd::register_with_interest(alarm, Interest::READABLE) }?)
}

/// Which apps have a schedule, and when they are due next: pure.
#[derive(Debug, Default)]
struct Clockwork {
    apps: BTreeMap<AppKey, Hand>,
    looked_at: i64,
}

/// One app's schedule.
#[derive(Debug)]
struct Hand {
    schedule: Schedule,
    /// `None`: never again.
    at: Option<i64>,
}

impl Clockwork {
    /// Takes the schedules of a fleet over. What is new, or not as it was, counts from `now`.
    fn follow(&mut self, fleet: &Fleet, now: i64) {
        let schedule = |key: &AppKey| fleet.app(key)?.spec.schedule.as_ref();
        self.apps
            .retain(|key, hand| schedule(key) == Some(&hand.schedule));
        for (key, app) in fleet.apps() {
            if let (Some(schedule), false) = (&app.spec.schedule, self.apps.contains_key(key)) {
                let hand = Hand {
                    at: schedule.next_after(now),
                    schedule: schedule.clone(),
                };
                self.apps.insert(key.clone(), hand);
            }
        }
    }

    /// The apps that are due at `now`, each once however long ago it was due.
    fn due(&mut self, now: i64) -> Vec<AppKey> {
        let was_set_back = now < self.looked_at - CORRECTION;
        self.looked_at = now;
        let mut due = Vec::new();
        for (key, hand) in &mut self.apps {
            let is_due = hand.at.is_some_and(|at| at <= now);
            if is_due {
                due.push(key.clone());
            }
            if is_due || was_set_back {
                hand.at = hand.schedule.next_after(now);
            }
        }
        due
    }

    /// When the next one is due.
    fn next(&self) -> Option<i64> {
        self.apps.values().filter_map(|hand| hand.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::spec;
    use crate::fleet::By;
    use crate::fleet::apply::Application;

    /// 2024-02-28 00:00:00 UTC.
    const MIDNIGHT: i64 = 1_709_078_400;
    const HOUR: i64 = 3600;

    fn fleet(apps: &[(&str, &str)]) -> Fleet {
        let specs = apps.iter().map(|(name, pattern)| {
            let mut spec = spec("dev", name);
            spec.schedule = Some(Schedule::new(pattern, Some("UTC")).expect("a pattern"));
            spec
        });
        let mut fleet = Fleet::default();
        let application = Application::of(specs.collect());
        fleet.apply(Duration::ZERO, &By::Boot, application);
        fleet
    }

    fn clockwork(apps: &[(&str, &str)]) -> Clockwork {
        let mut clockwork = Clockwork::default();
        clockwork.follow(&fleet(apps), MIDNIGHT);
        assert!(clockwork.due(MIDNIGHT).is_empty());
        clockwork
    }

    fn names(due: Vec<AppKey>) -> Vec<String> {
        due.into_iter().map(|key| key.name).collect()
    }

    #[test]
    fn each_app_is_due_at_its_own_time_and_once() {
        let mut clockwork = clockwork(&[("a", "0 3 * * *"), ("b", "30 * * * *")]);
        assert_eq!(clockwork.next(), Some(MIDNIGHT + HOUR / 2));
        assert!(clockwork.due(MIDNIGHT + HOUR / 2 - 1).is_empty());
        assert_eq!(names(clockwork.due(MIDNIGHT + HOUR / 2)), ["b"]);
        assert!(clockwork.due(MIDNIGHT + HOUR / 2).is_empty());
        assert_eq!(clockwork.next(), Some(MIDNIGHT + HOUR * 3 / 2));
    }

    #[test]
    fn what_was_due_many_times_while_the_host_slept_is_done_once() {
        let mut clockwork = clockwork(&[("a", "* * * * *")]);
        let later = MIDNIGHT + 8 * HOUR + 5;
        assert_eq!(names(clockwork.due(later)), ["a"]);
        assert_eq!(clockwork.next(), Some(MIDNIGHT + 8 * HOUR + 60));
    }

    #[test]
    fn a_clock_that_is_corrected_tells_no_time_twice() {
        let mut clockwork = clockwork(&[("a", "0 3 * * *")]);
        assert_eq!(names(clockwork.due(MIDNIGHT + 3 * HOUR)), ["a"]);
        assert!(clockwork.due(MIDNIGHT + 3 * HOUR - 2).is_empty());
        assert!(clockwork.due(MIDNIGHT + 3 * HOUR).is_empty());
        assert_eq!(clockwork.next(), Some(MIDNIGHT + 27 * HOUR));
    }

    #[test]
    fn a_clock_that_is_put_back_far_tells_another_day() {
        let mut clockwork = clockwork(&[("a", "0 3 * * *")]);
        assert_eq!(names(clockwork.due(MIDNIGHT + 3 * HOUR)), ["a"]);
        assert!(clockwork.due(MIDNIGHT - 24 * HOUR).is_empty());
        assert_eq!(clockwork.next(), Some(MIDNIGHT - 21 * HOUR));
    }

    #[test]
    fn another_pattern_counts_from_now_and_one_that_is_gone_is_never_due() {
        let mut clockwork = clockwork(&[("a", "0 3 * * *"), ("b", "0 3 * * *")]);
        clockwork.follow(&fleet(&[("a", "0 2 * * *")]), MIDNIGHT + HOUR);
        assert_eq!(clockwork.next(), Some(MIDNIGHT + 2 * HOUR));
        assert_eq!(names(clockwork.due(MIDNIGHT + 4 * HOUR)), ["a"]);
        clockwork.follow(&Fleet::default(), MIDNIGHT);
        assert_eq!(clockwork.next(), None);
    }

    #[tokio::test]
    async fn a_time_is_kept_also_where_no_alarm_can_be_had() {
        let (_publisher, published) = watch::channel(Arc::new(fleet(&[("a", "* * * * * *")])));
        let (inputs, mut given) = mpsc::channel(4);
        let refused = async |_| Err(io::Error::other("too many open files"));
        tokio::select! {
            () = keep(published, inputs, refused) => panic!("it gave up"),
            due = given.recv() => assert!(matches!(due, Some(Input::Due(app)) if app.name == "a")),
        }
    }

    #[tokio::test]
    async fn a_time_that_has_passed_rings_at_once() {
        ring(Some(1)).await.expect("rung");
    }
}
