//! Asking one run, for as long as it is to be asked.

use std::time::Duration;

use eco_home::clock;

use super::exec::Scene;
use super::inquiry::{Inquiry, Means, inquiry};
use super::judge::{First, Judge, Reply, Turn};
use super::line::Lines;
use super::matter::{Matter, Purpose};
use super::output::Output;
use super::watchdog::Watchdog;
use super::{Surroundings, exec, peer};
use crate::fleet::{Answer, Health, RunKey, Sign, Verdict};
use crate::resolve::Peer;
use crate::supervisor::{Input, run_dir};

/// A question that is asked this much too late was held back by us or by the host, which may have slept: what happened
/// meanwhile says nothing about the app.
const LATE: Duration = Duration::from_secs(5);

/// Asks `key` until there is nothing more to ask. To be aborted when the run is over.
pub(super) async fn run(key: RunKey, matter: Matter, about: Surroundings) {
    let task = Task { key, matter, about };
    match task.way().await {
        Way::Again(asker, asks) => task.ask_again_and_again(asker, asks).await,
        Way::Wait(lines, pattern, asks) => {
            task.show(Health::asking(asks));
            lines.wait_for(&pattern).await;
            task.tell(Input::Ready(task.key.clone(), Sign::Probe)).await;
        }
        // Whoever hears the word tells of it.
        Way::Hear(asks) => task.show(Health::asking(asks)),
    }
}

/// How the answer comes, and what is asked for.
enum Way {
    /// By asking, again and again.
    Again(Asker, String),
    /// By waiting for a line.
    Wait(Lines, regex::bytes::Regex, String),
    /// By itself.
    Hear(String),
}

/// Who can be asked.
enum Asker {
    Exec(Vec<String>, Box<Scene>),
    Peer(Peer),
    Output(Output),
    Watchdog(Watchdog),
}

impl Asker {
    const fn first(&self) -> First {
        match self {
            Self::Exec(..) | Self::Peer(_) => First::AtOnce,
            Self::Output(_) | Self::Watchdog(_) => First::AfterInterval,
        }
    }

    async fn ask(&mut self, timeout: Duration) -> Reply {
        match self {
            Self::Exec(words, scene) => exec::ask(words, scene, timeout).await,
            Self::Peer(peer) => peer::ask(peer, timeout).await,
            Self::Output(output) => output.ask(),
            Self::Watchdog(watchdog) => watchdog.ask(clock::since_boot()),
        }
    }
}

struct Task {
    key: RunKey,
    matter: Matter,
    about: Surroundings,
}

impl Task {
    /// Finds out how to ask. What stands in the way came after the spawn, and may go again.
    async fn way(&self) -> Way {
        loop {
            let (key, matter) = (self.key.clone(), self.matter.clone());
            let found = tokio::task::spawn_blocking(move || inquiry(&key, &matter)).await;
            match found.expect("finding out does not panic and is not cancelled") {
                Ok(inquiry) => return self.way_of(inquiry),
                Err(why) => self.show(Health {
                    answer: Some(answer(why)),
                    ..Health::asking(String::new())
                }),
            }
            tokio::time::sleep(self.matter.probe.interval).await;
        }
    }

    fn way_of(&self, Inquiry { asks, means }: Inquiry) -> Way {
        let key = &self.key;
        match means {
            Means::Program(words, scene) => Way::Again(Asker::Exec(words, scene), asks),
            Means::Peer(peer) => Way::Again(Asker::Peer(peer), asks),
            Means::Output => {
                let folder = run_dir(&self.about.runs, &self.about.host, key);
                Way::Again(Asker::Output(Output::new(folder)), asks)
            }
            Means::Line(pattern) => {
                let home = self.about.home.clone();
                let lines = Lines::new(home, key.clone());
                Way::Wait(lines, pattern, asks)
            }
            Means::Notices => match self.matter.purpose {
                Purpose::Readiness => Way::Hear(asks),
                Purpose::Liveness => Way::Again(Asker::Watchdog(self.watchdog()), asks),
            },
        }
    }

    fn watchdog(&self) -> Watchdog {
        let voices = self.about.voices.clone();
        let interval = self.matter.probe.interval;
        Watchdog::new(self.key.clone(), voices, interval, clock::since_boot())
    }

