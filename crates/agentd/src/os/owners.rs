//! Which run each process belongs to: in one pass over the process table, for all runs at once.
//!
//! ```text
//!   process ─▶ parent ─▶ … ─▶ one in a leader's session ──────────────────────▶ that leader's run
//!                        └──▶ a child of the leaders' parent, in nobody's session: it lost its own parent and left
//!                             the session, as daemons do, and the mark in its environment tells whose it was
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::process::Process;

/// The living processes of each run, by the pid of the run's first process. `mark` reads what names the run in the
/// environment of a process; it is asked of orphans, and of the leaders only where there is an orphan.
pub fn by_leader<'a>(
    processes: &'a [Process],
    leaders: &BTreeSet<i32>,
    mark: impl Fn(i32) -> Option<Vec<u8>>,
) -> BTreeMap<i32, Vec<&'a Process>> {
    let table: BTreeMap<i32, &Process> = processes.iter().map(|one| (one.pid, one)).collect();
    let parents: BTreeSet<i32> = leaders
        .iter()
        .filter_map(|leader| Some(table.get(leader)?.parent))
        .collect();
    let mut marks = Marks {
        leaders,
        mark: &mark,
        known: None,
        orphans: BTreeMap::new(),
    };
    let mut owned: BTreeMap<i32, Vec<&Process>> = BTreeMap::new();
    for process in processes.iter().filter(|process| process.is_alive()) {
        let leader = match climb(process, &table, leaders, &parents) {
            Top::Led(leader) => Some(leader),
            Top::Orphan(pid) => marks.owner(pid),
            Top::Stranger => None,
        };
        if let Some(leader) = leader {
            owned.entry(leader).or_default().push(process);
        }
    }
    owned
}

/// Where a process's ancestors lead.
enum Top {
    /// To a session that this process leads.
    Led(i32),
    /// To this child of the leaders' parent.
    Orphan(i32),
    /// To nothing of ours.
    Stranger,
}

fn climb(
    process: &Process,
    table: &BTreeMap<i32, &Process>,
    leaders: &BTreeSet<i32>,
    parents: &BTreeSet<i32>,
) -> Top {
    let mut at = process;
    // The table is not of one moment, so that its parents may go round in a circle.
    for _ in 0..table.len() {
        if leaders.contains(&at.session) {
            return Top::Led(at.session);
        }
        if parents.contains(&at.parent) {
            return Top::Orphan(at.pid);
        }
        let Some(parent) = table.get(&at.parent) else {
            return Top::Stranger;
        };
        at = parent;
    }
    Top::Stranger
}

/// Marks that were read.
struct Marks<'a, F> {
    leaders: &'a BTreeSet<i32>,
    mark: &'a F,
    known: Option<BTreeMap<Vec<u8>, i32>>,
    orphans: BTreeMap<i32, Option<i32>>,
}

impl<F: Fn(i32) -> Option<Vec<u8>>> Marks<'_, F> {
    fn owner(&mut self, orphan: i32) -> Option<i32> {
        let (leaders, read) = (self.leaders, self.mark);
        let known = self.known.get_or_insert_with(|| {
            let marked = leaders.iter().map(|leader| Some((read(*leader)?, *leader)));
            marked.flatten().collect()
        });
        let owner = || known.get(&read(orphan)?).copied();
        *self.orphans.entry(orphan).or_insert_with(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::process::Life;

    const KEEPER: i32 = 5;

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

    fn owned(
        processes: &[Process],
        mark: impl Fn(i32) -> Option<Vec<u8>>,
    ) -> BTreeMap<i32, Vec<i32>> {
        by_leader(processes, &BTreeSet::from([10, 20]), mark)
            .into_iter()
            .map(|(leader, all)| (leader, all.iter().map(|one| one.pid).collect()))
            .collect()
    }

    #[test]
    fn a_run_is_its_session_and_the_descendants() {
        let all = [
            process(1, 0, 1),
            process(KEEPER, 1, KEEPER),
            process(10, KEEPER, 10),
            process(11, 10, 10),
            process(12, 11, 12), // Left the session, kept the parent.
            process(13, 1, 10),  // Lost the parent, kept the session.
            process(20, KEEPER, 20),
            process(30, 1, 30),
        ];
        let found = owned(&all, |pid| panic!("nobody asks {pid}"));
        assert_eq!(
            found,
            BTreeMap::from([(10, vec![10, 11, 12, 13]), (20, vec![20])])
        );
    }

    #[test]
    fn who_lost_both_is_known_by_the_mark() {
        let all = [
            process(KEEPER, 1, KEEPER),
            process(10, KEEPER, 10),
            process(20, KEEPER, 20),
            process(40, KEEPER, 40),
            process(41, 40, 40),
            process(50, KEEPER, 50),
        ];
        let mark = |pid| match pid {
            10 => Some(b"a".to_vec()),
            20 | 40 => Some(b"b".to_vec()),
            _ => None,
        };
        let found = owned(&all, mark);
        assert_eq!(
            found,
            BTreeMap::from([(10, vec![10]), (20, vec![20, 40, 41])])
        );
    }

    #[test]
    fn zombies_and_circles_are_nobodys() {
        let mut dead = process(11, 10, 10);
        dead.life = Life::Zombie;
        let all = [
            process(10, KEEPER, 10),
            dead,
            process(60, 61, 60),
            process(61, 60, 60),
        ];
        assert_eq!(owned(&all, |_| None), BTreeMap::from([(10, vec![10])]));
    }
}
