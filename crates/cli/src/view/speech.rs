//! What an instance says of itself besides its output.

use eco_proto::agent::v1 as pb;
use serde::Serialize;
use serde_json::Value;

/// Over its channel, and in its notices.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Speech {
    /// `none`, `open`, `closed`.
    pub(crate) channel: Option<&'static str>,
    /// What it says that it does.
    pub(crate) status_text: Option<String>,
    pub(crate) custom_metrics: Vec<Metric>,
    pub(crate) custom_actions: Vec<Action>,
}

/// A number, or a text, of the app's own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) unit: Option<String>,
    pub(crate) kind: Option<String>,
}

/// Something that it can be asked to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) kind: Option<String>,
    pub(crate) arity: Option<u32>,
    pub(crate) options: Option<Value>,
}

pub(crate) fn speech(speech: pb::Speech) -> Speech {
    let channel = match speech.channel() {
        pb::ChannelState::Unspecified => None,
        pb::ChannelState::None => Some("none"),
        pb::ChannelState::Open => Some("open"),
        pb::ChannelState::Closed => Some("closed"),
    };
    let metric = |pb::CustomMetric {
                      name,
                      value,
                      unit,
                      kind,
                  }| Metric {
        name,
        value,
        unit,
        kind,
    };
    let action = |action: pb::CustomAction| Action {
        name: action.name,
        kind: action.kind,
        arity: action.arity,
        options: action
            .options
            .and_then(|options| serde_json::from_str(&options).ok()),
    };
    Speech {
        channel,
        status_text: speech.status,
        custom_metrics: speech.metrics.into_iter().map(metric).collect(),
        custom_actions: speech.actions.into_iter().map(action).collect(),
    }
}
