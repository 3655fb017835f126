//! Apps that do their work and end.

use eco_config::spec::{AppName, Condition, Dependency, Kind, RestartWhen};

use super::*;
use crate::machine::Want;

fn job(needed_by: &str) -> [AppSpec; 2] {
    let name = AppName::new("job").expect("a name");
    let condition = Condition::Completed;
    let service = AppSpec {
        depends_on: vec![Dependency::App { name, condition }],
        ..spec("dev", needed_by)
    };
    [migration(), service]
}

fn migration() -> AppSpec {
    let mut spec = AppSpec {
        kind: Kind::Oneshot,
        ..spec("dev", "job")
    };
    spec.restart.when = RestartWhen::Never;
    spec
}

fn applied(specs: impl Into<Vec<AppSpec>>) -> Stage {
    let mut stage = Stage::new();
    let asked = Application::of(specs.into());
    stage.fleet.apply(stage.now, &By::ann(), asked);
    stage
}

/// The job is done, and the service is up.
fn done() -> Stage {
    let mut stage = applied(job("api"));
    stage.rise(&run("job", 0, 1));
    stage.end(&run("job", 0, 1), How::Code(0), 1200 * MS);
    stage.rise(&api(1));
    stage
}

fn with(specs: impl Into<Vec<AppSpec>>, restart: Restart) -> Application {
    Application {
        restart,
        ..Application::of(specs.into())
    }
}

#[test]
fn exit_code_0_completes_it_and_lets_those_begin_that_need_it() {
    let mut stage = applied(job("api"));
    assert_eq!(stage.tasks(), [Task::Spawn(run("job", 0, 1))]);
    stage.rise(&run("job", 0, 1));
    assert_eq!(stage.slot(&dev("api")).machine.run(), 0);
    stage.end(&run("job", 0, 1), How::Code(0), 1200 * MS);
    let slot = stage.slot(&dev("job"));
    assert_eq!(slot.cause, "completed (exited with code 0 after 1.2 s)");
    assert_eq!(slot.machine.state(), State::Stopped);
    assert_eq!(slot.machine.want(), Want::Down);
    assert_eq!(
        stage.tasks(),
        [Task::Forget(run("job", 0, 1)), Task::Spawn(api(1))]
    );
}

#[test]
fn anything_else_is_a_failure_and_lets_nobody_begin() {
    for (how, cause) in [
        (How::Code(3), "failed (exited with code 3 after 1.2 s)"),
        (
            How::Signal(SIGKILL),
            "failed (killed by SIGKILL after 1.2 s)",
        ),
    ] {
        let mut stage = applied(job("api"));
        stage.rise(&run("job", 0, 1));
        stage.end(&run("job", 0, 1), how, 1200 * MS);
        assert_eq!(stage.slot(&dev("job")).cause, cause);
        assert_eq!(stage.slot(&dev("job")).machine.state(), State::Errored);
        assert_eq!(stage.tasks(), [Task::Forget(run("job", 0, 1))]);
        let waits = stage.fleet.waits(&dev("api").slot(0));
        assert!(waits.iter().all(super::super::wait::Wait::is_stuck));
    }
}

#[test]
fn one_that_is_ended_by_a_person_is_not_done_even_if_it_exits_with_code_0() {
    let mut stage = applied(job("api"));
    stage.rise(&run("job", 0, 1));
    stage.act(Verb::Stop, &dev("job"));
    stage.end(&run("job", 0, 1), How::Code(0), MS);
    assert_eq!(stage.slot(&dev("job")).cause, "stopped by ann");
    assert_eq!(stage.slot(&dev("api")).machine.run(), 0);
}

#[test]
fn a_service_that_needs_a_oneshot_to_be_ready_waits_until_its_work_is_done() {
    let [job, mut service] = job("api");
    let name = AppName::new("job").expect("a name");
    let condition = Condition::Ready;
    service.depends_on = vec![Dependency::App { name, condition }];
    let mut stage = applied([job, service]);
    stage.rise(&run("job", 0, 1));
    assert_eq!(stage.slot(&dev("api")).machine.run(), 0);
    stage.end(&run("job", 0, 1), How::Code(0), MS);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 1);
}

#[test]
fn started_again_it_runs_again_and_is_waited_for_again() {
    let mut stage = done();
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.tasks();
    let slots = [dev("api").slot(0), dev("job").slot(0)];
    stage.fleet.act(stage.now, &By::ann(), START, &slots);
    assert_eq!(stage.tasks(), [Task::Spawn(run("job", 0, 2))]);
    stage.rise(&run("job", 0, 2));
    stage.end(&run("job", 0, 2), How::Code(0), MS);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 2);
}

#[test]
fn what_is_done_is_not_done_again_for_one_that_needs_it() {
    let mut stage = done();
    stage.act(RESTART, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 2);
    assert_eq!(stage.slot(&dev("job")).machine.run(), 1);
}

