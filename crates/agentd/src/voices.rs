//! What living runs say besides their output: over Node's channel, and through `NOTIFY_SOCKET`.
//!
//! ```text
//!   keeper's client ──News──▶ voices ──facts, "ready", READY=1, in their order──▶ supervisor
//!                               ├──▶ snapshot: channel, metrics, actions, status ──▶ rpc, supervisor
//!                               └──▶ answers ──▶ whoever asked an app to do something
//! ```
//!
//! An app may say a thousand things a second; only what changes an instance reaches the supervisor. What is kept here is
//! kept in memory, has bounds, and is gone with the run, or with the agent: apps tell their metrics again and again, and
//! their actions when they begin.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use eco_home::clock;
use tokio::sync::{broadcast, mpsc, watch};

use crate::fleet::{Greeting, Report, RunKey};
use crate::keeper::News;
use crate::message::{Action, Answer, Message, Metric};
use crate::notification::Notification;
use crate::supervisor::Input;

/// The most metrics, and the most actions, of one run.
const MOST: usize = 256;

/// Answers that may wait for the slowest of those who wait for one.
const ANSWERS: usize = 1024;

/// Whether a run can be spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// It has no channel: begun without one, or lost it with its keeper.
    #[default]
    None,
    /// It has.
    Open,
    /// It closed its end.
    Closed,
}

/// Since when we listen to a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Heard {
    /// It was there before us: what it said once, such as what it can be asked to do, is not known.
    #[default]
    Later,
    /// Since its start.
    SinceItsStart,
}

/// What one run said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    /// Whether it can be spoken to.
    pub channel: Channel,
    /// Since when we listen.
    pub heard: Heard,
    /// Its numbers, by name.
    pub metrics: BTreeMap<String, Metric>,
    /// What it can be asked to do, by name.
    pub actions: BTreeMap<String, Action>,
    /// What it is doing, in its words.
    pub status: Option<String>,
    /// Whether it said `STOPPING=1`: it ends by its own wish, and is about to be gone.
    pub is_stopping: bool,
    /// When it last said `WATCHDOG=1`, since boot.
    pub alive_at: Option<Duration>,
}

/// All runs that said something, or can be spoken to.
pub type Voices = BTreeMap<RunKey, Voice>;

/// What an app answered to something that it was asked to do.
pub type Reply = Arc<(RunKey, Answer)>;

/// What others hold of it.
#[derive(Clone, Debug)]
pub struct Ears {
    /// What is said.
    pub voices: watch::Receiver<Voices>,
    /// What is answered, from now on.
    pub replies: broadcast::Sender<Reply>,
}

/// Takes what the keeper's client hears.
#[derive(Debug)]
pub struct Listener {
    heard: mpsc::Receiver<News>,
    inputs: mpsc::Sender<Input>,
    voices: watch::Sender<Voices>,
    replies: broadcast::Sender<Reply>,
}

/// A listener, and what others hold of it.
#[must_use]
pub fn listen(heard: mpsc::Receiver<News>, inputs: mpsc::Sender<Input>) -> (Listener, Ears) {
    let (voices, seen) = watch::channel(Voices::new());
    let (replies, _) = broadcast::channel(ANSWERS);
    let ears = Ears {
        voices: seen,
        replies: replies.clone(),
    };
    let listener = Listener {
        heard,
        inputs,
        voices,
        replies,
    };
    (listener, ears)
}

impl Listener {
    /// Listens until the keeper's client, or the supervisor, is gone.
    pub async fn run(mut self) {
        while let Some(news) = self.heard.recv().await {
            if let Some(news) = self.take(news)
                && self.inputs.send(Input::News(news)).await.is_err()
            {
                return;
            }
        }
    }

    /// Notes what is said. Returns what the supervisor has to hear.
    fn take(&self, news: News) -> Option<News> {
        match news {
            News::Met {
                epoch,
                greeting,
                open,
            } => {
                self.voices
                    .send_modify(|voices| meet(voices, &greeting, open.clone()));
                Some(News::Met {
                    epoch,
                    greeting,
                    open,
                })
            }
            News::Report(key, report) => {
                if matches!(report, Report::Gone | Report::SpawnFailed { .. }) {
                    self.voices
                        .send_if_modified(|voices| voices.remove(&key).is_some());
                }
                Some(News::Report(key, report))
            }
            News::Channel(key, channel) => {
                self.note(key, |voice| {
                    // It is told with the birth of a run, and never of one that was there before.
                    if channel == Channel::Open {
                        voice.heard = Heard::SinceItsStart;
                    }
                    replace(&mut voice.channel, channel)
                });
                None
            }
            News::Spoken(number) => Some(News::Spoken(number)),
            News::Said(key, message) => self.said(key, message),
            News::Notified(key, notification) => {
                self.note(key.clone(), |voice| notice(voice, &notification));
                notification
                    .is_ready
                    .then_some(News::Notified(key, notification))
            }
        }
    }

