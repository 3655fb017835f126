//! What an instance says of itself, for those who ask.

use eco_proto::agent::v1 as pb;

use crate::message::{Action, Metric};
use crate::voices::{Channel, Voice};

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
