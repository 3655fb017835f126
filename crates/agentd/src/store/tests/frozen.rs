//! What earlier agents wrote.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::fleet::apply::policy;
use crate::fleet::{App, By, Exit, Fate, History, How, Identity, Slot};
use crate::machine::{Ended, Ending, Machine, Replace, Saved, State, Want};

/// Records of version 1, as the first agent that had them wrote them: tree, key and value in hexadecimal. They must load
/// for ever; a later version adds a file of its own.
const VERSION_1: &str = include_str!("../../../tests/data/state_v1.txt");

/// One slot in each state, and one that was deleted.
fn frozen() -> Fleet {
    let since = Duration::from_secs(5);
    let by_itself = Ending::ByItself {
        how: Ended::Code(3),
        lived: since,
    };
    let states = [
        (Want::Down, State::Stopped),
        (
            Want::Up,
            State::Spawning {
                replace: Replace::Yes(Turn::InOrder),
            },
        ),
        (Want::Up, State::Launching { pid: 41, since }),
        (Want::Up, State::Online { pid: 42, since }),
        (
            Want::Held,
            State::Ending {
                pid: 43,
                ending: Ending::Asked(Turn::InOrder),
                kill_at: since,
            },
        ),
        (
            Want::Up,
            State::Ending {
                pid: 44,
                ending: by_itself,
                kill_at: since,
            },
        ),
        (Want::Up, State::Waiting { until: since }),
        (Want::Up, State::Errored),
    ];
    let mut asked = spec("production", "@acme/api #1");
    asked.instances = 8;
    asked.env.insert("PORT".to_owned(), "3000".to_owned());
    asked.max_memory = Some(64 << 20);
    let slots = (0..).zip(states).map(|(number, (want, state))| {
        let saved = Saved {
            want,
            state,
            run: 7,
            strikes: 1,
            attempts: 2,
            restarts: 3,
        };
        (number, frozen_slot(number, saved, &asked))
    });
    let app = App {
        slots: slots.collect(),
        spec: Arc::new(asked.clone()),
    };
    let key = AppKey::of(&asked);
    let last_runs = BTreeMap::from([(key.slot(9), 12)]);
    Fleet::restore(BTreeMap::from([(key, app)]), last_runs)
}

fn frozen_slot(id: u32, saved: Saved, asked: &eco_config::spec::AppSpec) -> Slot {
    let at = Duration::from_secs(1_700_000_000);
    let identity = Identity {
        pid: 42,
        start_ticks: 1234,
        boot_id: "3f0c8f4e-boot".to_owned(),
        since: Duration::from_secs(5),
        since_unix: at,
    };
    let exit = |run, how| Exit {
        run,
        how,
        at_unix: at,
        lived: Duration::from_millis(1500),
        cause: "exited with code 3; restarted at once".to_owned(),
        by: By::Unknown,
        began: None,
        is_completion: false,
    };
    let exits = VecDeque::from([
        exit(6, How::Code(3)),
        exit(5, How::Signal(9)),
        exit(4, How::Unknown),
        exit(3, How::NotSpawned("start it: no such file".to_owned())),
    ]);
    let fate = if id == 4 { Fate::Leaves } else { Fate::Stays };
    let port = Some(3000);
    let machine = Machine::restore(policy(asked, port), saved);
    let mut slot = Slot::restore(
        id,
        machine,
        Some(identity),
        fate,
        History {
            cause: "restarted by a person".to_owned(),
            exits,
            ..History::default()
        },
    );
    // What is not written is what the specification says.
    slot.port = port;
    slot
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes all");
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn what_version_1_wrote_is_understood() {
    let folder = folder();
    let store = open(&folder);
    for line in VERSION_1.lines() {
        let fields: Vec<_> = line.split(' ').collect();
        let tree = match fields[0] {
            "apps" => store.tree(Part::Apps),
            "slots" => store.tree(Part::Slots),
            "runs" => store.tree(Part::Runs),
            "meta" => store.tree(Part::Meta),
            other => panic!("no tree {other}"),
        };
        tree.insert(unhex(fields[1]), unhex(fields[2])).unwrap();
    }
    let Loaded {
        mut fleet,
        boot_id,
        bad,
    } = load(&store);
    assert_eq!(bad, []);
    assert_eq!(boot_id, "3f0c8f4e-boot");
    assert_eq!(fleet.apps(), frozen().apps());

    let mut more = spec("production", "@acme/api #1");
    more.instances = 10;
    let outcomes = fleet.apply(
        Duration::from_secs(9),
        &By::ann(),
        Application::of(vec![more]),
    );
    assert_eq!(outcomes[9].run, 13, "the number of a slot that was deleted");
}

#[test]
#[ignore = "writes the frozen records to the path in FROZEN: only for a new version of the form"]
fn freeze() {
    let folder = folder();
    let store = open(&folder);
    let fleet = frozen();
    store
        .commit(&fleet, &everything(&fleet), &[])
        .expect("committed");
    let deleted = AppKey::of(&spec("production", "@acme/api #1")).slot(9);
    store
        .tree(Part::Runs)
        .insert(deleted.to_string().as_bytes(), record::of_run_number(12))
        .unwrap();
    store.set_boot("3f0c8f4e-boot").expect("written");
    let trees = [
        ("apps", store.tree(Part::Apps)),
        ("slots", store.tree(Part::Slots)),
        ("runs", store.tree(Part::Runs)),
        ("meta", store.tree(Part::Meta)),
    ];
    let mut text = String::new();
    for (name, tree) in trees {
        for entry in &tree {
            let (key, value) = entry.unwrap();
            let (key, value) = (hex(&key), hex(&value));
            writeln!(text, "{name} {key} {value}").expect("a text takes all");
        }
    }
    let path = std::env::var_os("FROZEN").expect("a path");
    std::fs::write(path, text).expect("written");
}
