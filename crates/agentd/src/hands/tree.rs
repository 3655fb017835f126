//! Which processes belong to a run: pure, but for one question per stranger.
//!
//! ```text
//!   leader ─┬─ same session ───────────────┐
//!           ├─ descendants of members ─────┼──▶ members
//!           ├─ ECO_RUN_ID in environment, ─┤    (left the session and lost the parent)
//!           │  or in the run's cgroup      │
//!           └─ members seen before ────────┘    (wiped the environment since)
//! ```
//!
//! - Nothing that started before the leader is a member, and the keeper never is.
//! - Once the session was seen empty it stays so: its number may be given to strangers.

use std::collections::BTreeSet;

use crate::os::process::{Identity, Process, descend};

/// What tells the members of a run.
#[derive(Debug)]
pub(super) struct Tree {
    leader: Identity,
    /// `NAME=VALUE` in the environment of every process of the run.
    mark: Vec<u8>,
    /// Whether the run ends with all of them, or with its leader.
    is_whole: bool,
    /// Whether the session's number still means the run's session.
    has_session: bool,
    seen: BTreeSet<Identity>,
}

impl Tree {
    pub(super) const fn new(leader: Identity, mark: Vec<u8>, is_whole: bool) -> Self {
        Self {
            leader,
            mark,
            is_whole,
            has_session: true,
            seen: BTreeSet::new(),
        }
    }

    pub(super) const fn leader(&self) -> Identity {
        self.leader
    }

    pub(super) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Picks the living processes that the run ends with out of all: see [`Self::everybody`].
    pub(super) fn members(
        &mut self,
        all: &[Process],
        keeper: i32,
        has_mark: impl Fn(&Process, &[u8]) -> bool,
    ) -> Vec<Identity> {
        if self.is_whole {
            return self.everybody(all, keeper, has_mark);
        }
        let leader = self.leader;
        let is_leader = |one: &&Process| one.is_alive() && one.identity() == leader;
        all.iter()
            .filter(is_leader)
            .map(Process::identity)
            .collect()
    }

    /// Picks all living processes of the run, the leader first and the youngest last: signalled in this order, a parent
    /// does not see its children die and end by itself before its own signal. `has_mark` asks whether the environment of
    /// a process holds the mark.
    pub(super) fn everybody(
        &mut self,
        all: &[Process],
        keeper: i32,
        has_mark: impl Fn(&Process, &[u8]) -> bool,
    ) -> Vec<Identity> {
        let leader = self.leader;
        let taken = |one: &Process| one.pid == leader.pid && one.identity() != leader;
        let in_session = |one: &Process| one.session == leader.pid;
        self.has_session &= !all.iter().any(taken) && all.iter().any(in_session);

        let young: Vec<Process> = all
            .iter()
            .filter(|one| one.start_ticks >= leader.start_ticks && one.pid != keeper)
            .cloned()
            .collect();
        let is_known = |one: &Process| {
            one.identity() == leader
                || (self.has_session && in_session(one))
                || self.seen.contains(&one.identity())
        };
        let related: BTreeSet<Identity> = descend(&young, is_known)
            .iter()
            .map(Process::identity)
            .collect();
        let is_member = |one: &Process| {
            related.contains(&one.identity()) || (one.is_alive() && has_mark(one, &self.mark))
        };
        let mut members: Vec<Identity> = descend(&young, is_member)
            .iter()
            .filter(|one| one.is_alive())
            .map(Process::identity)
            .collect();
        members.sort_by_key(|one| (*one != leader, one.start_ticks, one.pid));
        self.seen = members.iter().copied().collect();
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::process::Life;

    const KEEPER: i32 = 2;

    fn process(pid: i32, parent: i32, session: i32, start_ticks: u64) -> Process {
        Process {
            pid,
            parent,
            session,
            life: Life::Alive,
            start_ticks,
            threads: 1,
            cpu_ticks: 0,
            waited_ticks: 0,
            resident_bytes: 0,
            exit_status: None,
        }
    }

    fn tree() -> Tree {
        let leader = Identity {
            pid: 10,
            start_ticks: 100,
        };
        Tree::new(leader, b"ECO_RUN_ID=x".to_vec(), true)
    }

    fn pids(members: Vec<Identity>) -> Vec<i32> {
        let mut pids: Vec<i32> = members.into_iter().map(|one| one.pid).collect();
        pids.sort_unstable();
        pids
    }

    fn no_mark(_: &Process, _: &[u8]) -> bool {
        false
    }

    #[test]
    fn those_who_left_session_and_parent_are_known_by_their_mark() {
        let all = [
            process(KEEPER, 1, 2, 5),
            process(10, KEEPER, 10, 100),
            process(30, 1, 30, 120),
            process(31, 30, 31, 121),
            process(40, 1, 40, 120),
        ];
        let found = tree().members(&all, KEEPER, |one, _| one.pid == 30);
        assert_eq!(pids(found), [10, 30, 31]);
    }

    #[test]
    fn nothing_older_than_the_leader_is_a_member() {
        let all = [process(10, KEEPER, 10, 100), process(9, 10, 10, 99)];
        assert_eq!(pids(tree().members(&all, KEEPER, |_, _| true)), [10]);
    }

    #[test]
    fn the_keeper_is_never_a_member() {
        let all = [process(10, 1, 10, 100), process(KEEPER, 10, 10, 200)];
        assert_eq!(pids(tree().members(&all, KEEPER, |_, _| true)), [10]);
    }

    #[test]
    fn a_member_seen_before_stays_one_when_it_hides() {
        let mut tree = tree();
        let before = [process(10, KEEPER, 10, 100), process(30, 10, 30, 120)];
        assert_eq!(pids(tree.members(&before, KEEPER, no_mark)), [10, 30]);
        let after = [process(30, 1, 30, 120)];
        assert_eq!(pids(tree.members(&after, KEEPER, no_mark)), [30]);
    }

    #[test]
    fn a_session_number_that_was_given_out_again_means_nobody() {
        let mut tree = tree();
        let reused = [process(10, 1, 10, 500), process(50, 10, 10, 501)];
        assert_eq!(pids(tree.members(&reused, KEEPER, no_mark)), [0; 0]);
        let later = [process(50, 1, 10, 501)];
        assert_eq!(pids(tree.members(&later, KEEPER, no_mark)), [0; 0]);
    }

    #[test]
    fn a_zombie_is_no_member_but_keeps_the_session() {
        let mut tree = tree();
        let mut leader = process(10, KEEPER, 10, 100);
        leader.life = Life::Zombie;
        let all = [leader, process(11, 1, 10, 101)];
        assert_eq!(pids(tree.members(&all, KEEPER, no_mark)), [11]);
    }

    #[test]
    fn a_run_that_is_only_its_leader_has_no_other_member() {
        let mut tree = tree();
        tree.is_whole = false;
        let all = [process(10, KEEPER, 10, 100), process(11, 10, 10, 101)];
        assert_eq!(pids(tree.members(&all, KEEPER, |_, _| true)), [10]);
    }
}
