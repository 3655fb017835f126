use super::*;
use crate::machine::Want;

fn spawned_at(key: &RunKey, at: Tick) -> Report {
    Report::Spawned(identity(key, at))
}

#[test]
fn a_keeper_that_knows_what_we_know_is_asked_for_nothing() {
    let mut stage = Stage::online();
    let reports = vec![spawned_at(&api(1), stage.now)];
    assert!(stage.meet(vec![(api(1), reports)]).is_empty());
    assert!(stage.tasks().is_empty());
}

#[test]
fn an_end_that_nobody_heard_is_recorded_as_it_was_and_followed_once() {
    let mut stage = Stage::online();
    let reports = vec![
        spawned_at(&api(1), stage.now),
        exited(How::Code(3), stage.now + 7 * MS, Left::Nothing),
        Report::Gone,
    ];
    stage.now += 60_000 * MS;
    stage.meet(vec![(api(1), reports)]);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
    let exit = stage.slot(&dev("api")).exits[0].clone();
    assert_eq!((exit.run, exit.how), (1, How::Code(3)));
    assert_eq!(exit.lived, 7 * MS);
}

#[test]
fn an_end_that_was_recorded_and_is_told_again_is_only_forgotten() {
    for left in [Left::Nothing, Left::Processes] {
        let mut stage = Stage::online();
        stage.apply(AppSpec {
            restart: eco_config::spec::RestartPolicy {
                max_unstable: 1,
                ..spec("dev", "api").restart
            },
            ..spec("dev", "api")
        });
        stage.end(&api(1), How::Signal(SIGINT), MS);
        stage.rise(&api(2));
        stage.report(&api(2), exited(How::Code(3), stage.now, left));
        stage.report(&api(2), Report::Gone);
        assert_eq!(stage.state(), State::Errored);
        stage.tasks();
        let before = stage.slot(&dev("api")).clone();
        let reports = vec![
            spawned_at(&api(2), stage.now),
            exited(How::Code(3), stage.now, left),
            Report::Gone,
        ];
        stage.meet(vec![(api(2), reports)]);
        assert_eq!(stage.tasks(), [Task::Forget(api(2))]);
        assert_eq!(*stage.slot(&dev("api")), before);
    }
}

#[test]
fn a_run_that_a_new_keeper_does_not_know_is_given_to_it() {
    let mut stage = Stage::online();
    stage.meet(vec![]);
    let process = identity(&api(1), 10 * MS);
    assert_eq!(stage.tasks(), [Task::Adopt(api(1), process)]);
    assert!(matches!(stage.state(), State::Online { .. }));
}

#[test]
fn a_run_that_was_ending_is_given_over_and_told_again() {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.tasks();
    stage.meet(vec![]);
    let process = identity(&api(1), 10 * MS);
    assert_eq!(
        stage.tasks(),
        [Task::Adopt(api(1), process), Task::End(api(1))]
    );
}

#[test]
fn a_signal_that_may_have_been_swallowed_is_sent_again() {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.tasks();
    stage.meet(vec![(api(1), vec![spawned_at(&api(1), stage.now)])]);
    assert_eq!(stage.tasks(), [Task::End(api(1))]);
}

#[test]
fn a_run_that_is_told_to_end_by_what_is_heard_is_told_once() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.act(Verb::Stop, &dev("api"));
    stage.tasks();
    stage.meet(vec![(api(1), vec![spawned_at(&api(1), stage.now)])]);
    assert_eq!(stage.tasks(), [Task::End(api(1))]);
}

#[test]
fn a_spawn_that_never_arrived_is_asked_for_once_more_under_the_next_number() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.tasks();
    stage.meet(vec![]);
    assert_eq!(stage.tasks(), [Task::Spawn(api(2))]);
    stage.meet(vec![(api(2), vec![])]);
    assert!(stage.tasks().is_empty());
}

#[test]
fn a_spawn_that_never_arrived_and_is_not_wanted_any_more_is_over() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.act(Verb::Delete, &dev("api"));
    stage.tasks();
    stage.meet(vec![]);
    assert!(stage.fleet.apps().is_empty());
    assert!(stage.tasks().is_empty());
}

#[test]
fn a_living_run_before_the_current_one_is_killed() {
    let mut stage = Stage::online();
    stage.end(&api(1), How::Code(1), 2000 * MS);
    stage.rise(&api(2));
    let runs = vec![
        (api(1), vec![spawned_at(&api(1), MS)]),
        (api(2), vec![spawned_at(&api(2), stage.now)]),
    ];
    assert!(stage.meet(runs).is_empty());
    assert_eq!(stage.tasks(), [Task::Signal(api(1), SIGKILL)]);
}

#[test]
fn a_healthy_run_that_is_newer_than_the_records_is_taken_up() {
    let mut stage = Stage::online();
    let reports = vec![spawned_at(&api(3), stage.now)];
    assert!(stage.meet(vec![(api(3), reports)]).is_empty());
    assert!(stage.tasks().is_empty());
    let slot = stage.slot(&dev("api"));
    assert_eq!(slot.machine.run(), 3);
    assert_eq!(slot.pid(), Some(identity(&api(3), MS).pid));
    let last = &slot.exits[0];
    assert_eq!((last.run, &last.how), (1, &How::Unknown));
    stage.end(&api(3), How::Code(3), 60_000 * MS);
    assert_eq!(stage.tasks().last(), Some(&Task::Spawn(api(4))));
}

