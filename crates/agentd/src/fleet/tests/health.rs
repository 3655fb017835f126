//! What makes a run ready, what it means that it is not, and what follows when it is ill.

use eco_config::spec::{Check, IllAction, Liveness, Probe, Readiness};

use super::*;
use crate::machine::Want;

fn probe() -> Probe {
    Probe {
        check: Check::Tcp("3000".to_owned()),
        interval: 100 * MS,
        timeout: 100 * MS,
        start_period: Duration::ZERO,
        successes: 1,
        failures: 3,
    }
}

/// `dev/api`, ready by its probe within five seconds; given up after three.
fn probed() -> AppSpec {
    let mut spec = spec("dev", "api");
    spec.ready.probe = Some(Readiness {
        probe: probe(),
        within: Some(5000 * MS),
    });
    spec
}

fn watched(action: IllAction) -> AppSpec {
    let mut spec = spec("dev", "api");
    spec.liveness = Some(Liveness {
        probe: probe(),
        action,
    });
    spec
}

/// A board on which the run was last told this.
fn told(key: &RunKey, text: Option<&str>) -> Board {
    let answer = text.map(|text| Answer {
        text: text.to_owned(),
        at_unix: MS,
    });
    let health = Health {
        asks: "127.0.0.1:3000".to_owned(),
        verdict: Verdict::Unknown,
        answer,
        failures: 1,
    };
    Board::from([(key.clone(), health)])
}

/// `spec`, launching.
fn launching(spec: AppSpec) -> Stage {
    let mut stage = Stage::new();
    stage.apply(spec);
    stage.spawned(&api(1));
    stage
}

fn pass(stage: &mut Stage, time: Duration, board: &Board) {
    stage.now += time;
    stage.fleet.wake(stage.now, board);
}

#[test]
fn an_app_with_a_probe_is_ready_by_nothing_else() {
    let mut spec = probed();
    spec.env.insert("PORT".to_owned(), "3000".to_owned());
    let mut stage = launching(spec);
    pass(&mut stage, 4999 * MS, &Board::default());
    stage.report(&api(1), Report::Ready(Sign::Port));
    assert!(matches!(stage.state(), State::Launching { .. }));
    stage.report(&api(1), Report::Ready(Sign::Probe));
    assert!(matches!(stage.state(), State::Online { .. }));
    assert_eq!(stage.cause(), "started by ann");
}

#[test]
fn one_that_is_not_ready_in_time_is_ended_and_tells_what_it_answered_last() {
    let mut stage = launching(probed());
    let board = told(&api(1), Some("connection refused (127.0.0.1:3000)"));
    pass(&mut stage, 5000 * MS, &board);
    let cause = "not ready within 5 s: last answer: connection refused (127.0.0.1:3000)";
    assert_eq!(stage.cause(), cause);
    assert!(stage.tasks().contains(&Task::End(api(1))));
    stage.end(&api(1), How::Code(0), MS);
    assert_eq!(stage.cause(), format!("{cause}; restarted at once"));
    let exit = stage.slot(&dev("api")).exits.front().expect("an end");
    assert_eq!(exit.cause, stage.cause());
    assert_eq!(stage.slot(&dev("api")).machine.strikes(), 1);
}

#[test]
fn what_one_that_was_not_ready_left_behind_takes_nothing_from_the_cause() {
    let mut stage = launching(probed());
    pass(&mut stage, 5000 * MS, &told(&api(1), None));
    stage.report(
        &api(1),
        exited(How::Signal(SIGINT), stage.now, Left::Processes),
    );
    let cause = "not ready within 5 s: waited for 127.0.0.1:3000";
    assert_eq!(stage.cause(), cause);
    stage.report(&api(1), Report::Gone);
    assert_eq!(stage.cause(), format!("{cause}; restarted at once"));
}

#[test]
fn a_stop_of_one_that_is_ended_as_not_ready_is_what_is_told() {
    let mut stage = launching(probed());
    pass(&mut stage, 5000 * MS, &Board::default());
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Code(0), MS);
    assert_eq!(stage.cause(), "stopped by ann");
    assert_eq!(stage.state(), State::Stopped);
}

