//! What is told of an instance's health.

use eco_home::clock::nanos;
use eco_proto::agent::v1 as pb;

use crate::fleet::{App, Board, Slot, SlotKey, Verdict};
use crate::machine::State;

/// What the probe of the living run says; or, where the app's own port is what is looked at, that nothing listens there.
pub(super) fn of(key: &SlotKey, app: &App, slot: &Slot, board: &Board) -> Option<pb::Health> {
    if let Some(health) = board.get(&key.run(slot.machine.run())) {
        let answer = health.answer.as_ref();
        return Some(pb::Health {
            verdict: verdict(health.verdict).into(),
            asks: health.asks.clone(),
            answer: answer.map_or(String::new(), |answer| answer.text.clone()),
            answered_ns: answer.map_or(0, |answer| nanos(answer.at_unix)),
            failures: health.failures,
        });
    }
    silent_port(app, slot).map(|port| pb::Health {
        verdict: pb::health::Verdict::Unknown.into(),
        asks: format!("port {port}"),
        answer: format!("nothing listens on port {port} yet"),
        answered_ns: 0,
        failures: 0,
    })
}

/// The port of its own that a living run does not listen on.
fn silent_port(app: &App, slot: &Slot) -> Option<u16> {
    match slot.machine.state() {
        State::Launching { .. } => slot.awaited_port(&app.spec),
        State::Online { .. } => slot.silent_port(),
        State::Stopped
        | State::Spawning { .. }
        | State::Ending { .. }
        | State::Waiting { .. }
        | State::Errored => None,
    }
}

const fn verdict(verdict: Verdict) -> pb::health::Verdict {
    match verdict {
        Verdict::Unknown => pb::health::Verdict::Unknown,
        Verdict::Well => pb::health::Verdict::Healthy,
        Verdict::Ill => pb::health::Verdict::Unhealthy,
    }
}
