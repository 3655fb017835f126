mod damage;
mod frozen;
mod records;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::database::{Part, SEAL};
use super::*;
use crate::environment::tests::spec;
use crate::fleet::apply::Application;
use crate::fleet::event::What;
use crate::fleet::{App, AppKey, By, SlotKey, Verb};
use crate::machine::Turn;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Opens the database. One that was closed in this process lets its lock go a moment later, with sled's last thread.
fn open(folder: &TempDir) -> Store {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        match Store::open(folder.path()) {
            Ok(store) => return store,
            Err(error) => assert!(Instant::now() < patience, "{error:?}"),
        }
        std::thread::yield_now();
    }
}

fn load(store: &Store) -> Loaded {
    store.load().expect("loaded")
}

fn key(name: &str, instance: u32) -> SlotKey {
    AppKey::of(&spec("dev", name)).slot(instance)
}

fn everything(fleet: &Fleet) -> Changes {
    Changes {
        gone: BTreeMap::new(),
        tasks: Vec::new(),
        apps: fleet.apps().keys().cloned().collect(),
        slots: fleet.slots().map(|(key, _, _)| key).collect(),
    }
}

/// A fleet with `dev/api` and `dev/web`, spawning.
fn fleet() -> Fleet {
    let mut fleet = Fleet::default();
    let specs = vec![spec("dev", "api"), spec("dev", "web")];
    fleet.apply(Duration::ZERO, &By::ann(), Application::of(specs));
    fleet
}

fn commit(store: &Store, fleet: &mut Fleet) {
    let changes = fleet.take_changes();
    store.commit(fleet, &changes, &[]).expect("committed");
}

fn saved(fleet: &mut Fleet) -> (TempDir, Store) {
    let folder = folder();
    let store = open(&folder);
    commit(&store, fleet);
    (folder, store)
}

#[test]
fn a_new_database_is_empty() {
    let folder = folder();
    let loaded = load(&open(&folder));
    assert!(loaded.fleet.apps().is_empty() && loaded.bad.is_empty());
    assert_eq!(loaded.boot_id, "");
}

#[test]
fn the_boot_is_remembered() {
    let folder = folder();
    open(&folder).set_boot("one").expect("written");
    assert_eq!(load(&open(&folder)).boot_id, "one");
}

#[test]
fn only_what_changed_is_written() {
    let mut fleet = fleet();
    let (_folder, store) = saved(&mut fleet);
    let mut other = fleet.clone();
    other.act(
        Duration::ZERO,
        &By::ann(),
        Verb::Restart(Turn::InOrder),
        &[key("api", 0), key("web", 0)],
    );
    let changes = Changes {
        slots: [key("api", 0)].into(),
        ..Changes::default()
    };
    store.commit(&other, &changes, &[]).expect("committed");
    let loaded = load(&store).fleet;
    assert_eq!(loaded.slot(&key("api", 0)), other.slot(&key("api", 0)));
    assert_eq!(loaded.slot(&key("web", 0)), fleet.slot(&key("web", 0)));
}

#[test]
fn a_deleted_app_is_gone_and_its_run_numbers_are_not() {
    let mut fleet = fleet();
    let (folder, store) = saved(&mut fleet);
    fleet.act(Duration::ZERO, &By::ann(), Verb::Stop, &[key("api", 0)]);
    fleet.act(Duration::ZERO, &By::ann(), Verb::Delete, &[key("api", 0)]);
    // Nothing of it ever lived: the keeper never heard of it.
    fleet.reconcile(Duration::ZERO, &crate::fleet::Greeting::default());
    commit(&store, &mut fleet);
    drop(store);
    let Loaded { mut fleet, bad, .. } = load(&open(&folder));
    assert_eq!(bad, []);
    assert_eq!(fleet.slot(&key("api", 0)), None);
    assert!(fleet.slot(&key("web", 0)).is_some());
    let outcomes = fleet.apply(
        Duration::ZERO,
        &By::ann(),
        Application::of(vec![spec("dev", "api")]),
    );
    assert_eq!(outcomes[0].run, 2);
}

#[test]
fn a_record_that_is_not_understood_is_reported_and_the_others_are_loaded() {
    let mut fleet = fleet();
    let (_folder, store) = saved(&mut fleet);
    store
        .tree(Part::Slots)
        .insert("dev/api#0", vec![1, 0xff])
        .unwrap();
    store.tree(Part::Slots).insert("nonsense", vec![1]).unwrap();
    store
        .tree(Part::Slots)
        .insert("dev/none#0", vec![1])
        .unwrap();
    store
        .tree(Part::Apps)
        .insert("dev/later", vec![9, 1, 2])
        .unwrap();
    store.tree(Part::Apps).insert("dev/empty", vec![]).unwrap();
    store
        .tree(Part::Runs)
        .insert("dev/api#1", vec![1, 2])
        .unwrap();
    let loaded = load(&store);
    let mut bad: Vec<_> = loaded.bad.iter().map(ToString::to_string).collect();
    bad.sort();
    insta::assert_snapshot!(bad.join("\n"), @r"
    read the record dev/api#0: failed to decode Protobuf message: invalid varint
    read the record dev/api#1: it is no number of version 1
    read the record dev/empty: it is empty
    read the record dev/later: its version 9 is not known
    read the record dev/none#0: its app is not there
    read the record nonsense: its key is no slot's
    ");
    assert_eq!(loaded.fleet.slots().count(), 1);
    assert_eq!(
        loaded.fleet.slot(&key("web", 0)),
        fleet.slot(&key("web", 0))
    );
    // They are left where they are.
    assert_eq!(load(&store).bad, loaded.bad);
}

#[test]
fn a_file_where_the_database_should_be_is_told_by_its_path() {
    let folder = folder();
    let path = folder.path().join("state");
    std::fs::write(&path, "no database").expect("written");
    let error = Store::open(&path).expect_err("no folder");
    let told = error.to_string();
    let begins = format!("open the state in {} ", path.display());
    assert!(
        told.starts_with(&begins) && told.contains("eco kill"),
        "{told}"
    );
    let source = std::error::Error::source(&error).expect("a reason");
    assert!(!source.to_string().is_empty());
}

#[test]
fn a_second_agent_cannot_open_what_the_first_has_open() {
    let folder = folder();
    let _first = open(&folder);
    let second = Store::open(folder.path()).expect_err("taken");
    assert!(matches!(second, StoreError::Open { .. }));
}

#[test]
fn only_the_last_events_are_kept_and_their_numbers_go_on() {
    let (folder, fleet) = (folder(), Fleet::default());
    let store = open(&folder);
    let event = |number: u64| Event {
        at_unix: Duration::from_secs(number),
        app: AppKey::of(&spec("dev", "api")),
        instance: None,
        run: 0,
        what: What::Registered,
        cause: String::new(),
        by: By::ann(),
    };
    let events: Vec<_> = (1..=KEPT + 5).map(event).collect();
    for part in events.chunks(3000) {
        store
            .commit(&fleet, &Changes::default(), part)
            .expect("committed");
    }
    let kept = store.events().after(0, usize::MAX).expect("read");
    let kept: Vec<_> = kept
        .into_iter()
        .map(|one| one.expect("understood"))
        .collect();
    assert_eq!(u64::try_from(kept.len()), Ok(KEPT));
    let (first, last) = (kept.first().expect("some"), kept.last().expect("some"));
    assert_eq!((first.number, last.number), (6, KEPT + 5));
    assert_eq!(last.event, event(KEPT + 5));
}
