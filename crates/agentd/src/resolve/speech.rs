//! How a run can speak with the agent: decided by what its app asks for, and by what runs it. Pure.

use std::path::Path;
use std::time::Duration;

use eco_config::spec::{AppSpec, Check, StopWords};

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
pub(super) fn channel(spec: &AppSpec, interpreter: Option<&Path>) -> Channel {
    let asks = spec.ready.wait_ready || spec.stop.words == StopWords::Message;
    let is_node = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| NODES.contains(&name))
    };
    if asks || interpreter.is_some_and(is_node) {
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

#[cfg(test)]
mod tests {
    use eco_config::spec::{IllAction, Liveness, Probe, Readiness};

    use super::*;
    use crate::environment::tests::spec;

    fn of(interpreter: Option<&str>) -> Channel {
        channel(&spec("dev", "api"), interpreter.map(Path::new))
    }

    #[test]
    fn what_node_runs_has_a_channel_and_what_others_run_has_none() {
        for node in [
            "/usr/bin/node",
            "/p/node_modules/.bin/tsx",
            "/opt/bun",
            "/x/ts-node",
        ] {
            assert_eq!(of(Some(node)), Channel::Node, "{node}");
        }
        for other in [
            "/usr/bin/python3",
            "/bin/bash",
            "/usr/bin/node-gyp",
            "/node/deno",
        ] {
            assert_eq!(of(Some(other)), Channel::None, "{other}");
        }
        assert_eq!(of(None), Channel::None);
    }

    #[test]
    fn who_asks_to_use_one_has_one_whatever_runs_it() {
        let python = Some(Path::new("/usr/bin/python3"));
        let mut ready = spec("dev", "api");
        ready.ready.wait_ready = true;
        assert_eq!(channel(&ready, python), Channel::Node);
        let mut words = spec("dev", "api");
        words.stop.words = StopWords::Message;
        assert_eq!(channel(&words, python), Channel::Node);
    }

    #[test]
    fn a_socket_for_notices_is_for_those_whose_probes_wait_for_them() {
        let probe = |check| Probe {
            check,
            interval: Duration::from_secs(7),
            timeout: Duration::from_secs(1),
            start_period: Duration::ZERO,
            successes: 1,
            failures: 1,
        };
        let mut app = spec("dev", "api");
        assert_eq!(notices(&app), Notices::None);
        app.ready.probe = Some(Readiness {
            probe: probe(Check::Tcp("80".to_owned())),
            within: None,
        });
        assert_eq!(notices(&app), Notices::None);
        app.ready.probe = Some(Readiness {
            probe: probe(Check::Notify),
            within: None,
        });
        assert_eq!(notices(&app), Notices::Socket(None));
        app.liveness = Some(Liveness {
            probe: probe(Check::Notify),
            action: IllAction::Mark,
        });
        assert_eq!(notices(&app), Notices::Socket(Some(Duration::from_secs(7))));
    }
}
