//! What the clock does to an app: every state of an instance, and who is its cause.

use eco_config::spec::{Kind, RestartWhen, Schedule};

use super::*;

/// `dev/api`, due at three.
fn scheduled() -> AppSpec {
    let mut spec = spec("dev", "api");
    spec.schedule = Some(Schedule::new("0 3 * * *", None).expect("a pattern"));
    spec
}

fn due(stage: &mut Stage) {
    stage.fleet.due(stage.now, &dev("api"));
}

#[test]
fn what_is_up_is_replaced_and_the_pattern_is_the_cause() {
    let mut stage = Stage::new();
    stage.apply(scheduled());
    stage.rise(&api(1));
    due(&mut stage);
    assert!(matches!(stage.state(), State::Ending { .. }));
    assert_eq!(stage.cause(), "restarted by cron `0 3 * * *`");
    assert_eq!(stage.slot(&dev("api")).by, By::Schedule);
    stage.end(&api(1), How::Signal(2), Duration::ZERO);
    stage.rise(&api(2));
    assert!(matches!(stage.state(), State::Online { .. }));
}

#[test]
fn what_a_person_stopped_stays_down_and_what_was_put_to_rest_too() {
    let mut stage = Stage::new();
    stage.apply(scheduled());
    stage.rise(&api(1));
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(2), Duration::ZERO);
    due(&mut stage);
    assert_eq!(stage.state(), State::Stopped);
    assert!(!stage.slot(&dev("api")).heeds_schedule());
    stage.act(Verb::Start(Turn::InOrder), &dev("api"));
    stage.rise(&api(2));
    stage.fleet.hold(stage.now, &By::ann());
    due(&mut stage);
    assert!(!stage.slot(&dev("api")).heeds_schedule());
}

#[test]
fn what_was_given_up_has_all_its_chances_again() {
    let mut stage = Stage::new();
    stage.apply(scheduled());
    for number in 1.. {
        stage.spawned(&api(number));
        stage.end(&api(number), How::Code(1), Duration::ZERO);
        stage.pass(20_000 * MS);
        if stage.state() == State::Errored {
            break;
        }
    }
    due(&mut stage);
    assert!(matches!(stage.state(), State::Spawning { .. }));
    assert_eq!(stage.slot(&dev("api")).machine.strikes(), 0);
}

#[test]
fn a_job_that_ended_begins_again_until_somebody_stops_it() {
    let mut stage = Stage::new();
    let mut job = scheduled();
    job.restart.when = RestartWhen::Never;
    stage.apply(job);
    stage.rise(&api(1));
    stage.end(&api(1), How::Code(0), 2000 * MS);
    assert_eq!(stage.state(), State::Stopped);
    due(&mut stage);
    assert_eq!(stage.cause(), "started by cron `0 3 * * *`");
    stage.rise(&api(2));
    stage.end(&api(2), How::Code(0), 2000 * MS);
    let outcome = stage.act(Verb::Stop, &dev("api"));
    assert_eq!(outcome.action, Action::Stopped);
    due(&mut stage);
    assert_eq!(stage.state(), State::Stopped);
    let again = stage.act(Verb::Stop, &dev("api"));
    assert_eq!(again.action, Action::Unchanged);
}

#[test]
fn an_app_that_was_only_registered_begins_by_the_clock() {
    let mut stage = Stage::new();
    let mut job = scheduled();
    job.autostart = false;
    stage.apply(job);
    assert_eq!(stage.state(), State::Stopped);
    due(&mut stage);
    assert!(matches!(stage.state(), State::Spawning { .. }));
}

#[test]
fn a_oneshot_is_left_to_its_work() {
    let mut stage = Stage::new();
    let mut job = scheduled();
    job.kind = Kind::Oneshot;
    stage.apply(job);
    stage.rise(&api(1));
    let before = stage.state();
    due(&mut stage);
    assert_eq!(stage.state(), before);
}

#[test]
fn what_has_just_begun_and_what_has_no_schedule_are_left_alone() {
    let mut stage = Stage::new();
    stage.apply(scheduled());
    due(&mut stage);
    stage.spawned(&api(1));
    assert!(matches!(stage.state(), State::Launching { .. }));
    stage.apply(spec("dev", "api"));
    let before = stage.state();
    due(&mut stage);
    assert_eq!(stage.state(), before);
}
