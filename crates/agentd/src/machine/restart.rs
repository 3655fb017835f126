//! What follows an end that nobody asked for: pure functions of the policy.

use std::time::Duration;

use eco_config::spec::{Kind, RestartDelay, RestartPolicy, RestartWhen};

use super::Ended;

/// Up for this long, earlier ends no longer count for the delay (PM2's value).
const FORGET_AFTER: Duration = Duration::from_secs(30);
/// Where the growing delay begins when none was configured.
const DEFAULT_BASE: Duration = Duration::from_millis(100);
/// The longest growing delay (PM2's value).
const LONGEST: Duration = Duration::from_secs(15);

/// What follows an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequel {
    /// Nothing: it is over, as it may be.
    End,
    /// Nothing: it should have done its work, and did not.
    Failure,
    /// Another run, while there are chances left.
    Restart,
}

/// What follows an end. A signal is no exit code: what it killed has not exited, with 0 or with any other.
pub(super) fn sequel(kind: Kind, policy: &RestartPolicy, how: Ended) -> Sequel {
    // Its own policy says that it is to be replaced.
    if how == Ended::Ill {
        return Sequel::Restart;
    }
    if is_named(policy, how) {
        return Sequel::End;
    }
    let is_well = how == Ended::Code(0);
    match (kind, policy.when) {
        (Kind::Oneshot, _) if is_well => Sequel::End,
        (Kind::Oneshot, RestartWhen::Never) => Sequel::Failure,
        (Kind::Service, RestartWhen::OnFailure) if is_well => Sequel::End,
        (Kind::Service, RestartWhen::Never) => Sequel::End,
        (Kind::Service | Kind::Oneshot, RestartWhen::Always | RestartWhen::OnFailure) => {
            Sequel::Restart
        }
    }
}

/// Whether it exited with a code that was named as an end.
fn is_named(policy: &RestartPolicy, how: Ended) -> bool {
    match how {
        Ended::Code(code) => policy.stop_exit_codes.contains(&code),
        Ended::Signal(_) | Ended::Unknown | Ended::NotSpawned | Ended::NotReady | Ended::Ill => {
            false
        }
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

    fn of_service(policy: &RestartPolicy, how: Ended) -> Sequel {
        sequel(Kind::Service, policy, how)
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
        assert_eq!(of_service(&policy, Ended::NotReady), Sequel::End);
        assert_eq!(of_service(&policy, Ended::Ill), Sequel::Restart);
    }

    #[test]
    fn a_named_exit_code_is_an_end_and_a_signal_is_not() {
        let policy = policy(RestartDelay::Default);
        assert_eq!(of_service(&policy, Ended::Code(7)), Sequel::End);
        assert_eq!(of_service(&policy, Ended::Code(0)), Sequel::Restart);
        assert_eq!(of_service(&policy, Ended::Signal(7)), Sequel::Restart);
    }

    #[test]
    fn a_kill_is_no_exit_with_code_0() {
        let policy = RestartPolicy {
            when: RestartWhen::OnFailure,
            stop_exit_codes: vec![0],
            ..policy(RestartDelay::Default)
        };
        assert_eq!(of_service(&policy, Ended::Code(0)), Sequel::End);
        for how in [Ended::Signal(9), Ended::Signal(15), Ended::Unknown] {
            assert_eq!(of_service(&policy, how), Sequel::Restart, "{how:?}");
        }
    }

    #[test]
    fn on_failure_only_a_failure_is_followed_by_a_restart() {
        let policy = RestartPolicy {
            when: RestartWhen::OnFailure,
            ..policy(RestartDelay::Default)
        };
        assert_eq!(of_service(&policy, Ended::Code(0)), Sequel::End);
        assert_eq!(of_service(&policy, Ended::Code(7)), Sequel::End);
        assert_eq!(of_service(&policy, Ended::Code(1)), Sequel::Restart);
        assert_eq!(of_service(&policy, Ended::NotSpawned), Sequel::Restart);
    }

    #[test]
    fn a_oneshot_is_done_by_exit_code_0_and_fails_by_anything_else_unless_it_is_tried_again() {
        let with = |when| RestartPolicy {
            when,
            ..policy(RestartDelay::Default)
        };
        for when in [
            RestartWhen::Always,
            RestartWhen::OnFailure,
            RestartWhen::Never,
        ] {
            let sequel = sequel(Kind::Oneshot, &with(when), Ended::Code(0));
            assert_eq!(sequel, Sequel::End, "{when:?}");
        }
        for how in [
            Ended::Code(1),
            Ended::Signal(9),
            Ended::Unknown,
            Ended::NotSpawned,
        ] {
            let never = sequel(Kind::Oneshot, &with(RestartWhen::Never), how);
            let again = sequel(Kind::Oneshot, &with(RestartWhen::OnFailure), how);
            assert_eq!(
                (never, again),
                (Sequel::Failure, Sequel::Restart),
                "{how:?}"
            );
        }
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
