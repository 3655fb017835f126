//! Wiring that no pure test sees: what is sent when several inputs are taken together.

use eco_home::clock;

use eco_config::spec::{AppSpec, StopWords};
use tokio::sync::oneshot;

use super::*;
use crate::environment::tests::spec;
use crate::fleet::apply::Application;
use crate::fleet::scale::Size;
use crate::fleet::select::Selection;
use crate::fleet::{AppKey, Greeting, Identity, Outcome, Verb};
use crate::keeper::Reach;
use crate::machine::Turn;
use crate::voices::{Channel, Voice};

/// The orders that a supervisor gives for these inputs, all taken in one batch.
async fn orders_for(inputs: Vec<Input>) -> Vec<(u64, Order)> {
    orders_with(inputs, |_| ()).await
}

/// The same, on a disk that was prepared.
async fn orders_with(inputs: Vec<Input>, prepare: fn(&Store)) -> Vec<(u64, Order)> {
    orders_among(inputs, prepare, Voices::new()).await
}

/// The same, among apps that said this.
async fn orders_among(
    inputs: Vec<Input>,
    prepare: fn(&Store),
    voices: Voices,
) -> Vec<(u64, Order)> {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("open");
    prepare(&store);
    let (orders, mut given) = mpsc::channel(64);
    let (feed, _fed) = mpsc::channel(64);
    let (published, _seen) = watch::channel(Arc::new(Fleet::default()));
    let ends = Ends {
        orders,
        feed,
        published,
        board: watch::channel(Board::default()).1,
        voices: watch::channel(voices).1,
    };
    let (sender, taken) = mpsc::channel(64);
    for input in inputs {
        sender.send(input).await.expect("there is room");
    }
    drop(sender);
    let runs = folder.path().join("runs");
    let supervisor = Supervisor::new(Fleet::default(), store, runs, "here".to_owned(), ends);
    supervisor.run(taken).await;
    let mut all = Vec::new();
    while let Some(order) = given.recv().await {
        all.push(order);
    }
    all
}

fn start() -> (Input, oneshot::Receiver<Result<Vec<Outcome>, Refusal>>) {
    start_of(spec("dev", "api"))
}

fn start_of(spec: AppSpec) -> (Input, oneshot::Receiver<Result<Vec<Outcome>, Refusal>>) {
    let (reply, answer) = oneshot::channel();
    let specs = vec![AppSpec {
        script: "/bin/true".to_owned(),
        cwd: Some("/".into()),
        ..spec
    }];
    let request = Request::Apply {
        by: By::ann(),
        application: Application::of(specs),
        unfit: Problems::new(),
        prune: Vec::new(),
        planned: None,
        reply,
    };
    (Input::Request(request), answer)
}

fn met(epoch: u64) -> Input {
    let greeting = Greeting {
        boot_id: clock::boot_id(),
        ..Greeting::default()
    };
    let open = std::collections::BTreeSet::new();
    Input::News(News::Met {
        epoch,
        greeting,
        open,
    })
}

fn spawns(orders: &[(u64, Order)]) -> Vec<u64> {
    let spawns = orders
        .iter()
        .filter(|(_, order)| matches!(order, Order::Spawn { .. }));
    spawns.map(|(epoch, _)| *epoch).collect()
}

#[tokio::test]
async fn a_start_and_a_greeting_taken_together_begin_one_run() {
    let (first, _answer) = start();
    assert_eq!(spawns(&orders_for(vec![first, met(1)]).await), [1]);
    let (second, _answer) = start();
    assert_eq!(spawns(&orders_for(vec![met(1), second]).await), [1]);
}

#[tokio::test]
async fn nothing_is_started_while_everything_is_put_to_rest() {
    let (reply, _rested) = oneshot::channel();
    let (late, answer) = start();
    let hold = Input::Request(Request::Hold {
        by: By::ann(),
        reply,
    });
    let orders = orders_for(vec![met(1), hold, late]).await;
    assert!(spawns(&orders).is_empty());
    let answer = answer.await.expect("an answer");
    assert!(matches!(answer, Err(Refusal::Ending)));
}

