//! The only reader of time.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Returns the time since boot, sleep included (`CLOCK_BOOTTIME`): steady, and the same for every process of this host.
#[must_use]
pub fn since_boot() -> Duration {
    read(ClockId::CLOCK_BOOTTIME)
}

/// Returns the time since 1970 (`CLOCK_REALTIME`): what people read, and what may jump.
#[must_use]
pub fn unix() -> Duration {
    read(ClockId::CLOCK_REALTIME)
}

/// Returns `at` as whole nanoseconds; the far future stands for all that does not fit.
#[must_use]
pub fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

fn read(clock: ClockId) -> Duration {
    clock_gettime(clock)
        .map(Duration::from)
        .expect("the kernel has this clock since 2.6.39")
}

/// Returns the kernel's name for this boot, or an empty string where there is no /proc.
#[must_use]
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}
