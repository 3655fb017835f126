//! The keeper's messages to and from our own types.

use std::os::unix::ffi::OsStringExt as _;
use std::time::Duration;

use eco_config::spec::StopReach;
use eco_home::clock::nanos;
use eco_home::runs::Stream;
use eco_proto::keeper::v1 as pb;
use eco_proto::keeper::v1::from_keeper::Message as Fact;
use eco_proto::keeper::v1::to_keeper::Message as To;
use nix::errno::Errno;

use super::{Growth, Order};
use crate::fleet::{AppKey, Greeting, How, Identity, Known, Report, RunKey, SlotKey};
use crate::machine::Left;

impl From<Order> for To {
    fn from(order: Order) -> Self {
        match order {
            Order::Spawn {
                key,
                launch,
                run_dir,
                reach,
            } => Self::Spawn(pb::Spawn {
                key: Some(of_key(&key)),
                program: launch.program.into_os_string().into_vec(),
                arguments: launch
                    .arguments
                    .into_iter()
                    .map(String::into_bytes)
                    .collect(),
                environment: launch
                    .environment
                    .into_iter()
                    .map(String::into_bytes)
                    .collect(),
                cwd: launch.cwd.into_os_string().into_vec(),
                run_dir: run_dir.into_os_string().into_vec(),
                uid: launch.account.as_ref().map(|account| account.uid),
                gid: launch.account.as_ref().map(|account| account.gid),
                tree: reach == StopReach::Tree,
            }),
            Order::Signal(key, signal) => Self::Signal(pb::Signal {
                key: Some(of_key(&key)),
                signal,
            }),
            Order::Forget(key) => Self::Forget(pb::Forget {
                key: Some(of_key(&key)),
            }),
            Order::Adopt {
                key,
                identity,
                run_dir,
                reach,
            } => Self::Adopt(pb::Adopt {
                key: Some(of_key(&key)),
                pid: identity.pid,
                start_ticks: identity.start_ticks,
                boot_id: identity.boot_id,
                run_dir: run_dir.into_os_string().into_vec(),
                tree: reach == StopReach::Tree,
                spawned_at: Some(pb::Moment {
                    boot_ns: nanos(identity.since),
                    unix_ns: nanos(identity.since_unix),
                }),
            }),
            Order::Shutdown => Self::Shutdown(pb::Shutdown {}),
        }
    }
}

/// All that a keeper says when we meet.
pub(super) fn greeting(hello: pb::Hello) -> Greeting {
    let mut greeting = Greeting {
        boot_id: eco_home::clock::boot_id(),
        ..Greeting::default()
    };
    for run in hello.runs {
        let Some(key) = run.key.clone().map(to_key) else {
            continue;
        };
        let facts = [
            run.spawned.map(Fact::Spawned),
            run.spawn_failed.map(Fact::SpawnFailed),
            run.exited.map(Fact::Exited),
            run.gone.then(|| {
                Fact::Gone(pb::Gone {
                    key: run.key,
                    at: None,
                })
            }),
        ];
        let reports = facts
            .into_iter()
            .flatten()
            .filter_map(report)
            .map(|(_, report)| report);
        greeting.runs.insert(
            key,
            Known {
                reports: reports.collect(),
            },
        );
    }
    greeting
}

/// A fact about a run; `None` for what is none.
pub(super) fn report(fact: Fact) -> Option<(RunKey, Report)> {
    match fact {
        Fact::Spawned(spawned) => {
            let at = spawned.at.unwrap_or_default();
            let identity = Identity {
                pid: spawned.pid,
                start_ticks: spawned.start_ticks,
                boot_id: spawned.boot_id,
                since: Duration::from_nanos(at.boot_ns),
                since_unix: Duration::from_nanos(at.unix_ns),
            };
            Some((to_key(spawned.key?), Report::Spawned(identity)))
        }
        Fact::SpawnFailed(failed) => {
            let why = format!(
                "{}: {}",
                failed.attempt,
                Errno::from_raw(failed.errno).desc()
            );
            let at_unix = Duration::from_nanos(failed.at.unwrap_or_default().unix_ns);
            Some((to_key(failed.key?), Report::SpawnFailed { why, at_unix }))
        }
        Fact::Exited(exited) => {
            let at = exited.at.unwrap_or_default();
            let report = Report::Exited {
                how: match exited.how {
                    Some(pb::exited::How::Code(code)) => How::Code(code),
                    Some(pb::exited::How::Signal(signal)) => How::Signal(signal),
                    Some(pb::exited::How::Unknown(_)) | None => How::Unknown,
                },
                at: Duration::from_nanos(at.boot_ns),
                at_unix: Duration::from_nanos(at.unix_ns),
                left: if exited.left > 0 {
                    Left::Processes
                } else {
                    Left::Nothing
                },
            };
            Some((to_key(exited.key?), report))
        }
        Fact::Gone(gone) => Some((to_key(gone.key?), Report::Gone)),
        Fact::Hello(_) | Fact::Grown(_) | Fact::Descriptors(_) => None,
    }
}

pub(super) fn growth(grown: pb::Grown) -> Option<Growth> {
    let stream = Stream::BOTH
        .into_iter()
        .find(|stream| stream.descriptor() == grown.stream)?;
    Some(Growth {
        key: to_key(grown.key?),
        stream,
        size: grown.size,
    })
}

fn of_key(key: &RunKey) -> pb::RunKey {
    pb::RunKey {
        environment: key.slot.app.environment.clone(),
        app: key.slot.app.name.clone(),
        instance: key.slot.instance,
        run: key.run,
    }
}

fn to_key(key: pb::RunKey) -> RunKey {
    let app = AppKey {
        environment: key.environment,
        name: key.app,
    };
    RunKey {
        slot: SlotKey {
            app,
            instance: key.instance,
        },
        run: key.run,
    }
}