#[tokio::test]
async fn no_instance_is_added_while_everything_is_put_to_rest() {
    let (start, _started) = start();
    let (reply, _rested) = oneshot::channel();
    let (late, answer) = oneshot::channel();
    let hold = Request::Hold {
        by: By::ann(),
        reply,
    };
    let scale = Request::Scale {
        by: By::ann(),
        selection: Selection::default(),
        size: Size::More(1),
        unfit: Problems::new(),
        turn: Turn::InOrder,
        reply: late,
    };
    let requests = [hold, scale].map(Input::Request);
    drop(orders_for(std::iter::once(start).chain(requests).collect()).await);
    let answer = answer.await.expect("an answer");
    assert!(matches!(answer, Err(Refusal::Ending)), "{answer:?}");
}

#[tokio::test]
async fn who_does_not_wait_any_more_for_everything_to_rest_stands_in_nobodys_way() {
    let (reply, rested) = oneshot::channel();
    let hold = Input::Request(Request::Hold {
        by: By::ann(),
        reply,
    });
    drop(rested);
    let (start, answer) = start();
    let orders = orders_for(vec![met(1), hold, start]).await;
    assert_eq!(spawns(&orders), [1]);
    assert!(answer.await.expect("an answer").is_ok());
}

#[tokio::test]
async fn what_begins_nothing_is_done_while_everything_is_put_to_rest() {
    let (start, _started) = start();
    let (reply, _rested) = oneshot::channel();
    let hold = Input::Request(Request::Hold {
        by: By::ann(),
        reply,
    });
    let mut inputs = vec![start, hold];
    let mut answers = Vec::new();
    for verb in [Verb::Stop, Verb::Reset, Verb::Delete] {
        let (reply, answer) = oneshot::channel();
        inputs.push(Input::Request(Request::Act {
            by: By::ann(),
            verb,
            selection: Selection {
                selectors: vec!["api".to_owned()],
                ..Selection::default()
            },
            reply,
        }));
        answers.push(answer);
    }
    drop(orders_for(inputs).await);
    for answer in answers {
        let answer = answer.await.expect("an answer");
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[tokio::test]
async fn who_puts_everything_to_rest_is_told_that_the_disk_refused() {
    let (start, _started) = start();
    let (reply, rested) = oneshot::channel();
    let hold = Input::Request(Request::Hold {
        by: By::ann(),
        reply,
    });
    // Nothing lives: the run was asked for, and no keeper knows of it.
    let inputs = vec![start, hold, met(1)];
    orders_with(inputs, Store::refuse_slots).await;
    let answer = rested.await.expect("an answer");
    assert!(matches!(answer, Err(Refusal::NotWritten(_))), "{answer:?}");
}

/// What an app that is to be ended by words is sent when it is stopped, with its channel like this.
async fn last_order(channel: Channel) -> Order {
    let mut spoken_to = spec("dev", "api");
    spoken_to.stop.words = StopWords::Message;
    let run = AppKey::of(&spoken_to).slot(0).run(1);
    let (start, _started) = start_of(spoken_to);
    let (reply, _stopped) = oneshot::channel();
    let identity = Identity {
        pid: 1,
        start_ticks: 1,
        boot_id: clock::boot_id(),
        since: clock::since_boot(),
        since_unix: clock::unix(),
    };
    let stop = Input::Request(Request::Act {
        by: By::ann(),
        verb: Verb::Stop,
        selection: Selection {
            selectors: vec!["api".to_owned()],
            ..Selection::default()
        },
        reply,
    });
    let spawned = Input::News(News::Report(run.clone(), Report::Spawned(identity)));
    let voice = Voice {
        channel,
        ..Voice::default()
    };
    let inputs = vec![met(1), start, spawned, stop];
    let orders = orders_among(inputs, |_| (), Voices::from([(run, voice)])).await;
    let mut others = orders
        .into_iter()
        .filter(|(_, order)| !matches!(order, Order::Spawn { .. }));
    others.next_back().expect("an order").1
}

#[tokio::test]
async fn an_app_is_ended_by_words_where_it_hears_them_and_else_by_its_signal() {
    let words = last_order(Channel::Open).await;
    assert!(
        matches!(&words, Order::Say(_, line) if line == br#""shutdown""#),
        "{words:?}"
    );
    for channel in [Channel::None, Channel::Closed] {
        let signal = last_order(channel).await;
        let is_signal = matches!(signal, Order::Signal(_, 2, Reach::AsBegun));
        assert!(is_signal, "{signal:?}");
    }
}
