//! What a person is told while an instance is not ready: what its probe hears, and not too often. Pure.

use std::time::Duration;

use eco_proto::agent::v1::{Instance, Status};

/// Most instances are ready before anything needs to be said.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tellings of one instance.
const SELDOM: Duration = Duration::from_secs(10);

/// The wait for one instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Wait {
    heard: Option<Heard>,
    /// When something may be told again; nothing was told yet: [`None`].
    told_at: Option<Duration>,
}

/// What its probe hears.
#[derive(Clone, Debug)]
struct Heard {
    text: String,
    since: Duration,
    is_told: bool,
}

impl Wait {
    /// Takes in what is known of the instance.
    pub(super) fn observe(&mut self, instance: &Instance, now: Duration) {
        let text = match instance.status() {
            Status::Launching => heard(instance),
            Status::Online
            | Status::Stopping
            | Status::Stopped
            | Status::Errored
            | Status::WaitingRestart
            | Status::Unspecified => None,
        };
        self.heard = text.map(|text| match self.heard.take() {
            Some(heard) if heard.text == text => heard,
            before => Heard {
                text,
                since: before.map_or(now, |before| before.since),
                is_told: false,
            },
        });
    }

    /// What its probe hears now.
    pub(super) fn text(&self) -> Option<&str> {
        self.heard.as_ref().map(|heard| heard.text.as_str())
    }

    /// When there is something to tell.
    pub(super) fn due(&self) -> Option<Duration> {
        let heard = self.heard.as_ref().filter(|heard| !heard.is_told)?;
        let again = self.told_at.map_or(Duration::ZERO, |at| at + SELDOM);
        Some(again.max(heard.since + PATIENCE))
    }

    /// Whether something is to be told now, which it is then.
    pub(super) fn tell(&mut self, now: Duration) -> bool {
        let is_due = self.due().is_some_and(|due| now >= due);
        if let (true, Some(heard)) = (is_due, &mut self.heard) {
            heard.is_told = true;
            self.told_at = Some(now);
        }
        is_due
    }
}

/// The last answer, or what is asked for as long as there is none.
fn heard(instance: &Instance) -> Option<String> {
    let health = instance.health.as_ref()?;
    if !health.answer.is_empty() {
        return Some(health.answer.clone());
    }
    (!health.asks.is_empty()).then(|| format!("waiting for {}", health.asks))
}

#[cfg(test)]
mod tests {
    use eco_proto::agent::v1::Health;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn launching(answer: &str) -> Instance {
        Instance {
            status: Status::Launching.into(),
            health: Some(Health {
                asks: "port 3000".to_owned(),
                answer: answer.to_owned(),
                ..Health::default()
            }),
            ..Instance::default()
        }
    }

    #[test]
    fn one_that_is_ready_soon_is_not_spoken_of() {
        let mut wait = Wait::default();
        wait.observe(&launching("refused"), SECOND);
        assert!(!wait.tell(2 * SECOND));
        let online = Instance {
            status: Status::Online.into(),
            ..Instance::default()
        };
        wait.observe(&online, 2 * SECOND);
        assert_eq!((wait.due(), wait.text()), (None, None));
        assert!(!wait.tell(99 * SECOND));
    }

    #[test]
    fn what_is_heard_is_told_once_and_something_else_after_a_while() {
        let mut wait = Wait::default();
        wait.observe(&launching("refused"), SECOND);
        assert_eq!(wait.due(), Some(3 * SECOND));
        assert!(wait.tell(3 * SECOND));
        wait.observe(&launching("refused"), 4 * SECOND);
        assert_eq!(wait.due(), None);
        wait.observe(&launching("answered 503"), 5 * SECOND);
        assert!(!wait.tell(12 * SECOND));
        assert!(wait.tell(13 * SECOND));
    }

    #[test]
    fn before_the_first_answer_it_is_said_what_is_asked_for() {
        let mut wait = Wait::default();
        wait.observe(&launching(""), SECOND);
        assert_eq!(wait.text(), Some("waiting for port 3000"));
    }
}