#[test]
fn an_agent_that_comes_anew_gives_one_that_is_launching_all_its_time_again() {
    let mut stage = launching(probed());
    stage.now += 60_000 * MS;
    stage.fleet.take_up(stage.now);
    pass(&mut stage, 4999 * MS, &Board::default());
    assert!(matches!(stage.state(), State::Launching { .. }));
    pass(&mut stage, MS, &Board::default());
    assert!(matches!(stage.state(), State::Ending { .. }));
}

#[test]
fn an_app_with_a_port_that_listens_late_is_online_and_says_so() {
    let mut spec = spec("dev", "api");
    spec.env.insert("PORT".to_owned(), "3000".to_owned());
    let mut stage = launching(spec);
    pass(&mut stage, 3000 * MS, &Board::default());
    assert!(matches!(stage.state(), State::Online { .. }));
    assert_eq!(stage.cause(), "online; nothing listens on port 3000 yet");
    stage.report(&api(1), Report::Ready(Sign::Port));
    assert_eq!(stage.cause(), "listens on port 3000");
}

/// `dev/api`, which has a port and is to say itself when it is ready.
fn speaking() -> AppSpec {
    let mut spec = spec("dev", "api");
    spec.env.insert("PORT".to_owned(), "3000".to_owned());
    spec.ready.wait_ready = true;
    spec
}

#[test]
fn an_app_that_is_to_say_when_it_is_ready_is_ready_by_nothing_less() {
    let mut stage = launching(speaking());
    pass(&mut stage, 2999 * MS, &Board::default());
    for sign in [Sign::Port, Sign::Notice, Sign::Probe] {
        stage.report(&api(1), Report::Ready(sign));
        assert!(matches!(stage.state(), State::Launching { .. }));
    }
    stage.report(&api(1), Report::Ready(Sign::Message));
    assert!(matches!(stage.state(), State::Online { .. }));
    assert_eq!(stage.cause(), "started by ann");
}

#[test]
fn one_that_does_not_say_so_in_time_is_online_and_told_of_until_it_does() {
    let mut stage = launching(speaking());
    pass(&mut stage, 3000 * MS, &Board::default());
    assert!(matches!(stage.state(), State::Online { .. }));
    let silent = "online; did not say that it is ready within 3 s";
    assert_eq!(stage.cause(), silent);
    stage.report(&api(1), Report::Ready(Sign::Message));
    assert_eq!(stage.cause(), "said that it is ready");
}

#[test]
fn the_word_of_an_app_that_was_not_asked_for_it_means_nothing() {
    let mut stage = launching(spec("dev", "api"));
    stage.report(&api(1), Report::Ready(Sign::Message));
    stage.report(&api(1), Report::Ready(Sign::Notice));
    assert!(matches!(stage.state(), State::Launching { .. }));
}

#[test]
fn an_app_that_is_to_send_a_notice_is_ready_by_it() {
    let mut spec = probed();
    if let Some(readiness) = &mut spec.ready.probe {
        readiness.probe.check = Check::Notify;
    }
    let mut stage = launching(spec);
    stage.report(&api(1), Report::Ready(Sign::Message));
    assert!(matches!(stage.state(), State::Launching { .. }));
    stage.report(&api(1), Report::Ready(Sign::Notice));
    assert!(matches!(stage.state(), State::Online { .. }));
}

#[test]
fn what_was_to_be_ended_by_words_and_could_not_be_says_so_once() {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.fleet.ended_without_words(&api(1));
    stage.fleet.ended_without_words(&api(1));
    stage.fleet.ended_without_words(&api(9));
    let cause = "stopped by ann; by SIGINT, since it has no channel to be told over";
    assert_eq!(stage.cause(), cause);
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.cause(), cause);
}

#[test]
fn one_without_a_port_that_is_online_by_time_has_nothing_to_tell() {
    let mut stage = launching(spec("dev", "api"));
    pass(&mut stage, 3000 * MS, &Board::default());
    assert!(matches!(stage.state(), State::Online { .. }));
    assert_eq!(stage.cause(), "started by ann");
}

#[test]
fn an_ill_instance_is_replaced_and_tells_why() {
    let mut stage = Stage::new();
    stage.apply(watched(IllAction::Restart));
    stage.rise(&api(1));
    let why = "3 failures in a row: http://127.0.0.1:3000/ answered 503";
    stage.fleet.ill(stage.now, &api(1), why);
    assert_eq!(stage.cause(), format!("not alive: {why}"));
    assert_eq!(stage.tasks(), [Task::End(api(1))]);
    stage.end(&api(1), How::Code(0), MS);
    assert_eq!(
        stage.cause(),
        format!("not alive: {why}; restarted at once")
    );
    assert!(stage.tasks().contains(&Task::Spawn(api(2))));
}

