//! The keeper's messages to and from our own types.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::time::Duration;

use eco_config::spec::{Keeping, Limits, Overflow, StopReach};
use eco_home::clock::nanos;
use eco_home::runs::Stream;
use eco_proto::keeper::v1 as pb;
use eco_proto::keeper::v1::from_keeper::Message as Fact;
use eco_proto::keeper::v1::to_keeper::Message as To;
use nix::errno::Errno;

use super::{Growth, News, Order, Reach};
use crate::fleet::{AppKey, Greeting, How, Identity, Known, Report, RunKey, SlotKey};
use crate::limits::{CPU, Groups, MEMORY, TASKS};
use crate::machine::Left;
use crate::message::Message;
use crate::notification::Notification;
use crate::resolve::{self, Launch, Notices};
use crate::voices::Channel;

impl From<Order> for To {
    fn from(order: Order) -> Self {
        match order {
            Order::Spawn {
                key,
                launch,
                run_dir,
                reach,
            } => Self::Spawn(spawn(&key, *launch, run_dir, reach)),
            Order::Signal(key, signal, reach) => Self::Signal(pb::Signal {
                key: Some(of_key(&key)),
                signal,
                reach: match reach {
                    Reach::AsBegun => pb::SignalReach::Unspecified,
                    Reach::Leader => pb::SignalReach::Leader,
                    Reach::Tree => pb::SignalReach::Tree,
                }
                .into(),
            }),
            Order::Say(key, line) => Self::Say(pb::Say {
                key: Some(of_key(&key)),
                line,
            }),
            Order::Forget(key) => Self::Forget(pb::Forget {
                key: Some(of_key(&key)),
            }),
            Order::Heard(number) => Self::Heard(pb::Heard { number }),
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

fn spawn(key: &RunKey, launch: Launch, run_dir: PathBuf, reach: StopReach) -> pb::Spawn {
    let bytes = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    pb::Spawn {
        key: Some(of_key(key)),
        program: launch.program.into_os_string().into_vec(),
        arguments: bytes(launch.arguments),
        environment: bytes(launch.environment),
        cwd: launch.cwd.into_os_string().into_vec(),
        run_dir: run_dir.into_os_string().into_vec(),
        uid: launch.account.as_ref().map(|account| account.uid),
        gid: launch.account.as_ref().map(|account| account.gid),
        tree: reach == StopReach::Tree,
        ipc: launch.channel == resolve::Channel::Node,
        notify: launch.notices != Notices::None,
        watchdog_usec: match launch.notices {
            Notices::Socket(Some(span)) => u64::try_from(span.as_micros()).unwrap_or(u64::MAX),
            Notices::Socket(None) | Notices::None => 0,
        },
        limits: Some(limits(&launch.limits)),
        discard: launch.keeping == Keeping::Nothing,
        drop_refused: launch.overflow == Overflow::Drop,
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
            run.gone.then_some(Fact::Gone(pb::Gone {
                key: run.key,
                at: None,
            })),
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

/// The runs that can be spoken to.
pub(super) fn open(hello: &pb::Hello) -> BTreeSet<RunKey> {
    let open = hello.runs.iter().filter(|run| run.channel);
    open.filter_map(|run| run.key.clone().map(to_key)).collect()
}

/// The number of what a run said; `None` for what is nothing of the kind, or comes from a keeper that does not count.
pub(super) fn spoken(message: &pb::FromKeeper) -> Option<u64> {
    let number = match message.message.as_ref()? {
        Fact::Said(said) => said.number,
        Fact::Notified(notified) => notified.number,
        Fact::Hello(_)
        | Fact::Spawned(_)
        | Fact::SpawnFailed(_)
        | Fact::Exited(_)
        | Fact::Gone(_)
        | Fact::Grown(_)
        | Fact::ChannelClosed(_) => 0,
    };
    (number > 0).then_some(number)
}

/// What follows from something that the keeper says: that a run can be spoken to comes before the run itself, since
/// whoever hears of the run may want to speak to it at once.
pub(super) fn news(fact: Fact) -> Vec<News> {
    let channel =
        |key: Option<pb::RunKey>, channel| key.map(|key| News::Channel(to_key(key), channel));
    let (first, second) = match fact {
        Fact::Said(said) => {
            let message = Message::parse(&said.line);
            (said.key.map(|key| News::Said(to_key(key), message)), None)
        }
        Fact::Notified(notified) => {
            let notification = Notification::parse(&notified.datagram);
            let key = notified.key.map(to_key);
            (key.map(|key| News::Notified(key, notification)), None)
        }
        Fact::ChannelClosed(closed) => (channel(closed.key, Channel::Closed), None),
        Fact::Spawned(spawned) => {
            let open = spawned.channel.then(|| spawned.key.clone()).flatten();
            (channel(open, Channel::Open), report(Fact::Spawned(spawned)))
        }
        fact @ (Fact::Hello(_)
        | Fact::SpawnFailed(_)
        | Fact::Exited(_)
        | Fact::Gone(_)
        | Fact::Grown(_)) => (None, report(fact)),
    };
    let second = second.map(|(key, report)| News::Report(key, report));
    first.into_iter().chain(second).collect()
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
                how: how(&exited),
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
        Fact::Hello(_)
        | Fact::Grown(_)
        | Fact::Said(_)
        | Fact::ChannelClosed(_)
        | Fact::Notified(_) => None,
    }
}

fn how(exited: &pb::Exited) -> How {
    let how = match exited.how {
        Some(pb::exited::How::Code(code)) => How::Code(code),
        Some(pb::exited::How::Signal(signal)) => How::Signal(signal),
        Some(pb::exited::How::Unknown(_)) | None => How::Unknown,
    };
    match exited.out_of_memory {
        Some(pb::OutOfMemory { limit_bytes }) => How::OutOfMemory {
            how: Box::new(how),
            limit: limit_bytes,
        },
        None => how,
    }
}

fn limits(limits: &Limits) -> pb::Limits {
    pb::Limits {
        memory_bytes: limits.memory,
        cpu_millis: limits.cpu_millis,
        tasks: limits.tasks,
        open_files: limits.open_files,
    }
}

/// What the keeper says of cgroups; nothing where it can make none.
pub(super) fn groups(groups: Option<&pb::Groups>) -> Groups {
    let Some(groups) = groups else {
        return Groups::default();
    };
    let kept = [
        (MEMORY, groups.memory),
        (CPU, groups.cpu),
        (TASKS, groups.tasks),
    ];
    Groups {
        folder: groups.folder.clone(),
        keeps: kept
            .into_iter()
            .filter_map(|(name, is_kept)| is_kept.then_some(name))
            .collect(),
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

/// A run's name in the conversation.
pub(crate) fn of_key(key: &RunKey) -> pb::RunKey {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::tests::spec;
    use crate::resolve::Account;

    fn key() -> RunKey {
        AppKey::of(&spec("dev", "@acme/api")).slot(2).run(7)
    }

    fn moment(boot_ns: u64) -> pb::Moment {
        pb::Moment {
            boot_ns,
            unix_ns: boot_ns + 1,
        }
    }

    fn spawned() -> pb::Spawned {
        pb::Spawned {
            key: Some(of_key(&key())),
            pid: 42,
            start_ticks: 5,
            boot_id: "boot".to_owned(),
            at: Some(moment(3)),
            channel: false,
        }
    }

    fn exited(how: Option<pb::exited::How>, left: u32) -> Report {
        let exited = pb::Exited {
            key: Some(of_key(&key())),
            how,
            at: Some(moment(8)),
            left,
            out_of_memory: None,
        };
        let (told, report) = report(Fact::Exited(exited)).expect("a report");
        assert_eq!(told, key());
        report
    }

    fn spawn(account: Option<Account>) -> pb::Spawn {
        let launch = Launch {
            program: "/bin/node".into(),
            arguments: vec!["/bin/node".to_owned(), "é".to_owned()],
            environment: vec!["A=b=c".to_owned()],
            cwd: "/srv".into(),
            account,
            channel: resolve::Channel::Node,
            notices: Notices::Socket(Some(Duration::from_secs(2))),
            limits: Limits {
                tasks: Some(9),
                ..Limits::default()
            },
            keeping: Keeping::All,
            overflow: Overflow::Wait,
        };
        let order = Order::Spawn {
            key: key(),
            launch: Box::new(launch),
            run_dir: "/runs/7".into(),
            reach: StopReach::Tree,
        };
        let To::Spawn(spawn) = To::from(order) else {
            panic!("no spawn");
        };
        spawn
    }

    #[test]
    fn a_spawn_says_all_that_the_keeper_needs() {
        let spawn = spawn(None);
        assert_eq!(spawn.key.clone().map(to_key), Some(key()));
        assert_eq!(spawn.program, b"/bin/node");
        assert_eq!(spawn.arguments, [b"/bin/node".to_vec(), "é".into()]);
        assert_eq!(spawn.environment, [b"A=b=c".to_vec()]);
        assert_eq!(
            (spawn.cwd, spawn.run_dir),
            (b"/srv".to_vec(), b"/runs/7".to_vec())
        );
        assert!(spawn.tree && spawn.ipc && spawn.notify);
        assert_eq!(spawn.watchdog_usec, 2_000_000);
        assert_eq!(spawn.limits.and_then(|limits| limits.tasks), Some(9));
        assert_eq!((spawn.uid, spawn.gid), (None, None));
    }

    #[test]
    fn an_account_is_always_sent_with_its_group() {
        let spawn = spawn(Some(Account {
            uid: 33,
            gid: 34,
            name: None,
            home: None,
        }));
        assert_eq!((spawn.uid, spawn.gid), (Some(33), Some(34)));
    }

    #[test]
    fn what_a_keeper_says_of_a_process_is_what_a_later_one_is_given() {
        let Some((_, Report::Spawned(identity))) = report(Fact::Spawned(spawned())) else {
            panic!("no identity");
        };
        assert_eq!((identity.pid, identity.start_ticks), (42, 5));
        let order = Order::Adopt {
            key: key(),
            identity,
            run_dir: "/runs/7".into(),
            reach: StopReach::Leader,
        };
        let To::Adopt(adopt) = To::from(order) else {
            panic!("no adoption");
        };
        assert_eq!((adopt.pid, adopt.start_ticks), (42, 5));
        assert_eq!(adopt.boot_id, "boot");
        assert_eq!(adopt.spawned_at, Some(moment(3)));
        assert!(!adopt.tree);
    }

    #[test]
    fn an_end_is_told_as_it_was_and_never_invented() {
        use pb::exited::How as Pb;
        let how = |told| {
            let Report::Exited { how, left, .. } = exited(told, 0) else {
                panic!("no end");
            };
            assert_eq!(left, Left::Nothing);
            how
        };
        assert_eq!(how(Some(Pb::Code(3))), How::Code(3));
        assert_eq!(how(Some(Pb::Signal(9))), How::Signal(9));
        assert_eq!(how(None), How::Unknown);
        assert!(matches!(
            exited(None, 2),
            Report::Exited {
                left: Left::Processes,
                ..
            }
        ));
    }

    #[test]
    fn want_of_memory_is_told_with_the_end_it_led_to() {
        let exited = pb::Exited {
            key: Some(of_key(&key())),
            how: Some(pb::exited::How::Signal(9)),
            out_of_memory: Some(pb::OutOfMemory {
                limit_bytes: Some(512 << 20),
            }),
            ..pb::Exited::default()
        };
        let Some((_, Report::Exited { how, .. })) = report(Fact::Exited(exited)) else {
            panic!("no end");
        };
        assert_eq!(how.ended(), crate::machine::Ended::Signal(9));
        assert_eq!(
            how.to_string(),
            "killed by SIGKILL (out of memory: limit 512M)"
        );
    }

    #[test]
    fn a_keeper_without_cgroups_keeps_nothing_by_them() {
        assert_eq!(groups(None), Groups::default());
        let told = pb::Groups {
            folder: "/cg/eco".to_owned(),
            memory: true,
            tasks: true,
            ..pb::Groups::default()
        };
        assert_eq!(groups(Some(&told)).keeps, [MEMORY, TASKS]);
    }

    #[test]
    fn a_failed_spawn_is_told_with_what_was_tried_and_why_it_failed() {
        let failed = pb::SpawnFailed {
            key: Some(of_key(&key())),
            attempt: "start /srv/app".to_owned(),
            errno: nix::libc::EACCES,
            at: Some(moment(1)),
        };
        let (_, report) = report(Fact::SpawnFailed(failed)).expect("a report");
        let why = "start /srv/app: Permission denied".to_owned();
        let at_unix = Duration::from_nanos(2);
        assert_eq!(report, Report::SpawnFailed { why, at_unix });
    }

    #[test]
    fn a_greeting_tells_each_runs_facts_in_their_order() {
        let over = pb::RunState {
            key: Some(of_key(&key())),
            spawned: Some(spawned()),
            exited: Some(pb::Exited {
                key: Some(of_key(&key())),
                ..pb::Exited::default()
            }),
            gone: true,
            ..pb::RunState::default()
        };
        let hello = pb::Hello {
            runs: vec![over, pb::RunState::default()],
            ..pb::Hello::default()
        };
        let greeting = greeting(hello);
        let known = greeting.runs.get(&key()).expect("known");
        assert!(matches!(
            known.reports.as_slice(),
            [Report::Spawned(_), Report::Exited { .. }, Report::Gone]
        ));
        assert_eq!(greeting.runs.len(), 1, "what names no run is passed over");
    }

    #[test]
    fn a_fact_without_a_run_or_a_stream_is_none() {
        assert_eq!(report(Fact::Gone(pb::Gone::default())), None);
        assert_eq!(report(Fact::Hello(pb::Hello::default())), None);
        let grown = pb::Grown {
            key: Some(of_key(&key())),
            stream: 7,
            size: 1,
        };
        assert!(growth(grown).is_none());
    }
}
