//! What an instance says of itself, for those who ask.

use eco_proto::agent::v1 as pb;

use crate::fleet::SlotKey;
use crate::message::{Action, Metric};
use crate::voices::{Channel, Voice, Voices};

/// Shows one that says that it ends by its own wish as stopping: it lives, and is to be counted on no more.
pub(super) fn heed(key: &SlotKey, instance: &mut pb::Instance, voices: &Voices) {
    let is_up = match instance.status() {
        pb::Status::Launching | pb::Status::Online => true,
        pb::Status::Stopped
        | pb::Status::Stopping
        | pb::Status::WaitingRestart
        | pb::Status::Errored
        | pb::Status::Unspecified => false,
    };
    let voice = voices.get(&key.run(instance.run));
    if is_up && voice.is_some_and(|voice| voice.is_stopping) {
        instance.set_status(pb::Status::Stopping);
        "it says that it is stopping".clone_into(&mut instance.cause);
        instance.by = None;
    }
}

pub(super) fn of(voice: Option<&Voice>) -> pb::Speech {
    let silent = Voice::default();
    let voice = voice.unwrap_or(&silent);
    let channel = match voice.channel {
        Channel::None => pb::ChannelState::None,
        Channel::Open => pb::ChannelState::Open,
        Channel::Closed => pb::ChannelState::Closed,
    };
    pb::Speech {
        channel: channel.into(),
        metrics: voice.metrics.values().map(metric).collect(),
        actions: voice.actions.values().map(action).collect(),
        status: voice.status.clone(),
    }
}

fn metric(metric: &Metric) -> pb::CustomMetric {
    let Metric {
        name,
        value,
        unit,
        kind,
    } = metric.clone();
    pb::CustomMetric {
        name,
        value,
        unit,
        kind,
    }
}

fn action(action: &Action) -> pb::CustomAction {
    let Action {
        name,
        kind,
        arity,
        options,
    } = action.clone();
    pb::CustomAction {
        name,
        kind,
        arity,
        options,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::AppKey;

    #[test]
    fn whoever_says_so_is_stopping_for_as_long_as_that_run_lives() {
        let app = AppKey {
            environment: "dev".to_owned(),
            name: "api".to_owned(),
        };
        let key = app.slot(0);
        let voice = Voice {
            is_stopping: true,
            ..Voice::default()
        };
        let voices = Voices::from([(key.run(3), voice)]);
        let shown = |run, status: pb::Status| {
            let mut instance = pb::Instance {
                run,
                status: status.into(),
                ..pb::Instance::default()
            };
            heed(&key, &mut instance, &voices);
            instance.status()
        };
        assert_eq!(shown(3, pb::Status::Online), pb::Status::Stopping);
        assert_eq!(shown(3, pb::Status::Errored), pb::Status::Errored);
        assert_eq!(shown(4, pb::Status::Online), pb::Status::Online);
    }
}
