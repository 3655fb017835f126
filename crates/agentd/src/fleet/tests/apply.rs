use super::*;
use crate::machine::{ReadyBy, Want};

/// Each of the app's slots comes up as run 1.
fn up(instances: u32) -> Stage {
    let mut stage = Stage::new();
    stage.apply(many(instances));
    for instance in 0..instances {
        stage.rise(&run("api", instance, 1));
    }
    stage
}

#[test]
fn a_new_app_is_created_and_started_with_numbers_that_count_on() {
    let mut stage = Stage::new();
    assert_eq!(
        actions(&stage.apply(many(2))),
        [(0, Action::Created, 1), (1, Action::Created, 1)]
    );
    let second = stage.apply(spec("dev", "web"));
    assert_eq!(second[0].id, 2);
    assert_eq!(
        stage.tasks(),
        [
            Task::Spawn(run("api", 0, 1)),
            Task::Spawn(run("api", 1, 1)),
            Task::Spawn(run("web", 0, 1))
        ]
    );
}

#[test]
fn what_is_new_is_to_be_written() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    let changes = stage.fleet.take_changes();
    assert_eq!(changes.apps, BTreeSet::from([dev("api")]));
    assert_eq!(changes.slots, BTreeSet::from([dev("api").slot(0)]));
    assert!(stage.fleet.take_changes().is_clean());
}

#[test]
fn an_app_of_which_only_slots_beyond_the_number_were_left_stays() {
    let mut stage = Stage::new();
    let registered = |instances| AppSpec {
        autostart: false,
        ..many(instances)
    };
    stage.apply(registered(2));
    stage.act(Verb::Delete, &dev("api"));
    assert_eq!(
        actions(&stage.apply(registered(1))),
        [(0, Action::Registered, 0), (1, Action::Deleted, 0)]
    );
    assert_eq!(stage.fleet.slots().count(), 1);
}

#[test]
fn an_app_that_is_as_asked_is_left_alone() {
    let mut stage = up(2);
    assert_eq!(
        actions(&stage.apply(many(2))),
        [(0, Action::Unchanged, 0), (1, Action::Unchanged, 0)]
    );
    assert!(stage.tasks().is_empty());
}

#[test]
fn another_shell_makes_no_app_out_of_date_but_its_variables_are_kept_for_the_next_run() {
    let mut stage = Stage::online();
    let mut asked = spec("dev", "api");
    asked
        .inherited_env
        .insert("LANG".to_owned(), "C".to_owned());
    assert_eq!(
        actions(&stage.apply(asked.clone())),
        [(0, Action::Unchanged, 0)]
    );
    assert_eq!(*stage.fleet.app(&dev("api")).unwrap().spec, asked);
}

#[test]
fn a_changed_app_is_replaced_and_no_other() {
    let mut stage = Stage::online();
    stage.apply(spec("dev", "web"));
    stage.rise(&run("web", 0, 1));
    let mut changed = spec("dev", "api");
    changed.env.insert("MODE".to_owned(), "new".to_owned());
    let outcomes = stage.fleet.apply(
        stage.now,
        &By::ann(),
        Application::of(vec![changed, spec("dev", "web")]),
    );
    let done: Vec<_> = outcomes.iter().map(|outcome| outcome.action).collect();
    assert_eq!(done, [Action::Restarted, Action::Unchanged]);
    assert_eq!(outcomes[0].run, 2);
    assert_eq!(stage.tasks(), [Task::End(api(1))]);
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
}

#[test]
fn what_changes_how_an_app_is_treated_holds_for_the_end_of_the_old_run() {
    let mut stage = Stage::online();
    let mut changed = spec("dev", "api");
    changed.stop.signal = 15;
    stage.apply(changed);
    assert_eq!(stage.tasks(), [Task::End(api(1))]);
    let app = stage.fleet.app(&dev("api")).expect("known");
    assert_eq!(app.spec.stop.signal, 15);
}

#[test]
fn more_instances_are_added_without_touching_the_others() {
    let mut stage = up(2);
    assert_eq!(
        actions(&stage.apply(many(3))),
        [
            (0, Action::Unchanged, 0),
            (1, Action::Unchanged, 0),
            (2, Action::Created, 1)
        ]
    );
    assert_eq!(stage.tasks(), [Task::Spawn(run("api", 2, 1))]);
}

#[test]
fn fewer_instances_end_the_last_ones_without_touching_the_others() {
    let mut stage = up(3);
    assert_eq!(
        actions(&stage.apply(many(1))),
        [
            (0, Action::Unchanged, 0),
            (1, Action::Deleted, 1),
            (2, Action::Deleted, 1),
        ]
    );
    assert_eq!(
        stage.tasks(),
        [Task::End(run("api", 1, 1)), Task::End(run("api", 2, 1))]
    );
    for instance in [1, 2] {
        stage.end(&run("api", instance, 1), How::Signal(SIGINT), MS);
    }
    assert_eq!(stage.fleet.slots().count(), 1);
    assert_eq!(stage.fleet.apps().len(), 1);
}

