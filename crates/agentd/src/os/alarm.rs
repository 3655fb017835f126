//! An alarm that rings at a time of the calendar, however the host's clock gets there.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

/// An alarm. Its descriptor can be read when it rings, and when somebody sets the clock.
#[derive(Debug)]
pub struct Alarm(TimerFd);

impl Alarm {
    /// Makes one that never rings.
    pub fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        Ok(Self(TimerFd::new(ClockId::CLOCK_REALTIME, flags)?))
    }

    /// Sets it to `unix` seconds since 1970: a time that has passed rings at once, and a sleep of the host does not delay it.
    pub fn set(&self, unix: i64) -> io::Result<()> {
        let at = TimeSpec::new(unix.max(1), 0);
        let flags =
            TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
        match self.0.set(Expiration::OneShot(at), flags) {
            // The clock was set since the alarm was. It is set all the same.
            Err(Errno::ECANCELED) | Ok(()) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsRawFd for Alarm {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}
