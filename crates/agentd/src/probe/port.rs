//! Telling when an app that was given a port listens on it.
//!
//! The kernel tells nobody when a socket begins to listen, so while an instance with a `PORT` is launching its processes
//! are looked at every few milliseconds, and now and then while it is online and nothing listens yet; otherwise nothing is.
//! A listener of somebody else on the same port does not count: the socket must be open in a process of the run.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::fleet::{App, Fleet, RunKey, Sign, Slot, SlotKey};
use crate::machine::State;
use crate::os::process;
use crate::supervisor::Input;

/// Between two looks at instances that are launching.
const EVERY: Duration = Duration::from_millis(40);
/// Between two looks at instances that are online and do not listen.
const SELDOM: Duration = Duration::from_secs(2);
/// The state of a listening socket in /proc/net/tcp.
const LISTEN: &str = "0A";

/// A living run and the port that it is told to listen on.
#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    key: RunKey,
    pid: i32,
    port: u16,
    pace: Pace,
}

/// How often to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Often,
    Seldom,
}

/// Watches the published fleet for instances whose port is awaited. Ends with the agent.
pub async fn run(mut published: watch::Receiver<Arc<Fleet>>, inputs: mpsc::Sender<Input>) {
    loop {
        let candidates = candidates(&published.borrow_and_update());
        let is_urgent = candidates
            .iter()
            .any(|candidate| candidate.pace == Pace::Often);
        let is_awaited = !candidates.is_empty();
        // All of /proc may have to be looked at, which nobody else is to wait for.
        let looked = tokio::task::spawn_blocking(move || listening(&candidates)).await;
        let Ok(listening) = looked else { return };
        for key in listening {
            if inputs.send(Input::Ready(key, Sign::Port)).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY), if is_urgent => {}
            () = tokio::time::sleep(SELDOM), if !is_urgent && is_awaited => {}
            changed = published.changed(), if !is_urgent => if changed.is_err() { return },
        }
    }
}

fn candidates(fleet: &Fleet) -> Vec<Candidate> {
    let awaited = fleet
        .slots()
        .filter_map(|(key, app, slot)| candidate(&key, app, slot));
    awaited.collect()
}

fn candidate(key: &SlotKey, app: &App, slot: &Slot) -> Option<Candidate> {
    let (pid, port, pace) = match slot.machine.state() {
        State::Launching { pid, .. } => (pid, slot.awaited_port(&app.spec)?, Pace::Often),
        State::Online { pid, .. } => (pid, slot.silent_port()?, Pace::Seldom),
        State::Stopped
        | State::Spawning { .. }
        | State::Ending { .. }
        | State::Waiting { .. }
        | State::Errored => return None,
    };
    Some(Candidate {
        key: key.run(slot.machine.run()),
        pid,
        port,
        pace,
    })
}

/// The candidates that have a socket of their own listening on their port.
fn listening(candidates: &[Candidate]) -> Vec<RunKey> {
    if candidates.is_empty() {
        return Vec::new();
    }
    let tables: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    let sockets = |port| {
        tables
            .iter()
            .flat_map(|table| listeners(table, port))
            .collect::<BTreeSet<_>>()
    };
    let open: Vec<(&Candidate, BTreeSet<u64>)> = candidates
        .iter()
        .map(|candidate| (candidate, sockets(candidate.port)))
        .filter(|(_, sockets)| !sockets.is_empty())
        .collect();
    if open.is_empty() {
        return Vec::new();
    }
    let processes = process::scan();
    open.into_iter()
        .filter(|(candidate, sockets)| {
            let tree = process::tree(&processes, candidate.pid);
            tree.iter()
                .any(|process| holds_one_of(process.pid, sockets))
        })
        .map(|(candidate, _)| candidate.key.clone())
        .collect()
}

/// The inodes of the sockets that listen on `port`, as a table of /proc/net tells.
fn listeners(table: &str, port: u16) -> Vec<u64> {
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (local, state) = (fields.get(1)?, fields.get(3)?);
            let is_it = local.ends_with(&suffix) && *state == LISTEN;
            is_it.then(|| fields.get(9)?.parse().ok()).flatten()
        })
        .collect()
}

fn holds_one_of(pid: i32, sockets: &BTreeSet<u64>) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors
        .filter_map(|descriptor| std::fs::read_link(descriptor.ok()?.path()).ok())
        .any(|target| socket_inode(&target).is_some_and(|inode| sockets.contains(&inode)))
}

fn socket_inode(target: &Path) -> Option<u64> {
    target
        .to_str()?
        .strip_prefix("socket:[")?
        .strip_suffix(']')?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1";

    #[test]
    fn only_a_listening_socket_on_the_port_counts() {
        assert_eq!(listeners(TABLE, 3000), [4711]);
        assert!(listeners(TABLE, 3001).is_empty());
        assert!(listeners("", 3000).is_empty());
    }

    #[test]
    fn a_process_that_listens_is_found_and_another_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("has one").port();
        let me = i32::try_from(std::process::id()).expect("small");
        let tables = std::fs::read_to_string("/proc/net/tcp").expect("there");
        let sockets: BTreeSet<u64> = listeners(&tables, port).into_iter().collect();
        assert!(holds_one_of(me, &sockets));
        assert!(!holds_one_of(1, &sockets));
    }
}
