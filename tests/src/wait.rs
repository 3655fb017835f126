//! Conditions that come, and ports that are free.

use std::net::TcpListener;
use std::time::Duration;

/// How long a condition may take; generous, because a passing test never waits for it.
const DEADLINE: Duration = Duration::from_secs(20);
/// Between two looks.
const REST: Duration = Duration::from_millis(15);

/// Waits until `condition` holds; panics with `what` when it does not come.
///
/// # Panics
/// After 20 seconds.
#[track_caller]
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    assert!(
        comes(condition),
        "this did not come within {} s: {what}",
        DEADLINE.as_secs()
    );
}

/// Waits until `condition` holds; returns whether it came.
pub(crate) fn comes(mut condition: impl FnMut() -> bool) -> bool {
    let looks = DEADLINE.as_millis() / REST.as_millis();
    for _ in 0..looks {
        if condition() {
            return true;
        }
        rest();
    }
    false
}

/// Lets a little time pass between two looks.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the tests rest: between two looks at a condition"
)]
pub(crate) fn rest() {
    std::thread::sleep(REST);
}

/// Returns a port of 127.0.0.1 that nobody listens at.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// Whether a port of 127.0.0.1 can be taken.
#[must_use]
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
