use super::*;
use crate::machine::Want;

fn stopped() -> Stage {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.end(&api(1), How::Signal(SIGINT), MS);
    stage.tasks();
    stage
}

fn ending() -> Stage {
    let mut stage = Stage::online();
    stage.act(Verb::Stop, &dev("api"));
    stage.tasks();
    stage
}

fn spawning() -> Stage {
    let mut stage = Stage::new();
    stage.apply(spec("dev", "api"));
    stage.tasks();
    stage
}

/// Its second run ended early, too: the third is due in 100 ms.
fn waiting() -> Stage {
    let mut stage = Stage::online();
    stage.end(&api(1), How::Code(3), MS);
    stage.rise(&api(2));
    stage.end(&api(2), How::Code(3), MS);
    stage.tasks();
    assert!(matches!(stage.state(), State::Waiting { .. }));
    stage
}

fn errored() -> Stage {
    let mut stage = waiting();
    stage.pass(100 * MS);
    stage.rise(&api(3));
    stage.end(&api(3), How::Code(3), MS);
    stage.tasks();
    assert_eq!(stage.state(), State::Errored);
    stage
}

/// What the verb says it did, which run it names, and what it asks of the world at once.
fn done(mut stage: Stage, verb: Verb) -> (Action, Run, Vec<Task>) {
    let outcome = stage.act(verb, &dev("api"));
    (outcome.action, outcome.run, stage.tasks())
}

fn signal() -> Vec<Task> {
    vec![Task::End(api(1))]
}

fn spawn(number: Run) -> Vec<Task> {
    vec![Task::Spawn(api(number))]
}

#[test]
fn start_begins_a_run_only_where_none_is_or_comes() {
    use Action::{Started, Unchanged};
    assert_eq!(done(stopped(), START), (Started, 2, spawn(2)));
    assert_eq!(done(ending(), START), (Started, 2, vec![]));
    assert_eq!(done(errored(), START), (Started, 4, spawn(4)));
    assert_eq!(done(spawning(), START), (Unchanged, 0, vec![]));
    assert_eq!(done(Stage::online(), START), (Unchanged, 0, vec![]));
    assert_eq!(done(waiting(), START), (Unchanged, 0, vec![]));
}

#[test]
fn restart_names_the_run_that_will_be_up() {
    use Action::{Restarted, Started};
    assert_eq!(done(stopped(), RESTART), (Started, 2, spawn(2)));
    assert_eq!(done(ending(), RESTART), (Started, 2, vec![]));
    assert_eq!(done(errored(), RESTART), (Started, 4, spawn(4)));
    assert_eq!(done(spawning(), RESTART), (Restarted, 2, vec![]));
    assert_eq!(done(Stage::online(), RESTART), (Restarted, 2, signal()));
    assert_eq!(done(waiting(), RESTART), (Restarted, 3, spawn(3)));
}

#[test]
fn stop_ends_what_is_there_and_calls_off_what_is_to_come() {
    use Action::{Stopped, Unchanged};
    assert_eq!(done(stopped(), Verb::Stop), (Unchanged, 0, vec![]));
    assert_eq!(done(ending(), Verb::Stop), (Stopped, 1, vec![]));
    assert_eq!(done(errored(), Verb::Stop), (Stopped, 3, vec![]));
    assert_eq!(done(spawning(), Verb::Stop), (Stopped, 1, vec![]));
    assert_eq!(done(Stage::online(), Verb::Stop), (Stopped, 1, signal()));
    assert_eq!(done(waiting(), Verb::Stop), (Stopped, 2, vec![]));
}

#[test]
fn a_run_that_is_stopped_while_it_is_spawned_ends_as_soon_as_it_is_there() {
    let mut stage = spawning();
    stage.act(Verb::Stop, &dev("api"));
    assert!(stage.tasks().is_empty());
    stage.spawned(&api(1));
    assert_eq!(stage.tasks(), signal());
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.state(), State::Stopped);
}

