//! Damage to the files of the database: all that was written is there, or the state is refused.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// What happens to the file of the records.
#[derive(Clone, Copy, Debug)]
enum Harm {
    /// One bit is another.
    Flip(u8),
    /// What a disk that lost a sector gives.
    Zeros(u16),
    /// The rest of it is gone.
    Cut,
}

/// A state of many commits that was closed, and what is in it.
fn written() -> (TempDir, Fleet) {
    let folder = folder();
    let store = open(&folder);
    store.set_boot("a boot").expect("written");
    let mut fleet = Fleet::default();
    for number in 0..40 {
        let mut one = spec("dev", &format!("app-{number}"));
        one.arguments = vec!["x".repeat(500)];
        fleet.apply(Duration::ZERO, &By::ann(), Application::of(vec![one]));
        commit(&store, &mut fleet);
    }
    drop(store);
    // It is closed when it can be opened again.
    drop(open(&folder));
    (folder, fleet)
}

fn copy(from: &Path) -> TempDir {
    let to = folder();
    for entry in fs::read_dir(from).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if path.is_file() {
            let name = path.file_name().expect("it has a name");
            fs::copy(&path, to.path().join(name)).expect("copied");
        }
    }
    to
}

fn harm(folder: &Path, at: u64, harm: Harm) {
    let path = folder.join("db");
    let mut file = fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .expect("it is there");
    let bytes = fs::read(&path).expect("it can be read");
    let old = bytes[usize::try_from(at).expect("small")];
    let new = match harm {
        Harm::Flip(bit) => vec![old ^ (1 << (bit % 8))],
        Harm::Zeros(count) => vec![0; usize::from(count)],
        Harm::Cut => return file.set_len(at).expect("cut"),
    };
    file.seek(SeekFrom::Start(at)).expect("it is a file");
    file.write_all(&new).expect("written");
}

/// The whole state, or a refusal; whether it was one.
fn is_refused(folder: &Path, fleet: &Fleet, told: &str) -> bool {
    match Store::open(folder) {
        Err(_) => true,
        Ok(store) => {
            let loaded = load(&store);
            assert!(loaded.bad.is_empty(), "{told}");
            assert_eq!(loaded.fleet.apps(), fleet.apps(), "{told}");
            assert_eq!(loaded.boot_id, "a boot", "{told}");
            false
        }
    }
}

#[test]
fn all_is_there_or_the_state_is_refused_wherever_its_file_is_damaged() {
    let (whole, fleet) = written();
    let length = fs::metadata(whole.path().join("db")).expect("there").len();
    assert!(!is_refused(copy(whole.path()).path(), &fleet, "unharmed"));
    let mut refused = 0;
    let harms = (
        any::<u64>(),
        prop_oneof![
            any::<u8>().prop_map(Harm::Flip),
            (1..5000_u16).prop_map(Harm::Zeros),
            Just(Harm::Cut),
        ],
    );
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..150 {
        let tree = harms.new_tree(&mut runner).expect("a harm");
        let (at, what) = proptest::strategy::ValueTree::current(&tree);
        let at = at % length;
        let harmed = copy(whole.path());
        harm(harmed.path(), at, what);
        refused += usize::from(is_refused(
            harmed.path(),
            &fleet,
            &format!("{what:?} at {at}"),
        ));
    }
    assert!(refused > 10, "only {refused} of 150 were refused");
}

#[test]
fn a_state_whose_file_is_gone_is_refused_and_not_taken_for_a_new_one() {
    let (folder, _) = written();
    fs::remove_file(folder.path().join("db")).expect("removed");
    for _ in 0..2 {
        let refusal = Store::open(folder.path()).expect_err("gone").to_string();
        assert!(refusal.contains("eco kill"), "{refusal}");
    }
}

