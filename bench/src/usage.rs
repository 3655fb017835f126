//! What processes have used, as the kernel counts.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// The niceness of who gives way to all.
const LOWEST: i64 = 19;

/// Of some processes together, with all their threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time, to the nanosecond; of threads that live.
    pub(crate) cpu: Duration,
    /// How often one of them rested and was woken.
    pub(crate) wakeups: u64,
    /// Memory in use.
    pub(crate) resident_bytes: u64,
}

impl Usage {
    /// Looks at processes; what is gone uses nothing.
    pub(crate) fn of(pids: &[u32]) -> Self {
        let mut usage = Self::default();
        for pid in pids {
            let process = Path::new("/proc").join(pid.to_string());
            for thread in fs::read_dir(process.join("task"))
                .into_iter()
                .flatten()
                .flatten()
            {
                usage.cpu += cpu(&text(&thread.path().join("schedstat")));
                let status = text(&thread.path().join("status"));
                usage.wakeups += field(&status, "voluntary_ctxt_switches:");
            }
            usage.resident_bytes += field(&text(&process.join("status")), "VmRSS:") * 1024;
        }
        usage
    }
}

/// The most memory that a process ever had, in bytes.
pub(crate) fn peak(pid: u32) -> u64 {
    field(
        &text(&Path::new("/proc").join(pid.to_string()).join("status")),
        "VmHWM:",
    ) * 1024
}

/// Has the peak of a process counted from now on.
pub(crate) fn forget_peak(pid: u32) {
    let path = Path::new("/proc").join(pid.to_string()).join("clear_refs");
    // Where that is not allowed the peak is that of its whole life, which is no less.
    drop(fs::write(path, "5"));
}

/// Memory of a process in bytes, what it shares divided among those who do.
pub(crate) fn proportional(pid: u32) -> u64 {
    field(
        &text(
            &Path::new("/proc")
                .join(pid.to_string())
                .join("smaps_rollup"),
        ),
        "Pss:",
    ) * 1024
}

/// Processor time of a process' threads that give way to all others: of eco-logd, the one that seals.
pub(crate) fn yielding(pid: u32) -> Duration {
    let tasks = Path::new("/proc").join(pid.to_string()).join("task");
    let threads = fs::read_dir(tasks).into_iter().flatten().flatten();
    threads
        .filter(|thread| niceness(&text(&thread.path().join("stat"))) == Some(LOWEST))
        .map(|thread| cpu(&text(&thread.path().join("schedstat"))))
        .sum()
}

/// How nice a thread is to others, of its `stat`.
fn niceness(stat: &str) -> Option<i64> {
    // The name may have blanks and brackets; what follows has none.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(16)?.parse().ok()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The first number of a schedstat: nanoseconds on a processor.
fn cpu(schedstat: &str) -> Duration {
    let nanos = schedstat.split_whitespace().next();
    let nanos = nanos.and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_understood() {
        assert_eq!(cpu("1500 20 3\n"), Duration::from_nanos(1500));
        let status = "Name:\tx\nVmRSS:\t    4908 kB\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";
        assert_eq!(field(status, "VmRSS:"), 4908);
        assert_eq!(field(status, "voluntary_ctxt_switches:"), 12);
        assert_eq!(field("", "VmRSS:"), 0);
    }

    #[test]
    fn a_thread_that_gives_way_is_known_by_its_niceness() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 39 19 4 0 100";
        assert_eq!(niceness(stat), Some(LOWEST));
        assert_eq!(niceness("7 (a) S 1"), None);
        assert_eq!(yielding(std::process::id()), Duration::ZERO);
        let (peak, share) = (peak(std::process::id()), proportional(std::process::id()));
        assert!(peak >= share && share > 0, "{peak} {share}");
    }

    #[test]
    fn we_have_used_something_and_nobody_nothing() {
        let own = Usage::of(&[std::process::id()]);
        assert!(own.cpu > Duration::ZERO && own.resident_bytes > 0);
        assert_eq!(Usage::of(&[u32::MAX]), Usage::default());
    }
}
