//! Whatever a record holds comes back, and junk is refused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::fleet::apply::policy;
use crate::fleet::event::What;
use crate::fleet::{App, Armed, Begun, By, Exit, Fate, History, How, Identity, Lull, Slot};
use crate::machine::{Ended, Ending, Machine, Replace, Saved, State, Want};

fn time() -> impl Strategy<Value = Duration> {
    any::<u64>().prop_map(Duration::from_nanos)
}

fn ended() -> impl Strategy<Value = Ended> {
    prop_oneof![
        any::<i32>().prop_map(Ended::Code),
        any::<i32>().prop_map(Ended::Signal),
        Just(Ended::Unknown),
        Just(Ended::NotSpawned),
        Just(Ended::NotReady),
        Just(Ended::Ill)
    ]
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Asked(Turn::InOrder)),
        (ended(), time()).prop_map(|(how, lived)| Ending::ByItself { how, lived })
    ]
}

fn state() -> impl Strategy<Value = State> {
    let replace = prop_oneof![Just(Replace::No), Just(Replace::Yes(Turn::InOrder))];
    prop_oneof![
        Just(State::Stopped),
        Just(State::Errored),
        replace.prop_map(|replace| State::Spawning { replace }),
        (any::<i32>(), time()).prop_map(|(pid, since)| State::Launching { pid, since }),
        (any::<i32>(), time()).prop_map(|(pid, since)| State::Online { pid, since }),
        (any::<i32>(), ending(), time()).prop_map(|(pid, ending, kill_at)| State::Ending {
            pid,
            ending,
            kill_at
        }),
        time().prop_map(|until| State::Waiting { until })
    ]
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        Just(What::Registered),
        Just(What::ConfigChanged),
        any::<(u32, u32)>().prop_map(|(from, to)| What::Scaled { from, to }),
        Just(What::Deleted),
        any::<i32>().prop_map(|pid| What::Started { pid }),
        Just(What::Ready),
        exit().prop_map(What::Exited),
        Just(What::Restarted),
        Just(What::Stopped),
        Just(What::Errored),
    ]
}

prop_compose! {
    fn event()(
        (at_unix, environment, name) in (time(), ".{0,8}", ".{0,8}"),
        (instance, run, what, cause) in (any::<Option<u32>>(), any::<u64>(), what(), ".{0,12}"),
    ) -> Event {
        let app = AppKey { environment, name };
        Event { at_unix, app, instance, run, what, cause, by: By::ann() }
    }
}

fn exit() -> impl Strategy<Value = Exit> {
    let out_of_memory = |(code, limit)| How::OutOfMemory {
        how: Box::new(How::Code(code)),
        limit,
    };
    let how = prop_oneof![
        any::<i32>().prop_map(How::Code),
        any::<i32>().prop_map(How::Signal),
        any::<(i32, Option<u64>)>().prop_map(out_of_memory),
        Just(How::Unknown),
        ".{0,12}".prop_map(How::NotSpawned)
    ];
    let millis = any::<u64>().prop_map(Duration::from_millis);
    let reason = (".{0,12}", by(), option::of(begun()), any::<bool>());
    (any::<u64>(), how, time(), millis, reason).prop_map(
        |(run, how, at_unix, lived, (cause, by, began, is_completion))| Exit {
            run,
            how,
            at_unix,
            lived,
            cause,
            by,
            began,
            is_completion,
        },
    )
}

fn by() -> impl Strategy<Value = By> {
    prop_oneof![
        ".{0,12}".prop_map(By::Person),
        Just(By::Watch),
        Just(By::Memory),
        Just(By::Schedule),
        Just(By::Probe),
        Just(By::Boot),
        Just(By::Itself),
        Just(By::Unknown)
    ]
}

fn lull() -> impl Strategy<Value = Lull> {
    prop_oneof![
        Just(Lull::None),
        Just(Lull::Registered),
        Just(Lull::Rested(Armed::Ended)),
        Just(Lull::Rested(Armed::Registered)),
    ]
}

fn begun() -> impl Strategy<Value = Begun> {
    (".{0,12}", by(), time()).prop_map(|(cause, by, at_unix)| Begun { cause, by, at_unix })
}

fn identity() -> impl Strategy<Value = Identity> {
    (
        any::<i32>(),
        any::<u64>(),
        "[0-9a-f-]{0,36}",
        time(),
        time(),
    )
        .prop_map(|(pid, start_ticks, boot_id, since, since_unix)| Identity {
            pid,
            start_ticks,
            boot_id,
            since,
            since_unix,
        })
}

