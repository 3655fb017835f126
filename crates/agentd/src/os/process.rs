//! The process table, as /proc shows it.
//!
//! One pass reads one small file a process and allocates nothing per process; what a process is *for* (its arguments,
//! its environment) is only looked at when asked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::time::Duration;

use eco_home::launch::RUN_MARK;
use nix::unistd::{SysconfVar, sysconf};

/// Nanoseconds of a clock tick as /proc counts (`USER_HZ` is 100 on every Linux we run on).
pub const TICK_NS: u64 = 10_000_000;

/// More than the kernel ever writes into one /proc/PID/stat.
const LONGEST_STAT: usize = 4096;

/// Whether a process still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It does, or one of its threads does.
    Alive,
    /// It ended, and its parent has not asked for its status yet.
    Zombie,
}

/// Which process is meant: a pid may be given out again, both together are not (within one boot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
}

/// One process, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Its parent's number; 0 when the parent is outside.
    pub parent: i32,
    /// The number of its session's first process.
    pub session: i32,
    /// Whether it still runs.
    pub life: Life,
    /// How many threads it has.
    pub threads: u32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// Processor time used, its threads' included, in clock ticks.
    pub cpu_ticks: u64,
    /// Processor time of children that ended, and theirs, in clock ticks.
    pub waited_ticks: u64,
    /// Memory in use, bytes.
    pub resident_bytes: u64,
    /// Its wait status, once it is a zombie and where we may know it.
    pub exit_status: Option<i32>,
}

impl Process {
    /// Which process this is.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        Identity {
            pid: self.pid,
            start_ticks: self.start_ticks,
        }
    }

    /// When it started, since boot, as finely as the kernel tells.
    #[must_use]
    pub const fn started_at(&self) -> Duration {
        Duration::from_nanos(self.start_ticks.saturating_mul(TICK_NS))
    }

    /// Whether it still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.life == Life::Alive
    }
}

/// Looks at one process; `None` when there is none of this number.
#[must_use]
pub fn read(pid: i32) -> Option<Process> {
    let mut text = [0; LONGEST_STAT];
    read_stat(&pid.to_string(), &mut text)
}

/// Looks at all processes. What begins or ends meanwhile may be missing.
#[must_use]
pub fn scan() -> Vec<Process> {
    let mut text = [0; LONGEST_STAT];
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let name = name.to_str()?;
            let is_process = name.bytes().all(|byte| byte.is_ascii_digit());
            is_process.then(|| read_stat(name, &mut text)).flatten()
        })
        .collect()
}

/// Picks the tree of `leader` out of `processes`: itself, its session, and all their descendants.
#[must_use]
pub fn tree(processes: &[Process], leader: i32) -> Vec<Process> {
    descend(processes, |process| {
        process.pid == leader || process.session == leader
    })
}

/// Picks those that are a root, and all their descendants.
pub fn descend(processes: &[Process], is_root: impl Fn(&Process) -> bool) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<&Process>> = BTreeMap::new();
    for process in processes {
        children.entry(process.parent).or_default().push(process);
    }
    let mut seen = BTreeSet::new();
    let mut left: Vec<&Process> = processes.iter().filter(|one| is_root(one)).collect();
    let mut found = Vec::new();
    while let Some(process) = left.pop() {
        if seen.insert(process.pid) {
            left.extend(children.get(&process.pid).into_iter().flatten());
            found.push(process.clone());
        }
    }
    found
}

/// The memory in which `pid` was given its environment: `NAME=VALUE`, each with a NUL behind it, unless the process has
/// written over it. `None`: it is not there, or not ours to read.
#[must_use]
pub fn environment(pid: i32) -> Option<Vec<u8>> {
    std::fs::read(format!("/proc/{pid}/environ")).ok()
}

/// What names its run in the environment that `pid` was started with.
#[must_use]
pub fn run_mark(pid: i32) -> Option<Vec<u8>> {
    let environment = environment(pid)?;
    let mut variables = environment.split(|byte| *byte == 0);
    let is_mark = |variable: &&[u8]| {
        let value = variable.strip_prefix(RUN_MARK.as_bytes());
        value.is_some_and(|value| value.starts_with(b"="))
    };
    variables.find(is_mark).map(<[u8]>::to_vec)
}

/// Whether the environment that `pid` was started with holds exactly `entry` (`NAME=VALUE`). Unreadable counts as no.
#[must_use]
pub fn has_environment(pid: i32, entry: &[u8]) -> bool {
    environment(pid).is_some_and(|all| all.split(|byte| *byte == 0).any(|one| one == entry))
}

