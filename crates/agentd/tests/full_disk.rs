//! A disk that is full for a while, as the limit of a file's size, which is its process's own: nothing else may be tested in
//! this one.

use eco_agentd::store::Store;
use eco_home::clock;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};

const LEAST: u64 = 4096;

/// Lets `act` find no room in files.
fn without_room<T>(act: impl FnOnce() -> T) -> T {
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).expect("told");
    setrlimit(Resource::RLIMIT_FSIZE, LEAST, hard).expect("lowered");
    let done = act();
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).expect("raised");
    done
}

#[test]
fn a_disk_that_was_full_takes_the_next_write_of_the_same_agent() {
    // The threads that write for the database are begun by this one, and inherit this.
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGXFSZ);
    mask.thread_block().expect("blocked");
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opened");
    let events = store.events();
    store.set_boot("before").expect("written");
    for round in 0..3 {
        let long = round.to_string().repeat(100_000);
        let refused = without_room(|| store.set_boot(&long));
        assert!(refused.is_err(), "there was room");
        // A write is tried again each second.
        let until = clock::since_boot() + std::time::Duration::from_secs(10);
        let boot = format!("after {round}");
        while let Err(error) = store.set_boot(&boot) {
            assert!(clock::since_boot() < until, "{error:?}");
        }
        assert_eq!(store.load().expect("read").boot_id, boot);
        assert_eq!(events.last().expect("read by who had it before"), 0);
    }
}
