//! What the processes of a run use: looked up when somebody asks, so that nobody asking costs nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use eco_home::clock;

use crate::os::process::{self, TICK_NS};

/// Two looks closer than this tell no rate.
const SHORTEST: Duration = Duration::from_millis(200);

/// What a run's session uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// Of one core, since the last look, or since it was spawned.
    pub cpu_percent: f64,
    /// Resident, all processes.
    pub memory_bytes: u64,
}

/// Remembers the last look.
#[derive(Debug, Default)]
pub struct Sampler {
    last: Mutex<BTreeMap<i32, Look>>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at: Duration,
    cpu_ticks: u64,
    percent: f64,
}

impl Sampler {
    /// Looks at the sessions that these processes lead, given with the time since boot when they were spawned.
    #[must_use]
    pub fn look(&self, leaders: &[(i32, Duration)]) -> BTreeMap<i32, Usage> {
        let now = clock::since_boot();
        let mut sums: BTreeMap<i32, (u64, u64)> = BTreeMap::new();
        for process in process::scan() {
            let (ticks, bytes) = sums.entry(process.session).or_default();
            *ticks += process.cpu_ticks;
            *bytes += process.resident_bytes;
        }
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut looks = BTreeMap::new();
        let mut usages = BTreeMap::new();
        for (pid, since) in leaders {
            let Some((cpu_ticks, memory_bytes)) = sums.get(pid).copied() else {
                continue;
            };
            let look = next(last.get(pid).copied(), now, cpu_ticks, *since);
            looks.insert(*pid, look);
            usages.insert(
                *pid,
                Usage {
                    cpu_percent: look.percent,
                    memory_bytes,
                },
            );
        }
        *last = looks;
        usages
    }
}

/// The rate since the last look; since the spawn, where there was none.
fn next(last: Option<Look>, now: Duration, cpu_ticks: u64, since: Duration) -> Look {
    match last {
        Some(last) if now.saturating_sub(last.at) < SHORTEST => last,
        Some(last) => {
            let percent = percent(
                cpu_ticks.saturating_sub(last.cpu_ticks),
                now.saturating_sub(last.at),
            );
            Look {
                at: now,
                cpu_ticks,
                percent,
            }
        }
        None => Look {
            at: now,
            cpu_ticks,
            percent: percent(cpu_ticks, now.saturating_sub(since)),
        },
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
}
