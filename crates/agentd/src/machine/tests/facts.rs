use super::*;

#[test]
fn a_start_spawns_the_first_run() {
    let mut machine = Machine::new(policy(), 0);
    assert_eq!(
        machine.told(MS, Command::Start(Turn::InOrder)),
        Some(Effect::Spawn(1))
    );
    assert_eq!(machine.told(MS, Command::Start(Turn::InOrder)), None);
}

#[test]
fn runs_are_counted_on_from_the_last_life() {
    let mut machine = Machine::new(policy(), 41);
    assert_eq!(
        machine.told(MS, Command::Start(Turn::InOrder)),
        Some(Effect::Spawn(42))
    );
}

#[test]
fn an_instance_is_launching_until_it_is_ready() {
    let mut machine = Machine::new(policy(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    machine.heard(MS, 1, spawned(7, MS));
    assert_eq!(machine.state(), State::Launching { pid: 7, since: MS });
    machine.heard(2 * MS, 1, Fact::Ready);
    assert_eq!(machine.state(), State::Online { pid: 7, since: MS });
}

#[test]
fn an_instance_that_says_nothing_is_ready_when_it_has_lived_long_enough() {
    let mut machine = Machine::new(policy(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    machine.heard(MS, 1, spawned(7, MS));
    assert_eq!(machine.deadline(), Some(501 * MS));
    machine.wake(500 * MS);
    assert!(matches!(machine.state(), State::Launching { .. }));
    machine.wake(501 * MS);
    assert!(matches!(machine.state(), State::Online { .. }));
}

#[test]
fn a_stop_during_spawn_is_not_lost() {
    let mut machine = Machine::new(policy(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    assert_eq!(machine.told(MS, Command::Stop), None);
    let effect = machine.heard(2 * MS, 1, spawned(7, 2 * MS));
    assert_eq!(effect, Some(Effect::End(1)));
    assert_eq!(machine.heard(3 * MS, 1, ended(0, 3 * MS)), None);
    assert_eq!(machine.state(), State::Stopped);
}

#[test]
fn a_restart_during_spawn_replaces_the_run_that_comes() {
    let mut machine = Machine::new(policy(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    assert_eq!(machine.told(MS, Command::Restart(Turn::InOrder)), None);
    assert_eq!(
        machine.heard(2 * MS, 1, spawned(7, 2 * MS)),
        Some(Effect::End(1))
    );
    assert_eq!(
        machine.heard(3 * MS, 1, ended(0, 3 * MS)),
        Some(Effect::Spawn(2))
    );
}

#[test]
fn a_restart_waits_until_the_old_run_is_gone() {
    let mut machine = online();
    assert_eq!(
        machine.told(2 * MS, Command::Restart(Turn::InOrder)),
        Some(Effect::End(1))
    );
    assert_eq!(machine.heard(3 * MS, 1, ended_leaving(0, 3 * MS)), None);
    assert_eq!(machine.heard(4 * MS, 1, Fact::Gone), Some(Effect::Spawn(2)));
    assert_eq!(machine.restarts(), 1);
}

#[test]
fn a_start_during_a_stop_brings_it_back() {
    let mut machine = online();
    machine.told(2 * MS, Command::Stop);
    assert_eq!(machine.told(3 * MS, Command::Start(Turn::InOrder)), None);
    assert_eq!(
        machine.heard(4 * MS, 1, ended(0, 4 * MS)),
        Some(Effect::Spawn(2))
    );
}

#[test]
fn a_stop_escalates_when_due_and_goes_on_killing_what_stays() {
    let mut machine = online();
    machine.told(2 * MS, Command::Stop);
    assert_eq!(machine.deadline(), Some(1602 * MS));
    assert_eq!(machine.wake(1601 * MS), None);
    assert_eq!(
        machine.wake(1602 * MS),
        Some(Effect::Signal(1, libc::SIGKILL))
    );
    assert_eq!(machine.wake(1603 * MS), None);
    assert_eq!(
        machine.wake(2602 * MS),
        Some(Effect::Signal(1, libc::SIGKILL))
    );
}

#[test]
fn stopped_is_only_said_when_no_process_is_left() {
    let mut machine = online();
    machine.told(2 * MS, Command::Stop);
    machine.heard(3 * MS, 1, ended_leaving(0, 3 * MS));
    assert!(matches!(machine.state(), State::Ending { .. }));
    machine.heard(9 * MS, 1, Fact::Gone);
    assert_eq!(machine.state(), State::Stopped);
}

#[test]
fn what_is_left_of_an_app_that_ended_by_words_gets_the_signal() {
    let mut spoken_to = policy();
    spoken_to.stop.words = StopWords::Message;
    let mut machine = online();
    machine.set_policy(spoken_to);
    assert_eq!(machine.told(2 * MS, Command::Stop), Some(Effect::End(1)));
    assert_eq!(
        machine.heard(3 * MS, 1, ended_leaving(0, 3 * MS)),
        Some(Effect::Signal(1, SIGINT))
    );
}

#[test]
fn a_long_lived_app_that_crashes_is_back_at_once() {
    let mut machine = online();
    assert_eq!(
        machine.heard(5000 * MS, 1, ended(1, 5000 * MS)),
        Some(Effect::Spawn(2))
    );
    assert_eq!((machine.restarts(), machine.strikes()), (1, 0));
}

#[test]
fn what_a_crashed_app_left_is_ended_before_the_next_run() {
    let mut machine = online();
    let effect = machine.heard(5000 * MS, 1, ended_leaving(1, 5000 * MS));
    assert_eq!(effect, Some(Effect::Signal(1, SIGINT)));
    assert_eq!(
        machine.wake(6600 * MS),
        Some(Effect::Signal(1, libc::SIGKILL))
    );
    assert_eq!(
        machine.heard(6601 * MS, 1, Fact::Gone),
        Some(Effect::Spawn(2))
    );
}

#[test]
fn one_that_dies_at_once_waits_longer_and_longer_and_is_errored_after_its_chances() {
    let mut machine = Machine::new(policy(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    let mut now = MS;
    let mut waits = Vec::new();
    for run in 1..=3 {
        machine.heard(now, run, spawned(7, now));
        machine.heard(now, run, ended(1, now));
        if let State::Waiting { until } = machine.state() {
            waits.push(until.saturating_sub(now).as_millis());
            now = until;
            assert_eq!(machine.wake(now), Some(Effect::Spawn(run + 1)));
        }
    }
    assert_eq!(waits, [100]);
    assert_eq!(machine.state(), State::Errored);
    assert_eq!(machine.deadline(), None);
    assert_eq!(machine.restarts(), 2);
}

#[test]
fn a_spawn_that_fails_counts_as_a_life_that_was_too_short() {
    let mut machine = Machine::new(policy(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    assert_eq!(machine.heard(MS, 1, Fact::SpawnFailed), None);
    assert_eq!(machine.state(), State::Waiting { until: 101 * MS });
    assert_eq!(machine.strikes(), 1);
}

#[test]
fn a_start_of_an_errored_app_gives_it_all_its_chances_again() {
    let mut machine = Machine::restore(
        policy(),
        Saved {
            want: Want::Up,
            state: State::Errored,
            run: 3,
            strikes: 3,
            attempts: 3,
            restarts: 2,
        },
    );
    assert_eq!(
        machine.told(MS, Command::Start(Turn::InOrder)),
        Some(Effect::Spawn(4))
    );
    assert_eq!(machine.strikes(), 0);
}

#[test]
fn an_exit_code_named_as_an_end_is_one() {
    let mut machine = online();
    assert_eq!(machine.heard(5000 * MS, 1, ended(7, 5000 * MS)), None);
    assert_eq!(
        (machine.state(), machine.want()),
        (State::Stopped, Want::Down)
    );
}

#[test]
fn a_late_fact_about_another_run_changes_nothing() {
    let mut machine = online();
    let before = machine.clone();
    assert_eq!(machine.heard(2 * MS, 9, ended(0, 2 * MS)), None);
    assert_eq!(machine, before);
}

#[test]
fn hold_remembers_what_was_wanted_up_and_resurrect_brings_only_that_back() {
    let mut up = online();
    assert_eq!(up.told(2 * MS, Command::Hold), Some(Effect::End(1)));
    up.heard(3 * MS, 1, ended(0, 3 * MS));
    assert_eq!((up.state(), up.want()), (State::Stopped, Want::Held));
    assert_eq!(up.told(4 * MS, Command::Resurrect), Some(Effect::Spawn(2)));

    let mut down = Machine::new(policy(), 0);
    down.told(MS, Command::Hold);
    assert_eq!(down.want(), Want::Down);
    assert_eq!(down.told(MS, Command::Resurrect), None);
}

#[test]
fn a_run_the_keeper_never_heard_of_is_begun_anew_only_if_wanted() {
    let mut up = Machine::new(policy(), 0);
    up.told(MS, Command::Start(Turn::InOrder));
    assert_eq!(up.respawn(2 * MS), Some(Effect::Spawn(2)));
    up.told(3 * MS, Command::Stop);
    assert_eq!(up.respawn(4 * MS), None);
    assert_eq!(up.state(), State::Stopped);
}

/// Run 1, pid 7, spawned at 1 ms, waiting for a sign.
fn waiting_for_a_sign() -> Machine {
    let mut machine = Machine::new(asked_to_be_ready(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    machine.heard(MS, 1, spawned(7, MS));
    machine
}

#[test]
fn an_instance_that_has_to_show_a_sign_is_never_ready_by_time() {
    let mut machine = waiting_for_a_sign();
    assert_eq!(machine.deadline(), Some(5001 * MS));
    assert_eq!(machine.wake(5000 * MS), None);
    assert!(matches!(machine.state(), State::Launching { .. }));
    machine.heard(5000 * MS, 1, Fact::Ready);
    assert!(matches!(machine.state(), State::Online { .. }));
}

#[test]
fn one_that_shows_no_sign_in_time_is_ended_and_counts_as_a_failed_start_whatever_its_exit_says() {
    let mut machine = waiting_for_a_sign();
    assert_eq!(machine.wake(5001 * MS), Some(Effect::End(1)));
    machine.heard(5002 * MS, 1, ended(7, 5002 * MS));
    assert_eq!(machine.strikes(), 1);
    assert_eq!((machine.run(), machine.want()), (2, Want::Up));
}

#[test]
fn one_that_has_all_the_time_has_no_deadline() {
    let policy = Policy {
        ready: ReadyBy::Sign { within: None },
        ..policy()
    };
    let mut machine = Machine::new(policy, 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    machine.heard(MS, 1, spawned(7, MS));
    assert_eq!(machine.deadline(), None);
}

#[test]
fn one_that_nobody_looked_at_has_all_its_time_again() {
    let saved = waiting_for_a_sign().saved();
    let mut machine = Machine::restore(asked_to_be_ready(), saved);
    machine.take_up(60_000 * MS);
    assert_eq!(machine.wake(60_000 * MS), None);
    assert_eq!(machine.deadline(), Some(65_000 * MS));
}

#[test]
fn an_ill_instance_is_ended_and_replaced_and_is_unstable_only_when_it_was_young() {
    let after = |lived: Duration| {
        let mut machine = online();
        let effect = machine.heard(lived, 1, Fact::Ill);
        assert_eq!(effect, Some(Effect::End(1)));
        machine.heard(lived, 1, ended(0, lived));
        (machine.run(), machine.strikes())
    };
    assert_eq!(after(900 * MS), (2, 1));
    assert_eq!(after(9000 * MS), (2, 0));
}

#[test]
fn a_restart_of_one_that_is_ended_as_ill_is_the_persons_doing() {
    let mut machine = online();
    machine.heard(2 * MS, 1, Fact::Ill);
    machine.told(3 * MS, Command::Restart(Turn::InOrder));
    machine.heard(4 * MS, 1, ended(0, 4 * MS));
    assert_eq!((machine.run(), machine.strikes()), (2, 0));
}

#[test]
fn a_start_waits_until_it_is_let() {
    let mut machine = Machine::new(policy(), 0);
    assert_eq!(machine.command(MS, Command::Start(Turn::InOrder)), None);
    assert_eq!(machine.pending(), Some(Pending::Begin));
    assert_eq!(machine.state(), State::Stopped);
    assert_eq!(machine.proceed(2 * MS), Some(Effect::Spawn(1)));
    assert_eq!(machine.pending(), None);
    assert_eq!(machine.proceed(3 * MS), None);
}

#[test]
fn a_stop_waits_until_it_is_let_and_is_called_off_by_a_start() {
    let mut machine = online();
    assert_eq!(machine.command(2 * MS, Command::Stop), None);
    assert_eq!(machine.pending(), Some(Pending::End));
    assert!(matches!(machine.state(), State::Online { .. }));
    let mut other = machine.clone();
    assert_eq!(machine.proceed(3 * MS), Some(Effect::End(1)));
    other.command(3 * MS, Command::Start(Turn::InOrder));
    assert_eq!(other.pending(), None);
    assert_eq!(other, online());
}

#[test]
fn what_ends_by_itself_while_it_waits_to_be_ended_is_stopped() {
    let mut machine = online();
    machine.command(2 * MS, Command::Stop);
    machine.fact(3 * MS, 1, ended(1, 3 * MS));
    assert_eq!((machine.state(), machine.pending()), (State::Stopped, None));
}

#[test]
fn a_restart_comes_up_in_its_turn_unless_it_is_to_be_at_once() {
    let mut waits = online();
    waits.command(2 * MS, Command::Restart(Turn::InOrder));
    assert_eq!(waits.fact(3 * MS, 1, ended(0, 3 * MS)), None);
    assert_eq!(waits.pending(), Some(Pending::Begin));
    assert_eq!(waits.restarts(), 1);
    assert_eq!(waits.proceed(4 * MS), Some(Effect::Spawn(2)));

    let mut hurries = online();
    hurries.command(2 * MS, Command::Restart(Turn::AtOnce));
    let effect = hurries.fact(3 * MS, 1, ended(0, 3 * MS));
    assert_eq!(effect, Some(Effect::Spawn(2)));
}

#[test]
fn a_crash_is_followed_by_a_restart_that_waits_for_no_turn() {
    let mut machine = online();
    let effect = machine.fact(5000 * MS, 1, ended(1, 5000 * MS));
    assert_eq!(effect, Some(Effect::Spawn(2)));
}

#[test]
fn a_restart_of_what_is_spawned_keeps_its_turn() {
    for (turn, effect) in [
        (Turn::InOrder, None),
        (Turn::AtOnce, Some(Effect::Spawn(2))),
    ] {
        let mut machine = Machine::new(policy(), 0);
        machine.told(MS, Command::Start(Turn::InOrder));
        machine.command(MS, Command::Restart(turn));
        machine.fact(2 * MS, 1, spawned(7, 2 * MS));
        assert_eq!(machine.fact(3 * MS, 1, ended(0, 3 * MS)), effect);
    }
}

fn oneshot() -> Machine {
    let mut policy = Policy {
        kind: Kind::Oneshot,
        ..policy()
    };
    policy.restart.when = RestartWhen::Never;
    let mut machine = Machine::new(policy, 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    machine.fact(MS, 1, spawned(7, MS));
    machine
}

#[test]
fn a_oneshot_that_has_done_its_work_is_stopped_and_runs_again_when_it_is_started_again() {
    let mut machine = oneshot();
    assert_eq!(machine.fact(2 * MS, 1, ended(0, 2 * MS)), None);
    assert_eq!(
        (machine.state(), machine.want()),
        (State::Stopped, Want::Down)
    );
    let effect = machine.told(3 * MS, Command::Start(Turn::InOrder));
    assert_eq!(effect, Some(Effect::Spawn(2)));
}

#[test]
fn a_oneshot_that_failed_is_errored_at_once() {
    let mut machine = oneshot();
    assert_eq!(machine.fact(2 * MS, 1, ended(1, 2 * MS)), None);
    assert_eq!(
        (machine.state(), machine.want()),
        (State::Errored, Want::Up)
    );
}

#[test]
fn a_reset_counts_from_zero_and_changes_nothing_else() {
    let saved = Saved {
        want: Want::Up,
        state: State::Waiting { until: 90 * MS },
        run: 3,
        strikes: 2,
        attempts: 2,
        restarts: 2,
    };
    let mut machine = Machine::restore(policy(), saved);
    machine.reset();
    let (strikes, attempts, restarts) = (0, 0, 0);
    let counted = Saved {
        strikes,
        attempts,
        restarts,
        ..saved
    };
    assert_eq!(machine.saved(), counted);
}

#[test]
fn one_that_waits_to_be_ended_is_not_ended_as_not_ready() {
    let mut machine = Machine::new(asked_to_be_ready(), 0);
    machine.told(MS, Command::Start(Turn::InOrder));
    machine.fact(MS, 1, spawned(7, MS));
    machine.command(2 * MS, Command::Stop);
    assert_eq!(machine.deadline(), None);
    assert_eq!(machine.wake(9000 * MS), None);
    assert_eq!(machine.pending(), Some(Pending::End));
}
