//! How a run can speak with the agent: decided by what its app asks for, and by what runs it. Pure.

use std::path::Path;
use std::time::Duration;

use eco_config::spec::{AppSpec, Check, StopWords};

use super::Resolved;

/// Programs that understand Node's channel, by the names they go by.
const NODES: [&str; 6] = ["node", "nodejs", "tsx", "ts-node", "ts-node-esm", "bun"];

/// Whether a run gets Node's channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channel {
    /// It does not, and no descriptor of it is in its way.
    #[default]
    None,
    /// At descriptor 3.
    Node,
}

/// Whether a run gets a socket for notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notices {
    /// It does not.
    #[default]
    None,
    /// It does; with a span it is told to say that it is alive more often than that.
    Socket(Option<Duration>),
}

/// A channel is for who asks to use it, and for what would be surprised to have none. Everything else is left alone: a
/// shell would hand the descriptor on to whatever it starts.
pub(super) fn channel(spec: &AppSpec, resolved: &Resolved) -> Channel {
    let asks = spec.ready.wait_ready || spec.stop.words == StopWords::Message;
    let is_node = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| NODES.contains(&name))
    };
    if asks || resolved.interpreter.as_deref().is_some_and(is_node) {
        Channel::Node
    } else {
        Channel::None
    }
}

pub(super) fn notices(spec: &AppSpec) -> Notices {
    let readiness = spec.ready.probe.as_ref().map(|ready| &ready.probe.check);
    let liveness = spec.liveness.as_ref().map(|liveness| &liveness.probe);
    let by_notice = |check: &Check| match check {
        Check::Notify => true,
        Check::Exec(_) | Check::Tcp(_) | Check::Http { .. } | Check::Log(_) | Check::Output => {
            false
        }
    };
    let watchdog = liveness.filter(|probe| by_notice(&probe.check));
    match (watchdog, readiness.is_some_and(by_notice)) {
        (Some(probe), _) => Notices::Socket(Some(probe.interval)),
        (None, true) => Notices::Socket(None),
        (None, false) => Notices::None,
    }
}