fn read_stat(pid: &str, text: &mut [u8]) -> Option<Process> {
    let mut file = File::open(format!("/proc/{pid}/stat")).ok()?;
    let mut length = 0;
    loop {
        match file.read(text.get_mut(length..)?) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    parse(text.get(..length)?, page_bytes())
}

fn page_bytes() -> u64 {
    let bytes = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    bytes
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or(4096)
}

/// Understands one /proc/PID/stat (proc(5)). The name in parentheses may itself hold blanks and parentheses, so that
/// the last one closes it.
fn parse(stat: &[u8], page_bytes: u64) -> Option<Process> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let pid = number(stat.get(..open)?.trim_ascii())?;
    let fields: Vec<&[u8]> = stat
        .get(close + 1..)?
        .split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty())
        .collect();
    // proc(5) counts from 1, and the first field behind the name is the third.
    let field = |place: usize| fields.get(place - 3).copied();
    let count = |place: usize| field(place).and_then(number::<u64>);
    let ended = matches!(field(3)?, b"Z" | b"X" | b"x");
    // A process whose first thread ended is shown as a zombie while its other threads run on.
    let life = if ended && count(20)? <= 1 {
        Life::Zombie
    } else {
        Life::Alive
    };
    Some(Process {
        pid,
        parent: number(field(4)?)?,
        session: number(field(6)?)?,
        life,
        threads: number(field(20)?)?,
        start_ticks: count(22)?,
        cpu_ticks: count(14)?.saturating_add(count(15)?),
        waited_ticks: count(16)?.saturating_add(count(17)?),
        resident_bytes: count(24)?.saturating_mul(page_bytes),
        exit_status: (life == Life::Zombie)
            .then(|| field(52).and_then(number))
            .flatten(),
    })
}

fn number<N: std::str::FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REST: &str = "S 7 42 40 0 -1 4194560 1 0 0 0 11 22 3 4 20 0 3 0 9000 1000 25 \
        18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 1280";

    fn process(pid: i32, parent: i32, session: i32) -> Process {
        Process {
            pid,
            parent,
            session,
            life: Life::Alive,
            threads: 1,
            start_ticks: 0,
            cpu_ticks: 0,
            waited_ticks: 0,
            resident_bytes: 0,
            exit_status: None,
        }
    }

    fn pids(mut found: Vec<Process>) -> Vec<i32> {
        found.sort_by_key(|process| process.pid);
        found.into_iter().map(|process| process.pid).collect()
    }

    #[test]
    fn a_name_with_blanks_and_parentheses_is_only_a_name() {
        let stat = format!("42 (a) S 1 (b c)) {REST}\n");
        let parsed = parse(stat.as_bytes(), 4096).expect("sound");
        assert_eq!((parsed.pid, parsed.parent, parsed.session), (42, 7, 40));
        assert_eq!(parsed.start_ticks, 9000);
        assert_eq!((parsed.cpu_ticks, parsed.waited_ticks), (33, 7));
        assert_eq!(parsed.threads, 3);
        assert_eq!(parsed.resident_bytes, 25 * 4096);
        assert_eq!(parsed.exit_status, None);
    }

    #[test]
    fn a_zombie_tells_how_it_ended() {
        let stat = format!("42 (x) {REST}")
            .replace(" S 7 ", " Z 7 ")
            .replace(" 0 3 0 9000 ", " 0 1 0 9000 ");
        let parsed = parse(stat.as_bytes(), 4096).expect("sound");
        assert_eq!(
            (parsed.life, parsed.exit_status),
            (Life::Zombie, Some(1280))
        );
    }

    #[test]
    fn a_process_whose_first_thread_ended_is_alive() {
        let stat = format!("42 (x) {REST}").replace(" S 7 ", " Z 7 ");
        assert!(parse(stat.as_bytes(), 4096).expect("sound").is_alive());
    }

    #[test]
    fn a_tree_is_the_session_and_the_descendants() {
        let all = [
            process(1, 0, 1),
            process(10, 1, 10),
            process(11, 10, 10),
            process(12, 11, 12), // Left the session, kept the parent.
            process(13, 1, 10),  // Lost the parent, kept the session.
            process(14, 13, 14),
            process(20, 1, 20),
        ];
        assert_eq!(pids(tree(&all, 10)), [10, 11, 12, 13, 14]);
    }

    #[test]
    fn we_find_ourselves() {
        let pid = i32::try_from(std::process::id()).expect("pids are small");
        let own = read(pid).expect("we are there");
        assert!(own.is_alive() && own.resident_bytes > 0);
        assert!(scan().iter().any(|one| one.identity() == own.identity()));
    }

    proptest! {
        #[test]
        fn junk_is_no_process_and_no_panic(junk: Vec<u8>) {
            parse(&junk, 4096);
        }

        #[test]
        fn a_loop_of_parents_ends(parents in proptest::collection::vec(0_i32..20, 20)) {
            let all: Vec<_> = (0..).zip(parents).map(|(pid, parent)| process(pid, parent, pid)).collect();
            prop_assert!(tree(&all, 3).len() <= all.len());
        }
    }
}
