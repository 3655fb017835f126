//! The processes that a test began, known by a variable in their environment, and signals to them.

use std::collections::BTreeSet;
use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{self, Signal};
use nix::unistd::{Pid, Uid, User};

/// The variable that all processes of a test inherit; its value is the test's own folder.
pub(crate) const MARK: &str = "TEST_MARK";

/// Sends a signal to one process.
///
/// # Panics
/// When the process is not there.
pub fn kill(pid: i32, signal: Signal) {
    assert!(pid > 1, "{pid} is no process of a test");
    signal::kill(Pid::from_raw(pid), signal).expect("the process is there");
}

/// The name of the account that the test runs as, which eco gives to whoever asks.
///
/// # Panics
/// When the account has no name.
#[must_use]
pub fn me() -> String {
    let me = User::from_uid(Uid::current()).expect("accounts can be looked up");
    me.expect("it has a name").name
}

/// Whether a process is there and no zombie.
#[must_use]
pub fn is_alive(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    !matches!(state, Some('Z' | 'X') | None)
}

/// The living processes with this mark, and their names.
pub(crate) fn marked(mark: &str) -> BTreeSet<(i32, String)> {
    let wanted = format!("{MARK}={mark}");
    let Ok(processes) = fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    processes
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let variables = fs::read(entry.path().join("environ")).ok()?;
            let is_ours = variables
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes());
            let name = fs::read_to_string(entry.path().join("comm")).ok()?;
            (is_ours && is_alive(pid)).then(|| (pid, name.trim_end().to_owned()))
        })
        .collect()
}

/// Kills all of them, and those that they began meanwhile.
pub(crate) fn kill_marked(mark: &str) {
    for _ in 0..200 {
        let living = marked(mark);
        if living.is_empty() {
            return;
        }
        for (pid, _) in living {
            // It may have ended by itself.
            let sent = signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
            debug_assert_ne!(sent, Err(Errno::EPERM), "the processes are ours");
        }
        crate::wait::rest();
    }
}
