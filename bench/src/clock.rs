//! Time that passes, and processor time of others.

use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::failure::Failure;

/// Lets time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures what happens in a span of time"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Processor time of a process, of its threads that are gone as well, and of one that nobody has waited for yet.
pub(crate) fn processor(pid: u32) -> Duration {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX));
    clock_getcpuclockid(pid)
        .and_then(clock_gettime)
        .map(Duration::from)
        .unwrap_or_default()
}

/// Nanoseconds of a clock that all processes share.
pub(crate) fn ticks() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from);
    eco_home::clock::nanos(now.unwrap_or_default())
}

/// Waits until something holds.
pub(crate) fn wait_until(
    what: &str,
    most: Duration,
    mut holds: impl FnMut() -> bool,
) -> Result<(), Failure> {
    let end = ticks() + eco_home::clock::nanos(most);
    while !holds() {
        if ticks() > end {
            return Err(Failure::new(
                format!("wait until {what}"),
                format!("not within {most:?}"),
            ));
        }
        pause(Duration::from_millis(1));
    }
    Ok(())
}
