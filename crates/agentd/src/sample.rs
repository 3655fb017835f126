//! What the processes of runs use: looked up when somebody asks, so that nobody asking costs nothing.
//!
//! Processor time and resident memory come from the process table, which is read once for all runs. What costs a file per
//! process, or makes the kernel walk its memory, is only read for those who ask for it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use eco_home::clock;

use crate::os::process::{self, Process, TICK_NS};
use crate::os::{measure, owners};

/// Two looks closer than this tell no rate.
const SHORTEST: Duration = Duration::from_millis(200);

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closeness {
    /// At the process table.
    Glance,
    /// At each process.
    Measure,
}

/// What the processes of a run use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Of one core, since the last look, or since it was spawned.
    pub cpu_percent: f64,
    /// Resident, all processes.
    pub memory_bytes: u64,
    /// What only [`Closeness::Measure`] tells.
    pub measured: Measured,
}

/// What is `None` was not asked for, or is not ours to know: processes of another user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Memory, what is shared divided by how many share it.
    pub proportional_bytes: Option<u64>,
    /// Open descriptors.
    pub descriptors: Option<u64>,
    /// Threads, the first of each process included.
    pub threads: Option<u64>,
}

/// Remembers the last look.
#[derive(Debug, Default)]
pub struct Sampler {
    last: Mutex<BTreeMap<i32, Look>>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at: Duration,
    since: Duration,
    cpu_ticks: u64,
    percent: f64,
}

impl Sampler {
    /// Looks at the runs whose first processes these are, given with the time since boot when they were spawned. Reads
    /// files of the kernel, and so is not for a task that others wait for.
    #[must_use]
    pub fn look(
        &self,
        leaders: &BTreeMap<i32, Duration>,
        closeness: Closeness,
    ) -> BTreeMap<i32, Usage> {
        let now = clock::since_boot();
        let table = process::scan();
        let pids: BTreeSet<i32> = leaders.keys().copied().collect();
        let runs = owners::by_leader(&table, &pids, process::run_mark);
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let living: BTreeSet<i32> = table.iter().map(|process| process.pid).collect();
        last.retain(|pid, _| living.contains(pid));
        let mut usages = BTreeMap::new();
        for (pid, since) in leaders {
            let Some(members) = runs.get(pid) else {
                continue;
            };
            let look = next(last.get(pid).copied(), now, ticks(members), *since);
            last.insert(*pid, look);
            let usage = Usage {
                cpu_percent: look.percent,
                memory_bytes: members.iter().map(|one| one.resident_bytes).sum(),
                measured: match closeness {
                    Closeness::Glance => Measured::default(),
                    Closeness::Measure => measured(members),
                },
            };
            usages.insert(*pid, usage);
        }
        usages
    }
}

/// The time of children that ended is in their parent's, so that nothing is lost with them.
fn ticks(members: &[&Process]) -> u64 {
    let of = |one: &&Process| one.cpu_ticks.saturating_add(one.waited_ticks);
    members.iter().map(of).sum()
}

fn measured(members: &[&Process]) -> Measured {
    Measured {
        proportional_bytes: sum(members, measure::proportional_bytes),
        descriptors: sum(members, measure::descriptors),
        threads: Some(members.iter().map(|one| u64::from(one.threads)).sum()),
    }
}

/// Who has ended meanwhile uses nothing. Who may not be asked makes the sum unknown, since a part of it would be believed.
fn sum(members: &[&Process], read: impl Fn(i32) -> io::Result<u64>) -> Option<u64> {
    let mut total = None;
    for member in members {
        match read(member.pid) {
            Ok(value) => *total.get_or_insert(0) += value,
            Err(error) if measure::has_ended(&error) => {}
            Err(_) => return None,
        }
    }
    total
}

/// The rate since the last look; since the spawn, where there was none.
fn next(last: Option<Look>, now: Duration, cpu_ticks: u64, since: Duration) -> Look {
    // A pid is given out again.
    let last = last.filter(|last| last.since == since);
    let (from, before) = match last {
        Some(last) if now.saturating_sub(last.at) < SHORTEST => return last,
        Some(last) => (last.at, last.cpu_ticks),
        None => (since, 0),
    };
    Look {
        at: now,
        since,
        cpu_ticks,
        percent: percent(cpu_ticks.saturating_sub(before), now.saturating_sub(from)),
    }
}

fn percent(ticks: u64, elapsed: Duration) -> f64 {
    let used = Duration::from_nanos(ticks.saturating_mul(TICK_NS));
    if elapsed.is_zero() {
        0.0
    } else {
        100.0 * used.as_secs_f64() / elapsed.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_tells_the_rate_since_the_spawn_and_later_ones_since_the_last() {
        let second = Duration::from_secs(1);
        let first = next(None, 10 * second, 50, 8 * second);
        assert!((first.percent - 25.0).abs() < 0.01);
        let later = next(Some(first), 11 * second, 150, 8 * second);
        assert!((later.percent - 100.0).abs() < 0.01);
        let at_once = next(Some(later), 11 * second, 160, 8 * second);
        assert!((at_once.percent - 100.0).abs() < 0.01);
    }

    #[test]
    fn another_process_of_the_same_number_begins_anew() {
        let second = Duration::from_secs(1);
        let old = next(None, 10 * second, 900, second);
        let new = next(Some(old), 12 * second, 50, 11 * second);
        assert!((new.percent - 50.0).abs() < 0.01);
    }

    #[test]
    fn who_ended_uses_nothing_and_who_may_not_be_asked_makes_the_sum_unknown() {
        let me = process::read(i32::try_from(std::process::id()).expect("small")).expect("there");
        let table: Vec<Process> = (1..=3).map(|pid| Process { pid, ..me.clone() }).collect();
        let members: Vec<&Process> = table.iter().collect();
        let with = |third: io::ErrorKind| {
            sum(&members, |pid| match pid {
                1 => Ok(5),
                2 => Ok(6),
                _ => Err(third.into()),
            })
        };
        assert_eq!(with(io::ErrorKind::NotFound), Some(11));
        assert_eq!(with(io::ErrorKind::PermissionDenied), None);
        assert_eq!(sum(&members, |_| Err(io::ErrorKind::NotFound.into())), None);
    }

    #[test]
    fn a_look_without_measuring_reads_no_more_than_the_table() {
        let me = i32::try_from(std::process::id()).expect("small");
        let table = process::scan();
        let session = table
            .iter()
            .find(|one| one.pid == me)
            .expect("there")
            .session;
        let leaders = BTreeMap::from([(session, Duration::ZERO)]);
        let sampler = Sampler::default();
        let glance = sampler.look(&leaders, Closeness::Glance);
        assert_eq!(glance[&session].measured, Measured::default());
        let closer = sampler.look(&leaders, Closeness::Measure);
        assert!(
            closer[&session]
                .measured
                .threads
                .is_some_and(|count| count > 0)
        );
    }
}
