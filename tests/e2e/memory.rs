//! The memory of the keeper and the log daemon is bounded, whatever apps write and however little of it is read.
//!
//! The bounds follow from the design:
//!
//! ```text
//! keeper   bytes go from FIFO to file in the kernel: a few KiB for each run, nothing for what it writes
//! logd     for each reader   batches on their way   8 queued, one that fills, one on the wire, 512 KiB at the most each
//!                            for each stream with a line to tell   a chunk of 64 KiB, the line and its pieces
//!                            for each stream of long lines         two pieces of 256 KiB more
//!          for the copies    a batch, and the same for each stream
//!          for sealing       blocks of 256 KiB, and what zstd needs for them
//! ```

use std::fs;
use std::process::{Child, Command, Stdio};

use eco_tests::{TestEnv, app, most_held, wait_until};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::{Value, json};

const MIB: u64 = 1 << 20;
/// Runs that write a little, all at the same time.
const MODEST: u64 = 190;
/// What each of the others writes.
const FLOOD: u64 = 16 << 20;

const KEEPER: u64 = 16 * MIB;

/// What the log daemon may hold for so many readers.
const fn bound(readers: u64) -> u64 {
    let streams = MODEST + FLOODS.len() as u64;
    let long = FLOODS.len() as u64;
    let batches = 10 * MIB / 2;
    let reader = batches + streams * 64 * 1024 + long * 512 * 1024;
    // The daemon itself, sealing, and the copies of two streams.
    16 * MIB + readers * reader
}

/// One huge line; lines of a megabyte; bytes that are no text; text that is no UTF-8, without a newline; short lines.
const FLOODS: [(&str, &str); 10] = [
    ("zeros", "cat /dev/zero"),
    ("long", "tr '\\0' x < /dev/zero | fold -w 1000000"),
    ("bytes", "cat /dev/urandom"),
    ("latin", "tr '\\0' '\\344' < /dev/zero"),
    (
        "lines",
        "yes 'a line of a service that has nothing much to say'",
    ),
    ("empty", "yes ''"),
    ("more-zeros", "cat /dev/zero"),
    ("more-bytes", "cat /dev/urandom"),
    (
        "json",
        "yes '{\"level\":\"info\",\"msg\":\"a line of JSON\",\"n\":1}'",
    ),
    ("trace", "yes '    at a line of a trace (file.js:1:2)'"),
];

fn flood(env: &TestEnv, name: &str, source: &str) -> Value {
    let script = format!(
        "until [ -e {} ]; do sleep 0.05; done; {source} | head -c {FLOOD}; echo; echo done >&2; exec sleep 600",
        env.path("go")
    );
    json!({ "name": name, "script": script, "autorestart": false })
}

/// A command whose output nobody takes, so that it stands still soon.
struct Unread(Child);

impl Unread {
    fn new(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Self(command.spawn().expect("it can be run"))
    }

    fn has_begun(&self) -> bool {
        let pipe = self.0.stdout.as_ref().expect("it is piped");
        let mut pipe = [PollFd::new(
            std::os::fd::AsFd::as_fd(pipe),
            PollFlags::POLLIN,
        )];
        poll(&mut pipe, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_memory_of_the_daemons_is_bounded_whatever_comes_in_and_whoever_does_not_read_it() {
    let env = TestEnv::new();
    let go = format!("file:{}", env.path("go"));
    let mut modest = app("modest", &[&go, "lines:1000", "wait"]);
    modest["instances"] = json!(MODEST);
    modest["exec_mode"] = json!("fork");
    let mut apps = vec![modest];
    apps.extend(FLOODS.map(|(name, source)| flood(&env, name, source)));
    let floods = apps.iter_mut().skip(1).filter_map(Value::as_object_mut);
    for (app, file) in floods.zip(["zeros.log", "long.log"]) {
        app.insert("out_file".to_owned(), json!(env.path(file)));
    }
    env.ecosystem("dev", &json!(apps));
    drop(env.eco(&["start", "dev"]).ok());
    let follow = |apps: &[&str]| {
        let args = [&["logs", "-f", "-n", "all"], apps].concat();
        Unread::new(env.command(env.project(), &args))
    };
    let early = [follow(&[]), follow(&["zeros", "long", "latin"])];
    env.write("go", "");
    let done = || {
        env.eco(&["logs", "-n", "all", "--err"])
            .ok()
            .stdout
            .matches("done")
            .count()
    };
    wait_until("all is written", || done() == FLOODS.len());
    let late = follow(&[]);
    wait_until("all have begun to read", || {
        early.iter().chain([&late]).all(Unread::has_begun)
    });
    // One who does read, all of it.
    let search = env.eco(&["logs", "-n", "all", "--grep", "nobody wrote this", "--json"]);
    assert_eq!(search.ok().stdout, "");
    wait_until("long lines are copied", || {
        fs::metadata(env.path("long.log")).is_ok_and(|file| file.len() >= FLOOD)
    });
    let daemons = env.daemons();
    let (keeper, logd) = (most_held(daemons.keeper), most_held(daemons.logd));
    assert!(keeper < KEEPER, "the keeper held {keeper} bytes");
    assert!(
        logd < bound(4),
        "the log daemon held {logd} bytes of {}",
        bound(4)
    );
    const {
        assert!(
            FLOODS.len() as u64 * FLOOD > bound(4),
            "or nothing is shown by it"
        );
    };
}
