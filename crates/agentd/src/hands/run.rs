//! The table of runs, and what the keeper holds for each.
//!
//! ```text
//!   Living ── the leader ended ──▶ Leaving ── nobody left ──▶ Draining ── FIFOs empty ──▶ Gone
//!     │                              ▲  │                                                  │
//!     └── nobody left ───────────────┼──┴──────────────────▶                               └─ Forget: dropped
//!          adopted without a leader ─┘
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use eco_home::runs::Stream;
use eco_proto::keeper::v1::{RunKey, RunState};

use super::cgroup::Cgroup;
use super::channel::Channel;
use super::facts::Facts;
use super::notices::Notices;
use super::output::Output;
use super::tree::Tree;
use crate::os::process::{self, Identity, Process};

/// Where a run is between its begin and its end.
#[derive(Debug)]
pub(super) enum Phase {
    /// Its leader lives.
    Living,
    /// Its leader ended, others did not; each with a descriptor that tells its end, where one could be had.
    Leaving(Vec<(Identity, Option<OwnedFd>)>),
    /// Nobody is left, and the disk does not take the last bytes.
    Draining,
    /// Over.
    Gone,
}

/// One run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) facts: Facts,
    pub(super) folder: PathBuf,
    pub(super) phase: Phase,
    /// Absent when it never began.
    pub(super) tree: Option<Tree>,
    /// The leader's descriptor, where one could be had.
    pub(super) pidfd: Option<OwnedFd>,
    /// Whether its end is told by waitpid.
    pub(super) is_child: bool,
    pub(super) outputs: Vec<Output>,
    /// While somebody holds its other end.
    pub(super) channel: Option<Channel>,
    pub(super) notices: Option<Notices>,
    /// Where one could be made.
    pub(super) cgroup: Option<Cgroup>,
}

impl Run {
    /// A run of which nothing is known yet.
    pub(super) fn new(key: RunKey, folder: PathBuf) -> Self {
        Self {
            facts: Facts::new(key),
            folder,
            phase: Phase::Gone,
            tree: None,
            pidfd: None,
            is_child: false,
            outputs: Vec::new(),
            channel: None,
            notices: None,
            cgroup: None,
        }
    }

    /// Its output of that name, while it may still write.
    pub(super) fn output(&mut self, stream: Stream) -> Option<&mut Output> {
        self.outputs
            .iter_mut()
            .find(|output| output.stream() == stream)
    }

    /// The living processes that it ends with, among `all`.
    fn members(&mut self, all: &[Process], keeper: i32, others: &Children) -> Vec<Identity> {
        let belongs = self.belongs(others);
        let tree = self.tree.as_mut();
        tree.map_or_else(Vec::new, |tree| tree.members(all, keeper, belongs))
    }

    fn everybody(&mut self, all: &[Process], keeper: i32, others: &Children) -> Vec<Identity> {
        let belongs = self.belongs(others);
        let tree = self.tree.as_mut();
        tree.map_or_else(Vec::new, |tree| tree.everybody(all, keeper, belongs))
    }

    /// Tells of a process which neither session nor parents betray whether it is one of the run: by cgroup or by mark.
    /// Nobody joins the session of another run's first process from outside: such a process is not asked.
    fn belongs<'a>(&self, others: &'a Children) -> impl Fn(&Process, &[u8]) -> bool + use<'a> {
        let grouped = self.cgroup.as_ref().map(Cgroup::members);
        let grouped: BTreeSet<i32> = grouped.into_iter().flatten().collect();
        move |process, mark| {
            grouped.contains(&process.pid)
                || (!others.contains_key(&process.session)
                    && process::has_environment(process.pid, mark))
        }
    }

    /// Whether only looking at the table of processes tells when it goes on.
    pub(super) fn needs_looking(&self) -> bool {
        match &self.phase {
            Phase::Living => !self.is_child && self.pidfd.is_none(),
            Phase::Leaving(members) => members.iter().any(|(_, pidfd)| pidfd.is_none()),
            Phase::Draining | Phase::Gone => false,
        }
    }
}

/// The runs whose leader is a child of ours that was not reaped, by its pid: nobody else has it, nor its session.
type Children = BTreeMap<i32, u64>;

/// All runs, by serial number, by key, and by the pid of a leader that is our child.
#[derive(Debug, Default)]
pub(super) struct Table {
    runs: BTreeMap<u64, Run>,
    keys: HashMap<RunKey, u64>,
    children: Children,
    last: u64,
}

impl Table {
    pub(super) fn insert(&mut self, run: Run) -> u64 {
        self.last += 1;
        self.keys.insert(run.facts.key().clone(), self.last);
        if let (true, Some(tree)) = (run.is_child, &run.tree) {
            self.children.insert(tree.leader().pid, self.last);
        }
        self.runs.insert(self.last, run);
        self.last
    }

    pub(super) fn find(&self, key: &RunKey) -> Option<u64> {
        self.keys.get(key).copied()
    }

    pub(super) fn get(&self, serial: u64) -> Option<&Run> {
        self.runs.get(&serial)
    }

    pub(super) fn get_mut(&mut self, serial: u64) -> Option<&mut Run> {
        self.runs.get_mut(&serial)
    }

    /// The living processes among `all` that a run ends with.
    pub(super) fn members(&mut self, serial: u64, all: &[Process], keeper: i32) -> Vec<Identity> {
        let run = self.runs.get_mut(&serial);
        run.map_or_else(Vec::new, |run| run.members(all, keeper, &self.children))
    }

    /// The living processes of a run among `all`, whether it ends with them or not.
    pub(super) fn everybody(&mut self, serial: u64, all: &[Process], keeper: i32) -> Vec<Identity> {
        let run = self.runs.get_mut(&serial);
        run.map_or_else(Vec::new, |run| run.everybody(all, keeper, &self.children))
    }

    /// The run whose leader had this pid, which is free for others from now on.
    pub(super) fn child_ended(&mut self, pid: i32) -> Option<u64> {
        self.children.remove(&pid)
    }

    pub(super) fn remove(&mut self, serial: u64) {
        if let Some(run) = self.runs.remove(&serial) {
            self.keys.remove(run.facts.key());
        }
    }

    pub(super) fn states(&self) -> Vec<RunState> {
        self.runs
            .values()
            .map(|run| run.facts.state().clone())
            .collect()
    }

    /// Serial numbers of the runs that only looking tells about.
    pub(super) fn to_look_at(&self) -> Vec<u64> {
        let needing = self.runs.iter().filter(|(_, run)| run.needs_looking());
        needing.map(|(serial, _)| *serial).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn living(&self) -> usize {
        let living = self.runs.values().filter(|run| !run.facts.is_gone());
        living.count()
    }
}