    async fn ask_again_and_again(&self, mut asker: Asker, asks: String) {
        let probe = &self.matter.probe;
        let mut judge = self.judge(&asker);
        self.show(Health::asking(asks.clone()));
        loop {
            let now = clock::since_boot();
            tokio::time::sleep(judge.due().saturating_sub(now)).await;
            if clock::since_boot() > judge.due() + LATE {
                judge = self.judge(&asker);
                continue;
            }
            let reply = asker.ask(probe.timeout).await;
            let turn = judge.take(clock::since_boot(), &reply);
            self.show(Health {
                asks: asks.clone(),
                verdict: self.shown(judge.verdict()),
                answer: Some(answer(reply.text().to_owned())),
                failures: judge.failures(),
            });
            if let Some(input) = self.input(turn, judge.failures(), &reply) {
                self.tell(input).await;
            }
        }
    }

    fn judge(&self, asker: &Asker) -> Judge {
        Judge::new(
            &self.matter.probe,
            asker.first(),
            self.matter.since,
            clock::since_boot(),
        )
    }

    /// What is not ready yet is not ill: time decides about it, and not the number of its failures.
    const fn shown(&self, verdict: Verdict) -> Verdict {
        match (self.matter.purpose, verdict) {
            (Purpose::Readiness, Verdict::Ill) => Verdict::Unknown,
            (Purpose::Readiness | Purpose::Liveness, verdict) => verdict,
        }
    }

    /// What follows from a turn.
    fn input(&self, turn: Turn, failures: u32, reply: &Reply) -> Option<Input> {
        let key = || self.key.clone();
        match (self.matter.purpose, turn) {
            (Purpose::Readiness, Turn::To(Verdict::Well)) => Some(Input::Ready(key(), Sign::Probe)),
            (Purpose::Liveness, Turn::To(Verdict::Ill)) => {
                Some(Input::Ill(key(), in_a_row(failures, reply.text())))
            }
            (Purpose::Readiness, Turn::To(Verdict::Unknown | Verdict::Ill))
            | (Purpose::Liveness, Turn::To(Verdict::Unknown | Verdict::Well))
            | (_, Turn::None) => None,
        }
    }

    /// Nobody hears it only when the agent ends.
    async fn tell(&self, input: Input) {
        drop(self.about.inputs.send(input).await);
    }

    fn show(&self, health: Health) {
        self.about.board.send_if_modified(|board| {
            let is_news = board
                .get(&self.key)
                .is_none_or(|old| !old.says_the_same(&health));
            board.insert(self.key.clone(), health);
            is_news
        });
    }
}

fn answer(text: String) -> Answer {
    let at_unix = clock::unix();
    Answer { text, at_unix }
}

fn in_a_row(failures: u32, text: &str) -> String {
    match failures {
        0 | 1 => text.to_owned(),
        more => format!("{more} failures in a row: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use eco_config::spec::Check;
    use eco_home::Home;
    use tokio::sync::{mpsc, watch};

    use super::super::inquiry::tests::{NOBODY, matter};
    use super::*;
    use crate::environment::tests::spec;

    fn about(home: &Path) -> (Surroundings, watch::Receiver<crate::fleet::Board>) {
        let (board, shown) = watch::channel(BTreeMap::new());
        let about = Surroundings {
            home: Home::find(Some(home), None).expect("a home"),
            runs: home.join("runs"),
            host: "host".to_owned(),
            voices: watch::channel(BTreeMap::new()).1,
            inputs: mpsc::channel(1).0,
            board,
        };
        (about, shown)
    }

    #[tokio::test]
    async fn what_cannot_be_asked_now_is_asked_when_it_can() {
        let folder = tempfile::tempdir().expect("a folder");
        let (about, mut shown) = about(folder.path());
        let mut api = spec("dev", "api");
        api.script = "serve it".to_owned();
        api.defined_in = folder.path().to_owned();
        api.env_files = vec![".env".into()];
        let check = Check::Tcp("127.0.0.1:${PORT}".to_owned());
        let (key, matter) = matter(api, NOBODY, check);
        let task = Task { key, matter, about };
        let mend = async {
            let says = |board: &crate::fleet::Board| {
                let answer = board
                    .get(&task.key)
                    .and_then(|health| health.answer.clone());
                answer.is_some_and(|answer| answer.text.contains(".env"))
            };
            shown.wait_for(says).await.expect("it is shown");
            std::fs::write(folder.path().join(".env"), "PORT=3000").expect("written");
        };
        let (way, ()) = tokio::join!(task.way(), mend);
        assert!(matches!(way, Way::Again(Asker::Peer(_), asks) if asks == "127.0.0.1:3000"));
    }
}