    fn said(&self, key: RunKey, message: Message) -> Option<News> {
        match message {
            Message::Ready => return Some(News::Said(key, Message::Ready)),
            Message::Metrics(metrics) => {
                self.note(key, |voice| merge(&mut voice.metrics, metrics));
            }
            Message::Action(action) => {
                self.note(key, |voice| {
                    add(&mut voice.actions, action.name.clone(), action)
                });
            }
            // Nobody waits: whoever asked has given up.
            Message::Reply(answer) => drop(self.replies.send(Arc::new((key, answer)))),
            Message::Other => {}
            Message::Malformed => {
                tracing::debug!(run = %key, "what an app says over its channel is no JSON");
            }
        }
        None
    }

    /// Changes what is known of a run; `change` tells whether it did.
    fn note(&self, key: RunKey, change: impl FnOnce(&mut Voice) -> bool) {
        self.voices
            .send_if_modified(|voices| change(voices.entry(key).or_default()));
    }
}

/// Another keeper, or the same one again: what it does not know is over, and it alone knows who can be spoken to.
fn meet(voices: &mut Voices, greeting: &Greeting, open: BTreeSet<RunKey>) {
    voices.retain(|key, _| greeting.runs.get(key).is_some_and(|known| !known.is_gone()));
    for (key, voice) in voices.iter_mut() {
        if !open.contains(key) && voice.channel == Channel::Open {
            voice.channel = Channel::None;
        }
    }
    for key in open {
        voices.entry(key).or_default().channel = Channel::Open;
    }
}

fn notice(voice: &mut Voice, notification: &Notification) -> bool {
    let mut has_changed = false;
    if notification.is_alive {
        voice.alive_at = Some(clock::since_boot());
        has_changed = true;
    }
    if notification.is_stopping {
        has_changed |= replace(&mut voice.is_stopping, true);
    }
    if let Some(status) = &notification.status {
        has_changed |= replace(&mut voice.status, Some(status.clone()));
    }
    has_changed
}

fn merge(known: &mut BTreeMap<String, Metric>, told: Vec<Metric>) -> bool {
    let mut has_changed = false;
    for metric in told {
        has_changed |= add(known, metric.name.clone(), metric);
    }
    has_changed
}

/// Adds or replaces one, unless there are too many.
fn add<T: PartialEq>(known: &mut BTreeMap<String, T>, name: String, told: T) -> bool {
    if !known.contains_key(&name) && known.len() >= MOST {
        return false;
    }
    match known.get_mut(&name) {
        Some(old) => replace(old, told),
        None => known.insert(name, told).is_none(),
    }
}