#[test]
fn an_instance_that_is_leaving_and_asked_for_again_stays_with_a_new_run() {
    let mut stage = up(2);
    stage.apply(many(1));
    assert_eq!(
        actions(&stage.apply(many(2))),
        [(0, Action::Unchanged, 0), (1, Action::Started, 2)]
    );
    stage.tasks();
    stage.end(&run("api", 1, 1), How::Signal(SIGINT), MS);
    assert_eq!(
        stage.tasks(),
        [
            Task::Forget(run("api", 1, 1)),
            Task::Spawn(run("api", 1, 2))
        ]
    );
}

#[test]
fn a_stopped_app_is_started_by_the_new_specification() {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.tasks();
    let mut changed = spec("dev", "api");
    changed.script = "other.js".to_owned();
    assert_eq!(actions(&stage.apply(changed)), [(0, Action::Started, 2)]);
    assert_eq!(stage.tasks(), [Task::Spawn(api(2))]);
    assert_eq!(
        stage.fleet.app(&dev("api")).unwrap().spec.script,
        "other.js"
    );
}

#[test]
fn an_app_that_is_being_stopped_comes_back_in_a_new_run() {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.tasks();
    assert_eq!(
        actions(&stage.apply(spec("dev", "api"))),
        [(0, Action::Started, 2)]
    );
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
}

#[test]
fn an_app_without_autostart_is_registered_and_waits_to_be_started_by_name() {
    let asked = AppSpec {
        autostart: false,
        ..spec("dev", "api")
    };
    let mut stage = Stage::new();
    assert_eq!(
        actions(&stage.apply(asked.clone())),
        [(0, Action::Registered, 0)]
    );
    assert_eq!(actions(&stage.apply(asked)), [(0, Action::Unchanged, 0)]);
    assert!(stage.tasks().is_empty());
    assert_eq!(stage.slot(&dev("api")).machine.want(), Want::Down);
    stage.act(START, &dev("api"));
    assert_eq!(stage.tasks(), [Task::Spawn(api(1))]);
}

#[test]
fn an_app_that_is_being_deleted_and_comes_again_without_autostart_is_registered() {
    let mut stage = Stage::online();
    stage.act(Verb::Delete, &dev("api"));
    let asked = AppSpec {
        autostart: false,
        ..spec("dev", "api")
    };
    assert_eq!(actions(&stage.apply(asked)), [(0, Action::Registered, 0)]);
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.state(), State::Stopped);
    assert_eq!(stage.cause(), "registered; autostart is off");
}

#[test]
fn asked_to_restart_always_every_app_that_is_up_is_replaced() {
    let mut stage = Stage::online();
    let outcomes = stage.fleet.apply(
        stage.now,
        &By::ann(),
        Application {
            restart: Restart::Always,
            ..Application::of(vec![spec("dev", "api")])
        },
    );
    assert_eq!(actions(&outcomes), [(0, Action::Restarted, 2)]);
    assert_eq!(stage.tasks(), [Task::End(api(1))]);
}

#[test]
fn a_change_while_it_is_spawned_replaces_the_run_as_soon_as_it_is_there() {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    let mut changed = spec("dev", "api");
    changed.script = "other.js".to_owned();
    assert_eq!(actions(&stage.apply(changed)), [(0, Action::Restarted, 2)]);
    stage.tasks();
    stage.spawned(&api(1));
    assert_eq!(stage.tasks(), [Task::End(api(1))]);
    stage.end(&api(1), How::Code(0), MS);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
}

#[test]
fn the_same_name_in_two_environments_is_two_apps() {
    let mut stage = Stage::online();
    assert_eq!(
        actions(&stage.apply(spec("production", "api"))),
        [(0, Action::Created, 1)]
    );
    assert_eq!(stage.fleet.apps().len(), 2);
}

#[test]
fn an_app_with_a_port_has_its_listen_timeout_to_be_ready_and_another_its_min_uptime() {
    let plain = spec("dev", "api");
    let mut with_port = plain.clone();
    with_port.env.insert("PORT".to_owned(), "3000".to_owned());
    let mut hurried = plain.clone();
    hurried.restart.min_uptime = Duration::ZERO;
    let ready = |spec: &AppSpec| super::super::apply::policy(spec, expected_port(spec, 0)).ready;
    assert_eq!(ready(&plain), ReadyBy::Time(1000 * MS));
    assert_eq!(ready(&with_port), ReadyBy::Time(3000 * MS));
    assert_eq!(ready(&hurried), ReadyBy::Time(MS));
}

#[test]
fn no_number_is_given_again_though_the_records_lost_it() {
    let mut stage = Stage::new();
    stage.fleet.pass_over([api(20)]);
    stage.apply(spec("dev", "api"));
    assert_eq!(stage.tasks(), [Task::Spawn(api(21))]);
}

#[test]
fn the_run_after_a_known_one_is_numbered_after_all_there_have_been() {
    let mut stage = Stage::online();
    stage.fleet.pass_over([api(4), api(3), run("other", 0, 9)]);
    let outcome = stage.act(RESTART, &dev("api"));
    assert_eq!(outcome.run, 5);
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.tasks().last(), Some(&Task::Spawn(api(5))));
}
