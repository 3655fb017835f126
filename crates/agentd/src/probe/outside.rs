//! Looking whether what apps wait for outside of eco is there: only while an app waits, and only until it is.

use std::sync::Arc;
use std::time::Duration;

use eco_config::spec::Dependency;
use tokio::sync::{mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::judge::Reply;
use super::peer;
use crate::fleet::{AppKey, Fleet, Outside};
use crate::resolve::Peer;
use crate::supervisor::Input;

/// From one answer to the next question.
const EVERY: Duration = Duration::from_secs(1);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What an app waits for, and who looks. Nobody does where there is nothing to be asked.
struct Look {
    app: AppKey,
    what: Dependency,
    _task: Option<AbortOnDropHandle<()>>,
}

/// Looks for what the apps of the published fleet wait for. Ends with the agent.
pub async fn run(mut published: watch::Receiver<Arc<Fleet>>, inputs: mpsc::Sender<Input>) {
    let mut looks: Vec<Look> = Vec::new();
    loop {
        let open = published.borrow_and_update().outside_waits();
        looks.retain(|look| open.iter().any(|(app, what)| look.is_for(app, what)));
        for (app, what) in open {
            if !looks.iter().any(|look| look.is_for(&app, &what)) {
                looks.push(Look::begin(app, what, &inputs));
            }
        }
        if published.changed().await.is_err() {
            return;
        }
    }
}

impl Look {
    fn begin(app: AppKey, what: Dependency, inputs: &mpsc::Sender<Input>) -> Self {
        // One that is no place was refused when its app was applied.
        let peer = Peer::outside(&what).ok().flatten();
        let task = peer.map(|peer| {
            let task = look(app.clone(), what.clone(), peer, inputs.clone());
            AbortOnDropHandle::new(tokio::spawn(task))
        });
        Self {
            app,
            what,
            _task: task,
        }
    }

    fn is_for(&self, app: &AppKey, what: &Dependency) -> bool {
        self.app == *app && self.what == *what
    }
}

/// Asks again and again, and tells each answer that is not the one before it.
async fn look(app: AppKey, what: Dependency, peer: Peer, inputs: mpsc::Sender<Input>) {
    let mut told = None;
    loop {
        let answer = match peer::ask(&peer, TIMEOUT).await {
            Reply::Well(_) => Outside::Met,
            Reply::Failed(why) => Outside::NotMet(why),
        };
        if told.as_ref() != Some(&answer) {
            told = Some(answer.clone());
            let input = Input::Outside(app.clone(), what.clone(), answer);
            if inputs.send(input).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}