#[test]
fn a_healthy_run_is_not_killed_for_one_that_was_asked_for_before_the_keeper_was_met() {
    let mut stage = Stage::online();
    stage.end(&api(1), How::Code(3), MS);
    stage.rise(&api(2));
    stage.end(&api(2), How::Code(3), MS);
    assert!(matches!(stage.state(), State::Waiting { .. }));
    stage.fleet.pass_over([api(3)]);
    stage.pass(60_000 * MS);
    assert_eq!(stage.slot(&dev("api")).machine.run(), 4);
    stage.fleet.drop_tasks();
    let reports = vec![spawned_at(&api(3), stage.now)];
    stage.meet(vec![(api(3), reports)]);
    assert!(stage.tasks().is_empty());
    assert_eq!(stage.slot(&dev("api")).machine.run(), 3);
    stage.end(&api(3), How::Code(3), 60_000 * MS);
    assert_eq!(stage.tasks().last(), Some(&Task::Spawn(api(5))));
}

#[test]
fn an_end_of_a_run_that_is_newer_than_the_records_is_recorded_and_followed() {
    let mut stage = Stage::online();
    let reports = vec![
        spawned_at(&api(2), stage.now),
        exited(How::Code(3), stage.now + MS, Left::Nothing),
        Report::Gone,
    ];
    stage.meet(vec![(api(2), reports)]);
    let runs: Vec<_> = stage
        .slot(&dev("api"))
        .exits
        .iter()
        .map(|exit| exit.run)
        .collect();
    assert_eq!(runs, [2, 1]);
    assert_eq!(stage.tasks(), [Task::Forget(api(2)), Task::Spawn(api(3))]);
}

#[test]
fn a_run_that_is_newer_than_the_wish_to_be_down_is_ended_as_its_app_is() {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.tasks();
    stage.meet(vec![(api(2), vec![spawned_at(&api(2), stage.now)])]);
    assert_eq!(stage.tasks(), [Task::End(api(2))]);
}

#[test]
fn a_run_of_no_known_app_is_a_stranger_and_is_left_alone_until_it_is_gone() {
    let mut stage = Stage::online();
    let known = (api(1), vec![spawned_at(&api(1), stage.now)]);
    let stranger = run("other", 0, 3);
    let lives = (stranger.clone(), vec![spawned_at(&stranger, MS)]);
    let strangers = stage.meet(vec![known.clone(), lives]);
    assert_eq!(strangers.as_slice(), std::slice::from_ref(&stranger));
    assert!(stage.tasks().is_empty());

    let is_over = (stranger.clone(), vec![Report::Gone]);
    assert!(stage.meet(vec![known, is_over]).is_empty());
    assert_eq!(stage.tasks(), [Task::Forget(stranger)]);
}

#[test]
fn a_process_of_another_boot_is_lost_and_followed() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    let process = Identity {
        boot_id: "another".to_owned(),
        ..identity(&api(1), MS)
    };
    stage.report(&api(1), Report::Spawned(process));
    stage.tasks();
    stage.meet(vec![]);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
    assert_eq!(stage.slot(&dev("api")).exits[0].how, How::Unknown);
}

#[test]
fn a_wait_goes_on_whatever_the_keeper_says() {
    let mut stage = Stage::online();
    stage.end(&api(1), How::Code(3), MS);
    stage.rise(&api(2));
    stage.end(&api(2), How::Code(3), MS);
    stage.tasks();
    let due = stage.fleet.deadline();
    stage.meet(vec![]);
    assert!(stage.tasks().is_empty());
    assert_eq!(stage.fleet.deadline(), due);
}

/// `up` is online, `down` stopped, `held` put to rest, `spent` given up, `leaving` being deleted.
fn after_boot() -> Stage {
    let mut stage = Stage::new();
    for name in ["up", "down", "held", "leaving"] {
        stage.apply(spec("dev", name));
        stage.rise(&run(name, 0, 1));
    }
    let mut once = spec("dev", "spent");
    once.restart.max_unstable = 1;
    stage.apply(once);
    stage.rise(&run("spent", 0, 1));
    stage.end(&run("spent", 0, 1), How::Code(1), MS);
    stage.act(Verb::Stop, &dev("down"));
    stage.act(Verb::Delete, &dev("leaving"));
    let mut held = stage.clone();
    held.fleet.hold(held.now, &By::ann());
    let app = held.fleet.apps[&dev("held")].clone();
    stage.fleet.apps.insert(dev("held"), app);
    stage.tasks();
    stage.now = MS;
    stage.fleet.rise_after(Loss::Host);
    stage
}

#[test]
fn after_a_boot_what_was_wanted_comes_up_and_nothing_else() {
    let mut stage = after_boot();
    assert!(stage.tasks().is_empty());
    assert!(stage.fleet.app(&dev("leaving")).is_none());
    stage.meet(vec![]);
    assert_eq!(
        stage.tasks(),
        [
            Task::Spawn(run("spent", 0, 2)),
            Task::Spawn(run("up", 0, 2))
        ]
    );
    assert_eq!(stage.slot(&dev("down")).machine.state(), State::Stopped);
    assert_eq!(stage.slot(&dev("held")).machine.want(), Want::Held);
}

#[test]
fn after_a_boot_no_process_and_no_time_of_the_old_one_is_left() {
    let stage = after_boot();
    for (_, _, slot) in stage.fleet.slots() {
        assert_eq!(slot.identity, None);
        assert_eq!(slot.machine.deadline(), None);
        assert_eq!(slot.machine.strikes(), 0);
    }
}

#[test]
fn an_agent_that_ends_between_the_boot_and_the_keeper_starts_them_all_the_same() {
    let mut stage = after_boot();
    stage.tasks();
    let apps = stage.fleet.apps.clone();
    stage.fleet = Fleet::restore(apps, BTreeMap::new());
    stage.meet(vec![]);
    assert_eq!(stage.tasks().len(), 2);
}