#[test]
fn an_older_copy_is_refused_while_the_host_lives() {
    let (old, mut fleet) = written();
    let now = copy(old.path());
    let store = open(&now);
    fleet.apply(
        Duration::ZERO,
        &By::ann(),
        Application::of(vec![spec("dev", "new")]),
    );
    commit(&store, &mut fleet);
    drop(store);
    drop(open(&now));
    for entry in ["db", "conf"] {
        fs::copy(old.path().join(entry), now.path().join(entry)).expect("copied");
    }
    let snapshots = fs::read_dir(now.path()).expect("there").flatten();
    for entry in snapshots.filter(|entry| entry.file_name().to_string_lossy().starts_with("snap")) {
        fs::remove_file(entry.path()).expect("removed");
    }
    let refusal = Store::open(now.path()).expect_err("older");
    assert!(refusal.to_string().contains("latest"), "{refusal}");
}

#[test]
fn a_state_of_a_version_that_sealed_nothing_is_sealed_as_it_is() {
    let (folder, fleet) = written();
    let store = open(&folder);
    store.tree(Part::Meta).remove(SEAL).expect("removed");
    store.flush().expect("flushed");
    drop(store);
    fs::write(folder.path().join("eco-written"), "").expect("written");
    let store = open(&folder);
    assert_eq!(load(&store).fleet.apps(), fleet.apps());
    assert!(store.tree(Part::Meta).get(SEAL).expect("read").is_some());
}

/// Where the writer that is to be killed writes.
const WRITES_IN: &str = "ECO_TEST_WRITES_IN";

#[test]
#[ignore = "writes without end: the test below runs it as a process and kills it"]
fn a_writer_without_end() {
    let folder = std::env::var_os(WRITES_IN).expect("a folder");
    let store = Store::open(Path::new(&folder)).expect("whole");
    let mut fleet = load(&store).fleet;
    for number in 0_u64.. {
        let apps = (0..20).map(|app| {
            let mut one = spec("dev", &format!("app-{app}"));
            one.arguments = vec![format!("{number}-").repeat(1000)];
            one
        });
        fleet.apply(Duration::ZERO, &By::ann(), Application::of(apps.collect()));
        commit(&store, &mut fleet);
    }
}

#[test]
fn whoever_dies_in_the_middle_of_a_commit_leaves_a_whole_state() {
    let folder = folder();
    let witness = || fs::read(folder.path().join("eco-written")).unwrap_or_default();
    for round in 0..12_u32 {
        let mut writer = std::process::Command::new(std::env::current_exe().expect("ours"))
            .args([
                "--exact",
                "store::tests::damage::a_writer_without_end",
                "--ignored",
            ])
            .env(WRITES_IN, folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("it can be run");
        for _ in 0..=round % 4 {
            let before = witness();
            while witness() == before {
                let ended = writer.try_wait().expect("it is ours");
                assert_eq!(ended, None, "the state is refused in round {round}");
                std::thread::yield_now();
            }
        }
        writer.kill().expect("it is ours");
        writer.wait().expect("it is ours");
    }
    let loaded = load(&open(&folder));
    let arguments = |app: &App| app.spec.arguments.clone();
    let all: Vec<_> = loaded.fleet.apps().values().map(arguments).collect();
    assert_eq!(all.len(), 20);
    assert!(
        all.windows(2).all(|two| two[0] == two[1]),
        "not of one commit"
    );
}

#[test]
fn a_file_beside_the_state_that_cannot_be_read_is_named() {
    let (folder, store) = saved(&mut fleet());
    drop(store);
    let path = folder.path().join("eco-written");
    std::fs::remove_file(&path).expect("it is there");
    std::fs::create_dir(&path).expect("made");
    let until = Instant::now() + Duration::from_secs(10);
    // The lock goes with sled's last thread.
    let refusal = loop {
        let refusal = Store::open(folder.path()).expect_err("it is no file");
        if !matches!(refusal, StoreError::Open { .. }) || Instant::now() > until {
            break refusal.to_string();
        }
        std::thread::yield_now();
    };
    assert!(
        refusal.contains("eco-written") && refusal.contains("must be"),
        "{refusal}"
    );
}
