use super::*;

fn exits(stage: &Stage) -> Vec<(Run, How, Duration)> {
    let slot = stage.slot(&dev("api"));
    slot.exits
        .iter()
        .map(|exit| (exit.run, exit.how.clone(), exit.lived))
        .collect()
}

#[test]
fn a_spawned_run_is_remembered_by_its_identity_until_it_is_over() {
    let mut stage = Stage::online();
    assert_eq!(
        stage.slot(&dev("api")).identity,
        Some(identity(&api(1), stage.now))
    );
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.slot(&dev("api")).identity, None);
}

#[test]
fn an_end_with_nothing_left_counts_once_all_output_is_kept() {
    let mut stage = Stage::online();
    stage.now += 5 * MS;
    stage.report(&api(1), exited(How::Code(3), stage.now, Left::Nothing));
    assert!(matches!(stage.state(), State::Online { .. }));
    assert!(exits(&stage).is_empty() && stage.tasks().is_empty());

    stage.now += 40 * MS;
    stage.report(&api(1), Report::Gone);
    assert_eq!(exits(&stage), [(1, How::Code(3), 5 * MS)]);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
}

#[test]
fn an_end_that_leaves_processes_has_them_ended_before_anything_follows() {
    let mut stage = Stage::online();
    stage.report(&api(1), exited(How::Code(3), stage.now, Left::Processes));
    assert_eq!(exits(&stage).len(), 1);
    assert_eq!(stage.tasks(), [Task::Signal(api(1), SIGINT)]);
    stage.pass(1600 * MS);
    assert_eq!(stage.tasks(), [Task::Signal(api(1), SIGKILL)]);
    stage.report(&api(1), Report::Gone);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
    assert_eq!(exits(&stage).len(), 1);
}

#[test]
fn a_failed_spawn_counts_as_an_end_and_is_forgotten_when_the_keeper_lets_go() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.tasks();
    let failed = Report::SpawnFailed {
        why: "start it: no such file".to_owned(),
        at_unix: MS,
    };
    stage.report(&api(1), failed);
    assert_eq!(stage.tasks(), []);
    stage.report(&api(1), Report::Gone);
    assert_eq!(stage.tasks(), [Task::Forget(api(1))]);
    stage.pass(100 * MS);
    assert_eq!(stage.tasks(), [Task::Spawn(api(2))]);
    let how = How::NotSpawned("start it: no such file".to_owned());
    assert_eq!(exits(&stage), [(1, how, Duration::ZERO)]);
}

#[test]
fn a_failed_spawn_of_the_last_chance_is_forgotten_too() {
    let mut stage = Stage::new();
    let mut once = spec("dev", "api");
    once.restart.max_unstable = 1;
    stage.apply(once);
    stage.tasks();
    let failed = Report::SpawnFailed {
        why: "start it: no such file".to_owned(),
        at_unix: MS,
    };
    stage.report(&api(1), failed);
    stage.report(&api(1), Report::Gone);
    assert_eq!(stage.state(), State::Errored);
    assert_eq!(stage.tasks(), [Task::Forget(api(1))]);
}

#[test]
fn of_a_run_that_is_history_only_its_end_matters() {
    let mut stage = Stage::online();
    stage.end(&api(1), How::Code(1), 2000 * MS);
    stage.rise(&api(2));
    let before = stage.slot(&dev("api")).clone();
    stage.spawned(&api(1));
    stage.report(&api(1), Report::Ready(Sign::Port));
    stage.report(&api(1), exited(How::Code(9), stage.now, Left::Nothing));
    assert!(stage.tasks().is_empty());
    stage.report(&api(1), Report::Gone);
    assert_eq!(stage.tasks(), [Task::Forget(api(1))]);
    assert_eq!(*stage.slot(&dev("api")), before);
}

#[test]
fn a_run_of_no_known_app_is_forgotten_when_it_is_gone() {
    let mut stage = Stage::new();
    stage.spawned(&api(4));
    stage.report(&api(4), exited(How::Code(0), MS, Left::Nothing));
    assert!(stage.tasks().is_empty());
    stage.report(&api(4), Report::Gone);
    assert_eq!(stage.tasks(), [Task::Forget(api(4))]);
}

#[test]
fn what_was_first_said_of_an_end_counts() {
    let mut stage = Stage::online();
    stage.report(&api(1), exited(How::Code(3), stage.now, Left::Nothing));
    // A new keeper took the run over after its end, and cannot know how it was.
    stage.report(&api(1), exited(How::Unknown, stage.now + MS, Left::Nothing));
    stage.report(&api(1), Report::Gone);
    assert_eq!(exits(&stage), [(1, How::Code(3), Duration::ZERO)]);

    stage.rise(&api(2));
    stage.report(&api(2), exited(How::Code(4), stage.now, Left::Processes));
    stage.report(&api(2), exited(How::Unknown, stage.now + MS, Left::Nothing));
    stage.report(&api(2), Report::Gone);
    assert_eq!(exits(&stage)[0], (2, How::Code(4), Duration::ZERO));
    assert_eq!(exits(&stage).len(), 2);
}

#[test]
fn a_named_exit_code_is_an_end() {
    let mut stage = Stage::online();
    stage.end(&api(1), How::Code(7), MS);
    assert_eq!(stage.state(), State::Stopped);
    assert_eq!(stage.tasks(), [Task::Forget(api(1))]);
}

#[test]
fn twenty_ends_are_remembered_and_the_latest_is_the_first() {
    let mut stage = Stage::online();
    for number in 1..=25 {
        stage.end(&api(number), How::Code(1), 60_000 * MS);
        stage.rise(&api(number + 1));
    }
    let runs: Vec<_> = exits(&stage).into_iter().map(|(run, _, _)| run).collect();
    assert_eq!(runs, (6..=25).rev().collect::<Vec<_>>());
    assert_eq!(stage.slot(&dev("api")).machine.restarts(), 25);
}

#[test]
fn who_says_nothing_is_online_after_a_while() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.spawned(&api(1));
    assert_eq!(stage.fleet.deadline(), Some(stage.now + 1000 * MS));
    stage.pass(1000 * MS);
    assert!(matches!(stage.state(), State::Online { .. }));
    assert_eq!(stage.fleet.deadline(), None);
}
