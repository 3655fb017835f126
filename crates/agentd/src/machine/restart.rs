//! What follows an end that nobody asked for: pure functions of the policy.

use std::time::Duration;

use eco_config::spec::{RestartDelay, RestartPolicy, RestartWhen};

use super::Ended;

/// Up for this long, earlier ends no longer count for the delay (PM2's value).
const FORGET_AFTER: Duration = Duration::from_secs(30);
/// Where the growing delay begins when none was configured.
const DEFAULT_BASE: Duration = Duration::from_millis(100);
/// The longest growing delay (PM2's value).
const LONGEST: Duration = Duration::from_secs(15);

/// Whether nothing follows: no automatic restarts, or an exit code that was named as an end.
pub(super) fn is_an_end(policy: &RestartPolicy, how: Ended) -> bool {
    match how {
        Ended::Code(code) => {
            let is_failure = code != 0;
            match policy.when {
                RestartWhen::Always => policy.stop_exit_codes.contains(&code),
                RestartWhen::OnFailure => !is_failure || policy.stop_exit_codes.contains(&code),
                RestartWhen::Never => true,
            }
        }
        Ended::Signal(_) | Ended::Unknown | Ended::NotSpawned | Ended::NotReady => {
            policy.when == RestartWhen::Never
        }
        // Its own policy says that it is to be replaced.
        Ended::Ill => false,
    }
}

/// Counts unstable ends in a row. A run that never began, or never was ready, is one, however short a life is asked for.
pub(super) fn strikes(policy: &RestartPolicy, before: u32, how: Ended, lived: Duration) -> u32 {
    let failed_to_start = match how {
        Ended::NotSpawned | Ended::NotReady => true,
        Ended::Code(_) | Ended::Signal(_) | Ended::Unknown | Ended::Ill => false,
    };
    if lived < policy.min_uptime || failed_to_start {
        before.saturating_add(1)
    } else {
        0
    }
}

/// Counts the ends in a row that make the delay grow.
pub(super) fn attempts(before: u32, lived: Duration) -> u32 {
    if lived < FORGET_AFTER {
        before.saturating_add(1)
    } else {
        1
    }
}

/// Whether the instance has had its chances. `max_unstable` counts launches: 0 and 1 both allow one.
pub(super) const fn is_spent(policy: &RestartPolicy, strikes: u32) -> bool {
    strikes > 0 && strikes >= policy.max_unstable
}

/// How long to wait after the `attempts`-th end in a row (from 1).
pub(super) fn delay(policy: &RestartPolicy, attempts: u32) -> Duration {
    match policy.delay {
        RestartDelay::Fixed(delay) => delay,
        RestartDelay::Growing(base) => grown(base, attempts.saturating_sub(1)),
        // One crash after a long life is worth no wait at all.
        RestartDelay::Default => match attempts {
            0 | 1 => Duration::ZERO,
            more => grown(DEFAULT_BASE, more - 2),
        },
    }
}

/// The same, with what a run that never began waits at least: nothing gets better at once.
pub(super) fn delay_after(policy: &RestartPolicy, how: Ended, attempts: u32) -> Duration {
    let delay = delay(policy, attempts);
    match how {
        Ended::NotSpawned => delay.max(DEFAULT_BASE),
        Ended::Code(_) | Ended::Signal(_) | Ended::Unknown | Ended::NotReady | Ended::Ill => delay,
    }
}

/// `base` times 1.5 to the power of `steps`, at most [`LONGEST`] unless the base is longer.
fn grown(base: Duration, steps: u32) -> Duration {
    let mut delay = base;
    for _ in 0..steps {
        if delay >= LONGEST {
            break;
        }
        delay = (delay * 3 / 2).min(LONGEST);
    }
    delay
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(delay: RestartDelay) -> RestartPolicy {
        RestartPolicy {
            when: RestartWhen::Always,
            min_uptime: Duration::from_secs(1),
            max_unstable: 3,
            delay,
            stop_exit_codes: vec![7],
        }
    }

    fn delays(delay_by: RestartDelay) -> Vec<u128> {
        (1..=5)
            .map(|attempt| delay(&policy(delay_by), attempt).as_millis())
            .collect()
    }

    #[test]
    fn by_default_the_first_restart_is_at_once_and_the_next_wait_longer_and_longer() {
        assert_eq!(delays(RestartDelay::Default), [0, 100, 150, 225, 337]);
    }

    #[test]
    fn a_growing_delay_begins_at_its_base_and_a_fixed_one_stays() {
        assert_eq!(
            delays(RestartDelay::Growing(Duration::from_millis(40))),
            [40, 60, 90, 135, 202]
        );
        assert_eq!(
            delays(RestartDelay::Fixed(Duration::from_millis(40))),
            [40; 5]
        );
    }

    #[test]
    fn no_growth_goes_beyond_fifteen_seconds_but_a_longer_base_is_kept() {
        assert_eq!(delay(&policy(RestartDelay::Default), u32::MAX), LONGEST);
        let minute = Duration::from_secs(60);
        assert_eq!(delay(&policy(RestartDelay::Growing(minute)), 9), minute);
    }

    #[test]
    fn a_run_that_never_began_is_a_strike_and_waits_whatever_was_asked_for() {
        let policy = RestartPolicy {
            min_uptime: Duration::ZERO,
            ..policy(RestartDelay::Fixed(Duration::ZERO))
        };
        assert_eq!(strikes(&policy, 2, Ended::NotSpawned, Duration::ZERO), 3);
        assert_eq!(delay_after(&policy, Ended::NotSpawned, 1), DEFAULT_BASE);
        assert_eq!(delay_after(&policy, Ended::Code(1), 1), Duration::ZERO);
    }

    #[test]
    fn a_run_that_is_not_ready_in_time_is_a_strike_however_long_it_lived() {
        let policy = policy(RestartDelay::Default);
        let hour = Duration::from_secs(3600);
        assert_eq!(strikes(&policy, 2, Ended::NotReady, hour), 3);
        assert_eq!(strikes(&policy, 2, Ended::Ill, hour), 0);
    }

    #[test]
    fn without_restarts_one_that_is_not_ready_is_over_and_one_that_is_ill_is_replaced() {
        let policy = RestartPolicy {
            when: RestartWhen::Never,
            ..policy(RestartDelay::Default)
        };
        assert!(is_an_end(&policy, Ended::NotReady));
        assert!(!is_an_end(&policy, Ended::Ill));
    }

    #[test]
    fn a_named_exit_code_is_an_end_and_a_signal_is_not() {
        let policy = policy(RestartDelay::Default);
        assert!(is_an_end(&policy, Ended::Code(7)));
        assert!(!is_an_end(&policy, Ended::Code(0)));
        assert!(!is_an_end(&policy, Ended::Signal(7)));
    }

    #[test]
    fn a_stable_run_wipes_the_strikes_out() {
        let policy = policy(RestartDelay::Default);
        let exit = Ended::Code(1);
        assert_eq!(strikes(&policy, 2, exit, Duration::from_millis(999)), 3);
        assert_eq!(strikes(&policy, 2, exit, Duration::from_secs(1)), 0);
        assert!(is_spent(&policy, 3) && !is_spent(&policy, 2));
    }
}
