//! Having instances do what they said they can, and waiting for what they answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use eco_home::clock;
use eco_proto::agent::v1 as pb;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tonic::Status;

use super::meant::{Meant, lives, meant, patience};
use super::service::Service;
use crate::fleet::{Fleet, RunKey};
use crate::supervisor::{Request, Word};
use crate::voices::{Channel, Heard, Reply, Voice, Voices};

/// Those that are asked and did not answer yet.
type Asked = BTreeMap<RunKey, Meant>;

pub(super) async fn trigger(
    service: &Service,
    request: pb::TriggerRequest,
) -> Result<pb::SpokenReply, Status> {
    if request.action.is_empty() {
        return Err(Status::invalid_argument("no action is named"));
    }
    let all = meant(&service.fleet(), request.selection.clone())?;
    let order: Vec<String> = all.iter().map(Meant::name).collect();
    let mut told: BTreeMap<String, pb::Spoken> = BTreeMap::new();
    let mut asked = Asked::new();
    for one in all {
        match may_ask(&one, &service.peers.ears.voices.borrow(), &request.action) {
            Ok(run) => drop(asked.insert(run, one)),
            Err(spoken) => drop(told.insert(one.name(), *spoken)),
        }
    }
    // From before it is asked, or an answer could be missed.
    let replies = service.peers.ears.replies.subscribe();
    let words = asked
        .iter()
        .map(|(run, one)| (run.clone(), Word::Line(words(&request, one))))
        .collect();
    service.needs_keeper()?;
    service.ask(|reply| Request::Speak { words, reply }).await?;
    let answers = Answers { asked, told };
    let told = answers.hear(service, replies, &request).await;
    let instances = order.iter().filter_map(|name| told.get(name).cloned());
    Ok(pb::SpokenReply {
        host: service.host.clone(),
        instances: instances.collect(),
    })
}

/// What is said: the action's name, or with a parameter what PM2 says.
fn words(request: &pb::TriggerRequest, one: &Meant) -> Vec<u8> {
    let words = match &request.parameter {
        None => json!(request.action),
        Some(parameter) => {
            let id = one.spoken().id.to_string();
            json!({"msg": request.action, "opts": parameter, "id": id})
        }
    };
    words.to_string().into_bytes()
}

/// Whether an instance can be asked: its run, or what to tell of it.
fn may_ask(one: &Meant, voices: &Voices, action: &str) -> Result<RunKey, Box<pb::Spoken>> {
    let run = one.living()?;
    let silent = Voice::default();
    let voice = voices.get(run).unwrap_or(&silent);
    let refuse = |problem: String, hint: &str| {
        Box::new(pb::Spoken {
            problem,
            hint: hint.to_owned(),
            ..one.spoken()
        })
    };
    match voice.channel {
        Channel::None => {
            return Err(refuse(
                "it has no channel: it is not run by Node, or its channel was lost when eco's keeper died".to_owned(),
                "an app that Node runs gets one when it is restarted",
            ));
        }
        Channel::Closed => {
            return Err(refuse("it has closed its channel".to_owned(), ""));
        }
        Channel::Open => {}
    }
    if voice.actions.contains_key(action) || voice.heard == Heard::Later {
        return Ok(run.clone());
    }
    let names: Vec<&str> = voice.actions.keys().map(String::as_str).collect();
    let known = if names.is_empty() {
        "it has announced no actions".to_owned()
    } else {
        format!("it has announced {}", names.join(", "))
    };
    Err(refuse(format!("it has no action {action}: {known}"), ""))
}

/// What was answered so far.
struct Answers {
    asked: Asked,
    told: BTreeMap<String, pb::Spoken>,
}

impl Answers {
    /// Waits for those that were asked, as long as they live and the time allows.
    async fn hear(
        mut self,
        service: &Service,
        mut replies: tokio::sync::broadcast::Receiver<Reply>,
        request: &pb::TriggerRequest,
    ) -> BTreeMap<String, pb::Spoken> {
        let patience = patience(request.timeout_ms);
        let until = clock::since_boot() + patience;
        let mut published = service.published.clone();
        self.give_up_the_dead(&service.fleet());
        while !self.asked.is_empty() {
            let left = until.saturating_sub(clock::since_boot());
            tokio::select! {
                reply = replies.recv() => match reply {
                    Ok(reply) => self.take(&reply, &request.action),
                    // Others were answered faster than we listened; ours may be among what is gone.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => break,
                },
                changed = published.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    let fleet = Arc::clone(&published.borrow_and_update());
                    self.give_up_the_dead(&fleet);
                }
                () = tokio::time::sleep(left) => break,
            }
        }
        let seconds = patience.as_secs_f64();
        for one in self.asked.into_values() {
            let problem = format!("it did not answer within {seconds} s");
            let hint =
                "an app answers by `reply(…)` in its action; --timeout waits longer".to_owned();
            let spoken = pb::Spoken {
                problem,
                hint,
                ..one.spoken()
            };
            self.told.insert(one.name(), spoken);
        }
        self.told
    }

    fn take(&mut self, reply: &Reply, action: &str) {
        let (run, answer) = &**reply;
        if answer.action != action {
            return;
        }
        if let Some(one) = self.asked.remove(run) {
            let spoken = pb::Spoken {
                answer: Some(answer.value.to_string()),
                ..one.spoken()
            };
            self.told.insert(one.name(), spoken);
        }
    }

    fn give_up_the_dead(&mut self, fleet: &Fleet) {
        let dead: Vec<RunKey> = self
            .asked
            .keys()
            .filter(|run| !lives(fleet, run))
            .cloned()
            .collect();
        for run in dead {
            if let Some(one) = self.asked.remove(&run) {
                let spoken = pb::Spoken {
                    problem: "it ended before it answered".to_owned(),
                    ended: true,
                    ..one.spoken()
                };
                self.told.insert(one.name(), spoken);
            }
        }
    }
}