#[test]
fn delete_removes_what_is_at_rest_at_once() {
    for mut stage in [stopped(), errored(), waiting()] {
        assert_eq!(stage.act(Verb::Delete, &dev("api")).action, Action::Deleted);
        let changes = stage.fleet.take_changes();
        assert_eq!(changes.apps, BTreeSet::from([dev("api")]));
        assert_eq!(changes.slots, BTreeSet::from([dev("api").slot(0)]));
        assert!(changes.tasks.is_empty());
        assert!(stage.fleet.apps().is_empty());
    }
}

#[test]
fn delete_removes_a_living_one_when_nothing_of_it_is_left() {
    let mut stage = Stage::online();
    stage.act(Verb::Delete, &dev("api"));
    assert_eq!(stage.tasks(), signal());
    stage.report(&api(1), exited(How::Code(0), stage.now, Left::Processes));
    assert_eq!(stage.slot(&dev("api")).fate, Fate::Leaves);
    stage.report(&api(1), Report::Gone);
    assert!(stage.fleet.apps().is_empty());
    assert_eq!(stage.tasks(), [Task::Forget(api(1))]);
}

#[test]
fn delete_while_it_is_spawned_ends_it_first() {
    let mut stage = spawning();
    stage.act(Verb::Delete, &dev("api"));
    assert_eq!(stage.fleet.slots().count(), 1);
    stage.spawned(&api(1));
    assert_eq!(stage.tasks(), signal());
    stage.end(&api(1), How::Code(0), MS);
    assert!(stage.fleet.apps().is_empty());
}

#[test]
fn an_app_that_comes_again_counts_its_runs_on() {
    let mut stage = stopped();
    stage.act(Verb::Delete, &dev("api"));
    stage.tasks();
    assert_eq!(
        actions(&stage.apply(spec("dev", "api"))),
        [(0, Action::Created, 2)]
    );
    assert_eq!(stage.tasks(), spawn(2));
}

#[test]
fn a_start_calls_a_delete_off() {
    let mut stage = Stage::online();
    stage.act(Verb::Delete, &dev("api"));
    assert_eq!(stage.act(START, &dev("api")).run, 2);
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.slot(&dev("api")).fate, Fate::Stays);
    assert!(matches!(stage.state(), State::Spawning { .. }));
}

#[test]
fn what_is_not_there_is_passed_over() {
    let mut stage = Stage::online();
    let slots = [dev("none").slot(0), dev("api").slot(7)];
    assert!(
        stage
            .fleet
            .act(stage.now, &By::ann(), Verb::Stop, &slots)
            .is_empty()
    );
    assert!(stage.fleet.take_changes().is_clean());
}

#[test]
fn what_outlives_its_kill_timeout_is_killed_and_killed_again() {
    let mut stage = ending();
    stage.pass(1599 * MS);
    assert!(stage.tasks().is_empty());
    stage.pass(MS);
    assert_eq!(stage.tasks(), [Task::Signal(api(1), SIGKILL)]);
    stage.pass(1000 * MS);
    assert_eq!(stage.tasks(), [Task::Signal(api(1), SIGKILL)]);
    assert_eq!(stage.fleet.deadline(), Some(stage.now + 1000 * MS));
}

#[test]
fn hold_puts_all_to_rest_and_resurrect_brings_up_only_what_was_wanted() {
    let mut stage = stopped();
    stage.apply(spec("dev", "web"));
    stage.rise(&run("web", 0, 1));
    stage.fleet.hold(stage.now, &By::ann());
    assert_eq!(stage.tasks(), [Task::End(run("web", 0, 1))]);
    stage.end(&run("web", 0, 1), How::Signal(SIGINT), MS);
    assert!(stage.fleet.is_at_rest());
    stage.tasks();

    let outcomes = stage.fleet.resurrect(stage.now, &By::ann());
    let done: Vec<_> = outcomes
        .iter()
        .map(|outcome| (outcome.slot.app.name.as_str(), outcome.action, outcome.run))
        .collect();
    assert_eq!(
        done,
        [("api", Action::Unchanged, 0), ("web", Action::Started, 2)]
    );
    assert_eq!(stage.tasks(), [Task::Spawn(run("web", 0, 2))]);
}