#[test]
fn one_that_failed_is_tried_again_for_one_that_needs_it() {
    let mut stage = applied(job("api"));
    stage.rise(&run("job", 0, 1));
    stage.end(&run("job", 0, 1), How::Code(3), MS);
    stage.tasks();
    let outcomes = stage
        .fleet
        .act(stage.now, &By::ann(), START, &[dev("api").slot(0)]);
    assert_eq!(
        actions(&outcomes),
        [(0, Action::Unchanged, 0), (0, Action::Started, 2)]
    );
    assert_eq!(stage.tasks(), [Task::Spawn(run("job", 0, 2))]);
}

#[test]
fn a_file_that_is_started_again_repeats_its_work_and_one_that_is_converged_to_does_not() {
    let mut again = done();
    let outcomes = again
        .fleet
        .apply(again.now, &By::ann(), with(job("api"), Restart::IfChanged));
    assert_eq!(
        actions(&outcomes),
        [(0, Action::Started, 2), (0, Action::Unchanged, 0)]
    );

    let mut same = done();
    assert!(same.fleet.plan(&job("api"), &[], &[]).steps.is_empty());
    let outcomes = same
        .fleet
        .apply(same.now, &By::ann(), with(job("api"), Restart::Converge));
    assert_eq!(
        actions(&outcomes),
        [(0, Action::Unchanged, 0), (0, Action::Unchanged, 0)]
    );

    let [mut changed, service] = job("api");
    changed.script = "other.js".to_owned();
    let specs = [changed, service];
    assert_eq!(
        same.fleet.plan(&specs, &[], &[]).steps[0].instances.started,
        1
    );
    let outcomes = same
        .fleet
        .apply(same.now, &By::ann(), with(specs, Restart::Converge));
    assert_eq!(outcomes[0].action, Action::Started);
}

#[test]
fn after_a_boot_its_work_is_done_again_for_those_that_need_it() {
    let mut stage = done();
    stage.fleet.rise_after(Loss::Host);
    stage.meet(vec![]);
    assert_eq!(stage.tasks(), [Task::Spawn(run("job", 0, 2))]);
    let cause = &stage.slot(&dev("job")).cause;
    assert_eq!(cause, "started after the host booted, for dev/api");
    stage.rise(&run("job", 0, 2));
    stage.end(&run("job", 0, 2), How::Code(0), MS);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 2);
}

#[test]
fn after_a_boot_what_is_done_and_needed_by_nobody_who_is_up_stays_done() {
    let mut stage = done();
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.fleet.rise_after(Loss::Host);
    stage.meet(vec![]);
    assert_eq!(stage.slot(&dev("job")).machine.run(), 1);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 1);
}

#[test]
fn what_was_put_to_rest_comes_back_without_its_work_being_done_again() {
    let mut stage = done();
    stage.fleet.hold(stage.now, &By::ann());
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.fleet.resurrect(stage.now, &By::ann());
    assert_eq!(stage.slot(&dev("job")).machine.run(), 1);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 2);
}

#[test]
fn a_service_that_exits_with_code_0_and_is_stopped_before_its_next_attempt_has_not_completed() {
    let mut stage = Stage::online();
    stage.end(&api(1), How::Code(0), MS);
    stage.rise(&api(2));
    stage.end(&api(2), How::Code(0), MS);
    assert!(matches!(stage.state(), State::Waiting { .. }));
    stage.act(Verb::Stop, &dev("api"));
    let name = AppName::new("api").expect("a name");
    let condition = Condition::Completed;
    stage.apply(AppSpec {
        depends_on: vec![Dependency::App { name, condition }],
        ..spec("dev", "web")
    });
    assert_eq!(stage.slot(&dev("web")).machine.run(), 0);
}

#[test]
fn one_that_is_asked_for_again_and_called_off_has_not_completed() {
    let [mut job, service] = job("api");
    let name = AppName::new("db").expect("a name");
    let condition = Condition::Ready;
    job.depends_on = vec![Dependency::App { name, condition }];
    let mut stage = applied([spec("dev", "db"), job]);
    stage.rise(&run("db", 0, 1));
    stage.rise(&run("job", 0, 1));
    stage.end(&run("job", 0, 1), How::Code(0), MS);
    stage.act(Verb::Stop, &dev("db"));
    stage.end(&run("db", 0, 1), How::Signal(SIGINT), MS);
    stage.tasks();
    // It waits for what it needs, and is stopped before that is there.
    stage.act(START, &dev("job"));
    stage.act(Verb::Stop, &dev("job"));
    stage.act(Verb::Stop, &dev("db"));
    let asked = Application {
        turn: Turn::InOrder,
        ..Application::of(vec![service])
    };
    stage.fleet.apply(stage.now, &By::ann(), asked);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 0);
    assert_eq!(stage.slot(&dev("job")).machine.want(), Want::Up);
}