fn replace<T: PartialEq>(old: &mut T, new: T) -> bool {
    let has_changed = *old != new;
    *old = new;
    has_changed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fleet::{AppKey, Known};

    fn api(run: u64) -> RunKey {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
        };
        app.slot(0).run(run)
    }

    /// A listener, what others see of it, and what the supervisor hears of `news`.
    async fn hears(news: Vec<News>) -> (Ears, Vec<News>) {
        let room = news.len().max(1);
        let (tell, heard) = mpsc::channel(room);
        let (inputs, mut taken) = mpsc::channel(room);
        let (listener, ears) = listen(heard, inputs);
        for one in news {
            tell.send(one).await.expect("there is room");
        }
        drop(tell);
        listener.run().await;
        let mut passed = Vec::new();
        while let Some(input) = taken.recv().await {
            let Input::News(news) = input else {
                panic!("only news come this way");
            };
            passed.push(news);
        }
        (ears, passed)
    }

    fn met(known: &[RunKey], open: &[RunKey]) -> News {
        let runs = known.iter().map(|key| (key.clone(), Known::default()));
        let greeting = Greeting {
            runs: runs.collect(),
            ..Greeting::default()
        };
        News::Met {
            epoch: 1,
            greeting,
            open: open.iter().cloned().collect(),
        }
    }

    fn said(value: &serde_json::Value) -> News {
        News::Said(api(1), Message::parse(value.to_string().as_bytes()))
    }

    fn monitor(name: &str, value: u32) -> News {
        let mut data = serde_json::Map::new();
        data.insert(name.to_owned(), json!({ "value": value }));
        said(&json!({ "type": "axm:monitor", "data": data }))
    }

    #[tokio::test]
    async fn the_supervisor_hears_what_changes_an_instance_in_its_order_and_nothing_else() {
        let at_unix = Duration::ZERO;
        let why = "start it".to_owned();
        let (_, passed) = hears(vec![
            News::Channel(api(1), Channel::Open),
            monitor("a", 1),
            said(&json!("ready")),
            said(&json!({ "type": "human:event", "data": {} })),
            News::Report(api(1), Report::SpawnFailed { why, at_unix }),
            News::Notified(api(1), Notification::parse(b"STATUS=x")),
            News::Notified(api(1), Notification::parse(b"READY=1")),
        ])
        .await;
        let is_kept = matches!(
            passed.as_slice(),
            [
                News::Said(_, Message::Ready),
                News::Report(_, Report::SpawnFailed { .. }),
                News::Notified(_, Notification { is_ready: true, .. }),
            ]
        );
        assert!(is_kept, "{passed:?}");
    }

    #[tokio::test]
    async fn metrics_are_merged_by_name_and_have_a_bound() {
        let mut news = vec![monitor("a", 1), monitor("b", 2), monitor("a", 3)];
        news.extend((0..2 * MOST).map(|number| monitor(&format!("n{number}"), 1)));
        let (ears, _) = hears(news).await;
        let voices = ears.voices.borrow();
        let voice = voices.get(&api(1)).expect("it spoke");
        let value = |name: &str| voice.metrics.get(name).map(|metric| metric.value.as_str());
        assert_eq!((value("a"), value("b")), (Some("3"), Some("2")));
        assert_eq!(voice.metrics.len(), MOST);
    }

    #[tokio::test]
    async fn what_is_known_of_a_run_goes_with_it() {
        let (ears, _) = hears(vec![
            News::Channel(api(1), Channel::Open),
            monitor("a", 1),
            News::Report(api(1), Report::Gone),
        ])
        .await;
        assert!(ears.voices.borrow().is_empty());
    }

    #[tokio::test]
    async fn the_keeper_that_is_met_knows_who_can_be_spoken_to() {
        let (ears, _) = hears(vec![
            News::Channel(api(1), Channel::Open),
            monitor("a", 1),
            News::Channel(api(2), Channel::Open),
            News::Channel(api(3), Channel::Open),
            met(&[api(1), api(2), api(4)], &[api(2), api(4)]),
        ])
        .await;
        let voices = ears.voices.borrow();
        let of = |run| {
            voices
                .get(&api(run))
                .map(|voice| (voice.channel, voice.heard))
        };
        assert_eq!(of(1), Some((Channel::None, Heard::SinceItsStart)));
        assert_eq!(of(2), Some((Channel::Open, Heard::SinceItsStart)));
        assert_eq!(of(3), None, "it is over");
        assert_eq!(of(4), Some((Channel::Open, Heard::Later)));
        let kept = voices.get(&api(1)).map(|voice| voice.metrics.len());
        assert_eq!(kept, Some(1), "what was said before is still true");
    }

    #[tokio::test]
    async fn an_answer_reaches_whoever_waits_and_is_kept_for_nobody_else() {
        let (tell, heard) = mpsc::channel(4);
        let (inputs, _taken) = mpsc::channel(4);
        let (listener, ears) = listen(heard, inputs);
        let mut waiting = ears.replies.subscribe();
        let data = json!({ "action_name": "gc", "return": 7 });
        let reply = said(&json!({ "type": "axm:reply", "data": data }));
        tell.send(reply).await.expect("there is room");
        drop(tell);
        listener.run().await;
        let reply = waiting.recv().await.expect("an answer");
        assert_eq!((&reply.0, reply.1.action.as_str()), (&api(1), "gc"));
        assert!(ears.voices.borrow().is_empty());
    }

    #[tokio::test]
    async fn a_word_of_life_is_noted_with_its_time() {
        let before = clock::since_boot();
        let news = vec![News::Notified(
            api(1),
            Notification::parse(b"WATCHDOG=1\nSTATUS=busy"),
        )];
        let (ears, passed) = hears(news).await;
        assert!(passed.is_empty());
        let voices = ears.voices.borrow();
        let voice = voices.get(&api(1)).expect("it spoke");
        assert_eq!(voice.status.as_deref(), Some("busy"));
        assert!(voice.alive_at.is_some_and(|at| at >= before));
    }
}