#[test]
fn an_ill_instance_is_stopped_where_that_is_asked_for_and_stays_down() {
    let mut stage = Stage::new();
    stage.apply(watched(IllAction::Stop));
    stage.rise(&api(1));
    stage.fleet.ill(stage.now, &api(1), "no answer within 1 s");
    stage.end(&api(1), How::Code(0), MS);
    assert_eq!(stage.cause(), "stopped: not alive: no answer within 1 s");
    let machine = &stage.slot(&dev("api")).machine;
    assert_eq!(
        (machine.state(), machine.want()),
        (State::Stopped, Want::Down)
    );
}

#[test]
fn an_ill_instance_is_left_alone_where_it_is_only_marked_or_another_run_was_meant() {
    let mut stage = Stage::new();
    stage.apply(watched(IllAction::Mark));
    stage.rise(&api(1));
    stage.fleet.ill(stage.now, &api(1), "answered 503");
    assert_eq!(stage.tasks(), []);
    stage.apply(watched(IllAction::Restart));
    stage.end(&api(1), How::Code(0), MS);
    stage.rise(&api(2));
    stage.fleet.ill(stage.now, &api(1), "answered 503");
    assert_eq!(stage.tasks(), []);
}

#[test]
fn an_instance_that_a_person_stops_is_not_ended_as_ill() {
    let mut stage = Stage::new();
    stage.apply(watched(IllAction::Restart));
    stage.rise(&api(1));
    stage.act(Verb::Stop, &dev("api"));
    stage.fleet.ill(stage.now, &api(1), "answered 503");
    assert_eq!(stage.cause(), "stopped by ann");
}

#[test]
fn one_that_always_holds_too_much_waits_longer_and_longer_and_is_given_up() {
    let held = "held 120 MiB, and may hold 100 MiB";
    let mut stage = Stage::new();
    let mut greedy = spec("dev", "api");
    greedy.restart.max_unstable = 3;
    stage.apply(greedy);
    for (number, follows) in [
        (1, "restarted at once"),
        (2, "next attempt after 100 ms"),
        (3, "given up after 3 short lives in a row"),
    ] {
        stage.spawned(&api(number));
        stage
            .fleet
            .too_large(stage.now, &api(number), held.to_owned());
        assert_eq!(stage.cause(), held);
        assert!(stage.tasks().contains(&Task::End(api(number))));
        stage.end(&api(number), How::Code(0), MS);
        assert_eq!(stage.cause(), format!("{held}; {follows}"));
        let slot = stage.slot(&dev("api"));
        assert_eq!(slot.by, By::Memory);
        assert_eq!(u64::from(slot.machine.strikes()), number);
        stage.pass(100 * MS);
    }
    assert_eq!(stage.state(), State::Errored);
}

#[test]
fn what_held_too_much_is_not_ended_when_it_is_history_or_a_person_stops_it() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.rise(&api(1));
    stage.end(&api(1), How::Code(1), 5000 * MS);
    stage.rise(&api(2));
    stage.tasks();
    stage.fleet.too_large(stage.now, &api(1), String::new());
    assert_eq!(stage.tasks(), []);
    stage.act(Verb::Stop, &dev("api"));
    stage.fleet.too_large(stage.now, &api(2), String::new());
    assert_eq!(stage.cause(), "stopped by ann");
}

#[test]
fn a_port_that_only_the_run_s_variables_tell_is_waited_for_as_one_that_is_written_down() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.fleet.equip(&api(1), Some(3000));
    stage.spawned(&api(1));
    let spec = spec("dev", "api");
    assert_eq!(stage.slot(&dev("api")).awaited_port(&spec), Some(3000));
    stage.pass(2000 * MS);
    assert!(matches!(stage.state(), State::Launching { .. }));
    stage.report(&api(1), Report::Ready(Sign::Port));
    assert!(matches!(stage.state(), State::Online { .. }));
}

#[test]
fn the_variables_of_a_run_that_is_history_say_nothing_about_the_current_one() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.fleet.equip(&api(7), Some(3000));
    assert_eq!(stage.slot(&dev("api")).port, None);
}