fn slot() -> impl Strategy<Value = Slot> {
    let want = prop_oneof![Just(Want::Up), Just(Want::Down), Just(Want::Held)];
    let counts = any::<(u64, u32, u32, u32)>();
    let saved =
        (want, state(), counts).prop_map(|(want, state, (run, strikes, attempts, restarts))| {
            Saved {
                want,
                state,
                run,
                strikes,
                attempts,
                restarts,
            }
        });
    let fate = prop_oneof![Just(Fate::Stays), Just(Fate::Leaves)];
    let exits = vec(exit(), 0..4).prop_map(VecDeque::from);
    let history = (".{0,12}", by(), lull(), option::of(begun()), exits);
    let port = option::of(any::<u16>());
    let rest = (any::<u32>(), option::of(identity()), fate, history, port);
    (saved, rest).prop_map(|(saved, (id, identity, fate, history, port))| {
        let machine = Machine::restore(policy(&spec("dev", "api"), port), saved);
        let (cause, by, lull, began, exits) = history;
        let history = History {
            cause,
            by,
            lull,
            began,
            exits,
        };
        let mut slot = Slot::restore(id, machine, identity, fate, history);
        slot.port = port;
        slot
    })
}

#[test]
fn an_earlier_agent_told_by_the_cause_alone_what_was_only_registered() {
    let machine = Machine::new(policy(&spec("dev", "api"), None), 0);
    let mut slot = Slot::new(0, machine);
    for (cause, lull) in [
        ("registered; autostart is off", Lull::Registered),
        ("stopped by ann", Lull::None),
    ] {
        cause.clone_into(&mut slot.cause);
        let mut written: eco_proto::state::v1::Slot =
            record::decode(b"api", &record::of_slot(&slot)).expect("a record");
        written.lull = eco_proto::state::v1::Lull::Unspecified.into();
        let value = record::versioned(&written);
        let read = record::slot(&key("api", 0), &value, &spec("dev", "api"));
        assert_eq!(read.expect("a slot").lull, lull);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_slot_is_read_as_it_was_written(slot in slot()) {
        let value = record::of_slot(&slot);
        let read = record::slot(&key("api", 0), &value, &spec("dev", "api"));
        prop_assert_eq!(read, Ok(slot));
    }

    #[test]
    fn a_key_is_read_as_it_was_written(environment in "[^/\\pC]{1,20}", name in "\\PC{1,20}", instance: u32) {
        let key = AppKey { environment, name }.slot(instance);
        prop_assert_eq!(record::slot_key(key.to_string().as_bytes()), Ok(key));
    }

    #[test]
    fn junk_is_reported_and_never_a_panic(junk: Vec<u8>) {
        let spec = spec("dev", "api");
        drop(record::app(&junk, &junk));
        drop(record::slot(&key("api", 0), &junk, &spec));
        drop(record::run_number(&junk, &junk));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn events_are_there_again_after_the_database_was_closed_and_are_counted_on(events in vec(event(), 1..5)) {
        let (folder, fleet) = (folder(), Fleet::default());
        let numbers = |store: &Store, after| -> Vec<u64> {
            let numbered = store.events().after(after, 100).expect("read");
            numbered.into_iter().map(|one| one.expect("understood").number).collect()
        };
        open(&folder).commit(&fleet, &Changes::default(), &events).expect("committed");
        let store = open(&folder);
        let read = store.events().after(0, 100).expect("read");
        let read: Vec<_> = read.into_iter().map(|one| one.expect("understood").event).collect();
        prop_assert_eq!(&read, &events);
        store.commit(&fleet, &Changes::default(), &events).expect("committed");
        let count = u64::try_from(events.len()).expect("few");
        prop_assert_eq!(numbers(&store, 0), (1..=2 * count).collect::<Vec<_>>());
        prop_assert_eq!(numbers(&store, 2 * count - 1), [2 * count]);
    }

    #[test]
    fn a_fleet_is_there_again_after_the_database_was_closed(slots in vec(slot(), 0..5)) {
        let folder = folder();
        let slots = (0..).zip(slots).collect();
        let app = App { spec: Arc::new(spec("dev", "api")), slots };
        let apps = BTreeMap::from([(AppKey::of(&app.spec), app)]);
        let fleet = Fleet::restore(apps.clone(), BTreeMap::new());
        open(&folder).commit(&fleet, &everything(&fleet), &[]).expect("committed");
        let loaded = load(&open(&folder));
        prop_assert_eq!(loaded.bad, []);
        prop_assert_eq!(loaded.fleet.apps(), &apps);
    }
}