#[test]
fn what_had_given_up_and_was_held_is_tried_again() {
    for mut stage in [errored(), waiting()] {
        stage.fleet.hold(stage.now, &By::ann());
        assert!(stage.fleet.is_at_rest());
        assert_eq!(stage.slot(&dev("api")).machine.want(), Want::Held);
        stage.tasks();
        stage.fleet.resurrect(stage.now, &By::ann());
        assert_eq!(stage.tasks().len(), 1);
    }
}

#[test]
fn a_start_by_name_brings_a_held_app_up_and_a_stop_lets_it_rest_for_good() {
    let mut held = Stage::online();
    held.fleet.hold(held.now, &By::ann());
    held.end(&api(1), How::Signal(SIGINT), MS);
    held.tasks();
    assert_eq!(done(held.clone(), START), (Action::Started, 2, spawn(2)));
    held.act(Verb::Stop, &dev("api"));
    held.fleet.resurrect(held.now, &By::ann());
    assert_eq!(held.state(), State::Stopped);
}

#[test]
fn a_resurrect_while_it_is_put_to_rest_brings_up_a_new_run() {
    let mut stage = Stage::online();
    stage.fleet.hold(stage.now, &By::ann());
    let outcomes = stage.fleet.resurrect(stage.now, &By::ann());
    assert_eq!(actions(&outcomes), [(0, Action::Started, 2)]);
    stage.tasks();
    stage.end(&api(1), How::Signal(SIGINT), MS);
    assert_eq!(stage.tasks(), [Task::Forget(api(1)), Task::Spawn(api(2))]);
}

/// It watches its files, and ended by itself with a code that is an end.
fn ended() -> Stage {
    let mut stage = Stage::new();
    let mut watching = spec("dev", "api");
    watching.watch = Some(eco_config::spec::WatchPolicy {
        paths: Vec::new(),
        ignore: None,
        delay: MS,
        links: eco_config::spec::Links::Followed,
        polling: None,
        depth: None,
    });
    stage.apply(watching);
    stage.rise(&api(1));
    stage.end(&api(1), How::Code(7), MS);
    stage.tasks();
    assert!(stage.slot(&dev("api")).has_ended());
    stage
}

/// What a change of its files, or another reason, makes of an app.
fn replaced(mut stage: Stage, by: &By) -> Vec<Task> {
    let cause = "restarted: a.js changed".to_owned();
    stage.fleet.replace_run(stage.now, &api(1), by, cause);
    stage.tasks()
}

#[test]
fn what_ended_by_itself_runs_again_at_a_change_of_its_files_and_for_no_other_reason() {
    assert_eq!(replaced(ended(), &By::Watch), spawn(2));
    for other in [By::Memory, By::Probe] {
        assert_eq!(replaced(ended(), &other), []);
    }
}

#[test]
fn what_ended_and_is_stopped_then_or_put_to_rest_stays_down_at_a_change_of_its_files() {
    let mut told = ended();
    assert_eq!(told.act(Verb::Stop, &dev("api")).action, Action::Unchanged);
    assert!(
        told.cause().ends_with("; stopped by ann"),
        "{}",
        told.cause()
    );
    assert_eq!(replaced(told, &By::Watch), []);

    let mut at_rest = ended();
    at_rest.fleet.hold(at_rest.now, &By::ann());
    assert_eq!(replaced(at_rest, &By::Watch), []);
    assert_eq!(replaced(stopped(), &By::Watch), []);
}
