//! Whether a run says `WATCHDOG=1` often enough.

use std::time::Duration;

use tokio::sync::watch;

use super::judge::Reply;
use crate::fleet::{RunKey, span};
use crate::machine::Tick;
use crate::voices::Voices;

/// The watchdog of one run.
#[derive(Clone, Debug)]
pub(super) struct Watchdog {
    key: RunKey,
    voices: watch::Receiver<Voices>,
    interval: Duration,
    /// What was said before is not known.
    began: Tick,
}

impl Watchdog {
    /// Listens from `began` on.
    pub(super) const fn new(
        key: RunKey,
        voices: watch::Receiver<Voices>,
        interval: Duration,
        began: Tick,
    ) -> Self {
        Self {
            key,
            voices,
            interval,
            began,
        }
    }

    /// Whether it was heard within the last interval.
    pub(super) fn ask(&self, now: Tick) -> Reply {
        let heard = self
            .voices
            .borrow()
            .get(&self.key)
            .and_then(|voice| voice.alive_at);
        let silent = now.saturating_sub(heard.map_or(self.began, |at| at.max(self.began)));
        if silent <= self.interval {
            Reply::Well("said WATCHDOG=1".to_owned())
        } else {
            Reply::Failed(format!("did not say WATCHDOG=1 for {}", span(silent)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::AppKey;
    use crate::voices::Voice;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(run: u64) -> RunKey {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
        };
        app.slot(0).run(run)
    }

    #[test]
    fn it_has_to_be_heard_once_in_each_interval_and_of_this_run() {
        let (voices, heard) = watch::channel(Voices::new());
        let watchdog = Watchdog::new(key(2), heard, 10 * SECOND, 100 * SECOND);
        let says = |run, at| {
            let voice = Voice {
                alive_at: Some(at),
                ..Voice::default()
            };
            voices.send_modify(|voices| drop(voices.insert(key(run), voice.clone())));
        };
        let is_well = |now| matches!(watchdog.ask(now), Reply::Well(_));
        assert!(is_well(110 * SECOND));
        assert!(!is_well(111 * SECOND));
        says(1, 111 * SECOND);
        assert!(!is_well(111 * SECOND));
        says(2, 111 * SECOND);
        assert!(is_well(121 * SECOND));
        let late = watchdog.ask(122 * SECOND);
        assert_eq!(
            late,
            Reply::Failed("did not say WATCHDOG=1 for 11 s".to_owned())
        );
    }
}
